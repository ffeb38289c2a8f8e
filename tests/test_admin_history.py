"""`python -m admin history`: what changed on a token, also on one that is gone."""

from datetime import UTC, datetime, timedelta

import pytest

from admin.command import CommandError
from apple_tokens.model import TokenKind
from apple_tokens.rows import HistoryRow
from sandbox.azurite import Azurite
from sandbox.graph_objects import GraphSource
from sandbox.stage import Stage
from sandbox.tenant import SimulatedTenant
from tests.admin_desk import type_in

pytestmark = pytest.mark.e2e

MORNING = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)


async def history(stage: Stage, token: str, **more: str) -> str:
    return (await type_in(["history", token], stage.environment | more, MORNING)).text


async def check(stage: Stage, number: int) -> None:
    """Let a morning's check run and its cards be posted."""
    now = MORNING + number * DAY
    stage.tenant.sync(now)
    await stage.tick(now)
    await stage.deliver(now + timedelta(minutes=1))


@pytest.fixture
def tenant() -> SimulatedTenant:
    tenant = SimulatedTenant()
    tenant.add(
        GraphSource.ADE,
        MORNING,
        tokenName="Shops",
        tokenExpirationDateTime="+6d",
        syncedDeviceCount=40,
    )
    tenant.add(GraphSource.VPP, MORNING, id="v-1", displayName="O'Hara's apps")
    tenant.add(GraphSource.PUSH, MORNING)
    return tenant


async def test_names_all_that_changed_the_newest_first(
    tenant: SimulatedTenant, azurite: Azurite, storage: str
) -> None:
    async with Stage(tenant, MORNING, azurite=azurite) as stage:
        await check(stage, 0)
        tenant.change("Shops", MORNING, syncedDeviceCount=41, appleIdentifier="new@contoso.example")
        await check(stage, 1)
        tenant.renew("Shops", MORNING + 2 * DAY)
        await check(stage, 2)
        (token_id,) = (
            row.token.id for row in await stage.token_rows() if row.token.name == "Shops"
        )

        lines = (await history(stage, "Shops")).splitlines()

    assert lines[0] == f"ADE token Shops ({token_id})"
    assert [line for line in lines if not line.startswith(" ")][1:] == [
        "2026-12-03 08:00 UTC",
        "2026-12-02 08:00 UTC",
    ]
    assert "  ExpiresOn: 2026-12-07T08:00:00Z → 2027-12-03T08:00:00Z" in lines
    assert "  Problems: ade_token_expiring → none" in lines
    assert "  DeviceCount: 40 → 41" in lines
    assert any(line.endswith(" → new@contoso.example") for line in lines)


async def test_times_are_those_of_the_time_zone(
    tenant: SimulatedTenant, azurite: Azurite, storage: str
) -> None:
    async with Stage(tenant, MORNING, azurite=azurite) as stage:
        await check(stage, 0)
        tenant.change("Shops", MORNING, syncedDeviceCount=41)
        await check(stage, 1)

        assert "\n2026-12-02 17:00 JST\n" in await history(stage, "Shops", TIME_ZONE="Asia/Tokyo")


async def test_a_token_on_which_nothing_changed_is_said_so(
    tenant: SimulatedTenant, azurite: Azurite, storage: str
) -> None:
    async with Stage(tenant, MORNING, azurite=azurite) as stage:
        await check(stage, 0)

        assert await history(stage, "apns") == (
            "MDM push certificate (apns)\n  no change since it was first seen"
        )


@pytest.mark.parametrize("wanted", ["v-1", "O'Hara's apps"])
async def test_a_token_that_is_gone_is_found_in_the_history_itself(
    wanted: str, tenant: SimulatedTenant, azurite: Azurite, storage: str
) -> None:
    async with Stage(tenant, MORNING, azurite=azurite) as stage:
        await check(stage, 0)
        tenant.remove("v-1")
        for number in range(1, 6):
            await check(stage, number)
        assert "v-1" not in {row.token.id for row in await stage.token_rows()}

        lines = (await history(stage, wanted)).splitlines()

    assert lines[0] == "VPP token O'Hara's apps (v-1), which is gone"
    assert lines[2] == "  Removed"


async def test_tokens_that_are_gone_and_shared_a_name_are_told_apart_by_their_ids(
    tenant: SimulatedTenant, azurite: Azurite, storage: str
) -> None:
    async with Stage(tenant, MORNING, azurite=azurite) as stage:
        await stage.tables.write_history(
            HistoryRow(kind=TokenKind.VPP, token_id=id_, name="Books", checked_at=MORNING)
            for id_ in ("v-8", "v-9")
        )
        with pytest.raises(CommandError) as error:
            await history(stage, "Books")

    assert str(error.value) == (
        "2 tokens that are gone were called “Books”, name one by its id: "
        "v-8 (VPP token), v-9 (VPP token)"
    )


@pytest.mark.parametrize("wanted", ["nobody", "x' or RowKey ge '", ""])
async def test_a_token_that_never_was_is_said_so(
    wanted: str, tenant: SimulatedTenant, azurite: Azurite, storage: str
) -> None:
    async with Stage(tenant, MORNING, azurite=azurite) as stage:
        await check(stage, 0)
        tenant.renew("push@contoso.example", MORNING)
        await check(stage, 1)
        with pytest.raises(CommandError, match="no token has the id or name"):
            await history(stage, wanted)


async def test_what_a_name_was_changed_to_steers_no_terminal(
    tenant: SimulatedTenant, azurite: Azurite, storage: str
) -> None:
    async with Stage(tenant, MORNING, azurite=azurite) as stage:
        await check(stage, 0)
        tenant.change("v-1", MORNING, displayName="\x1b[2Jx\nADE token \u202e")
        await check(stage, 1)

        assert (await history(stage, "v-1")).replace("\n", "").isprintable()
