"""The simulated Graph answers as Microsoft Graph does, over real sockets."""

import json
from datetime import UTC, datetime

import pytest
from yarl import URL

from sandbox.graph_objects import GraphSource
from sandbox.planted import PLANTED_SECRET
from sandbox.tenant import SimulatedTenant
from tests.sandbox_clients import ADE_PATH, PUSH_PATH, VPP_PATH, SignedIn, signed_in

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def tenant_with_ade_tokens(count: int, *, page_size: int, empty_pages: int = 0) -> SimulatedTenant:
    tenant = SimulatedTenant(page_size=page_size, empty_pages=empty_pages)
    for number in range(count):
        tenant.add(GraphSource.ADE, NOW, tokenName=f"token {number}")
    return tenant


async def pages_from(client: SignedIn, path: str) -> list[list[str]]:
    """Follow the next links; return the token names page by page."""
    pages: list[list[str]] = []
    url: str | None = f"{client.graph.url}{path}"
    while url is not None:
        async with client.session.get(URL(url, encoded=True)) as response:
            page = await response.json()
        pages.append([token["tokenName"] for token in page["value"]])
        url = page.get("@odata.nextLink")
    return pages


async def test_only_the_selected_properties_are_sent() -> None:
    tenant = SimulatedTenant()
    token = tenant.add(GraphSource.VPP, NOW, displayName="Books")
    async with signed_in(tenant) as client:
        response = await client.get(f"{VPP_PATH}?$select=id,displayName")

        assert (await response.json())["value"] == [{"id": token["id"], "displayName": "Books"}]


async def test_select_is_understood_in_both_spellings() -> None:
    tenant = SimulatedTenant()
    tenant.add(GraphSource.VPP, NOW, displayName="Books")
    async with (
        signed_in(tenant) as client,
        client.session.get(
            URL(f"{client.graph.url}{VPP_PATH}?%24select=displayName", encoded=True)
        ) as response,
    ):
        assert (await response.json())["value"] == [{"displayName": "Books"}]


@pytest.mark.parametrize("path", [VPP_PATH, PUSH_PATH])
async def test_what_is_not_selected_away_brings_the_secret(path: str) -> None:
    tenant = SimulatedTenant()
    tenant.add(GraphSource.VPP, NOW)
    tenant.add(GraphSource.PUSH, NOW)
    async with signed_in(tenant) as client:
        assert PLANTED_SECRET in await (await client.get(path)).text()
        assert PLANTED_SECRET not in await (await client.get(f"{path}?$select=id")).text()


@pytest.mark.parametrize("path", [VPP_PATH, PUSH_PATH])
async def test_a_server_that_ignores_select_sends_the_secret_all_the_same(path: str) -> None:
    tenant = SimulatedTenant()
    tenant.add(GraphSource.VPP, NOW)
    tenant.add(GraphSource.PUSH, NOW)
    tenant.ignore_select = True
    async with signed_in(tenant) as client:
        assert PLANTED_SECRET in await (await client.get(f"{path}?$select=id")).text()


async def test_a_property_that_does_not_exist_is_an_error_as_in_graph() -> None:
    async with signed_in(SimulatedTenant()) as client:
        response = await client.get(f"{VPP_PATH}?$select=id,lastAppCount")

        assert response.status == 400
        message = (await response.json())["error"]["message"]
        assert (
            "Could not find a property named 'lastAppCount' on type 'microsoft.graph.vppToken'"
            in message
        )


async def test_pages_follow_one_another_by_their_links() -> None:
    async with signed_in(tenant_with_ade_tokens(5, page_size=2)) as client:
        pages = await pages_from(client, f"{ADE_PATH}?$select=tokenName")

        assert pages == [["token 0", "token 1"], ["token 2", "token 3"], ["token 4"]]


async def test_empty_pages_lie_between_full_ones_and_the_link_goes_on() -> None:
    async with signed_in(tenant_with_ade_tokens(3, page_size=1, empty_pages=2)) as client:
        pages = await pages_from(client, f"{ADE_PATH}?$select=tokenName")

        assert pages == [["token 0"], [], [], ["token 1"], [], [], ["token 2"]]


async def test_a_full_last_page_is_not_followed_by_another() -> None:
    async with signed_in(tenant_with_ade_tokens(4, page_size=2)) as client:
        assert len(await pages_from(client, ADE_PATH)) == 2


async def test_a_tenant_without_tokens_answers_one_empty_page() -> None:
    async with signed_in(SimulatedTenant()) as client:
        page = await (await client.get(ADE_PATH)).json()

        assert page["value"] == []
        assert "@odata.nextLink" not in page


async def test_the_push_certificate_is_one_object_at_the_top_level() -> None:
    tenant = SimulatedTenant()
    push = tenant.add(GraphSource.PUSH, NOW)
    async with signed_in(tenant) as client:
        answer = await (await client.get(PUSH_PATH)).json()

        assert answer["topicIdentifier"] == push["topicIdentifier"]
        assert "value" not in answer


async def test_a_missing_push_certificate_is_404_with_intunes_document_in_the_message() -> None:
    async with signed_in(SimulatedTenant()) as client:
        response = await client.get(PUSH_PATH)
        error = (await response.json())["error"]

        assert response.status == 404
        assert error["code"] == "ResourceNotFound"
        assert "manage.microsoft.com" in json.loads(error["message"])["Message"]


async def test_every_answer_names_its_request_and_errors_name_the_same() -> None:
    async with signed_in(SimulatedTenant()) as client:
        missing, found = await client.get(PUSH_PATH), await client.get(ADE_PATH)

        inner = (await missing.json())["error"]["innerError"]
        assert inner["request-id"] == missing.headers["request-id"]
        assert found.headers["request-id"] != missing.headers["request-id"]


@pytest.mark.parametrize("authorization", ["", "Bearer made-up", "Basic abc"])
async def test_without_a_token_of_the_identity_endpoint_graph_answers_401(
    authorization: str,
) -> None:
    async with signed_in(SimulatedTenant()) as client:
        client.session.headers["Authorization"] = authorization
        response = await client.get(ADE_PATH)

        assert response.status == 401
        assert (await response.json())["error"]["code"] == "InvalidAuthenticationToken"
        assert [request.authorised for request in client.graph.requests] == [False]


async def test_a_revoked_token_is_401() -> None:
    async with signed_in(SimulatedTenant()) as client:
        client.identity.revoke_all()

        assert (await client.get(ADE_PATH)).status == 401


async def test_an_address_of_the_wrong_version_is_unknown_to_graph() -> None:
    async with signed_in(SimulatedTenant()) as client:
        response = await client.get("/v1.0/deviceManagement/depOnboardingSettings")

        assert response.status == 400
        assert "segment 'depOnboardingSettings'" in (await response.json())["error"]["message"]


async def test_nothing_can_be_written() -> None:
    async with (
        signed_in(SimulatedTenant()) as client,
        client.session.post(f"{client.graph.url}{ADE_PATH}", json={}) as response,
    ):
        assert response.status == 405


async def test_answers_are_compressed_for_clients_that_accept_it() -> None:
    async with signed_in(tenant_with_ade_tokens(3, page_size=10)) as client:
        client.session.headers["Accept-Encoding"] = "gzip"
        packed = await client.get(ADE_PATH)
        client.session.headers["Accept-Encoding"] = "identity"
        plain = await client.get(ADE_PATH)

        assert packed.headers["Content-Encoding"] == "gzip"
        assert "Content-Encoding" not in plain.headers
        assert await packed.json() == await plain.json()


async def test_requests_are_logged_in_order_with_their_source() -> None:
    async with signed_in(SimulatedTenant()) as client:
        await client.get(f"{ADE_PATH}?$select=id")
        await client.get(PUSH_PATH)

        first, second = client.graph.requests
        assert (first.path, first.query, first.source) == (ADE_PATH, "$select=id", GraphSource.ADE)
        assert client.graph.requests_for(GraphSource.PUSH) == [second]


async def test_a_change_of_the_tenant_is_seen_by_the_next_request() -> None:
    tenant = SimulatedTenant()
    async with signed_in(tenant) as client:
        tenant.add(GraphSource.ADE, NOW, tokenName="new")

        assert len((await (await client.get(ADE_PATH)).json())["value"]) == 1


async def test_a_skip_token_that_was_never_given_out_is_refused() -> None:
    async with signed_in(tenant_with_ade_tokens(3, page_size=1)) as client:
        for made_up in ("2", "UGFnZQ9", "page=1"):
            assert (await client.get(f"{ADE_PATH}?$skiptoken={made_up}")).status == 400
