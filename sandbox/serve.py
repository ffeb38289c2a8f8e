"""`python3 -m sandbox serve`: keep a sample tenant with everything around it, for Core Tools.

The app then runs under the real Functions host of this machine (`func start`), against simulated
services: Graph, sign-in, a Teams channel, and the storage emulator.
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sandbox.azurite import Azurite
from sandbox.channel_page import ChannelPost, draw_channel_page
from sandbox.node import ROOT
from sandbox.scenario import load_scenario
from sandbox.stage import Stage

SETTINGS = ROOT / "local.settings.json"
PAGE = ROOT / "demo" / "channel.html"
_REDRAW_S = 2.0


def main(arguments: Sequence[str]) -> int:
    """Serve until Ctrl+C; 1 when there are settings of somebody's own to be kept."""
    parser = argparse.ArgumentParser(prog="python3 -m sandbox serve", description=__doc__)
    parser.add_argument("--scenario", default="sample", help="which tenant (default: %(default)s)")
    options = parser.parse_args(arguments)
    if SETTINGS.exists():
        print(f"{SETTINGS.name} is there already: move it away, serve writes its own")
        return 1
    try:
        with tempfile.TemporaryDirectory() as data, Azurite(Path(data)) as azurite:
            asyncio.run(_serve(azurite, options.scenario))
    except KeyboardInterrupt:
        print()
    finally:
        SETTINGS.unlink(missing_ok=True)
    return 0


def local_settings(stage: Stage) -> dict[str, object]:
    """Return the settings with which Core Tools runs the app against a stage."""
    values = {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "CHECK_SCHEDULE": "*/30 * * * * *",
        **stage.environment,
        **stage.identity.environment(),
    }
    return {"IsEncrypted": False, "Values": values}


async def _serve(azurite: Azurite, scenario: str) -> None:
    now = datetime.now(UTC)
    tenant = load_scenario(scenario).tenant(now)
    async with Stage(tenant, now, azurite=azurite, settings={"CHECK_AT": "00:00"}) as stage:
        SETTINGS.write_text(json.dumps(local_settings(stage), indent=2), encoding="utf-8")
        print(
            f"Wrote {SETTINGS.name}, which is removed at the end. In another terminal: func start"
        )
        print(f"The timer fires every half minute; the channel is {PAGE.as_uri()}")
        print("Ctrl+C ends it.", flush=True)
        drawn = -1
        while True:
            stage.teams.now = datetime.now(UTC)
            if len(stage.teams.runs) != drawn:
                drawn = len(stage.teams.runs)
                _draw(stage)
            await asyncio.sleep(_REDRAW_S)


def _draw(stage: Stage) -> None:
    posts = [
        ChannelPost(at=run.at, caption="posted", card=card, failure=run.error)
        for run in stage.teams.runs
        for card in run.cards
    ]
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(draw_channel_page(posts, title="Apple Token Watch"), encoding="utf-8")
