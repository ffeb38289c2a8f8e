"""`python -m admin test-card`: through the deployed app's queue, or straight from here."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from admin.command import CommandError
from apple_tokens.messages import MessageKind, decode
from apple_tokens.settings import CONNECTION, SettingsError
from sandbox import faults
from sandbox.azurite import Azurite
from sandbox.host import Outcome
from sandbox.planted import PLANTED_SECRET
from sandbox.stage import Stage
from sandbox.storage_proxy import StorageProxy
from sandbox.teams import TeamsChannel
from sandbox.teams_flow import FlowKind
from sandbox.tenant import TENANT_ID, SimulatedTenant
from tests.admin_desk import access_token, az_answer, install_az, type_in
from tests.leaks import assert_hidden
from tests.secure_storage import SecureStorage

NOW = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)


@pytest.mark.e2e
class TestThroughTheApp:
    async def test_a_ticket_on_the_queue_becomes_a_card_in_the_channel(
        self, azurite: Azurite, storage: str
    ) -> None:
        async with Stage(SimulatedTenant(), NOW, azurite=azurite) as stage:
            answer = await type_in(
                ["test-card"], stage.environment | {"TENANT_NAME": "Contoso"}, NOW
            )
            (delivery,) = await stage.deliver(NOW)

            assert delivery.outcome is Outcome.DONE
            (posted,) = stage.posted
        assert posted.message.kind is MessageKind.TEST
        assert (posted.message.tenant.id, posted.message.tenant.name) == (TENANT_ID, "Contoso")
        assert "Contoso" in posted.run.payload.decode()
        assert not posted.run.error
        assert answer.status == 0
        assert answer.text.startswith("A test message is on the queue remediation.")

    async def test_the_answer_says_where_to_look_if_nothing_appears(
        self, azurite: Azurite, storage: str
    ) -> None:
        async with Stage(SimulatedTenant(), NOW, azurite=azurite) as stage:
            said = (await type_in(["test-card"], stage.environment, NOW)).text

        for words in ("alert_failed", "alert_gave_up", "remediation-poison", "alert_delivered"):
            assert words in said
        assert "202. That proves no delivery" in said
        assert "open the run history of the workflow" in said

    async def test_the_date_is_that_of_the_time_zone(self, azurite: Azurite, storage: str) -> None:
        async with Stage(SimulatedTenant(), NOW, azurite=azurite) as stage:
            zone = {"TIME_ZONE": "Pacific/Auckland"}
            late = datetime(2026, 12, 1, 20, tzinfo=UTC)
            await type_in(["test-card"], stage.environment | zone, late)
            (delivery,) = await stage.deliver(late)

        assert decode(delivery.body).check_date.isoformat() == "2026-12-02"

    async def test_it_takes_no_role_on_the_tables(self, azurite: Azurite, storage: str) -> None:
        async with Stage(SimulatedTenant(), NOW, azurite=azurite), StorageProxy(azurite) as proxy:
            environment = {CONNECTION: proxy.connection_string, "TENANT_ID": TENANT_ID}
            await type_in(["test-card"], environment, NOW)

            assert proxy.table.requests == []
            assert [request.split("/")[-1] for request in proxy.queue.requests] == ["messages"]

    async def test_the_missing_role_is_named(self, azurite: Azurite, storage: str) -> None:
        async with StorageProxy(azurite) as proxy:
            refused = {"x-ms-error-code": "AuthorizationPermissionMismatch"}
            proxy.queue.before.always(faults.answer(403, headers=refused))
            environment = {CONNECTION: proxy.connection_string, "TENANT_ID": TENANT_ID}
            with pytest.raises(CommandError) as error:
                await type_in(["test-card"], environment, NOW)

        assert "(AuthorizationPermissionMismatch): your account needs the role" in str(error.value)
        assert "“Storage Queue Data Message Sender”" in str(error.value)

    async def test_an_account_without_the_queue_is_doubted_and_gets_none(
        self, azurite: Azurite, storage: str
    ) -> None:
        environment = {CONNECTION: storage, "TENANT_ID": TENANT_ID}
        for _ in range(2):
            with pytest.raises(CommandError, match="has no queue remediation: is it the right"):
                await type_in(["test-card"], environment, NOW)

    async def test_a_tenant_must_be_named_where_nobody_signed_in(
        self, azurite: Azurite, storage: str
    ) -> None:
        with pytest.raises(CommandError, match="name the tenant for the card with --tenant ID"):
            await type_in(["test-card"], {CONNECTION: storage}, NOW)

    async def test_with_the_operators_own_sign_in_the_tenant_is_the_one_signed_in_to(
        self, azurite: Azurite, storage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = access_token(tid=TENANT_ID, upn="aya@contoso.example")
        install_az(monkeypatch, tmp_path, prints=az_answer(token))
        for name in (CONNECTION, "TENANT_ID", "TENANT_NAME", "TIME_ZONE"):
            monkeypatch.delenv(name, raising=False)
        async with (
            Stage(SimulatedTenant(), NOW, azurite=azurite) as stage,
            SecureStorage(azurite, "queue", token, tmp_path) as account,
        ):
            monkeypatch.delenv("TENANT_ID", raising=False)
            ended = await account.run("test-card")
            await stage.deliver(datetime(2100, 1, 1, tzinfo=UTC))

        assert (ended.status, ended.errors) == (0, "")
        assert [posted.message.tenant.id for posted in stage.posted] == [TENANT_ID]


async def test_an_account_that_cannot_be_reached_is_said_so_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_az(monkeypatch, tmp_path, prints=az_answer(access_token(tid=TENANT_ID)))
    nobody_there = "https://127.0.0.1:1/devstoreaccount1"
    with pytest.raises(CommandError, match=f"{nobody_there} cannot be reached"):
        await type_in(["test-card", "--storage", nobody_there], {}, NOW)


async def test_a_broken_connection_string_is_not_quoted() -> None:
    environment = {CONNECTION: f"AccountKey={PLANTED_SECRET}", "TENANT_ID": TENANT_ID}
    with pytest.raises(CommandError) as error:
        await type_in(["test-card"], environment, NOW)

    assert "AzureWebJobsStorage is no whole connection string" in str(error.value)
    assert PLANTED_SECRET not in str(error.value)


async def test_the_package_that_the_app_does_without_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "azure.storage.queue.aio", None)
    with pytest.raises(CommandError) as error:
        await type_in(["test-card"], {CONNECTION: "x", "TENANT_ID": TENANT_ID}, NOW)

    assert str(error.value) == (
        "the package azure-storage-queue is missing here: run `pip install azure-storage-queue`, "
        "or post from here with --direct"
    )


class TestDirectly:
    async def test_a_card_is_posted_from_here(self) -> None:
        async with TeamsChannel(NOW) as channel:
            environment = {"TEAMS_WEBHOOK_URL": channel.webhook_url, "TENANT_NAME": "Contoso"}
            answer = await type_in(["test-card", "--direct"], environment, NOW)

            (run,) = channel.posts
        assert "Contoso" in run.payload.decode()
        assert answer.status == 0
        assert answer.text.startswith(
            "Power Automate took the card, which it answers with 202. That proves no delivery"
        )
        assert "If no card appears: In Power Automate, open the run history" in answer.text

    async def test_the_languages_and_the_payload_are_those_of_the_settings(self) -> None:
        async with TeamsChannel(NOW, kind=FlowKind.CARD) as channel:
            environment = {
                "TEAMS_WEBHOOK_URL": channel.webhook_url,
                "LANGUAGE": "ja",
                "TEAMS_PAYLOAD": "card",
                "TENANT_ID": TENANT_ID,
            }
            await type_in(["test-card", "--direct"], environment, NOW)

            (card,) = channel.posts[0].cards
        assert (card["type"], card["lang"]) == ("AdaptiveCard", "ja")

    async def test_a_refusal_is_explained_and_the_url_is_in_no_text(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")
        async with TeamsChannel(NOW) as channel:
            channel.switched_on = False
            environment = {"TEAMS_WEBHOOK_URL": channel.webhook_url}
            with pytest.raises(CommandError) as error:
                await type_in(["test-card", "--direct"], environment, NOW)

        assert "WorkflowTriggerIsNotEnabled" in str(error.value)
        assert "turn it on in Power Automate" in str(error.value)
        assert_hidden(channel.webhook_url, error.value, caplog.records)

    async def test_it_takes_the_url(self) -> None:
        with pytest.raises(SettingsError, match="TEAMS_WEBHOOK_URL is not set"):
            await type_in(["test-card", "--direct"], {}, NOW)

    async def test_it_takes_no_storage(self) -> None:
        with pytest.raises(CommandError, match="leave out --storage"):
            await type_in(["test-card", "--direct", "--storage", "stwatch42"], {}, NOW)
