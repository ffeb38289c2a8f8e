"""The three sources are read side by side, to their last page, and into the domain's words."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import astuple

from apple_tokens.model import (
    PUSH_CERTIFICATE_ID,
    ApplePortal,
    AppleToken,
    CouldNotCheck,
    FailureReason,
    NotConfigured,
    SourceResult,
    TokenKind,
    TokensRead,
)
from check_tokens import sources
from check_tokens.decoding import Page
from check_tokens.sources import SOURCES, Source
from sandbox.graph_faults import many_pages
from sandbox.graph_objects import SECRET_PROPERTIES, GraphSource
from sandbox.large_tenant import large_tenant
from sandbox.tenant import SimulatedTenant
from tests.fakegraph import NOW, reading, small_tenant


def tokens_of(result: SourceResult) -> tuple[AppleToken, ...]:
    assert isinstance(result, TokensRead), result
    return result.tokens


async def test_an_ade_token_is_read_in_the_words_of_the_domain() -> None:
    tenant = SimulatedTenant()
    tenant.add(
        GraphSource.ADE,
        NOW,
        id="a-1",
        tokenName="Tokyo iPads",
        tokenType="appleSchoolManager",
        appleIdentifier="ade@school.example",
        tokenExpirationDateTime="2026-03-01T09:00:00.1234567+09:00",
        lastModifiedDateTime="2025-03-01T00:00:00Z",
        lastSuccessfulSyncDateTime="2026-01-05T05:00:00Z",
        lastSyncErrorCode=3,
        syncedDeviceCount=42,
    )
    async with reading(tenant) as served:
        results = await served.read([TokenKind.ADE])

    assert results == {
        TokenKind.ADE: TokensRead(
            tokens=(
                AppleToken(
                    kind=TokenKind.ADE,
                    id="a-1",
                    name="Tokyo iPads",
                    portal=ApplePortal.SCHOOL,
                    apple_account="ade@school.example",
                    expires_on=datetime(2026, 3, 1, 0, 0, 0, 123456, tzinfo=UTC),
                    last_modified_at=datetime(2025, 3, 1, tzinfo=UTC),
                    last_synced_at=datetime(2026, 1, 5, 5, tzinfo=UTC),
                    sync_error_code=3,
                    device_count=42,
                ),
            )
        )
    }


async def test_a_vpp_token_is_read_in_the_words_of_the_domain() -> None:
    tenant = SimulatedTenant()
    tenant.add(
        GraphSource.VPP,
        NOW,
        id="v-1",
        displayName="Books",
        organizationName="Contoso",
        locationName="Osaka",
        vppTokenAccountType="business",
        appleId="apps@contoso.example",
        countryOrRegion="jp",
        expirationDateTime="2026-03-01T00:00:00Z",
        lastModifiedDateTime="2025-03-01T00:00:00Z",
        lastSyncDateTime="2026-01-05T02:00:00Z",
        lastSyncStatus="failed",
        state="assignedToExternalMDM",
    )
    async with reading(tenant) as served:
        results = await served.read([TokenKind.VPP])

    assert tokens_of(results[TokenKind.VPP]) == (
        AppleToken(
            kind=TokenKind.VPP,
            id="v-1",
            name="Books",
            portal=ApplePortal.BUSINESS,
            apple_account="apps@contoso.example",
            organization="Contoso",
            location="Osaka",
            country="jp",
            expires_on=datetime(2026, 3, 1, tzinfo=UTC),
            last_modified_at=datetime(2025, 3, 1, tzinfo=UTC),
            last_synced_at=datetime(2026, 1, 5, 2, tzinfo=UTC),
            sync_status="failed",
            state="assignedToExternalMDM",
        ),
    )


async def test_the_push_certificate_is_read_under_one_id_whatever_graph_calls_it() -> None:
    tenant = SimulatedTenant()
    tenant.add(
        GraphSource.PUSH,
        NOW,
        id="5047ff77-0e37-495a-a672-ea7a04a319e0",
        appleIdentifier="push@contoso.example",
        topicIdentifier="com.apple.mgmt.External.2f42b322",
        expirationDateTime="2026-10-06T13:11:28Z",
        lastModifiedDateTime="2025-10-06T13:11:29Z",
        certificateSerialNumber="0B7002EFEA6BA6D0",
        certificateUploadFailureReason="The certificate does not match the request.",
    )
    async with reading(tenant) as served:
        results = await served.read([TokenKind.PUSH])

    assert tokens_of(results[TokenKind.PUSH]) == (
        AppleToken(
            kind=TokenKind.PUSH,
            id=PUSH_CERTIFICATE_ID,
            apple_account="push@contoso.example",
            expires_on=datetime(2026, 10, 6, 13, 11, 28, tzinfo=UTC),
            last_modified_at=datetime(2025, 10, 6, 13, 11, 29, tzinfo=UTC),
            topic="com.apple.mgmt.External.2f42b322",
            serial_number="0B7002EFEA6BA6D0",
            upload_failure="The certificate does not match the request.",
        ),
    )


async def test_a_tenant_that_has_nothing_is_not_configured_and_not_in_trouble() -> None:
    async with reading(SimulatedTenant()) as served:
        results = await served.read()

    assert results == dict.fromkeys(TokenKind, NotConfigured())


async def test_only_the_kinds_that_are_asked_for_are_read() -> None:
    async with reading(small_tenant()) as served:
        results = await served.read([TokenKind.VPP])

        assert list(results) == [TokenKind.VPP]
        assert {request.source for request in served.graph.requests} == {GraphSource.VPP}


async def test_the_largest_tenant_is_read_to_the_end_through_empty_pages() -> None:
    tenant = large_tenant(NOW, page_size=500, empty_pages=2)
    async with reading(tenant) as served:
        results = await served.read()

        assert served.requests(TokenKind.VPP) == 6 + 5 * 2
    counts = {kind: len(tokens_of(result)) for kind, result in results.items()}
    assert counts == {TokenKind.ADE: 2_000, TokenKind.VPP: 3_000, TokenKind.PUSH: 1}
    read = {token.id for token in tokens_of(results[TokenKind.VPP])}
    assert read == {token["id"] for token in tenant.vpp}


async def test_a_list_with_nothing_but_empty_pages_is_read_to_its_end() -> None:
    tenant = small_tenant()
    tenant.faults[GraphSource.ADE].always(many_pages(100))
    async with reading(tenant) as served:
        results = await served.read([TokenKind.ADE])

        assert served.requests(TokenKind.ADE) == 100
    assert results == {TokenKind.ADE: NotConfigured()}


async def test_a_token_on_two_pages_is_one_token_as_the_later_page_has_it() -> None:
    tenant = SimulatedTenant(page_size=1)
    tenant.add(GraphSource.ADE, NOW, id="moved", tokenName="as on page 1")
    tenant.add(GraphSource.ADE, NOW, id="other", tokenName="other")
    tenant.add(GraphSource.ADE, NOW, id="moved", tokenName="as on page 3")
    async with reading(tenant) as served:
        results = await served.read([TokenKind.ADE])

    names = {token.id: token.name for token in tokens_of(results[TokenKind.ADE])}
    assert names == {"moved": "as on page 3", "other": "other"}


@pytest.mark.parametrize("surplus,is_read", [(-1, True), (0, True), (1, False)])
@pytest.mark.parametrize("bound", ["MAX_TOKENS", "MAX_CHARACTERS"])
async def test_a_list_that_no_tenant_can_have_is_given_up(
    bound: str, surplus: int, monkeypatch: pytest.MonkeyPatch, *, is_read: bool
) -> None:
    tenant = SimulatedTenant(page_size=4)
    for number in range(10):
        tenant.add(GraphSource.ADE, NOW, tokenName=f"token {number}")
    async with reading(tenant) as served:
        tokens = tokens_of((await served.read([TokenKind.ADE]))[TokenKind.ADE])
        texts = [each for token in tokens for each in astuple(token) if isinstance(each, str)]
        sizes = {"MAX_TOKENS": len(tokens), "MAX_CHARACTERS": sum(map(len, texts))}
        monkeypatch.setattr(sources, bound, sizes[bound] - surplus)
        results = await served.read([TokenKind.ADE])

    assert isinstance(results[TokenKind.ADE], TokensRead) is is_read
    if not is_read:
        failure = results[TokenKind.ADE]
        assert isinstance(failure, CouldNotCheck)
        assert failure.reason is FailureReason.UNEXPECTED_ANSWER
        assert f"more than {sizes[bound] - surplus:,} {bound[4:].lower()}" in failure.detail


@pytest.mark.parametrize("kind", TokenKind)
async def test_every_request_selects_and_no_secret_is_selected(kind: TokenKind) -> None:
    tenant = SimulatedTenant(page_size=1)
    for source in (GraphSource.ADE, GraphSource.VPP):
        tenant.add(source, NOW)
        tenant.add(source, NOW)
    tenant.add(GraphSource.PUSH, NOW)
    async with reading(tenant) as served:
        await served.read([kind])

        requests = served.graph.requests
    assert requests
    for request in requests:
        assert request.query.startswith("$select=id,")
        selected = request.query.removeprefix("$select=").partition("&")[0].split(",")
        assert not {*SECRET_PROPERTIES.values(), "lastAppCount"} & set(selected)


def test_every_kind_has_a_source() -> None:
    assert set(SOURCES) == set(TokenKind)


async def test_a_defect_of_one_decoder_takes_no_other_source_with_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def defective(body: bytes) -> Page:
        raise RuntimeError(f"quotes the answer: {body!r}")

    vpp = SOURCES[TokenKind.VPP]
    broken = Source(path=vpp.path, wire=vpp.wire, decode=defective)
    monkeypatch.setitem(SOURCES, TokenKind.VPP, broken)
    async with reading(small_tenant()) as served:
        results = await served.read()

    assert isinstance(results[TokenKind.ADE], TokensRead)
    assert isinstance(results[TokenKind.PUSH], TokensRead)
    failure = results[TokenKind.VPP]
    assert isinstance(failure, CouldNotCheck)
    assert failure.reason is FailureReason.UNEXPECTED_ANSWER
    assert "RuntimeError" in failure.detail
    record = caplog.records[-1]
    assert record.levelname == "ERROR"
    assert "RuntimeError in defective" in record.getMessage()
    assert "quotes" not in caplog.text
