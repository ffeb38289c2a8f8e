"""The simulated tenant writes what Graph would write, and changes as a real one does."""

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.dates import NEVER, graph_date, resolve_date
from sandbox.graph_objects import SECRET_PROPERTIES, GraphSource
from sandbox.planted import PLANTED_SECRET
from sandbox.tenant import SimulatedTenant

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text,moment",
    [
        ("now", NOW),
        ("+20d", NOW + timedelta(days=20)),
        ("-3h", NOW - timedelta(hours=3)),
        ("-1d 6h", NOW - timedelta(days=1, hours=6)),
        ("+1h 30m", NOW + timedelta(minutes=90)),
        ("-1s", NOW - timedelta(seconds=1)),
        ("never", NEVER),
        ("2026-12-01T08:00:00Z", datetime(2026, 12, 1, 8, tzinfo=UTC)),
        (NOW, NOW),
    ],
)
def test_a_date_is_resolved_against_the_given_now(text: str | datetime, moment: datetime) -> None:
    assert resolve_date(text, NOW) == moment


@pytest.mark.parametrize("text", ["20d", "+", "+20", "soon", "", "+1h 2d", "2026-12-01T08:00:00"])
def test_what_is_no_date_is_refused_with_the_way_to_write_it(text: str) -> None:
    with pytest.raises(ValueError, match="write"):
        resolve_date(text, NOW)


@pytest.mark.parametrize(
    "spelling,text",
    [
        (0, "2026-01-05T08:00:00Z"),
        (1, "2026-01-05T08:00:00.0000000Z"),
        (2, "2026-01-05T00:00:00-08:00"),
        (3, "2026-01-05T08:00:00Z"),
    ],
)
def test_dates_come_in_every_spelling_of_graph(spelling: int, text: str) -> None:
    assert graph_date(NOW, spelling) == text


@pytest.mark.parametrize("spelling", [0, 1, 2])
@pytest.mark.parametrize("year", [1, 9999])
def test_the_edges_of_the_calendar_can_be_written_in_every_spelling(
    year: int, spelling: int
) -> None:
    moment = datetime(year, 1, 1, tzinfo=UTC)

    assert datetime.fromisoformat(graph_date(moment, spelling)) == moment


def test_a_token_is_healthy_but_for_what_was_said_about_it() -> None:
    tenant = SimulatedTenant()

    token = tenant.add(GraphSource.ADE, NOW, tokenName="Kiosk", tokenExpirationDateTime="+20d")

    assert token["tokenExpirationDateTime"] == "2026-01-25T08:00:00Z"
    assert token["lastSyncErrorCode"] == 0
    assert token["syncedDeviceCount"] == 120


def test_a_property_that_graph_does_not_have_is_refused() -> None:
    tenant = SimulatedTenant()

    with pytest.raises(ValueError, match="depOnboardingSetting has no property state"):
        tenant.add(GraphSource.ADE, NOW, state="expired")
    tenant.add(GraphSource.VPP, NOW, displayName="Books")
    with pytest.raises(ValueError, match="no property lastAppCount"):
        tenant.change("Books", NOW, lastAppCount=3)


@pytest.mark.parametrize("source", list(SECRET_PROPERTIES))
def test_what_is_secret_at_graph_is_planted_and_marked(source: GraphSource) -> None:
    token = SimulatedTenant().add(source, NOW)

    assert str(token[SECRET_PROPERTIES[source]]).startswith(PLANTED_SECRET)


def test_ids_are_the_same_in_every_run_and_different_for_namesakes() -> None:
    def ids() -> list[object]:
        tenant = SimulatedTenant()
        return [
            tenant.add(GraphSource.VPP, NOW, displayName=n)["id"] for n in ("Books", "Apps", "Apps")
        ]

    assert ids() == ids()
    assert len(set(ids())) == 3


def test_a_token_is_found_by_id_or_by_a_name_that_is_unique() -> None:
    tenant = SimulatedTenant()
    first = tenant.add(GraphSource.ADE, NOW, tokenName="iPads")
    assert tenant.find("iPads") == (GraphSource.ADE, first)
    tenant.add(GraphSource.ADE, NOW, tokenName="iPads")

    assert tenant.find(str(first["id"]))[1] is first
    with pytest.raises(LookupError, match="2 tokens are called 'iPads'"):
        tenant.find("iPads")
    with pytest.raises(LookupError, match="0 tokens"):
        tenant.find("Watches")


def test_a_renewal_moves_the_date_and_resets_what_intune_resets() -> None:
    tenant = SimulatedTenant()
    tenant.add(
        GraphSource.ADE, NOW, tokenName="iPads", tokenExpirationDateTime="-1d", lastSyncErrorCode=3
    )
    tenant.add(GraphSource.VPP, NOW, displayName="Books", expirationDateTime="-1d", state="expired")
    push = tenant.add(GraphSource.PUSH, NOW, expirationDateTime="+1d")
    topic, serial = push["topicIdentifier"], push["certificateSerialNumber"]

    for name in ("iPads", "Books", "push@contoso.example"):
        tenant.renew(name, NOW)

    assert tenant.ade[0]["tokenExpirationDateTime"] == "2027-01-05T08:00:00Z"
    assert tenant.ade[0]["lastSyncErrorCode"] == 0
    assert tenant.vpp[0]["state"] == "valid"
    assert push["topicIdentifier"] == topic
    assert push["certificateSerialNumber"] != serial


def test_days_pass_for_tokens_that_can_be_synced_and_for_no_others() -> None:
    tenant = SimulatedTenant()
    tomorrow = NOW + timedelta(days=1)
    tenant.add(GraphSource.ADE, NOW, tokenName="works")
    tenant.add(GraphSource.ADE, NOW, tokenName="stuck", stuck=True)
    tenant.add(GraphSource.ADE, NOW, tokenName="error", lastSyncErrorCode=3)
    tenant.add(GraphSource.ADE, NOW, tokenName="expired", tokenExpirationDateTime="-1d")
    tenant.add(GraphSource.VPP, NOW, displayName="vpp works")
    tenant.add(GraphSource.VPP, NOW, displayName="vpp invalid", state="invalid")
    before = {id(t): dict(t) for t in (*tenant.ade, *tenant.vpp)}

    tenant.sync(tomorrow)

    moved = [t for t in (*tenant.ade, *tenant.vpp) if t != before[id(t)]]
    assert [t.get("tokenName", t.get("displayName")) for t in moved] == ["works", "vpp works"]
    assert moved[0]["lastSuccessfulSyncDateTime"] == "2026-01-06T05:00:00.0000000Z"


def test_a_removed_push_certificate_is_gone() -> None:
    tenant = SimulatedTenant()
    tenant.add(GraphSource.PUSH, NOW)
    tenant.add(GraphSource.ADE, NOW, tokenName="iPads")

    tenant.remove("push@contoso.example")
    tenant.remove("iPads")

    assert tenant.push is None
    assert tenant.ade == []
