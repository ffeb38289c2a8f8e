// A later deployment of another environment: the webhook URL stays as the vault holds it, everything
// that may differ does, and settings come empty, as azd hands over what is not set.
using '../../../infra/main.bicep'

param environmentName = 'second-environment-with-a-name-as-long-as-azure-developer-cli-ta'
param location = 'japaneast'
param webhookUrl = ''
param alertEmails = 'first@example.test'
param timeZone = 'Asia/Tokyo'
param language = 'ja+en'
param settings = {
  CHECK_AT: '06:30'
  CHECK_SCHEDULE: ''
  TENANT_NAME: 'Contoso'
  TEAMS_PAYLOAD: ''
}
param checkOverdueHours = 30
param furtherActionGroupIds = [
  '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/on-call/providers/Microsoft.Insights/actionGroups/phone'
]
param instanceMemoryMB = 2048
param maximumInstanceCount = 2
param zoneRedundant = true
