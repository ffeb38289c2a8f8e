metadata description = 'The workbook: tokens by days left, open problems, checks and deliveries, from the app\'s events.'

import { tagsType } from '../types.bicep'

@description('Azure region.')
param location string

@description('Tags of the workbook.')
param tags tagsType

@description('Resource id of the log workspace.')
param workspaceId string

@description('The parts of the workbook, from top to bottom.')
var parts = [
  {
    name: 'tokens-by-days-left'
    title: 'Tokens by days left, at the latest check'
    query: loadTextContent('../queries/tokens-by-days-left.kql')
    visualization: 'categoricalbar'
    height: 0
    width: '50'
  }
  {
    name: 'checks-per-day'
    title: 'Checks per day'
    query: loadTextContent('../queries/checks-per-day.kql')
    visualization: 'unstackedbar'
    height: 0
    width: '50'
  }
  {
    name: 'open-problems'
    title: 'Tokens that are not healthy, at the latest check'
    query: loadTextContent('../queries/open-problems.kql')
    visualization: 'table'
    height: 0
    width: '100'
  }
  {
    name: 'delivery-per-day'
    title: 'Messages to Teams per day'
    query: loadTextContent('../queries/delivery-per-day.kql')
    visualization: 'table'
    height: 1
    width: '100'
  }
  {
    name: 'recent-events'
    title: 'Events, newest first'
    query: loadTextContent('../queries/recent-events.kql')
    visualization: 'table'
    height: 0
    width: '100'
  }
]

@description('The choice of the time range, in milliseconds back from now.')
var timeRange = {
  type: 9
  name: 'timeRange'
  content: {
    version: 'KqlParameterItem/1.0'
    style: 'pills'
    queryType: 0
    resourceType: 'microsoft.operationalinsights/workspaces'
    parameters: [
      {
        version: 'KqlParameterItem/1.0'
        name: 'TimeRange'
        label: 'Time range'
        type: 4
        isRequired: true
        value: { durationMs: 2592000000 }
        typeSettings: {
          selectableValues: [{ durationMs: 172800000 }, { durationMs: 604800000 }, { durationMs: 2592000000 }]
          allowCustom: true
        }
      }
    ]
  }
}

@description('One item of the workbook for each part.')
var queryItems = [
  for part in parts: {
    type: 3
    name: part.name
    customWidth: part.width
    content: {
      version: 'KqlItem/1.0'
      title: part.title
      query: part.query
      size: part.height
      noDataMessage: 'No records in this time range.'
      timeContextFromParameter: 'TimeRange'
      queryType: 0
      resourceType: 'microsoft.operationalinsights/workspaces'
      crossComponentResources: [workspaceId]
      visualization: part.visualization
    }
  }
]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'apple-token-watch')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Apple Token Watch'
    category: 'workbook'
    sourceId: workspaceId
    serializedData: string({ version: 'Notebook/1.0', items: concat([timeRange], queryItems) })
  }
}
