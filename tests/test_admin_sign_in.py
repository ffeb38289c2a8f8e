"""A person signs in for `python -m admin check`, in a browser or with a code."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from admin.command import CommandError
from check_tokens import signin
from check_tokens.signin import GRAPH_COMMAND_LINE_TOOLS
from sandbox import graph_faults
from sandbox.graph import GraphServer
from sandbox.graph_objects import GraphSource
from sandbox.identity import CLIENT_ID, IdentityEndpoint
from sandbox.scenario import load_scenario
from sandbox.tenant import TENANT_ID, SimulatedTenant
from tests.admin_desk import graph_token, type_in

NOW = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
PERMISSION = "DeviceManagementServiceConfig.Read.All"


@dataclass
class Person:
    """Stands for azure-identity's interactive credentials, and for who completes the sign-in."""

    token: str = ""
    error: Exception | None = None
    made_with: dict[str, object] = field(default_factory=dict)
    scopes: list[tuple[str, ...]] = field(default_factory=list)
    prompt: Callable[[str, str, datetime], None] | None = None

    def __call__(self, client_id: str, **options: object) -> "Person":
        self.made_with = {"client_id": client_id, **options}
        self.prompt = self.made_with.pop("prompt_callback", None)  # type: ignore[assignment]
        return self

    def get_token(self, *scopes: str, **options: object) -> AccessToken:
        self.scopes.append(scopes)
        if self.prompt:
            self.prompt("https://microsoft.com/devicelogin", "PL4NTED", NOW)
        if self.error:
            raise self.error
        return AccessToken(self.token, 4_102_444_800)

    def close(self) -> None:
        """Do nothing; the real ones close their connections."""


@contextmanager
def at_the_desk(person: Person, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(signin, "InteractiveBrowserCredential", person)
        patch.setattr(signin, "DeviceCodeCredential", person)
        yield


@pytest.fixture
def tenant() -> SimulatedTenant:
    return load_scenario("healthy").tenant(NOW)


async def check(tenant: SimulatedTenant, person: Person, *words: str, **more: str) -> str:
    async with (
        IdentityEndpoint(tenant.tenant_id) as identity,
        GraphServer(tenant, identity) as graph,
    ):
        person.token = await graph_token(identity, CLIENT_ID)
        environment = {"GRAPH_ENDPOINT": graph.url, **more}
        return (await type_in(["check", *words], environment, NOW)).text


async def test_a_browser_is_the_usual_way_and_asks_for_one_permission(
    tenant: SimulatedTenant, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    person = Person()
    with at_the_desk(person, monkeypatch):
        text = await check(tenant, person)

    assert text.endswith("5 read, 0 with problems")
    assert person.made_with == {
        "client_id": GRAPH_COMMAND_LINE_TOOLS,
        "tenant_id": "organizations",
        "authority": "https://login.microsoftonline.com",
    }
    assert set(person.scopes) == {(f"https://graph.microsoft.com/{PERMISSION}",)}
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "A browser opens for you to sign in; Ctrl+C gives up.\n"


async def test_a_code_is_shown_beside_the_answer_which_may_be_json(
    tenant: SimulatedTenant, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    person = Person()
    with at_the_desk(person, monkeypatch):
        text = await check(tenant, person, "--sign-in", "device-code", "--json")

    assert text.startswith("{")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[0] == (
        "To sign in, open https://microsoft.com/devicelogin and enter the code PL4NTED."
    )


async def test_tenant_client_and_cloud_can_be_chosen(
    tenant: SimulatedTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = Person()
    with at_the_desk(person, monkeypatch):
        await check(
            tenant, person, "--tenant", TENANT_ID, "--client-id", "my-app", GRAPH_CLOUD="usgov"
        )

    assert person.made_with == {
        "client_id": "my-app",
        "tenant_id": TENANT_ID,
        "authority": "https://login.microsoftonline.us",
    }
    assert set(person.scopes) == {(f"https://graph.microsoft.us/{PERMISSION}",)}


@pytest.mark.parametrize("way", ["browser", "device-code"])
async def test_a_person_whom_graph_refuses_is_told_what_to_consent_to(
    way: str, tenant: SimulatedTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = Person()
    tenant.faults[GraphSource.ADE].always(graph_faults.forbidden())
    with at_the_desk(person, monkeypatch):
        text = await check(tenant, person, "--sign-in", way)

    assert f"Consent to {PERMISSION} for the app that signs you in" in text
    assert "your role in Intune may read" in text


@pytest.mark.parametrize(
    "way,said",
    [("browser", "use --sign-in device-code"), ("device-code", "use --sign-in browser")],
)
async def test_a_sign_in_that_fails_names_the_other_way(
    way: str, said: str, tenant: SimulatedTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = Person(error=ClientAuthenticationError("AADSTS65001: no consent for PLANTED-SECRET"))
    with (
        at_the_desk(person, monkeypatch),
        pytest.raises(CommandError) as error,
    ):
        await check(tenant, person, "--sign-in", way)

    assert said in str(error.value)
    assert "AADSTS65001, explained at" in str(error.value)
    assert "PLANTED" not in str(error.value)


@pytest.mark.parametrize("way", ["browser", "device-code", "azure-cli"])
async def test_what_can_be_no_tenant_is_named_before_anything_opens(
    way: str, tenant: SimulatedTenant, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandError) as error:
        await check(tenant, Person(), "--sign-in", way, "--tenant", "a b")

    assert str(error.value) == "--tenant is 'a b': use the id or a domain of the tenant"
    assert capsys.readouterr().err == ""
