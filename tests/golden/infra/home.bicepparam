// A first deployment: the webhook URL is given, everything else as azd asks for it.
using '../../../infra/main.bicep'

param environmentName = 'apple-tokens'
param location = 'westeurope'
param webhookUrl = 'https://example.test/workflows/planted?sig=planted-fake-signature'
param alertEmails = 'first@example.test, second@example.test'
param timeZone = 'Europe/Berlin'
param language = 'en'
param operators = '00000000-0000-0000-0000-00000000000a'
