"""`python -m admin check` against a simulated Graph: it reads, writes nothing, and never lies."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web

from admin.azure_cli import APP_ID
from admin.check_report import CheckReport
from admin.command import Answer, CommandError, ExitStatus
from apple_tokens.model import TokenKind
from apple_tokens.settings import SettingsError
from check_tokens import verdicts
from sandbox import faults, graph_faults
from sandbox.faults import Fault
from sandbox.graph import GraphServer
from sandbox.graph_objects import GraphSource
from sandbox.identity import CLIENT_ID, IdentityEndpoint
from sandbox.planted import PLANTED_SECRET
from sandbox.scenario import load_scenario
from sandbox.server import LoopbackServer
from sandbox.tenant import TENANT_ID, SimulatedTenant
from tests.admin_desk import az_answer, graph_token, install_az, type_in

NOW = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)


class Untouched(LoopbackServer):
    """Stands in the place of the storage account."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[str] = []

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(request.path)
        return web.Response(status=500)


@dataclass(frozen=True)
class Desk:
    """A terminal with a tenant on the other end."""

    tenant: SimulatedTenant
    graph: GraphServer
    identity: IdentityEndpoint
    environment: dict[str, str]

    async def check(self, *words: str, sign_in: str = "managed-identity", **more: str) -> Answer:
        environment = self.environment | more
        return await type_in(["check", "--sign-in", sign_in, *words], environment, NOW)


OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]


@pytest.fixture
def open_desk(monkeypatch: pytest.MonkeyPatch) -> OpenDesk:
    """Give a terminal in front of a tenant; the app of the identity can be another one."""

    @asynccontextmanager
    async def opened(
        tenant: SimulatedTenant | str, client_id: str = CLIENT_ID
    ) -> AsyncIterator[Desk]:
        if isinstance(tenant, str):
            tenant = load_scenario(tenant).tenant(NOW)
        async with (
            IdentityEndpoint(tenant.tenant_id, client_id=client_id) as identity,
            GraphServer(tenant, identity) as graph,
        ):
            for name, value in identity.environment().items():
                monkeypatch.setenv(name, value)
            environment = {"GRAPH_ENDPOINT": graph.url, "AZURE_CLIENT_ID": client_id}
            yield Desk(tenant, graph, identity, environment)

    return opened


async def test_a_healthy_tenant_ends_with_0(open_desk: OpenDesk) -> None:
    async with open_desk("healthy") as desk:
        answer = await desk.check()

    assert answer.status is ExitStatus.DONE
    assert answer.text.splitlines()[-1] == "5 read, 0 with problems"
    assert answer.text.count("healthy  ") == 5


async def test_a_tenant_with_problems_ends_with_1_and_names_them(open_desk: OpenDesk) -> None:
    async with open_desk("every-problem") as desk:
        answer = await desk.check()

    assert answer.status is ExitStatus.PROBLEMS
    assert answer.text.splitlines()[-1] == "20 read, 20 with problems"
    for token, problem in (
        ("ADE expired", "ade_token_expired"),
        ("ADE terms not accepted", "ade_terms_not_accepted"),
        ("ADE sync failed", "ade_sync_failed"),
        ("ADE without an expiry date", "expiry_unknown"),
        ("VPP in another MDM", "vpp_token_in_other_mdm"),
        ("VPP state of the future", "vpp_token_state_unknown"),
        ("VPP sync failed", "vpp_sync_failed"),
        ("push@contoso.example", "push_certificate_upload_failed"),
    ):
        (line,) = (line for line in answer.text.splitlines() if f" {token}  " in line)
        assert problem in line


async def test_a_tenant_without_apple_tokens_is_told_so(open_desk: OpenDesk) -> None:
    async with open_desk("unconfigured") as desk:
        answer = await desk.check()

    assert answer.status == 0
    assert answer.text.splitlines() == [
        "ADE token: none configured",
        "VPP token: none configured",
        "MDM push certificate: none configured",
        "0 read, 0 with problems",
    ]


@pytest.mark.parametrize("source", list(GraphSource))
async def test_a_source_that_is_refused_ends_with_2_although_the_others_are_healthy(
    source: GraphSource, open_desk: OpenDesk
) -> None:
    async with open_desk("healthy") as desk:
        desk.tenant.faults[source].always(graph_faults.forbidden())
        answer = await desk.check()

    assert answer.status is ExitStatus.NOT_DONE
    assert answer.text.count("COULD NOT CHECK") == 1
    assert "Microsoft Graph refused access (403).\n    request id " in answer.text
    assert "Grant DeviceManagementServiceConfig.Read.All to the identity." in answer.text
    assert answer.text.endswith(
        "with problems; 1 of 3 sources could not be checked: nothing is known of them"
    )


async def test_a_source_that_is_refused_outweighs_the_problems_of_the_others(
    open_desk: OpenDesk,
) -> None:
    async with open_desk("every-problem") as desk:
        desk.tenant.faults[GraphSource.VPP].always(graph_faults.forbidden())
        answer = await desk.check()

    assert answer.status == 2
    assert "ade_token_expired" in answer.text


async def test_what_could_not_be_checked_at_all_is_nowhere_called_healthy(
    open_desk: OpenDesk,
) -> None:
    async with open_desk("healthy") as desk:
        for source in GraphSource:
            desk.tenant.faults[source].always(graph_faults.forbidden())
        text, machine_readable = await desk.check(), await desk.check("--json")

    assert text.status == machine_readable.status == 2
    assert "healthy" not in text.text.lower()
    assert "healthy" not in machine_readable.text.lower()
    assert text.text.splitlines()[-1].startswith("0 read, 0 with problems; 3 of 3 sources")
    assert text.text.count("Grant ") == 1


@pytest.mark.parametrize(
    "fault,said",
    [
        (graph_faults.not_licensed(), "it needs an active Intune license"),
        (faults.html_page(), "is not as documented"),
        (faults.truncated(), "is not as documented"),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else "",
)
async def test_what_else_went_wrong_is_said_in_its_own_words(
    fault: Fault, said: str, open_desk: OpenDesk
) -> None:
    async with open_desk("healthy") as desk:
        desk.tenant.faults[GraphSource.ADE].always(fault)
        answer = await desk.check()

    assert answer.status == 2
    assert said in answer.text
    assert "Grant " not in answer.text


async def test_scripts_get_json(open_desk: OpenDesk) -> None:
    async with open_desk("healthy") as desk:
        desk.tenant.change("All iPads", NOW, tokenExpirationDateTime="+5d")
        desk.tenant.faults[GraphSource.VPP].always(graph_faults.forbidden())
        desk.tenant.remove("push@contoso.example")
        answer = await desk.check("--json")

    document = json.loads(answer.text)
    assert document["checkedAt"] == "2026-12-01T08:00:00+00:00"
    assert document["sources"]["ade_token"] == {"result": "tokens_read"}
    assert document["sources"]["push_certificate"] == {"result": "not_configured"}
    assert document["sources"]["vpp_token"]["result"] == "permission"
    assert document["sources"]["vpp_token"]["status"] == 403
    assert document["sources"]["vpp_token"]["requestId"]
    assert document["advice"].startswith("Grant DeviceManagementServiceConfig.Read.All")
    first, second = document["tokens"]
    assert (first["name"], first["daysLeft"], first["severity"]) == ("All iPads", 5, "critical")
    assert (first["kind"], first["health"]) == ("ade_token", "unhealthy")
    assert first["problems"] == ["ade_token_expiring"]
    assert first["expiresOn"].startswith("2026-12-06")
    assert second["problems"] == []


async def test_json_is_ascii_so_that_no_console_garbles_it_and_no_name_steers_one(
    open_desk: OpenDesk,
) -> None:
    async with open_desk("hostile") as desk:
        answer = await desk.check("--json")

    assert answer.text.isascii()
    assert "アプリ 📱 مرحبا" in {token["name"] for token in json.loads(answer.text)["tokens"]}


async def test_hostile_names_stand_in_one_line_each(open_desk: OpenDesk) -> None:
    async with open_desk("hostile") as desk:
        answer = await desk.check()

    assert len(answer.text.splitlines()) == 1 + 8 + 2
    assert answer.text.replace("\n", "").isprintable()


async def test_dates_are_those_of_the_time_zone(open_desk: OpenDesk) -> None:
    tenant = SimulatedTenant()
    tenant.add(GraphSource.ADE, NOW, tokenName="x", tokenExpirationDateTime="2027-05-31T20:00:00Z")
    async with open_desk(tenant) as desk:
        here, there = await desk.check(), await desk.check(TIME_ZONE="Asia/Tokyo")

    assert "2027-05-31" in here.text
    assert "2027-06-01" in there.text


async def test_limits_are_those_of_the_settings(open_desk: OpenDesk) -> None:
    tenant = SimulatedTenant()
    tenant.add(GraphSource.ADE, NOW, tokenName="x", tokenExpirationDateTime="+45d")
    async with open_desk(tenant) as desk:
        assert (await desk.check()).status == 0
        assert (await desk.check(REMIND_DAYS="60")).status == 1


async def test_it_only_reads_and_leaves_storage_alone(open_desk: OpenDesk) -> None:
    async with open_desk("every-problem") as desk, Untouched() as storage:
        connection = (
            "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=AAAA;"
            f"TableEndpoint={storage.url}/a;QueueEndpoint={storage.url}/a;"
        )
        await desk.check(AzureWebJobsStorage=connection)

        assert storage.requests == []
        assert {request.method for request in desk.graph.requests} == {"GET"}
        assert len(desk.identity.requests) == 1


async def test_no_secret_of_the_tenant_is_printed(
    open_desk: OpenDesk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with open_desk("ignores-select") as desk:
        text, machine_readable = await desk.check(), await desk.check("--json")

    assert PLANTED_SECRET not in f"{text}{machine_readable}"


@pytest.mark.parametrize(
    "setting,value",
    [
        ("GRAPH_CLOUD", "moon"),
        ("GRAPH_ENDPOINT", "https://graph.example"),
        ("TIME_ZONE", "Berlin"),
        ("REMIND_DAYS", "soon"),
    ],
)
async def test_a_setting_that_cannot_be_used_is_named_before_anybody_signs_in(
    setting: str, value: str, open_desk: OpenDesk
) -> None:
    async with open_desk("healthy") as desk:
        with pytest.raises(SettingsError, match=setting):
            await desk.check(**{setting: value})

        assert desk.identity.requests == []


def test_a_failure_without_a_request_id_is_reported_without_that_line() -> None:
    report = CheckReport(
        rows=(),
        results={TokenKind.ADE: verdicts.timed_out(240)},
        advice="",
        checked_at=NOW,
        zone=ZoneInfo("UTC"),
    )

    assert report.as_text().splitlines() == [
        "COULD NOT CHECK ADE token: Microsoft Graph was not read to the end within 240 seconds.",
        "0 read, 0 with problems; 1 of 1 sources could not be checked: nothing is known of them",
    ]


class TestUnderASignInOfAzureCli:
    @pytest.fixture
    def refused(self) -> SimulatedTenant:
        tenant = load_scenario("healthy").tenant(NOW)
        for source in GraphSource:
            tenant.faults[source].always(graph_faults.forbidden())
        return tenant

    async def test_a_person_is_told_exactly_why_intune_refuses(
        self,
        refused: SimulatedTenant,
        open_desk: OpenDesk,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        async with open_desk(refused, client_id=APP_ID) as desk:
            token = await graph_token(desk.identity, APP_ID)
            az = install_az(monkeypatch, tmp_path, prints=az_answer(token))
            answer = await desk.check(sign_in="azure-cli")

        assert answer.status == 2
        assert (
            "Intune refuses the access tokens that Azure CLI gets for people, whatever their "
            "role: Microsoft's app for Azure CLI has no DeviceManagement permission"
        ) in answer.text
        assert "https://github.com/Azure/azure-cli/issues/20572" in answer.text
        assert "--sign-in browser or --sign-in device-code" in answer.text
        assert "grant" not in answer.text.lower()
        assert token not in answer.text
        assert set(az.calls) == {
            "account get-access-token --output json --resource https://graph.microsoft.com"
        }
        assert desk.graph.requests
        assert all(request.authorised for request in desk.graph.requests)

    async def test_an_app_is_told_what_to_grant_it(
        self,
        refused: SimulatedTenant,
        open_desk: OpenDesk,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        async with open_desk(refused) as desk:
            install_az(
                monkeypatch, tmp_path, prints=az_answer(await graph_token(desk.identity, CLIENT_ID))
            )
            answer = await desk.check(sign_in="azure-cli")

        assert f"Grant DeviceManagementServiceConfig.Read.All to the app {CLIENT_ID}" in answer.text
        assert "issues/20572" not in answer.text

    async def test_a_token_that_says_nothing_is_taken_for_a_persons(
        self, open_desk: OpenDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with open_desk("healthy") as desk:
            install_az(monkeypatch, tmp_path, prints=az_answer("opaque"))
            answer = await desk.check(sign_in="azure-cli")

        assert "Microsoft Graph refused access (401)." in answer.text
        assert "issues/20572" in answer.text

    async def test_an_app_with_the_permission_can_check(
        self, open_desk: OpenDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with open_desk("healthy") as desk:
            az = install_az(
                monkeypatch, tmp_path, prints=az_answer(await graph_token(desk.identity, CLIENT_ID))
            )
            answer = await desk.check("--tenant", TENANT_ID, sign_in="azure-cli")

        assert answer.status == 0
        assert az.calls[0].endswith(f"--tenant {TENANT_ID}")

    async def test_a_missing_azure_cli_is_to_be_installed(
        self, open_desk: OpenDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        async with open_desk("healthy") as desk:
            with pytest.raises(CommandError, match="Azure CLI is not installed"):
                await desk.check(sign_in="azure-cli")

    async def test_without_az_login_it_names_the_command(
        self, open_desk: OpenDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        install_az(
            monkeypatch, tmp_path, complains="ERROR: Please run 'az login' to setup account."
        )
        async with open_desk("healthy") as desk:
            with pytest.raises(CommandError, match="run `az login --tenant contoso-id`"):
                await desk.check("--tenant", "contoso-id", sign_in="azure-cli")

            assert desk.graph.requests == []

    async def test_a_refusal_of_entra_id_is_named_by_its_code_alone(
        self, open_desk: OpenDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        install_az(
            monkeypatch, tmp_path, complains=f"AADSTS50076: {PLANTED_SECRET} you must use MFA"
        )
        async with open_desk("healthy") as desk:
            with pytest.raises(CommandError) as error:
                await desk.check(sign_in="azure-cli")

        assert (
            "failed (AADSTS50076, explained at https://login.microsoftonline.com/error?code=50076)"
        ) in str(error.value)
        assert PLANTED_SECRET not in str(error.value)


async def test_an_identity_that_is_not_assigned_is_named_as_what_to_look_at(
    open_desk: OpenDesk,
) -> None:
    async with open_desk("healthy") as desk:
        with pytest.raises(CommandError, match="AZURE_CLIENT_ID must be the client id"):
            await desk.check(AZURE_CLIENT_ID="another-one")

        assert desk.graph.requests == []
