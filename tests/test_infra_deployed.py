"""What a deployment makes: each right, each setting, nothing public, and where the secret goes."""

import json
import re
from collections.abc import Iterator

import pytest

from tests.bicep_cli import (
    SUBSCRIPTION,
    TENANT,
    Resource,
    app_settings,
    of_type,
    only,
    resources,
    revealed_text,
    snapshot_text,
)

pytestmark = pytest.mark.xdist_group("bicep")  # each deployment is compiled once

DEPLOYMENTS = ("home", "changed", "group")
PLANTED = "planted-fake-signature"

ROLES = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "76199698-9eea-4c19-bc75-cec21354c6b6": "Storage Table Data Reader",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
}
"""https://learn.microsoft.com/azure/role-based-access-control/built-in-roles"""

ACCESS = {
    ("app", "Storage Blob Data Owner", "storageAccounts"),
    ("app", "Storage Table Data Contributor", "storageAccounts"),
    ("app", "Storage Queue Data Contributor", "queues/remediation"),
    ("app", "Storage Queue Data Contributor", "queues/remediation-poison"),
    ("app", "Key Vault Secrets User", "vaults"),
    ("app", "Monitoring Metrics Publisher", "components"),
    ("operators", "Storage Table Data Reader", "storageAccounts"),
    ("operators", "Storage Table Data Contributor", "tables/tokenalerts"),
    ("operators", "Storage Table Data Contributor", "tables/tokenstatus"),
    ("operators", "Storage Queue Data Contributor", "queues/remediation"),
    ("operators", "Storage Queue Data Contributor", "queues/remediation-poison"),
}
"""Everything that anybody may do."""

KINDS = {
    "Microsoft.Authorization/roleAssignments": 11,
    "Microsoft.Insights/actionGroups": 1,
    "Microsoft.Insights/components": 1,
    "Microsoft.Insights/scheduledQueryRules": 5,
    "Microsoft.Insights/workbooks": 1,
    "Microsoft.KeyVault/vaults": 1,
    "Microsoft.KeyVault/vaults/secrets": 1,
    "Microsoft.ManagedIdentity/userAssignedIdentities": 1,
    "Microsoft.OperationalInsights/workspaces": 1,
    "Microsoft.Storage/storageAccounts": 1,
    "Microsoft.Storage/storageAccounts/blobServices": 1,
    "Microsoft.Storage/storageAccounts/blobServices/containers": 1,
    "Microsoft.Storage/storageAccounts/queueServices": 1,
    "Microsoft.Storage/storageAccounts/queueServices/queues": 2,
    "Microsoft.Storage/storageAccounts/tableServices": 1,
    "Microsoft.Storage/storageAccounts/tableServices/tables": 3,
    "Microsoft.Web/serverfarms": 1,
    "Microsoft.Web/sites": 1,
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": 2,
}

NAMES = {
    # https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
    "Microsoft.Insights/actionGroups": r"[^:<>+/&%\\?|]{0,259}[^:<>+/&%\\?| .]",
    "Microsoft.Insights/components": r"[\w\-.()]{0,259}[\w\-()]",
    "Microsoft.Insights/scheduledQueryRules": r"[^*<>:%&\\?/{}]{0,259}[^*<>:%&\\?/{} .]",
    "Microsoft.KeyVault/vaults": r"[a-z](?!.*--)[a-z0-9-]{1,22}[a-z0-9]",
    "Microsoft.ManagedIdentity/userAssignedIdentities": r"[a-z0-9][\w-]{2,127}",
    "Microsoft.OperationalInsights/workspaces": r"[a-z0-9][a-z0-9-]{2,61}[a-z0-9]",
    "Microsoft.Resources/resourceGroups": r"[\w\-.()]{0,89}[\w\-()]",
    "Microsoft.Storage/storageAccounts": r"[a-z0-9]{3,24}",
    "Microsoft.Storage/storageAccounts/queueServices/queues": r"[a-z0-9](-?[a-z0-9]){2,62}",
    "Microsoft.Storage/storageAccounts/tableServices/tables": r"[a-z][a-z0-9]{2,62}",
    "Microsoft.Web/serverfarms": r"[a-z0-9-]{1,40}",
    "Microsoft.Web/sites": r"[a-z0-9][a-z0-9-]{0,58}[a-z0-9]",
}


def access(snapshot: str) -> Iterator[tuple[str, str, str]]:
    """Yield who has which role on what, the account, vault or component by its type alone."""
    identity = only(snapshot, "Microsoft.ManagedIdentity/userAssignedIdentities")["id"]
    for assignment in of_type(snapshot, "Microsoft.Authorization/roleAssignments"):
        properties = assignment["properties"]
        who = "app" if identity in properties["principalId"] else "operators"
        # An id that only Azure can work out begins with its scope: extensionResourceId('<scope>', …
        scope = re.split(r"/providers/Microsoft.Authorization/|', ", assignment["id"])[0]
        kind, name = scope.split("/")[-2:]
        on = f"{kind}/{name}" if kind in {"queues", "tables"} else kind
        yield who, ROLES[properties["roleDefinitionId"].rsplit("/", 1)[1]], on


def anonymous(snapshot: str) -> Iterator[Resource]:
    """Yield what may be open to anybody who knows an address."""
    for resource in resources(snapshot):
        if resource.get("properties", {}).get("publicAccess", "None") != "None":
            yield resource


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_it_makes_these_resources_and_no_other(name: str) -> None:
    made = [resource["type"] for resource in resources(snapshot_text(name))]
    group = {} if name == "group" else {"Microsoft.Resources/resourceGroups": 1}

    assert {kind: made.count(kind) for kind in set(made)} == KINDS | group


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_names_are_within_the_limits_of_azure(name: str) -> None:
    for resource in resources(snapshot_text(name)):
        if resource["type"] in NAMES:
            own_name = resource["name"].rsplit("/", 1)[-1]
            assert re.fullmatch(NAMES[resource["type"]], own_name, re.ASCII), resource["id"]


def test_two_environments_share_no_name_that_is_global() -> None:
    home, changed = snapshot_text("home"), snapshot_text("changed")

    for kind in ("Storage/storageAccounts", "KeyVault/vaults", "Web/sites"):
        assert only(home, f"Microsoft.{kind}")["name"] != only(changed, f"Microsoft.{kind}")["name"]


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_the_rights_are_these_each_on_one_resource(name: str) -> None:
    found = list(access(snapshot_text(name)))

    assert set(found) == ACCESS
    assert len(found) == len(ACCESS)


def test_the_operators_are_those_given_else_whoever_deploys() -> None:
    def operators(name: str) -> set[str]:
        assignments = of_type(snapshot_text(name), "Microsoft.Authorization/roleAssignments")
        principals = {assignment["properties"]["principalId"] for assignment in assignments}
        return {principal for principal in principals if "reference(" not in principal}

    assert operators("home") == {"00000000-0000-0000-0000-00000000000a"}
    assert operators("changed") == {"[deployer().objectId]"}


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_storage_takes_identities_only(name: str) -> None:
    account = only(snapshot_text(name), "Microsoft.Storage/storageAccounts")["properties"]

    assert account["allowSharedKeyAccess"] is False
    assert account["allowBlobPublicAccess"] is False
    assert account["defaultToOAuthAuthentication"] is True
    assert account["minimumTlsVersion"] == "TLS1_2"
    assert account["supportsHttpsTrafficOnly"] is True


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_nothing_can_be_read_without_a_sign_in(name: str) -> None:
    assert list(anonymous(snapshot_text(name))) == []


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_nobody_gets_into_the_app_by_password_or_without_tls(name: str) -> None:
    snapshot = snapshot_text(name)
    site = only(snapshot, "Microsoft.Web/sites")["properties"]
    policies = of_type(snapshot, "Microsoft.Web/sites/basicPublishingCredentialsPolicies")

    assert site["httpsOnly"] is True
    assert site["siteConfig"]["ftpsState"] == "Disabled"
    assert site["siteConfig"]["minTlsVersion"] == site["siteConfig"]["scmMinTlsVersion"] == "1.2"
    assert {policy["name"].rsplit("/", 1)[1]: policy["properties"] for policy in policies} == {
        "scm": {"allow": False},
        "ftp": {"allow": False},
    }


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_logs_come_from_entra_identities_only(name: str) -> None:
    snapshot = snapshot_text(name)
    component = only(snapshot, "Microsoft.Insights/components")["properties"]
    workspace = only(snapshot, "Microsoft.OperationalInsights/workspaces")

    assert component["DisableLocalAuth"] is True
    assert component["WorkspaceResourceId"] == workspace["id"]
    assert workspace["properties"]["features"]["disableLocalAuth"] is True


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_deleted_vault_can_be_brought_back_and_roles_decide_who_reads_it(name: str) -> None:
    vault = only(snapshot_text(name), "Microsoft.KeyVault/vaults")["properties"]

    assert vault["enableRbacAuthorization"] is True
    assert vault["enablePurgeProtection"] is True
    assert "accessPolicies" not in vault


def test_the_app_runs_on_the_deployed_python_in_the_size_asked_for() -> None:
    home = only(snapshot_text("home"), "Microsoft.Web/sites")["properties"]["functionAppConfig"]
    changed = only(snapshot_text("changed"), "Microsoft.Web/sites")["properties"]
    plan = only(snapshot_text("home"), "Microsoft.Web/serverfarms")

    assert plan["sku"] == {"name": "FC1", "tier": "FlexConsumption"}
    assert home["runtime"] == {"name": "python", "version": "3.13"}
    assert home["scaleAndConcurrency"] == {"instanceMemoryMB": 512, "maximumInstanceCount": 40}
    assert changed["functionAppConfig"]["scaleAndConcurrency"] == {
        "instanceMemoryMB": 2048,
        "maximumInstanceCount": 2,
    }


def test_spread_over_zones_are_both_the_app_and_its_data() -> None:
    for name, zones, sku in (("home", False, "Standard_LRS"), ("changed", True, "Standard_ZRS")):
        plan = only(snapshot_text(name), "Microsoft.Web/serverfarms")
        account = only(snapshot_text(name), "Microsoft.Storage/storageAccounts")

        assert plan["properties"]["zoneRedundant"] is zones
        assert account["sku"]["name"] == sku


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_code_secret_and_storage_are_reached_with_the_apps_own_identity(name: str) -> None:
    snapshot = snapshot_text(name)
    identity = only(snapshot, "Microsoft.ManagedIdentity/userAssignedIdentities")["id"]
    site = only(snapshot, "Microsoft.Web/sites")
    deployment = site["properties"]["functionAppConfig"]["deployment"]["storage"]
    settings = app_settings(snapshot)

    assert site["identity"] == {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}
    assert site["properties"]["keyVaultReferenceIdentity"] == identity
    assert deployment["authentication"] == {
        "type": "UserAssignedIdentity",
        "userAssignedIdentityResourceId": identity,
    }
    client_id = settings["AZURE_CLIENT_ID"]
    assert identity in client_id
    assert client_id.endswith(".clientId]")
    assert settings["AzureWebJobsStorage__clientId"] == client_id
    assert settings["AzureWebJobsStorage__credential"] == "managedidentity"
    assert settings["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"].startswith(
        "[format('ClientId={0};Authorization=AAD', "
    )


def test_the_settings_are_those_given_and_the_defaults_for_what_is_empty() -> None:
    home, changed = app_settings(snapshot_text("home")), app_settings(snapshot_text("changed"))
    given = {"TIME_ZONE": "Asia/Tokyo", "LANGUAGE": "ja+en", "CHECK_AT": "06:30"}

    assert home["TENANT_ID"] == TENANT
    assert (home["TIME_ZONE"], home["LANGUAGE"]) == ("Europe/Berlin", "en")
    assert changed.items() >= (given | {"TENANT_NAME": "Contoso"}).items()
    assert changed["CHECK_SCHEDULE"] == home["CHECK_SCHEDULE"] == "0 0,30 * * * *"
    assert changed["TEAMS_PAYLOAD"] == home["TEAMS_PAYLOAD"] == "message"


def test_the_webhook_url_goes_into_the_vaults_secret_and_nowhere_else() -> None:
    revealed = revealed_text("home")
    secret = only(revealed, "Microsoft.KeyVault/vaults/secrets")

    assert PLANTED in secret["properties"]["value"]
    assert revealed.count(PLANTED) == 1
    assert PLANTED not in snapshot_text("home")


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_the_app_is_told_where_the_newest_webhook_url_stands(name: str) -> None:
    snapshot = snapshot_text(name)
    vault = only(snapshot, "Microsoft.KeyVault/vaults")["id"]
    secret = only(snapshot, "Microsoft.KeyVault/vaults/secrets")["name"].split("/")[1]
    setting = app_settings(snapshot)["TEAMS_WEBHOOK_URL"]

    assert setting.startswith("[format('@Microsoft.KeyVault(SecretUri={0})', format('{0}secrets/")
    assert vault in setting
    assert f"'{secret}'" in setting


def test_a_deployment_without_a_webhook_url_leaves_the_vaults_alone() -> None:
    assert of_type(revealed_text("changed"), "Microsoft.KeyVault/vaults/secrets") == []


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_no_output_holds_anything_secret(name: str) -> None:
    outputs = json.loads(snapshot_text(name))["outputs"]

    for output, value in outputs.items():
        assert not re.search(r"list\w*\(|parameters\('|ConnectionString|secrets/", value), output


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_everything_is_in_the_group_asked_for_and_carries_the_environments_tag(name: str) -> None:
    group = {
        "home": "rg-apple-tokens",
        "changed": "rg-second-environment-with-a-name-as-long-as-azure-developer-cli-ta",
        "group": "existing",
    }[name]
    for resource in resources(snapshot_text(name)):
        assert f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}" in resource["id"]
        if "location" in resource and name != "group":
            assert resource["tags"]["azd-env-name"] == group.removeprefix("rg-")


def test_azd_finds_the_app_by_its_tag() -> None:
    assert only(snapshot_text("home"), "Microsoft.Web/sites")["tags"]["azd-service-name"] == "app"


def test_alarms_reach_every_address_and_every_further_group() -> None:
    def receivers(name: str) -> list[str]:
        group = only(snapshot_text(name), "Microsoft.Insights/actionGroups")["properties"]
        assert len(group["groupShortName"]) <= 12
        return [receiver["emailAddress"] for receiver in group["emailReceivers"]]

    assert receivers("home") == ["first@example.test", "second@example.test"]
    assert receivers("changed") == ["first@example.test"]
    for name, groups in (("home", 1), ("changed", 2)):
        own = only(snapshot_text(name), "Microsoft.Insights/actionGroups")["id"]
        for rule in of_type(snapshot_text(name), "Microsoft.Insights/scheduledQueryRules"):
            assert rule["properties"]["actions"]["actionGroups"][0] == own
            assert len(rule["properties"]["actions"]["actionGroups"]) == groups
