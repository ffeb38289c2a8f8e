"""Microsoft Graph is reached through the environment's proxy; this machine's own ports are not."""

import asyncio
from typing import Self

import pytest
from azure.core.credentials import AccessToken

from apple_tokens.model import CouldNotCheck, FailureReason, TokenKind, TokensRead
from check_tokens.graph import GraphClient
from check_tokens.sources import read_sources
from tests.fakegraph import NO_WAITS, reading, small_tenant

SCOPE = "https://graph.microsoft.com/.default"


class SignedIn:
    """A credential that has a token at hand."""

    async def get_token(self, *scopes: str, **options: object) -> AccessToken:
        return AccessToken("access", 2**31)

    async def close(self) -> None: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...


async def test_a_proxy_is_asked_for_the_cloud_and_its_refusal_is_no_answer_of_graph(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as proxy:
        port = proxy.sockets[0].getsockname()[1]
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        async with GraphClient(
            SignedIn(), endpoint="https://graph.microsoft.com", scope=SCOPE, waits=NO_WAITS
        ) as client:
            results = await read_sources(client, [TokenKind.ADE], 20)

    result = results[TokenKind.ADE]
    assert isinstance(result, CouldNotCheck)
    assert result.reason is FailureReason.UNAVAILABLE
    assert asked[0].startswith(b"CONNECT graph.microsoft.com:443 ")
    assert b"access" not in b"".join(asked)


async def test_a_simulated_graph_is_read_past_a_proxy_that_points_nowhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with reading(small_tenant()) as served:
        await served.credential.get_token(SCOPE)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name)
        for name in ("HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        async with GraphClient(
            served.credential, endpoint=served.graph.url, scope=SCOPE, waits=NO_WAITS
        ) as client:
            results = await read_sources(client, TokenKind, 20)

    assert all(isinstance(result, TokensRead) for result in results.values())
