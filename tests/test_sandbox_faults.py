"""Every fault that the simulated services can show looks to a client as it is called."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web

from sandbox import faults, graph_faults
from sandbox.faults import Fault
from sandbox.graph_objects import GraphSource
from sandbox.tenant import SimulatedTenant
from tests.sandbox_clients import ADE_PATH, PUSH_PATH, SignedIn, signed_in

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


@pytest.fixture
def tenant() -> SimulatedTenant:
    tenant = SimulatedTenant()
    for number in range(3):
        tenant.add(GraphSource.ADE, NOW, tokenName=f"token {number}")
    return tenant


@pytest.fixture
async def client(tenant: SimulatedTenant) -> AsyncIterator[SignedIn]:
    async with signed_in(tenant) as client:
        yield client


@pytest.mark.parametrize(
    "fault,status,code",
    [
        (graph_faults.forbidden(), 403, "Forbidden"),
        (graph_faults.unauthorised(), 401, "InvalidAuthenticationToken"),
        (graph_faults.not_found(), 404, "ResourceNotFound"),
        (graph_faults.not_licensed(), 400, "BadRequest"),
        (graph_faults.throttled(), 429, "TooManyRequests"),
        (graph_faults.unavailable(500), 500, "InternalServerError"),
        (graph_faults.unavailable(502), 502, "BadGateway"),
        (graph_faults.unavailable(503), 503, "ServiceUnavailable"),
        (graph_faults.unavailable(504), 504, "GatewayTimeout"),
    ],
)
async def test_graphs_errors_carry_status_code_and_request_id(
    fault: Fault, status: int, code: str, tenant: SimulatedTenant, client: SignedIn
) -> None:
    tenant.faults[GraphSource.ADE].once(fault)

    response = await client.get(ADE_PATH)

    error = (await response.json())["error"]
    assert (response.status, error["code"]) == (status, code)
    assert error["innerError"]["request-id"] == response.headers["request-id"]
    assert client.graph.requests[-1].fault == fault.name


async def test_a_missing_permission_is_named_in_the_text(
    tenant: SimulatedTenant, client: SignedIn
) -> None:
    tenant.faults[GraphSource.ADE].once(graph_faults.forbidden())

    error = (await (await client.get(ADE_PATH)).json())["error"]

    text = json.loads(error["message"])["Message"]
    assert "DeviceManagementServiceConfig.Read.All" in text


@pytest.mark.parametrize("retry_after", ["1", "200", "Mon, 05 Jan 2026 08:00:10 GMT", None])
async def test_throttling_says_when_to_come_back_or_does_not(
    retry_after: str | None, tenant: SimulatedTenant, client: SignedIn
) -> None:
    tenant.faults[GraphSource.ADE].once(graph_faults.throttled(retry_after))

    assert (await client.get(ADE_PATH)).headers.get("Retry-After") == retry_after


async def test_queued_faults_come_first_then_the_standing_one_until_it_is_cleared(
    tenant: SimulatedTenant, client: SignedIn
) -> None:
    plan = tenant.faults[GraphSource.ADE]
    plan.once(graph_faults.unavailable(502), faults.healthy(), graph_faults.throttled())
    plan.always(graph_faults.forbidden())

    statuses = [(await client.get(ADE_PATH)).status for _ in range(5)]
    plan.clear()
    statuses.append((await client.get(ADE_PATH)).status)

    assert statuses == [502, 200, 429, 403, 403, 200]


async def test_a_fault_of_one_source_leaves_the_others_alone(
    tenant: SimulatedTenant, client: SignedIn
) -> None:
    tenant.add(GraphSource.PUSH, NOW)
    tenant.faults[GraphSource.ADE].always(graph_faults.unavailable())

    assert (await client.get(PUSH_PATH)).status == 200


async def test_a_stopped_server_refuses_connections_and_comes_back_at_the_same_address(
    client: SignedIn,
) -> None:
    before = client.graph.url
    await client.graph.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.get(ADE_PATH)

    await client.graph.start()

    assert client.graph.url == before
    assert (await client.get(ADE_PATH)).status == 200


async def test_a_reset_connection_ends_before_any_answer(
    tenant: SimulatedTenant, client: SignedIn
) -> None:
    tenant.faults[GraphSource.ADE].always(faults.reset())

    with pytest.raises((aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)):
        await client.get(ADE_PATH)


async def test_a_reset_in_the_middle_comes_after_the_headers(
    tenant: SimulatedTenant, client: SignedIn
) -> None:
    tenant.faults[GraphSource.ADE].always(faults.reset_mid_body())

    async with client.session.get(f"{client.graph.url}{ADE_PATH}") as response:
        assert response.status == 200
        with pytest.raises(aiohttp.ClientError):
            await response.read()


async def test_slow_bytes_add_up_to_the_right_answer(
    tenant: SimulatedTenant, client: SignedIn
) -> None:
    expected = await (await client.get(ADE_PATH)).json()
    tenant.faults[GraphSource.ADE].once(faults.slow(chunk_bytes=500, every_s=0.001))

    assert await (await client.get(ADE_PATH)).json() == expected


@pytest.mark.parametrize("fault", [faults.silence(), faults.slow(chunk_bytes=1, every_s=0.2)])
async def test_a_client_with_a_deadline_gives_up_on_slowness_and_the_server_lives_on(
    fault: Fault, tenant: SimulatedTenant, client: SignedIn
) -> None:
    tenant.faults[GraphSource.ADE].once(fault)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await client.get(ADE_PATH)

    assert (await client.get(ADE_PATH)).status == 200


async def test_a_request_that_is_never_answered_ends_with_its_client(
    tenant: SimulatedTenant, client: SignedIn
) -> None:
    ended = asyncio.Event()

    async def play(request: web.BaseRequest, regular: web.Response) -> web.StreamResponse:
        try:
            return await faults.silence().play(request, regular)
        finally:
            ended.set()

    tenant.faults[GraphSource.ADE].once(Fault("tells its end", play))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await client.get(ADE_PATH)

    async with asyncio.timeout(5):
        await ended.wait()


async def test_a_server_that_never_answers_can_still_be_stopped(
    tenant: SimulatedTenant, client: SignedIn
) -> None:
    arrived = asyncio.Event()

    async def play(request: web.BaseRequest, regular: web.Response) -> web.StreamResponse:
        arrived.set()
        return await faults.silence().play(request, regular)

    tenant.faults[GraphSource.ADE].once(Fault("announces itself", play))
    waiting = asyncio.create_task(client.get(ADE_PATH))
    await arrived.wait()

    async with asyncio.timeout(5):
        await client.graph.stop()

    with pytest.raises(aiohttp.ClientError):
        await waiting


@pytest.mark.parametrize(
    "fault,content_type",
    [(faults.html_page(), "text/html"), (faults.empty_body(), "application/json")],
)
async def test_what_is_no_json_comes_with_status_200(
    fault: Fault, content_type: str, tenant: SimulatedTenant, client: SignedIn
) -> None:
    tenant.faults[GraphSource.ADE].once(fault)

    response = await client.get(ADE_PATH)

    assert (response.status, response.content_type) == (200, content_type)
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(await response.text())


async def test_truncated_json_is_the_start_of_the_right_answer(
    tenant: SimulatedTenant, client: SignedIn
) -> None:
    expected = await (await client.get(ADE_PATH)).text()
    tenant.faults[GraphSource.ADE].once(faults.truncated())

    text = await (await client.get(ADE_PATH)).text()

    assert expected.startswith(text)
    assert 0 < len(text) < len(expected)


async def test_wrong_json_is_sent_as_it_is(tenant: SimulatedTenant, client: SignedIn) -> None:
    tenant.faults[GraphSource.ADE].once(faults.answer(200, b'{"value": "none"}'))

    assert await (await client.get(ADE_PATH)).json() == {"value": "none"}


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_points_elsewhere(
    status: int, tenant: SimulatedTenant, client: SignedIn
) -> None:
    tenant.faults[GraphSource.ADE].once(faults.redirect("https://elsewhere.example/", status))

    response = await client.get(ADE_PATH)

    assert (response.status, response.headers["Location"]) == (status, "https://elsewhere.example/")


@pytest.mark.parametrize("fault", [faults.huge(3_000_001), faults.gzip_bomb(3_000_001)])
async def test_a_large_body_has_its_size_and_is_correct_json(
    fault: Fault, tenant: SimulatedTenant, client: SignedIn
) -> None:
    tenant.faults[GraphSource.ADE].once(fault)

    text = await (await client.get(ADE_PATH)).text()

    assert len(text) == 3_000_001
    assert list(json.loads(text)) == ["value"]


async def test_a_gzip_bomb_is_small_on_the_wire(tenant: SimulatedTenant) -> None:
    tenant.faults[GraphSource.ADE].once(faults.gzip_bomb(3_000_001))
    async with (
        signed_in(tenant) as client,
        aiohttp.ClientSession(auto_decompress=False, headers=client.session.headers) as raw,
        raw.get(f"{client.graph.url}{ADE_PATH}") as response,
    ):
        assert len(await response.read()) < 30_000


async def test_a_huge_body_ends_with_the_client_that_stops_reading(
    tenant: SimulatedTenant, client: SignedIn
) -> None:
    tenant.faults[GraphSource.ADE].once(faults.huge())
    async with client.session.get(f"{client.graph.url}{ADE_PATH}") as response:
        await response.content.readexactly(1_000_000)

    assert (await client.get(ADE_PATH)).status == 200


@pytest.mark.parametrize("url", ["https://graph.microsoft.com/beta/x", "http://127.0.0.1:1/beta/x"])
async def test_a_next_page_can_be_claimed_to_be_anywhere(
    url: str, tenant: SimulatedTenant, client: SignedIn
) -> None:
    tenant.faults[GraphSource.ADE].once(graph_faults.next_page_at(url))

    page = await (await client.get(ADE_PATH)).json()

    assert (len(page["value"]), page["@odata.nextLink"]) == (3, url)


async def test_a_next_page_in_a_circle_is_the_page_itself(
    tenant: SimulatedTenant, client: SignedIn
) -> None:
    tenant.faults[GraphSource.ADE].always(graph_faults.next_page_in_a_circle())

    page = await (await client.get(f"{ADE_PATH}?$select=id")).json()

    assert page["@odata.nextLink"] == f"{client.graph.url}{ADE_PATH}?$select=id"


async def test_many_pages_end_after_their_number_and_none_repeats(
    tenant: SimulatedTenant, client: SignedIn
) -> None:
    tenant.faults[GraphSource.ADE].always(graph_faults.many_pages(5))
    links = []
    path = f"{ADE_PATH}?$select=id"
    while path:
        link = (await (await client.get(path)).json()).get("@odata.nextLink", "")
        links.append(link)
        path = link.removeprefix(client.graph.url)

    assert len(links) == len(set(links)) == 5
    assert all("$select=id" in link for link in links[:-1])
