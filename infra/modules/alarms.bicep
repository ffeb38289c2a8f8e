metadata description = 'The watcher of the watcher: alarms by e-mail, on a way that does not lead through Teams.'

import { tagsType } from '../types.bicep'

@description('Name of the action group.')
@minLength(1)
@maxLength(260)
param actionGroupName string

@description('Azure region of the alarms.')
param location string

@description('Tags of all.')
param tags tagsType

@description('Resource id of the log workspace.')
param workspaceId string

@description('E-mail addresses, separated by commas.')
param emails string

@description('Resource ids of further action groups that alarms go to.')
param furtherActionGroupIds string[]

@description('Hours without a finished check after which the alarm goes off.')
param checkOverdueHours int

@description('What stands for the allowed hours in the query of the missing check.')
var overdueInQuery = 'let overdue = 26h;'

@description('How often every alarm looks.')
var hourly = 'PT1H'

// `stays` is a state: one mail when it begins, one when it ended. The others are events: one mail
// for every hour that brought new ones, since an alarm that is still on would swallow the next.
@description('The alarms: what they ask, how far back the query may look, and what the mail says to do.')
var alarms = [
  {
    name: 'check-overdue'
    title: 'Apple Token Watch: no check has finished'
    description: 'No check of the Apple tokens finished in ${checkOverdueHours} hours, so nobody would hear of a token that expires. In the first hour after a deployment this is expected and ends by itself. Otherwise see whether the function app runs and what it logs: docs/operations.md, "No check has finished".'
    query: replace(
      loadTextContent('../queries/check-overdue.kql'),
      overdueInQuery,
      'let overdue = ${checkOverdueHours}h;'
    )
    range: 'P2D'
    severity: 1
    stays: true
  }
  {
    name: 'source-unread'
    title: 'Apple Token Watch: a source could not be read'
    description: 'Microsoft Graph did not let the app read a kind of token, and it will not try again today. Expiry dates are told from what was last seen; everything else about these tokens is unknown. The reason stands in the search results. What to do about each reason: docs/operations.md, "A source could not be read".'
    query: loadTextContent('../queries/source-unread.kql')
    range: 'PT2H'
    severity: 2
    stays: false
  }
  {
    name: 'alert-undelivered'
    title: 'Apple Token Watch: a card did not reach Teams'
    description: 'Teams did not take a card, so what it says about a token is unknown to the channel. Look at the status table, then mend the workflow or its URL: docs/operations.md, "A card did not reach Teams". The card is made again with the next check.'
    query: loadTextContent('../queries/alert-undelivered.kql')
    range: 'PT2H'
    severity: 1
    stays: false
  }
  {
    name: 'problem-escalated'
    title: 'Apple Token Watch: a critical problem stays open'
    description: 'The channel was told about a critical problem of an Apple token, and it is still there. The search results name the token; its card in Teams has the steps. See docs/operations.md, "A critical problem stays open".'
    query: loadTextContent('../queries/problem-escalated.kql')
    range: 'PT2H'
    severity: 1
    stays: false
  }
  {
    name: 'function-failing'
    title: 'Apple Token Watch: a function keeps failing'
    description: 'A function failed at least twice since it last succeeded: check_tokens when its settings or its tables fail it, notify when Teams does. The reason stands in the exceptions of Application Insights: docs/operations.md, "A function keeps failing".'
    query: loadTextContent('../queries/function-failing.kql')
    range: 'P1D'
    severity: 2
    stays: true
  }
]

resource administrators 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: actionGroupName
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'AppleTokens'
    emailReceivers: [
      for (email, i) in split(emails, ','): {
        name: 'email-${i + 1}'
        emailAddress: trim(email)
        useCommonAlertSchema: true
      }
    ]
  }
}

resource rules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for alarm in alarms: {
    name: alarm.name
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: alarm.title
      description: alarm.description
      enabled: true
      severity: alarm.severity
      scopes: [workspaceId]
      evaluationFrequency: hourly
      windowSize: hourly
      overrideQueryTimeRange: alarm.range
      autoMitigate: alarm.stays
      // A new workspace has no records, and a query over them cannot be validated yet.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: alarm.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: concat([administrators.id], furtherActionGroupIds) }
    }
  }
]
