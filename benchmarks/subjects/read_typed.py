"""Read the tenant's tokens with the typed calls of msgraph-beta-sdk, as its documentation does."""

import asyncio
import json
import os
import sys

sys.path[:0] = sys.argv[1:3]

from typing import Any

from azure.core.credentials import AccessToken
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from msgraph_beta import GraphRequestAdapter, GraphServiceClient


class SignedIn:
    """A credential that has its access token."""

    async def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        """Return it."""
        return AccessToken(os.environ["GRAPH_TOKEN"], 2**31)


async def main() -> None:
    """Read the three kinds, page by page."""
    endpoint = os.environ["GRAPH_ENDPOINT"]
    credential: Any = SignedIn()
    adapter = GraphRequestAdapter(
        AzureIdentityAuthenticationProvider(
            credential,
            scopes=["https://graph.microsoft.com/.default"],
            allowed_hosts=["127.0.0.1"],
        )
    )
    adapter.base_url = f"{endpoint}/beta"
    graph = GraphServiceClient(request_adapter=adapter)
    tokens = 0
    for builder in (
        graph.device_management.dep_onboarding_settings,
        graph.device_app_management.vpp_tokens,
    ):
        page = await builder.get()
        while page:
            tokens += len(page.value)
            link = page.odata_next_link
            page = await builder.with_url(link).get() if link else None
    adapter.base_url = f"{endpoint}/v1.0"
    if await graph.device_management.apple_push_notification_certificate.get():
        tokens += 1
    print(json.dumps({"tokens": tokens, "modules": len(sys.modules)}))


asyncio.run(main())
