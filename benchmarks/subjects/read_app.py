"""Read the tenant's sources as the app does; without an access token, sign in first."""

import asyncio
import json
import os
import sys

sys.path[:0] = sys.argv[1:3]

from contextlib import AbstractAsyncContextManager
from typing import Any

from azure.core.credentials import AccessToken

from apple_tokens.identity import managed_identity
from apple_tokens.model import Cloud, TokenKind, TokensRead
from check_tokens.clouds import application_scope
from check_tokens.graph import GraphClient
from check_tokens.sources import read_sources


class SignedIn(AbstractAsyncContextManager[None]):
    """A credential that has its access token."""

    async def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        """Return it."""
        return AccessToken(os.environ["GRAPH_TOKEN"], 2**31)

    async def __aexit__(self, *_raised: object) -> None:
        """Do nothing."""


async def main() -> None:
    """Read all sources."""
    environment = os.environ
    credential: Any = (
        SignedIn()
        if "GRAPH_TOKEN" in environment
        else managed_identity(environment["AZURE_CLIENT_ID"])
    )
    async with (
        credential,
        GraphClient(
            credential,
            endpoint=environment["GRAPH_ENDPOINT"],
            scope=application_scope(Cloud.GLOBAL),
        ) as client,
    ):
        results = await read_sources(client, TokenKind, 240)
    tokens = sum(len(each.tokens) for each in results.values() if isinstance(each, TokensRead))
    print(json.dumps({"tokens": tokens, "modules": len(sys.modules)}))


asyncio.run(main())
