metadata description = 'The types that the modules share.'

@export()
@description('Tags of a resource.')
type tagsType = {
  @description('Any tag.')
  *: string
}

@export()
@description('Where a storage account answers.')
@sealed()
type storageEndpointsType = {
  @description('URL of the blob service, with its last slash.')
  blob: string

  @description('URL of the queue service, with its last slash.')
  queue: string

  @description('URL of the table service, with its last slash.')
  table: string
}
