metadata description = 'The settings that the app reads and an administrator may change. README.md says what each one does.'

@export()
@description('Settings of the app to change. What is left out, or empty, keeps its default.')
@sealed()
type settingsType = {
  @description('Time of day of the daily check, HH:MM, in the time zone of the deployment.')
  CHECK_AT: string?

  @description('When the app looks whether a check is due, an NCRONTAB expression of six fields.')
  CHECK_SCHEDULE: string?

  @description('Name of the tenant on the cards; without one they show its id.')
  TENANT_NAME: string?

  @description('Cloud of Microsoft Graph: global, usgov, usgov_dod or china.')
  GRAPH_CLOUD: string?

  @description('Days before an expiry on which to tell, separated by commas.')
  REMIND_DAYS: string?

  @description('On how many check dates a critical problem is told.')
  REPEAT_CRITICAL_DAYS: string?

  @description('Hours without a successful sync after which an ADE token is stale.')
  STALE_SYNC_HOURS_ADE: string?

  @description('Hours without a sync after which a VPP token is stale.')
  STALE_SYNC_HOURS_VPP: string?

  @description('Weekday of the weekly digest, in English.')
  DIGEST_WEEKDAY: string?

  @description('Days after which an open critical problem is also told by e-mail.')
  ESCALATE_DAYS: string?

  @description('Further ADE sync error codes and the row of the catalogue that each one means: number=row, separated by commas.')
  ADE_SYNC_ERRORS: string?

  @description('What is posted to the workflow: message (the card as an attachment) or card (the card alone).')
  TEAMS_PAYLOAD: string?
}

@export()
@description('What the app runs with unless it is changed: the same values that it takes without any setting.')
var defaultSettings = {
  ADE_SYNC_ERRORS: ''
  CHECK_AT: '08:00'
  CHECK_SCHEDULE: '0 0,30 * * * *'
  DIGEST_WEEKDAY: 'monday'
  ESCALATE_DAYS: '3'
  GRAPH_CLOUD: 'global'
  REMIND_DAYS: '30,14,7,3,1'
  REPEAT_CRITICAL_DAYS: '14'
  STALE_SYNC_HOURS_ADE: '36'
  STALE_SYNC_HOURS_VPP: '48'
  TEAMS_PAYLOAD: 'message'
  TENANT_NAME: ''
}
