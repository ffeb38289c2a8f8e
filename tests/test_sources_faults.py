"""Every fault of Graph has its verdict, for each source, and takes no other source with it."""

import time
from collections.abc import Callable

import pytest

from apple_tokens.model import (
    CouldNotCheck,
    FailureReason,
    NotConfigured,
    SourceResult,
    TokenKind,
    TokensRead,
)
from sandbox import faults, graph_faults
from sandbox.faults import Fault
from sandbox.graph_objects import GraphSource
from sandbox.planted import PLANTED_SECRET
from sandbox.tenant import SimulatedTenant
from tests.fakegraph import IN_GRAPH, NOW, reading, small_tenant

PERMISSION = FailureReason.PERMISSION
NOT_LICENSED = FailureReason.NOT_LICENSED
THROTTLED = FailureReason.THROTTLED
UNAVAILABLE = FailureReason.UNAVAILABLE
UNEXPECTED = FailureReason.UNEXPECTED_ANSWER
TIMED_OUT = FailureReason.TIMED_OUT

LISTS = (TokenKind.ADE, TokenKind.VPP)
IN_THE_NEXT_CENTURY = "Fri, 01 Jan 2100 00:00:00 GMT"

STANDING_FAULTS = [
    (graph_faults.unauthorised(), PERMISSION, 1),
    (graph_faults.forbidden(), PERMISSION, 1),
    (graph_faults.not_licensed(), NOT_LICENSED, 1),
    (faults.answer(400, b'{"error": {"code": "BadRequest"}}'), UNEXPECTED, 1),
    (faults.answer(404, b'{"error": {"code": "UnknownError"}}'), UNEXPECTED, 1),
    (faults.html_page(404), UNEXPECTED, 1),
    (faults.answer(409), UNEXPECTED, 1),
    (faults.answer(410), UNEXPECTED, 1),
    (graph_faults.throttled(), THROTTLED, 4),
    (graph_faults.throttled("nonsense"), THROTTLED, 4),
    (graph_faults.throttled("200"), THROTTLED, 1),
    (graph_faults.throttled("100"), THROTTLED, 1),
    (graph_faults.throttled(IN_THE_NEXT_CENTURY), THROTTLED, 1),
    (graph_faults.unavailable(500), UNAVAILABLE, 4),
    (graph_faults.unavailable(502), UNAVAILABLE, 4),
    (graph_faults.unavailable(503), UNAVAILABLE, 4),
    (graph_faults.unavailable(503, "100"), UNAVAILABLE, 1),
    (graph_faults.unavailable(504), UNAVAILABLE, 4),
    (faults.html_page(502), UNAVAILABLE, 4),
    (faults.answer(501), UNAVAILABLE, 1),
    (faults.redirect("https://login.example/"), UNEXPECTED, 1),
    (faults.redirect("/beta/elsewhere", 307), UNEXPECTED, 1),
    (faults.answer(302, name="redirect to nowhere"), UNEXPECTED, 1),
    (faults.answer(304), UNEXPECTED, 1),
    (faults.answer(204), UNEXPECTED, 1),
    (faults.reset(), UNAVAILABLE, 4),
    (faults.reset_mid_body(), UNAVAILABLE, 4),
    (faults.empty_body(), UNEXPECTED, 1),
    (faults.html_page(), UNEXPECTED, 1),
    (faults.truncated(), UNEXPECTED, 1),
    (faults.answer(200, b"null", name="null"), UNEXPECTED, 1),
    (faults.answer(200, b"[]", name="a bare list"), UNEXPECTED, 1),
    (faults.answer(200, b"{}", name="an empty object"), UNEXPECTED, 1),
    (faults.answer(200, b'{"value": null}', name="no value"), UNEXPECTED, 1),
    (faults.answer(200, b'{"value": [{}]}', name="a token without properties"), UNEXPECTED, 1),
    (faults.answer(200, b'{"value": [{"id": "\xff"}]}', name="not UTF-8"), UNEXPECTED, 1),
    (faults.answer(200, b'{"value":' * 50_000, name="nested deeply"), UNEXPECTED, 1),
    (faults.huge(40_000_000), UNEXPECTED, 1),
    (faults.gzip_bomb(200_000_000), UNEXPECTED, 1),
]


def every_kind(rows: list[tuple[Fault, FailureReason, int]]) -> list[object]:
    return [
        pytest.param(kind, fault, reason, requests, id=f"{kind} {fault.name}")
        for fault, reason, requests in rows
        for kind in TokenKind
    ]


def failure_of(result: SourceResult) -> CouldNotCheck:
    assert isinstance(result, CouldNotCheck), result
    return result


@pytest.mark.parametrize("kind,fault,reason,requests", every_kind(STANDING_FAULTS))
async def test_a_source_that_fails_is_not_checked_and_the_others_are(
    kind: TokenKind, fault: Fault, reason: FailureReason, requests: int
) -> None:
    tenant = small_tenant()
    tenant.faults[IN_GRAPH[kind]].always(fault)
    async with reading(tenant) as served:
        results = await served.read()

        assert served.requests(kind) == requests
    failure = failure_of(results.pop(kind))
    assert failure.reason is reason
    assert "://" not in failure.detail
    assert PLANTED_SECRET not in str(failure)
    assert all(isinstance(result, TokensRead) for result in results.values())


@pytest.mark.parametrize("kind", TokenKind)
@pytest.mark.parametrize("fault", [faults.slow(), faults.silence()], ids=lambda fault: fault.name)
async def test_a_source_that_is_too_slow_ends_at_its_deadline(
    kind: TokenKind, fault: Fault
) -> None:
    tenant = small_tenant()
    tenant.faults[IN_GRAPH[kind]].always(fault)
    async with reading(tenant) as served:
        started = time.monotonic()
        results = await served.read(deadline_s=1.0)

    assert time.monotonic() - started < 5
    assert failure_of(results.pop(kind)).reason is TIMED_OUT
    assert all(isinstance(result, TokensRead) for result in results.values())


async def test_pages_without_end_are_read_until_the_deadline_and_no_longer() -> None:
    tenant = small_tenant()
    tenant.faults[GraphSource.ADE].always(graph_faults.many_pages(10_000_000))
    async with reading(tenant) as served:
        results = await served.read([TokenKind.ADE], deadline_s=0.5)

    assert failure_of(results[TokenKind.ADE]).reason is TIMED_OUT


@pytest.mark.parametrize(
    "fault",
    [
        graph_faults.throttled(),
        graph_faults.throttled("1"),
        graph_faults.throttled("Mon, 05 Jan 2026 08:00:00 GMT"),
        *(graph_faults.unavailable(status) for status in (500, 502, 503, 504)),
        faults.reset(),
        faults.reset_mid_body(),
    ],
    ids=lambda fault: fault.name,
)
async def test_what_passes_is_tried_again_and_read(fault: Fault) -> None:
    tenant = small_tenant()
    for plan in tenant.faults.values():
        plan.once(fault)
    async with reading(tenant) as served:
        results = await served.read()

    assert all(isinstance(result, TokensRead) for result in results.values()), results


async def test_a_fault_on_a_later_page_leaves_no_half_of_a_list() -> None:
    tenant = SimulatedTenant(page_size=1)
    tenant.add(GraphSource.ADE, NOW)
    tenant.add(GraphSource.ADE, NOW)
    tenant.faults[GraphSource.ADE].once(faults.healthy(), graph_faults.forbidden())
    async with reading(tenant) as served:
        results = await served.read([TokenKind.ADE])

    assert failure_of(results[TokenKind.ADE]).reason is PERMISSION


async def test_graph_that_cannot_be_reached_is_unavailable() -> None:
    async with reading(small_tenant()) as served:
        await served.graph.stop()
        results = await served.read()

    for result in results.values():
        failure = failure_of(result)
        assert failure.reason is UNAVAILABLE
        assert failure.status is None
        assert failure.request_id


async def test_all_sources_can_fail_at_once_each_in_its_way() -> None:
    tenant = small_tenant()
    tenant.faults[GraphSource.ADE].always(graph_faults.forbidden())
    tenant.faults[GraphSource.VPP].always(graph_faults.throttled())
    tenant.faults[GraphSource.PUSH].always(faults.html_page())
    async with reading(tenant) as served:
        results = await served.read()

    assert {kind: failure_of(result).reason for kind, result in results.items()} == {
        TokenKind.ADE: PERMISSION,
        TokenKind.VPP: THROTTLED,
        TokenKind.PUSH: UNEXPECTED,
    }


async def test_404_means_not_configured_for_the_push_certificate_alone() -> None:
    tenant = small_tenant()
    for plan in tenant.faults.values():
        plan.always(graph_faults.not_found())
    async with reading(tenant) as served:
        results = await served.read()

    assert results[TokenKind.PUSH] == NotConfigured()
    for kind in LISTS:
        failure = failure_of(results[kind])
        assert (failure.reason, failure.status) == (UNEXPECTED, 404)


async def test_a_refusal_names_the_permission_the_status_and_the_request() -> None:
    tenant = small_tenant()
    tenant.faults[GraphSource.VPP].always(graph_faults.forbidden())
    async with reading(tenant) as served:
        results = await served.read()

    failure = failure_of(results[TokenKind.VPP])
    assert "DeviceManagementServiceConfig.Read.All" in failure.detail
    assert failure.status == 403
    assert len(failure.request_id) == 36


@pytest.mark.parametrize("hostile", ["", "a b", "x" * 65, "<script>", "12\t34"])
async def test_a_request_id_that_is_none_gives_way_to_the_one_that_was_sent(hostile: str) -> None:
    tenant = small_tenant()
    tenant.faults[GraphSource.ADE].always(faults.answer(403, headers={"request-id": hostile}))
    async with reading(tenant) as served:
        results = await served.read([TokenKind.ADE])

    request_id = failure_of(results[TokenKind.ADE]).request_id
    assert len(request_id) == 36
    assert request_id != hostile


Elsewhere = Callable[[str], str]


@pytest.mark.parametrize(
    "elsewhere",
    [
        pytest.param(lambda other: f"{other}/beta/next", id="another port"),
        pytest.param(lambda _: "https://graph.example/beta/next", id="another host"),
        pytest.param(lambda _: "//graph.example/beta/next", id="no scheme"),
        pytest.param(lambda _: "https://127.0.0.1/beta/next", id="another scheme"),
        pytest.param(lambda _: "file:///etc/hostname", id="a file"),
        pytest.param(lambda _: "page/2", id="a relative path"),
        pytest.param(lambda _: "http://[", id="no address"),
        pytest.param(lambda other: f"{other}\\@graph.example/", id="a backslash"),
        pytest.param(lambda _: "http://127.0.0.1:0x50/", id="an odd port"),
        pytest.param(lambda _: "http://127.0.0.1.graph.example/", id="a host that begins alike"),
        pytest.param(lambda _: "http://127.0.0.1:80@graph.example/", id="an origin as a name"),
        pytest.param(lambda _: "http:\\\\graph.example/beta", id="two backslashes"),
        pytest.param(lambda _: "/\\graph.example/beta", id="a slash and a backslash"),
        pytest.param(lambda _: "///graph.example/beta", id="three slashes"),
        pytest.param(lambda _: " //graph.example/beta", id="a space and no scheme"),
        pytest.param(lambda _: "\thttp://graph.example/", id="a tab before the address"),
        pytest.param(lambda _: "http://graph。example/", id="a full stop of another script"),
    ],
)
async def test_a_next_link_that_leads_elsewhere_is_refused(elsewhere: Elsewhere) -> None:
    tenant = small_tenant()
    async with reading(tenant) as served, reading(small_tenant()) as other:
        link = elsewhere(other.graph.url)
        tenant.faults[GraphSource.ADE].always(graph_faults.next_page_at(link))
        results = await served.read([TokenKind.ADE])

        assert other.graph.requests == []
        assert served.requests(TokenKind.ADE) == 1
    failure = failure_of(results[TokenKind.ADE])
    assert failure.reason is UNEXPECTED
    assert link not in failure.detail


async def test_a_next_link_with_a_password_is_refused() -> None:
    tenant = small_tenant()
    async with reading(tenant) as served:
        link = served.graph.url.replace("http://", "http://user:password@")
        tenant.faults[GraphSource.ADE].always(graph_faults.next_page_at(f"{link}/beta/next"))
        results = await served.read([TokenKind.ADE])

    assert failure_of(results[TokenKind.ADE]).reason is UNEXPECTED


async def test_next_links_in_a_circle_are_noticed() -> None:
    tenant = small_tenant()
    tenant.faults[GraphSource.VPP].always(graph_faults.next_page_in_a_circle())
    async with reading(tenant) as served:
        results = await served.read([TokenKind.VPP])

        assert served.requests(TokenKind.VPP) == 2
    assert failure_of(results[TokenKind.VPP]).reason is UNEXPECTED


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed(status: int) -> None:
    tenant = small_tenant()
    async with reading(tenant) as served, reading(small_tenant()) as other:
        tenant.faults[GraphSource.ADE].always(faults.redirect(other.graph.url, status))
        results = await served.read([TokenKind.ADE])

        assert other.graph.requests == []
    failure = failure_of(results[TokenKind.ADE])
    assert (failure.reason, failure.status) == (UNEXPECTED, status)


async def test_a_claims_challenge_is_answered_with_a_new_access_token_and_then_believed() -> None:
    challenge = {"WWW-Authenticate": 'Bearer error="insufficient_claims", claims="e30="'}
    tenant = small_tenant()
    tenant.faults[GraphSource.ADE].always(faults.answer(401, headers=challenge))
    async with reading(tenant) as served:
        results = await served.read([TokenKind.ADE])

        assert served.requests(TokenKind.ADE) == 2
        assert len(served.identity.requests) == 2
    assert failure_of(results[TokenKind.ADE]).reason is PERMISSION


@pytest.mark.parametrize("claims", ["AA", "/w=="], ids=["not base64", "not UTF-8"])
async def test_a_claims_challenge_that_nobody_can_read_is_a_plain_401(
    claims: str, caplog: pytest.LogCaptureFixture
) -> None:
    challenge = {"WWW-Authenticate": f'Bearer claims="{claims}"'}
    tenant = small_tenant()
    tenant.faults[GraphSource.ADE].always(faults.answer(401, headers=challenge))
    async with reading(tenant) as served:
        results = await served.read([TokenKind.ADE])

    assert failure_of(results[TokenKind.ADE]).reason is PERMISSION
    assert "defect" not in caplog.text
