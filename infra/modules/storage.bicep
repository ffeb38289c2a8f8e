metadata description = 'The storage account: code, host state, queues and tables; reached by identities only.'

import { storageEndpointsType, tagsType } from '../types.bicep'

@description('Name of the account, globally unique.')
@minLength(3)
@maxLength(24)
param name string

@description('Azure region.')
param location string

@description('Tags of the account.')
param tags tagsType

@description('Whether the data is kept in three availability zones.')
param zoneRedundant bool

@description('Names of the queues.')
param queueNames string[]

@description('Names of the tables.')
param tableNames string[]

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS' }
  properties: {
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    // Closing the network needs a virtual network, private endpoints and a way in for operators:
    // without them, `Deny` also stops the deployment of the code.
    networkAcls: { defaultAction: 'Allow', bypass: 'AzureServices' }
  }

  resource blobs 'blobServices' = {
    name: 'default'

    resource deployments 'containers' = {
      name: 'deployments'
      properties: { publicAccess: 'None' }
    }
  }

  resource queueService 'queueServices' = {
    name: 'default'

    // The host would make them on first use, but roles on them need them to exist.
    resource queues 'queues' = [
      for queueName in queueNames: {
        name: queueName
      }
    ]
  }

  resource tableService 'tableServices' = {
    name: 'default'

    resource tables 'tables' = [
      for tableName in tableNames: {
        name: tableName
      }
    ]
  }
}

@description('Where the app finds blobs, queues and tables.')
output endpoints storageEndpointsType = {
  blob: account.properties.primaryEndpoints.blob
  queue: account.properties.primaryEndpoints.queue
  table: account.properties.primaryEndpoints.table
}

@description('Where deployments put the code.')
output deploymentContainerUrl string = '${account.properties.primaryEndpoints.blob}${account::blobs::deployments.name}'
