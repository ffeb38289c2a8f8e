"""The real ManagedIdentityCredential signs in at the sandbox's identity endpoint."""

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity.aio import ManagedIdentityCredential

from sandbox import faults
from sandbox.identity import CLIENT_ID, IdentityEndpoint, IdentityRequest

GRAPH_SCOPE = "https://graph.microsoft.com/.default"
TENANT_ID = "5f0c8b1e-7a3d-4c1e-9b62-0d6a4f2e8c17"


def use(identity: IdentityEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in identity.environment().items():
        monkeypatch.setenv(name, value)


async def test_the_user_assigned_identity_gets_a_token_that_graph_accepts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with IdentityEndpoint(TENANT_ID) as identity:
        use(identity, monkeypatch)
        async with ManagedIdentityCredential(client_id=CLIENT_ID) as credential:
            token = await credential.get_token(GRAPH_SCOPE)

        assert identity.has_issued_for_graph(token.token)
        assert identity.requests == [
            IdentityRequest(resource="https://graph.microsoft.com", client_id=CLIENT_ID)
        ]


async def test_a_token_is_kept_by_the_credential_and_not_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with IdentityEndpoint(TENANT_ID) as identity:
        use(identity, monkeypatch)
        async with ManagedIdentityCredential(client_id=CLIENT_ID) as credential:
            first = await credential.get_token(GRAPH_SCOPE)
            second = await credential.get_token(GRAPH_SCOPE)

        assert first.token == second.token
        assert len(identity.requests) == 1


async def test_a_token_for_another_resource_does_not_open_graph(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with IdentityEndpoint(TENANT_ID) as identity:
        use(identity, monkeypatch)
        async with ManagedIdentityCredential(client_id=CLIENT_ID) as credential:
            token = await credential.get_token("https://storage.azure.com/.default")

        assert not identity.has_issued_for_graph(token.token)


async def test_a_revoked_token_no_longer_opens_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    async with IdentityEndpoint(TENANT_ID) as identity:
        use(identity, monkeypatch)
        async with ManagedIdentityCredential(client_id=CLIENT_ID) as credential:
            token = await credential.get_token(GRAPH_SCOPE)

        identity.revoke_all()

        assert not identity.has_issued_for_graph(token.token)


@pytest.mark.parametrize("client_id", [None, "00000000-0000-0000-0000-000000000001"])
async def test_an_identity_that_the_app_does_not_have_is_refused(
    client_id: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with IdentityEndpoint(TENANT_ID) as identity:
        use(identity, monkeypatch)
        async with ManagedIdentityCredential(client_id=client_id) as credential:
            with pytest.raises(ClientAuthenticationError, match="proper Managed Identity"):
                await credential.get_token(GRAPH_SCOPE)


async def test_a_wrong_identity_header_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async with IdentityEndpoint(TENANT_ID) as identity:
        use(identity, monkeypatch)
        monkeypatch.setenv("IDENTITY_HEADER", "guessed")
        async with ManagedIdentityCredential(client_id=CLIENT_ID) as credential:
            with pytest.raises(ClientAuthenticationError, match="X-IDENTITY-HEADER"):
                await credential.get_token(GRAPH_SCOPE)


async def test_the_endpoint_fails_on_demand_and_heals(monkeypatch: pytest.MonkeyPatch) -> None:
    async with IdentityEndpoint(TENANT_ID) as identity:
        use(identity, monkeypatch)
        identity.faults.once(faults.answer(403, b'{"message": "out of order"}'))
        async with ManagedIdentityCredential(client_id=CLIENT_ID) as credential:
            with pytest.raises(ClientAuthenticationError):
                await credential.get_token(GRAPH_SCOPE)
            assert (await credential.get_token(GRAPH_SCOPE)).token
