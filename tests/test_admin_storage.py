"""How an operator reaches the app's storage account, and what stands in the way."""

import argparse
import getpass
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
)

from admin import storage
from admin.account import account_of, explain, service_address
from admin.azure_cli import azure_cli
from admin.command import CommandError
from admin.storage import READER, who_signed_in
from apple_tokens.settings import CONNECTION, SettingsError
from sandbox import faults
from sandbox.azurite import Azurite
from sandbox.faults import Fault
from sandbox.graph_objects import GraphSource
from sandbox.planted import PLANTED_SECRET
from sandbox.stage import Stage
from sandbox.storage_proxy import StorageProxy
from sandbox.tenant import TENANT_ID, SimulatedTenant
from tests.admin_desk import access_token, az_answer, install_az, type_in
from tests.secure_storage import SecureStorage

MORNING = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
OTHER_TENANT = "9c1f2d3e-0000-4000-8000-0d6a4f2e8c17"
SNOOZE = ("snooze", "Shops", "--until", "2026-12-30", "--reason", "the shop is being rebuilt")


def refusal(status: int, code: str) -> Fault:
    """Answer as Table Storage does that refuses."""
    error = {"code": code, "message": {"lang": "en-US", "value": "This request is not authorized."}}
    return faults.answer(
        status,
        json.dumps({"odata.error": error}).encode(),
        headers={"x-ms-error-code": code},
        name=code,
    )


def a_tenant(tenant_id: str = TENANT_ID) -> SimulatedTenant:
    """Make a tenant with one expired token."""
    tenant = SimulatedTenant(tenant_id=tenant_id)
    tenant.add(GraphSource.ADE, MORNING, tokenName="Shops", tokenExpirationDateTime="-2d")
    return tenant


class TestAnAddress:
    @pytest.mark.parametrize(
        "typed,address",
        [
            ("stwatch42", "https://stwatch42.queue.core.windows.net"),
            ("stwatch42.table.core.windows.net", "https://stwatch42.queue.core.windows.net"),
            (
                "https://stwatch42.blob.core.windows.net/",
                "https://stwatch42.queue.core.windows.net",
            ),
            (
                "https://stwatch42.queue.core.windows.net",
                "https://stwatch42.queue.core.windows.net",
            ),
            (
                "https://stwatch42.table.core.usgovcloudapi.net",
                "https://stwatch42.queue.core.usgovcloudapi.net",
            ),
            (
                "https://127.0.0.1:10002/devstoreaccount1",
                "https://127.0.0.1:10002/devstoreaccount1",
            ),
        ],
    )
    def test_is_found_from_the_name_or_any_address_of_the_account(
        self, typed: str, address: str
    ) -> None:
        assert service_address(typed, "queue", {}) == address

    @pytest.mark.parametrize(
        "cloud,suffix",
        [
            ("global", "core.windows.net"),
            ("usgov", "core.usgovcloudapi.net"),
            ("usgov_dod", "core.usgovcloudapi.net"),
            ("china", "core.chinacloudapi.cn"),
        ],
    )
    def test_of_a_name_is_that_of_the_cloud(self, cloud: str, suffix: str) -> None:
        address = service_address("stwatch42", "table", {"GRAPH_CLOUD": cloud})

        assert address == f"https://stwatch42.table.{suffix}"

    @pytest.mark.parametrize(
        "typed",
        [
            "http://stwatch42.table.core.windows.net",
            "st_watch",
            "ab",
            "https://",
            "https://stwatch42",
            "https://stwatch42.table.core.windows.net:port",
            "https://[",
            f"https://stwatch42.table.core.windows.net/?sv=2024&sig={PLANTED_SECRET}",
            f"https://user:{PLANTED_SECRET}@stwatch42.table.core.windows.net",
        ],
    )
    def test_that_is_none_is_refused_and_its_secrets_are_not_repeated(self, typed: str) -> None:
        with pytest.raises(CommandError) as error:
            service_address(typed, "table", {})

        assert "neither the name of a storage account nor its https address" in str(error.value)
        assert PLANTED_SECRET not in str(error.value)


class TestAnError:
    @staticmethod
    def said(error: AzureError, where: str = "stwatch42") -> str:
        return str(explain(error, role=READER, where=where, holds="table tokenstatus"))

    @staticmethod
    def answered(status: int, code: str = "") -> HttpResponseError:
        class Response:
            status_code, reason, headers = status, "", dict[str, str]()

        error = HttpResponseError("x", response=Response())  # type: ignore[arg-type]
        if code:
            error.error_code = code  # type: ignore[attr-defined]
        return error

    def test_names_the_role_that_is_missing(self) -> None:
        said = self.said(self.answered(403, "AuthorizationPermissionMismatch"))

        assert said == (
            "stwatch42 refuses you (AuthorizationPermissionMismatch): your account needs the role "
            "“Storage Table Data Reader” on it, and a new role can take some minutes to be seen; "
            "if you have it, see whether the account's firewall lets you in from here"
        )

    def test_names_the_status_where_there_is_no_code(self) -> None:
        assert "refuses you (403)" in self.said(self.answered(403))

    def test_of_an_account_that_takes_no_keys_names_the_other_way(self) -> None:
        said = self.said(self.answered(403, "KeyBasedAuthenticationNotPermitted"), CONNECTION)

        assert said == (
            "the storage account of AzureWebJobsStorage takes no account keys: use --storage "
            "ACCOUNT with `az login`"
        )

    def test_of_a_wrong_key_names_the_connection_string(self) -> None:
        said = self.said(ClientAuthenticationError("x"), CONNECTION)

        assert said == (
            "the storage account of AzureWebJobsStorage does not take its key: copy the "
            "connection string again"
        )

    def test_of_a_missing_table_asks_for_the_right_account(self) -> None:
        said = self.said(self.answered(404, "TableNotFound"))

        assert said == "stwatch42 has no table tokenstatus: is it the right account?"

    def test_of_an_account_in_trouble_has_it_tried_later(self) -> None:
        said = self.said(self.answered(503, "ServerBusy"))

        assert said.startswith("stwatch42 answers with an error (ServerBusy): ")
        assert said.endswith("try again later")

    def test_of_an_account_that_cannot_be_reached_asks_for_its_name(self) -> None:
        said = self.said(ServiceRequestError("no such host"))

        assert said.startswith("stwatch42 cannot be reached (ServiceRequestError): is its name")


class TestTheAccount:
    def test_is_named_by_an_option_or_a_setting(self) -> None:
        by_option, by_setting = argparse.Namespace(storage="x"), argparse.Namespace(storage="")

        assert account_of(by_option, {}) == "x"
        assert account_of(by_setting, {CONNECTION: "x"}) == CONNECTION
        assert account_of(by_setting, {f"{CONNECTION}__accountName": "x"}) == CONNECTION
        with pytest.raises(CommandError, match="name the app's storage account with --storage"):
            account_of(by_setting, {CONNECTION: ""})

    async def test_of_a_broken_connection_string_is_not_quoted(self) -> None:
        with pytest.raises(SettingsError) as error:
            await type_in(["snoozes"], {CONNECTION: f"AccountKey={PLANTED_SECRET}"}, MORNING)

        assert PLANTED_SECRET not in str(error.value)

    async def test_needs_azure_cli_to_be_opened_by_its_name(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))

        with pytest.raises(CommandError, match="signing in to stwatch42 failed: Azure CLI is not"):
            await type_in(["snoozes", "--storage", "stwatch42"], {}, MORNING)

    async def test_needs_az_login_to_be_opened_by_its_name(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        install_az(monkeypatch, tmp_path, complains="Please run 'az login' to setup account.")

        with pytest.raises(CommandError, match="signing in to stwatch42 failed: run `az login`"):
            await type_in(["snoozes", "--storage", "stwatch42"], {}, MORNING)

    @pytest.mark.parametrize(
        "token,user",
        [
            (access_token(tid=TENANT_ID, upn="aya@contoso.example"), "aya@contoso.example"),
            (access_token(tid=TENANT_ID), ""),
            ("opaque", ""),
        ],
        ids=["a person", "an app", "no token that says anything"],
    )
    async def test_is_opened_by_whom_the_access_token_names(
        self, token: str, user: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        install_az(monkeypatch, tmp_path, prints=az_answer(token))
        async with azure_cli() as credential:
            assert (await who_signed_in(credential)).user == user

    def test_has_a_user_even_where_the_system_knows_no_name(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail() -> str:
            raise KeyError("getpwuid(): uid not found: 1234")

        monkeypatch.setattr(getpass, "getuser", fail)

        assert storage._local_user() == "unknown"  # noqa: SLF001 -- no command can show it here


@pytest.mark.e2e
class TestByConnectionString:
    @pytest.mark.parametrize(
        "words,role",
        [
            (("snoozes",), "Storage Table Data Reader"),
            (("history", "Shops"), "Storage Table Data Reader"),
            (SNOOZE, "Storage Table Data Contributor"),
            (("unsnooze", "Shops"), "Storage Table Data Contributor"),
            (("check-now",), "Storage Table Data Contributor"),
            (("accept-topic", "--reason", "x"), "Storage Table Data Contributor"),
        ],
        ids=lambda value: value[0] if isinstance(value, tuple) else "",
    )
    async def test_each_command_names_the_role_that_it_needs(
        self, words: tuple[str, ...], role: str, azurite: Azurite, storage: str
    ) -> None:
        async with StorageProxy(azurite) as proxy:
            proxy.table.before.always(refusal(403, "AuthorizationPermissionMismatch"))
            environment = {CONNECTION: proxy.connection_string, "TENANT_ID": TENANT_ID}
            with pytest.raises(CommandError, match=f"needs the role “{role}” on it"):
                await type_in([*words], environment, MORNING)

    async def test_a_wrong_key_is_named(self, azurite: Azurite, storage: str) -> None:
        async with StorageProxy(azurite) as proxy:
            proxy.table.before.always(refusal(403, "AuthenticationFailed"))
            with pytest.raises(CommandError, match="does not take its key"):
                await type_in(["snoozes"], {CONNECTION: proxy.connection_string}, MORNING)

    async def test_an_account_without_the_tables_is_doubted(
        self, azurite: Azurite, storage: str
    ) -> None:
        with pytest.raises(CommandError, match="has no table tokenstatus: is it the right account"):
            await type_in(["snoozes"], {CONNECTION: storage}, MORNING)

    async def test_tables_without_a_check_ask_for_patience(
        self, azurite: Azurite, storage: str
    ) -> None:
        async with Stage(a_tenant(), MORNING, azurite=azurite) as stage:
            await stage.service.create_table("tokenstatus")
            with pytest.raises(CommandError, match="the tables hold no check yet"):
                await type_in(["snoozes"], {CONNECTION: storage}, MORNING)


@pytest.mark.e2e
class TestSeveralTenants:
    async def test_in_one_table_are_chosen_by_their_id(
        self, azurite: Azurite, storage: str
    ) -> None:
        environment = {CONNECTION: storage}
        for tenant_id in (TENANT_ID, OTHER_TENANT):
            async with Stage(a_tenant(tenant_id), MORNING, azurite=azurite) as stage:
                if tenant_id is OTHER_TENANT:
                    # As long as there is one, it need not be named.
                    assert (await type_in(["snoozes"], environment, MORNING)).text
                await stage.tick(MORNING)

        with pytest.raises(CommandError) as error:
            await type_in([*SNOOZE], environment, MORNING)
        await type_in([*SNOOZE, "--tenant", OTHER_TENANT], environment, MORNING)

        assert str(error.value) == (
            "the tables hold 2 tenants, name one with --tenant: "
            f"{', '.join(sorted([TENANT_ID, OTHER_TENANT]))}"
        )
        for tenant_id, listed in ((TENANT_ID, "Nothing is snoozed."), (OTHER_TENANT, "Until")):
            answer = await type_in(["snoozes"], environment | {"TENANT_ID": tenant_id}, MORNING)
            assert answer.text.startswith(listed)


@pytest.mark.e2e
class TestWithTheOperatorsOwnSignIn:
    """Over https and with an access token, as in Azure; the role itself only Azure can check."""

    TOKEN = access_token(tid=TENANT_ID, upn="aya@contoso.example", aud="https://storage.azure.com")

    @pytest.fixture
    def storage_of(
        self, azurite: Azurite, storage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Callable[[str], SecureStorage]:
        self.az = install_az(monkeypatch, tmp_path, prints=az_answer(self.TOKEN))
        for name in (CONNECTION, "TENANT_ID", "GRAPH_CLOUD", "TIME_ZONE"):
            monkeypatch.delenv(name, raising=False)
        return lambda service: SecureStorage(azurite, service, self.TOKEN, tmp_path)

    async def test_an_order_is_carried_out_in_the_name_of_who_signed_in(
        self, azurite: Azurite, storage_of: Callable[[str], SecureStorage]
    ) -> None:
        async with (
            Stage(a_tenant(), MORNING, azurite=azurite) as stage,
            storage_of("table") as account,
        ):
            await stage.tick(MORNING)
            ended = await account.run("check-now")
            run = (await stage.tables.run_rows()).run

        assert ended.errors == ""
        assert ended.status == 0
        assert ended.output.startswith("All sources will be read once more")
        assert run.check_requested_by == "aya@contoso.example"
        assert {call.split("--resource ")[1] for call in self.az.calls} == {
            "https://storage.azure.com"
        }

    async def test_who_may_only_read_is_told_the_role_for_writing(
        self, azurite: Azurite, storage_of: Callable[[str], SecureStorage]
    ) -> None:
        async with (
            Stage(a_tenant(), MORNING, azurite=azurite) as stage,
            storage_of("table") as account,
        ):
            await stage.tick(MORNING)
            account.write_faults.always(refusal(403, "AuthorizationPermissionMismatch"))
            listed, ordered = await account.run("snoozes"), await account.run("check-now")

        assert (listed.status, listed.output, listed.errors) == (0, "Nothing is snoozed.", "")
        assert (ordered.status, ordered.output) == (2, "")
        assert ordered.errors == (
            f"{account.address} refuses you (AuthorizationPermissionMismatch): your account needs "
            "the role “Storage Table Data Contributor” on it, and a new role can take some minutes "
            "to be seen; if you have it, see whether the account's firewall lets you in from here"
        )

    async def test_an_account_that_trusts_another_directory_is_a_failed_sign_in(
        self, storage_of: Callable[[str], SecureStorage]
    ) -> None:
        async with storage_of("table") as account:
            account.faults.always(refusal(401, "InvalidAuthenticationInfo"))
            ended = await account.run("snoozes")

        assert ended.status == 2
        assert (
            ended.errors == f"signing in to {account.address} failed: run `az login` and try again"
        )
