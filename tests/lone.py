"""The app in a process of its own, with nothing but its own code, its libraries and settings."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.azurite import Azurite
from sandbox.graph_objects import GraphSource
from sandbox.stage import Stage
from sandbox.tenant import SimulatedTenant

_LONE_APP = Path(__file__).with_name("lone_app.py")


@dataclass(frozen=True)
class Deployed:
    """An app as it lies on Azure's disk: its folder, its libraries and its Python."""

    app: Path
    libraries: Path
    python: Path

    def files(self) -> dict[str, int]:
        """Return the app's and the libraries' files with the time of their last change."""
        found = {path for folder in (self.app, self.libraries) for path in folder.rglob("*.py*")}
        return {str(path): path.stat().st_mtime_ns for path in found}


@dataclass(frozen=True)
class Lone:
    """The app in a process of its own, which carries out one order at a time."""

    stage: Stage
    process: asyncio.subprocess.Process

    async def order(self, name: str, *arguments: object) -> Any:  # noqa: ANN401 -- JSON
        """Give an order and return its result; what it raised there fails the test here."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([name, *arguments]).encode() + b"\n")
        answer = json.loads(await self.process.stdout.readline() or '{"error": "it ended"}')
        assert "error" not in answer, answer["error"]
        return answer["result"]


@asynccontextmanager
async def alone(deployed: Deployed, azurite: Azurite) -> AsyncIterator[Lone]:
    """Start the app with nothing but its settings, in front of a tenant of one token each."""
    now = datetime.now(UTC)  # noqa: TID251 -- the functions read it too
    tenant = SimulatedTenant()
    tenant.add(GraphSource.ADE, now, tokenName="Stores", tokenExpirationDateTime="+5d 12h")
    tenant.add(GraphSource.VPP, now, displayName="Apps")
    tenant.add(GraphSource.PUSH, now)
    # Far from now, or a check date could begin between two ticks.
    settings = {"CHECK_AT": f"{now + timedelta(hours=12):%H:%M}"}
    async with Stage(tenant, now, azurite=azurite, settings=settings) as stage:
        process = await asyncio.create_subprocess_exec(
            *(deployed.python, "-I", "-S", _LONE_APP, deployed.app, deployed.libraries),
            env=stage.environment | stage.identity.environment(),
            cwd=deployed.app,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=2**24,
        )
        try:
            yield Lone(stage, process)
        finally:
            process.kill()
            await process.wait()
