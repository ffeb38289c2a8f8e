"""The app signs in as its identity, a person at a desk in a browser or with a code."""

import asyncio
import base64
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.identity.aio import ManagedIdentityCredential

from apple_tokens.identity import managed_identity
from apple_tokens.model import Cloud, CouldNotCheck, FailureReason, TokenKind, TokensRead
from check_tokens import signin
from check_tokens.clouds import delegated_scope
from check_tokens.graph import GraphClient
from check_tokens.signin import (
    GRAPH_COMMAND_LINE_TOOLS,
    DeskCredential,
    desk_credential,
    read_claims,
)
from check_tokens.sources import read_sources
from sandbox import faults
from sandbox.faults import Fault
from sandbox.identity import CLIENT_ID, IdentityEndpoint
from sandbox.planted import PLANTED_SECRET
from sandbox.tenant import TENANT_ID
from tests.fakegraph import reading, small_tenant

SCOPE = "https://graph.example/.default"
GRAPH_SCOPE = "https://graph.microsoft.com/.default"


async def test_the_identity_endpoint_is_asked_once_for_all_sources() -> None:
    async with reading(small_tenant()) as served:
        await served.read()
        await served.read()

        assert len(served.identity.requests) == 1
        assert served.identity.requests[0].client_id == CLIENT_ID


@pytest.mark.parametrize(
    "cloud,resource",
    [
        (Cloud.GLOBAL, "https://graph.microsoft.com"),
        (Cloud.USGOV, "https://graph.microsoft.us"),
        (Cloud.USGOV_DOD, "https://dod-graph.microsoft.us"),
        (Cloud.CHINA, "https://microsoftgraph.chinacloudapi.cn"),
    ],
)
async def test_the_access_token_is_for_the_graph_of_the_cloud(cloud: Cloud, resource: str) -> None:
    async with reading(small_tenant(), cloud=cloud) as served:
        results = await served.read()

        assert [request.resource for request in served.identity.requests] == [resource]
    assert all(isinstance(result, TokensRead) for result in results.values())


async def test_without_a_client_id_the_system_assigned_identity_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with IdentityEndpoint(TENANT_ID, client_id="") as identity:
        for name, value in identity.environment().items():
            monkeypatch.setenv(name, value)
        async with managed_identity(None) as credential:
            token = await credential.get_token(GRAPH_SCOPE)

        assert identity.requests[0].client_id == ""
    assert read_claims(token.token).tenant_id == TENANT_ID


@pytest.mark.parametrize(
    "fault",
    [
        faults.answer(500, b'{"message": "broken"}'),
        faults.answer(400, b'{"message": "Unable to load the proper Managed Identity."}'),
        faults.html_page(),
        faults.empty_body(),
        faults.truncated(),
        faults.answer(200, b'{"access_token": "x"}', name="no date"),
        faults.answer(200, b'{"access_token": "x", "expires_on": "1"}', name="no resource"),
        faults.answer(
            200,
            b'{"access_token": "x", "expires_on": "soon", "resource": "y"}',
            name="an odd date",
        ),
        faults.answer(200, b"[]", name="a list"),
        faults.reset(),
    ],
    ids=lambda fault: fault.name,
)
async def test_an_identity_endpoint_in_trouble_leaves_all_sources_unchecked(
    fault: Fault, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with reading(small_tenant()) as served:
        served.identity.faults.always(fault)
        for name, value in served.identity.environment().items():
            monkeypatch.setenv(name, value)
        async with (
            ManagedIdentityCredential(client_id=CLIENT_ID, retry_total=0) as credential,
            GraphClient(credential, endpoint=served.graph.url, scope=GRAPH_SCOPE) as client,
        ):
            results = await read_sources(client, TokenKind, 20)

        assert served.graph.requests == []
    for result in results.values():
        assert isinstance(result, CouldNotCheck)
        assert result.reason is FailureReason.UNAVAILABLE
        assert result.detail.startswith("Signing in to Microsoft Graph failed")
    assert PLANTED_SECRET not in f"{results} {caplog.text}"
    assert "Please sign in to the network" not in f"{results} {caplog.text}"


async def test_an_identity_that_is_not_assigned_is_named_as_something_to_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with reading(small_tenant()) as served:
        for name, value in served.identity.environment().items():
            monkeypatch.setenv(name, value)
        async with (
            managed_identity("another-identity") as credential,
            GraphClient(credential, endpoint=served.graph.url, scope=GRAPH_SCOPE) as client,
        ):
            results = await read_sources(client, [TokenKind.ADE], 20)

    result = results[TokenKind.ADE]
    assert isinstance(result, CouldNotCheck)
    assert "AZURE_CLIENT_ID" in result.detail


async def test_a_sign_in_that_is_lost_while_reading_leaves_the_source_unchecked() -> None:
    async with reading(small_tenant()) as served:
        issued: AccessToken = await served.credential.get_token(GRAPH_SCOPE)
        answers = iter([issued])

        def get() -> AccessToken:
            if (token := next(answers, None)) is not None:
                return token
            raise ClientAuthenticationError(message="AADSTS700082: the session has expired")

        async with (
            DeskCredential(SyncCredential(get)) as credential,
            GraphClient(credential, endpoint=served.graph.url, scope=SCOPE) as client,
        ):
            results = await read_sources(client, [TokenKind.ADE], 20)

    result = results[TokenKind.ADE]
    assert isinstance(result, CouldNotCheck)
    assert result.reason is FailureReason.UNAVAILABLE
    assert "AADSTS700082" in result.detail


async def test_an_identity_endpoint_that_never_answers_ends_at_the_deadline() -> None:
    async with reading(small_tenant()) as served:
        served.identity.faults.always(faults.silence())
        results = await served.read(deadline_s=0.5)

    for result in results.values():
        assert isinstance(result, CouldNotCheck)
        assert result.reason is FailureReason.TIMED_OUT


class SyncCredential:
    """Stands for azure-identity's interactive credentials: it blocks until somebody signed in."""

    def __init__(self, get: Callable[[], AccessToken]) -> None:
        self._get = get
        self.scopes: list[str] = []
        self.threads: set[threading.Thread] = set()
        self.closed = False

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **kwargs: object,
    ) -> AccessToken:
        self.scopes.extend(scopes)
        self.threads.add(threading.current_thread())
        return self._get()

    def close(self) -> None:
        self.closed = True


async def test_somebody_at_a_desk_signs_in_off_the_event_loop() -> None:
    person = SyncCredential(lambda: AccessToken("access", 1))
    async with DeskCredential(person) as credential:
        token = await credential.get_token(SCOPE, enable_cae=True)

    assert token.token == "access"
    assert person.scopes == [SCOPE]
    (thread,) = person.threads
    assert thread is not threading.main_thread()
    assert thread.daemon, "the program could not end while the browser waits"
    assert person.closed


async def test_only_one_sign_in_is_open_at_a_time() -> None:
    second = threading.Barrier(2, timeout=0.1)

    def get() -> AccessToken:
        try:
            second.wait()
        except threading.BrokenBarrierError:
            return AccessToken("access", 1)
        raise AssertionError("two browsers were open at the same time")

    credential = DeskCredential(SyncCredential(get))
    tokens = await asyncio.gather(*(credential.get_token(SCOPE) for _ in range(5)))

    assert len(tokens) == 5


async def test_a_refused_sign_in_raises_where_it_is_awaited() -> None:
    def get() -> AccessToken:
        raise ClientAuthenticationError(message="AADSTS65001")

    with pytest.raises(ClientAuthenticationError):
        await DeskCredential(SyncCredential(get)).get_token(SCOPE)


async def test_a_sign_in_that_nobody_completes_can_be_given_up() -> None:
    completed = threading.Event()

    def get() -> AccessToken:
        completed.wait(30)
        return AccessToken("too late", 1)

    credential = DeskCredential(SyncCredential(get))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await credential.get_token(SCOPE)
    completed.set()


async def test_a_desk_credential_reads_a_tenant() -> None:
    async with reading(small_tenant()) as served:
        issued: AccessToken = await served.credential.get_token(GRAPH_SCOPE)
        person = SyncCredential(lambda: issued)
        scope = delegated_scope(Cloud.GLOBAL)
        async with (
            DeskCredential(person) as credential,
            GraphClient(credential, endpoint=served.graph.url, scope=scope) as client,
        ):
            results = await read_sources(client, TokenKind, 20)

    assert all(isinstance(result, TokensRead) for result in results.values())
    assert set(person.scopes) == {scope}


class Recorded:
    """Stands for a credential class of azure-identity and keeps how it was called."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        self.args = args
        self.kwargs = kwargs
        made.append(self)


made: list[Recorded] = []


def test_the_browser_signs_in_to_the_cloud_through_microsofts_public_client(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made.clear()
    monkeypatch.setattr(signin, "InteractiveBrowserCredential", Recorded)
    desk_credential(Cloud.USGOV)

    assert made[0].kwargs == {
        "client_id": GRAPH_COMMAND_LINE_TOOLS,
        "tenant_id": "organizations",
        "authority": "https://login.microsoftonline.us",
    }


def test_the_device_code_is_shown_to_the_person_and_not_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made.clear()
    shown: list[str] = []
    monkeypatch.setattr(signin, "DeviceCodeCredential", Recorded)
    desk_credential(
        Cloud.CHINA, tenant_id="contoso.example", client_id="own", show_device_code=shown.append
    )
    prompt = made[0].kwargs.pop("prompt_callback")
    assert callable(prompt)
    prompt("https://login.example/device", "ABC123", datetime(2026, 1, 5, tzinfo=UTC))

    assert made[0].args == ("own",)
    assert made[0].kwargs == {
        "tenant_id": "contoso.example",
        "authority": "https://login.chinacloudapi.cn",
    }
    assert shown == ["To sign in, open https://login.example/device and enter the code ABC123"]
    assert capsys.readouterr().out == ""


def test_the_real_credentials_can_be_made_without_asking_anybody() -> None:
    assert isinstance(desk_credential(Cloud.GLOBAL), DeskCredential)
    assert isinstance(desk_credential(Cloud.GLOBAL, show_device_code=print), DeskCredential)


def jwt(payload: bytes) -> str:
    return f"e30.{base64.urlsafe_b64encode(payload).decode().rstrip('=')}.signature"


@pytest.mark.parametrize("padding", ["", "x", "xx", "xxx"])
def test_an_access_token_says_its_tenant_and_its_app(padding: str) -> None:
    claims = read_claims(jwt(f'{{"tid": "t-1", "appid": "a-1", "pad": "{padding}"}}'.encode()))

    assert (claims.tenant_id, claims.client_id) == ("t-1", "a-1")


@pytest.mark.parametrize(
    "token",
    ["", "opaque", "a.b", "a.é.c", jwt(b"{}"), jwt(b'{"tid": 7}'), jwt(b"[]"), jwt(b"\xff")],
)
def test_an_access_token_that_says_no_tenant_is_refused_without_being_quoted(token: str) -> None:
    with pytest.raises(ValueError, match="which tenant") as refusal:
        read_claims(token)

    assert not token or token not in str(refusal.value)
