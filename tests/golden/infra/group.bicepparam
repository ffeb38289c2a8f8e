// Only what is inside the group, into one that exists: with plain `az deployment group create`.
using '../../../infra/resources.bicep'

param alertEmails = 'first@example.test'
param webhookUrl = 'https://example.test/workflows/planted?sig=planted-fake-signature'
param timeZone = 'UTC'
param language = 'en'
param operators = '00000000-0000-0000-0000-00000000000a'
