#!/bin/sh
# Give the app's identity its one permission of Microsoft Graph, and read it back.
#
#   infra/grant-graph-permission.sh [OBJECT_ID_OF_THE_IDENTITY]
#
# Needs Azure CLI, signed in (az login) as a Privileged Role Administrator of the tenant that has
# Intune. azd runs it after it made the resources; without an argument it takes azd's
# AZURE_IDENTITY_PRINCIPAL_ID. Running it again changes nothing.
# Ends with 0 when the permission is there, 1 when it is not.
set -eu

PERMISSION=DeviceManagementServiceConfig.Read.All
GRAPH_APP_ID=00000003-0000-0000-c000-000000000000 # Microsoft Graph, the same in every tenant
TRIES=6
WAIT_S=${GRANT_WAIT_S:-10} # an identity made a moment ago is not known everywhere at once

principal=${1:-${AZURE_IDENTITY_PRINCIPAL_ID:-}}
errors=$(mktemp)
trap 'rm -f "$errors"' EXIT

fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

not_granted() {
  fail "" \
    "The permission $PERMISSION is NOT granted: $1" \
    "Until it is, no check can read anything, and the channel is told so. Ask a Privileged Role" \
    "Administrator to run, in a checkout or after copying this one file into Cloud Shell:" \
    "" \
    "    sh infra/grant-graph-permission.sh ${principal:-OBJECT_ID_OF_THE_IDENTITY}" \
    "" \
    "Best before the app's first check: what an identity may do is remembered for up to 24 hours," \
    "and a check before the grant can make the app wait for a day after it."
}

# Ask Graph and keep what it complains about.
graph() {
  method=$1 path=$2
  shift 2
  az rest --method "$method" --uri "$endpoint/v1.0/$path" --output tsv "$@" 2>"$errors"
}

granted() {
  graph get "servicePrincipals/$principal/appRoleAssignments" \
    --query "value[?resourceId=='$resource' && appRoleId=='$role'].id | [0]"
}

case $principal in
  ????????-????-????-????-????????????) ;;
  *) fail "Which identity? Give its object id, or run this after azd provision." ;;
esac
command -v az >/dev/null || not_granted "Azure CLI (az) is not installed here."
az account show --output none 2>/dev/null || not_granted "Azure CLI is not signed in: az login"

endpoint=$(az cloud show --query endpoints.microsoftGraphResourceId --output tsv)
endpoint=${endpoint%/}

# The role is looked up by its name: its id is Microsoft's to change.
graph_app="servicePrincipals?\$filter=appId eq '$GRAPH_APP_ID'&\$select=id,appRoles"
resource=$(graph get "$graph_app" --query "value[0].id") || not_granted "$(cat "$errors")"
role=$(graph get "$graph_app" --query "value[0].appRoles[?value=='$PERMISSION'].id | [0]") ||
  not_granted "$(cat "$errors")"
[ -n "$resource" ] && [ -n "$role" ] || not_granted "Microsoft Graph does not know it in this tenant."

try=1
while :; do
  if assignment=$(granted); then
    if [ -n "$assignment" ]; then
      echo "Granted: the identity $principal has $PERMISSION."
      exit 0
    fi
    body="{\"principalId\":\"$principal\",\"resourceId\":\"$resource\",\"appRoleId\":\"$role\"}"
    graph post "servicePrincipals/$principal/appRoleAssignments" --body "$body" >/dev/null || true
  fi
  grep -q -e Authorization_RequestDenied -e Forbidden "$errors" &&
    not_granted "this sign-in may not grant it."
  [ "$try" -lt "$TRIES" ] || not_granted "$(cat "$errors")"
  try=$((try + 1))
  sleep "$WAIT_S"
done
