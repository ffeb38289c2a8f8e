metadata description = 'Who may do what: every role assignment of the deployment, each on one resource.'

import { roles } from '../roles.bicep'

@description('Object id of the app\'s identity.')
param appPrincipalId string

@description('Object id of the user or group that may use the admin commands.')
param operators string

@description('Name of the storage account.')
param storageAccountName string

@description('Names of its queues.')
param queueNames string[]

@description('Names of the tables that the admin commands write: to snooze, to accept a topic, to ask for a check.')
param operatorTableNames string[]

@description('Name of the vault.')
param vaultName string

@description('Name of the Application Insights component.')
param componentName string

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageAccountName

  resource queueService 'queueServices' existing = {
    name: 'default'

    resource queues 'queues' existing = [
      for queueName in queueNames: {
        name: queueName
      }
    ]
  }

  resource tableService 'tableServices' existing = {
    name: 'default'

    resource operatorTables 'tables' existing = [
      for tableName in operatorTableNames: {
        name: tableName
      }
    ]
  }
}

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: vaultName
}

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

// The host keeps its leases and the code in blobs.
resource appBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(storage.id, appPrincipalId, roles.storageBlobDataOwner)
  scope: storage
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataOwner)
  }
}

// On the account, not on our three tables: the host writes its diagnostics to a table of its own.
resource appTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(storage.id, appPrincipalId, roles.storageTableDataContributor)
  scope: storage
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.storageTableDataContributor
    )
  }
}

// Send, take, hide for the next try, and move to the poison queue: no smaller role can do all four.
resource appQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (queueName, i) in queueNames: {
    name: guid(storage::queueService::queues[i].id, appPrincipalId, roles.storageQueueDataContributor)
    scope: storage::queueService::queues[i]
    properties: {
      principalId: appPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roles.storageQueueDataContributor
      )
    }
  }
]

resource appSecret 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, appPrincipalId, roles.keyVaultSecretsUser)
  scope: vault
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
  }
}

resource appRecords 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(component.id, appPrincipalId, roles.monitoringMetricsPublisher)
  scope: component
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.monitoringMetricsPublisher
    )
  }
}

// Whether the operators are a user, a group or a pipeline is not known here, so the assignments
// below leave principalType to Azure.
resource operatorsRead 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(storage.id, operators, roles.storageTableDataReader)
  scope: storage
  properties: {
    principalId: operators
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageTableDataReader)
  }
}

resource operatorsWrite 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (tableName, i) in operatorTableNames: {
    name: guid(storage::tableService::operatorTables[i].id, operators, roles.storageTableDataContributor)
    scope: storage::tableService::operatorTables[i]
    properties: {
      principalId: operators
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roles.storageTableDataContributor
      )
    }
  }
]

// To put a test message in, to look at what failed, and to clear it.
resource operatorsQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (queueName, i) in queueNames: {
    name: guid(storage::queueService::queues[i].id, operators, roles.storageQueueDataContributor)
    scope: storage::queueService::queues[i]
    properties: {
      principalId: operators
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roles.storageQueueDataContributor
      )
    }
  }
]
