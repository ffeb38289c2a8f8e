metadata description = 'The log workspace and Application Insights, which takes records from Entra identities only.'

import { tagsType } from '../types.bicep'

@description('Name of the workspace.')
@minLength(4)
@maxLength(63)
param workspaceName string

@description('Name of the Application Insights component.')
@minLength(1)
@maxLength(255)
param componentName string

@description('Azure region.')
param location string

@description('Tags of both.')
param tags tagsType

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: 90
    features: { disableLocalAuth: true }
    // Some hundred times what the app logs. A runaway log stops here instead of on the invoice, and
    // the alarm of the missing check tells of it: without records it goes off.
    workspaceCapping: { dailyQuotaGb: 1 }
  }
}

resource component 'Microsoft.Insights/components@2020-02-02' = {
  name: componentName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    DisableLocalAuth: true
    IngestionMode: 'LogAnalytics'
    WorkspaceResourceId: workspace.id
  }
}

@description('Resource id of the workspace.')
output workspaceId string = workspace.id

@description('Id by which queries name the workspace.')
output workspaceCustomerId string = workspace.properties.customerId

@description('Where records go. It is no secret: without a role on the component nothing is taken.')
output connectionString string = component.properties.ConnectionString
