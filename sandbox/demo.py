"""`python3 -m sandbox demo`: two mornings of a sample tenant, from Graph to the Teams channel."""

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from admin.table import columns, status_table
from apple_tokens.messages import MessageKind, RemediationMessage
from apple_tokens.model import Reason
from apple_tokens.operator_tables import Operator, OperatorTables
from sandbox.azurite import Azurite
from sandbox.channel_page import ChannelPost, draw_channel_page
from sandbox.node import ROOT
from sandbox.scenario import load_scenario
from sandbox.stage import Posted, Stage

OUTPUT = ROOT / "demo"
_DELIVERED_AFTER = timedelta(seconds=40)
_SETTINGS = {"TENANT_NAME": "Contoso"}
_WHY = {
    Reason.NEW: "seen for the first time",
    Reason.WORSE: "got worse",
    Reason.AGAIN: "is back",
    Reason.REMINDER: "still there, told daily while critical",
    Reason.FIXED: "fixed",
    Reason.ACCEPTED: "accepted",
}


def main(arguments: Sequence[str]) -> int:
    """Run the demo and return 0 when everything that was queued was posted."""
    parser = argparse.ArgumentParser(prog="python3 -m sandbox demo", description=__doc__)
    parser.parse_args(arguments)
    morning = datetime.now(UTC).replace(hour=8, minute=0, second=0, microsecond=0)
    return asyncio.run(_two_mornings(morning))


async def _two_mornings(now: datetime) -> int:
    scenario = load_scenario("sample")
    tenant = scenario.tenant(now)
    print(
        "Starting storage, Microsoft Graph, sign-in and a Teams channel on this machine …",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as data, Azurite(Path(data)) as azurite:
        async with Stage(tenant, now, azurite=azurite, settings=_SETTINGS) as stage:
            _headline(now, f"The first morning. {scenario.about}.")
            await _check(stage, now)

            now += timedelta(hours=2)
            _headline(
                now, f"{scenario.about_step('permission-granted')}; somebody asks for a check."
            )
            scenario.play("permission-granted", tenant, now)
            operator = Operator(name="demo", at=now)
            await OperatorTables(stage.service, tenant.tenant_id).request_check(operator)
            await _check(stage, now)

            now += timedelta(hours=22)
            _headline(now, f"The second morning. {scenario.about_step('second-morning')}.")
            scenario.play("second-morning", tenant, now)
            await _check(stage, now)
            return _finish(stage)


async def _check(stage: Stage, now: datetime) -> None:
    already = len(stage.posted)
    await stage.tick(now)
    await stage.deliver(now + _DELIVERED_AFTER)
    print(status_table(await stage.token_rows()))
    print("\nPosted to the channel:")
    lines = [("", *caption(posted.message)) for posted in stage.posted[already:]]
    print(columns(lines) if lines else "  nothing")


def caption(message: RemediationMessage) -> tuple[str, str, str]:
    """Say what a message was about, why it was sent, and how many tokens it concerns."""
    what = message.problem or ("tokens" if message.kind is MessageKind.ALERTS else message.kind)
    if message.stage.isdecimal():
        what = f"{what}, {message.stage} days or less"
    why = (
        _WHY[message.reason]
        if message.reason
        else "once"
        if message.kind is MessageKind.WELCOME
        else "weekly"
    )
    return what, why, f"{message.count} in the batch" if message.count else ""


def channel_posts(posted: Sequence[Posted]) -> list[ChannelPost]:
    """Return the cards of the channel with their captions."""
    return [
        ChannelPost(
            at=item.run.at,
            caption=": ".join(part for part in caption(item.message)[:2]),
            card=card,
            failure=item.run.error,
        )
        for item in posted
        for card in item.run.cards
    ]


def _finish(stage: Stage) -> int:
    OUTPUT.mkdir(exist_ok=True)
    page = OUTPUT / "channel.html"
    posts = channel_posts(stage.posted)
    page.write_text(draw_channel_page(posts, title="Apple Token Watch"), encoding="utf-8")
    failed = [delivery for delivery in stage.host.deliveries if delivery.error is not None]
    print(f"\nThe channel with its {len(posts)} cards: {page.as_uri()}")
    for delivery in failed:
        print(f"NOT DELIVERED: {delivery.error}")
    return 1 if failed or stage.teams.failed_runs else 0


def _headline(now: datetime, text: str) -> None:
    print(f"\n== {now:%A %Y-%m-%d %H:%M} UTC == {text}\n", flush=True)
