<#
Give the app's identity its one permission of Microsoft Graph, and read it back.

    infra/grant-graph-permission.ps1 [OBJECT_ID_OF_THE_IDENTITY]

Needs PowerShell 7 and Azure CLI, signed in (az login) as a Privileged Role Administrator of the
tenant that has Intune. azd runs it after it made the resources; without an argument it takes azd's
AZURE_IDENTITY_PRINCIPAL_ID. Running it again changes nothing.
Ends with 0 when the permission is there, 1 when it is not.
#>
param([string] $Principal = $env:AZURE_IDENTITY_PRINCIPAL_ID)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false

$Permission = 'DeviceManagementServiceConfig.Read.All'
$GraphAppId = '00000003-0000-0000-c000-000000000000' # Microsoft Graph, the same in every tenant
$Tries = 6
# An identity made a moment ago is not known everywhere at once.
$WaitS = if ($env:GRANT_WAIT_S) { [int] $env:GRANT_WAIT_S } else { 10 }
$script:Complaint = ''

function Stop-NotGranted([string] $Why) {
    $who = if ($Principal) { $Principal } else { 'OBJECT_ID_OF_THE_IDENTITY' }
    [Console]::Error.WriteLine(@"

The permission $Permission is NOT granted: $Why
Until it is, no check can read anything, and the channel is told so. Ask a Privileged Role
Administrator to run, in a checkout or after copying this one file into Cloud Shell:

    pwsh infra/grant-graph-permission.ps1 $who

Best before the app's first check: what an identity may do is remembered for up to 24 hours,
and a check before the grant can make the app wait for a day after it.
"@)
    exit 1
}

# Ask Graph and keep what it complains about. A body goes by way of a file: on Windows az is a batch
# file, and quotes do not survive on its command line.
function Invoke-Graph([string] $Method, [string] $Path, [hashtable] $Body) {
    $ErrorActionPreference = 'Continue' # a complaint of az is read here, not thrown
    $file = New-TemporaryFile
    try {
        $extra = @()
        if ($Body) {
            $Body | ConvertTo-Json -Compress | Set-Content -Path $file -NoNewline
            $extra = '--body', "@$file"
        }
        $answer = az rest --method $Method --uri "$endpoint/v1.0/$Path" --output json @extra 2>&1
        $lines = @($answer | Where-Object { $_ -isnot [System.Management.Automation.ErrorRecord] })
        $script:Complaint = @($answer | Where-Object { $_ -is [System.Management.Automation.ErrorRecord] }) -join "`n"
        if ($LASTEXITCODE -ne 0) { return $null }
        return ($lines -join "`n") | ConvertFrom-Json
    }
    finally { Remove-Item $file }
}

if ($Principal -notmatch '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$') {
    [Console]::Error.WriteLine('Which identity? Give its object id, or run this after azd provision.')
    exit 1
}
if (-not (Get-Command az -ErrorAction SilentlyContinue)) { Stop-NotGranted 'Azure CLI (az) is not installed here.' }
az account show --output none 2>$null
if ($LASTEXITCODE -ne 0) { Stop-NotGranted 'Azure CLI is not signed in: az login' }

$endpoint = (az cloud show --query endpoints.microsoftGraphResourceId --output tsv).TrimEnd('/')

# The role is looked up by its name: its id is Microsoft's to change.
$found = Invoke-Graph get "servicePrincipals?`$filter=appId eq '$GraphAppId'&`$select=id,appRoles"
if (-not $found) { Stop-NotGranted $script:Complaint }
$graphApp = $found.value | Select-Object -First 1
$role = if ($graphApp) { $graphApp.appRoles | Where-Object value -EQ $Permission | Select-Object -First 1 }
if (-not $role) { Stop-NotGranted 'Microsoft Graph does not know it in this tenant.' }

for ($try = 1; ; $try++) {
    $assignments = Invoke-Graph get "servicePrincipals/$Principal/appRoleAssignments"
    if ($assignments) {
        if ($assignments.value | Where-Object { $_.resourceId -eq $graphApp.id -and $_.appRoleId -eq $role.id }) {
            Write-Output "Granted: the identity $Principal has $Permission."
            exit 0
        }
        $body = @{ principalId = $Principal; resourceId = $graphApp.id; appRoleId = $role.id }
        $null = Invoke-Graph post "servicePrincipals/$Principal/appRoleAssignments" $body
    }
    if ($script:Complaint -match 'Authorization_RequestDenied|Forbidden') {
        Stop-NotGranted 'this sign-in may not grant it.'
    }
    if ($try -ge $Tries) { Stop-NotGranted $script:Complaint }
    Start-Sleep -Seconds $WaitS
}
