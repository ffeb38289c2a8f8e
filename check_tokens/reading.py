"""Reads the sources of the home tenant, signed in as the app's identity.

A module of its own because only a check that is due needs what it loads.
"""

from apple_tokens.identity import managed_identity
from apple_tokens.model import SourceResult, TokenKind
from check_tokens.clouds import application_scope, graph_endpoint
from check_tokens.graph import GraphClient
from check_tokens.settings import Settings
from check_tokens.sources import read_sources
from check_tokens.waits import Waits


async def read_home_tenant(
    settings: Settings, kinds: tuple[TokenKind, ...], deadline_s: float, waits: Waits
) -> dict[TokenKind, SourceResult]:
    """Return a result for each source. Never raise for one."""
    async with (
        managed_identity(settings.client_id or None) as credential,
        GraphClient(
            credential,
            endpoint=graph_endpoint(settings.cloud, settings.graph_endpoint),
            scope=application_scope(settings.cloud),
            waits=waits,
        ) as client,
    ):
        return await read_sources(client, kinds, deadline_s)
