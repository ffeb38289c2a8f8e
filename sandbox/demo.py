"""`python3 -m sandbox demo`: a sample tenant over two mornings, or sixty, from Graph to Teams."""

import argparse
import asyncio
import logging
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from admin.table import KIND_NAMES, columns, status_table
from apple_tokens.model import TokenKind
from apple_tokens.operator_tables import Operator, OperatorTables
from sandbox import timelapse
from sandbox.azurite import Azurite
from sandbox.captions import caption, channel_posts
from sandbox.channel_report import write_channel_report
from sandbox.node import ROOT
from sandbox.scenario import load_scenario
from sandbox.stage import Posted, Stage

OUTPUT = ROOT / "demo"
_DELIVERED_AFTER = timedelta(seconds=40)
_SETTINGS = {"TENANT_NAME": "Contoso"}
_SHORTEST_STORY = 3


def main(arguments: Sequence[str]) -> int:
    """Run the demo and return 0 when everything that was queued was posted."""
    parser = argparse.ArgumentParser(prog="python3 -m sandbox demo", description=__doc__)
    parser.add_argument(
        "--days",
        type=int,
        help="play the sixty-day story up to this day instead of the two mornings",
    )
    options = parser.parse_args(arguments)
    if options.days is not None and not _SHORTEST_STORY <= options.days <= timelapse.DAYS:
        parser.error(f"--days is {options.days}: use {_SHORTEST_STORY} to {timelapse.DAYS}")
    OUTPUT.mkdir(exist_ok=True)
    _log_to(OUTPUT / "events.log")
    print("Starting storage, Microsoft Graph, sign-in and a Teams channel on this machine …")
    with tempfile.TemporaryDirectory() as data, Azurite(Path(data)) as azurite:
        if options.days is None:
            morning = datetime.now(UTC).replace(hour=8, minute=0, second=0, microsecond=0)
            return asyncio.run(_two_mornings(azurite, morning))
        return asyncio.run(_story(azurite, options.days))


async def _two_mornings(azurite: Azurite, now: datetime) -> int:
    scenario = load_scenario("sample")
    tenant = scenario.tenant(now)
    async with Stage(tenant, now, azurite=azurite, settings=_SETTINGS) as stage:
        _headline(now, f"The first morning. {scenario.about}.")
        await _check(stage, now)

        now += timedelta(hours=2)
        _headline(now, f"{scenario.about_step('permission-granted')}; somebody asks for a check.")
        scenario.play("permission-granted", tenant, now)
        operator = Operator(name="demo", at=now)
        await OperatorTables(stage.service, tenant.tenant_id).request_check(operator)
        await _check(stage, now)

        now += timedelta(hours=22)
        _headline(now, f"The second morning. {scenario.about_step('second-morning')}.")
        scenario.play("second-morning", tenant, now)
        await _check(stage, now)
        failed = [delivery for delivery in stage.host.deliveries if delivery.error is not None]
        for delivery in failed:
            print(f"NOT DELIVERED: {delivery.error}")
        await _show(stage.posted)
        return 1 if failed or stage.teams.failed_runs else 0


async def _story(azurite: Azurite, days: int) -> int:
    reports, posted = await timelapse.play_all(azurite, days)
    for report in reports:
        _print_day(report)
    await _show(posted)
    return 1 if any(item.run.error for item in posted) else 0


async def _check(stage: Stage, now: datetime) -> None:
    already = len(stage.posted)
    await stage.tick(now)
    await stage.deliver(now + _DELIVERED_AFTER)
    print(status_table(await stage.token_rows()))
    rows = await stage.tables.run_rows()
    for kind in TokenKind:
        source = rows.source(kind)
        if source.reason is not None:
            print(f"COULD NOT CHECK {KIND_NAMES[kind]}: {source.detail}")
    print("\nPosted to the channel:")
    lines = [("", *caption(posted)) for posted in stage.posted[already:]]
    print(columns(lines) if lines else "  nothing", flush=True)


def _print_day(report: timelapse.DayReport) -> None:
    print(f"{report.day:%a} {report.day}  day {report.number:2}  {report.about}")
    for item in report.posted:
        what, why, names = caption(item)
        print(f"        {item.run.at:%H:%M} UTC  {what}: {why}{f' ({names})' if names else ''}")


async def _show(posted: list[Posted]) -> None:
    posts = channel_posts(posted)
    print(f"\n{len(posts)} cards were posted. Drawing the channel …", flush=True)
    report = await write_channel_report(posts, OUTPUT, title="Apple Token Watch")
    print(f"The channel: {report.page.as_uri()}")
    if report.pictures:
        print(f"Pictures of its cards: {report.pictures[0].parent}")
    if report.note:
        print(report.note)
    print(f"What the app logged: {OUTPUT / 'events.log'}")


def _log_to(path: Path) -> None:
    logging.basicConfig(filename=path, filemode="w", encoding="utf-8", level=logging.INFO)
    # These two log each request; the log is meant to be read.
    for name in ("azure", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _headline(now: datetime, text: str) -> None:
    print(f"\n== {now:%A %Y-%m-%d %H:%M} UTC == {text}\n", flush=True)
