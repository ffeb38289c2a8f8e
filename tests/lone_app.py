"""Run the app in an interpreter that has nothing but the app and its libraries.

    python -I -S lone_app.py APP LIBRARIES

Started by the tests of what is deployed, in an environment without any variable but the app's
settings. It takes one order a line on its standard input, as JSON, and answers each with a line.
"""

import asyncio
import gc
import importlib
import json
import os
import pathlib
import re
import sys
import traceback
from datetime import datetime
from importlib.machinery import SourceFileLoader
from typing import Any

APP, LIBRARIES = sys.argv[1:]


class Watch:
    """Notes what is compiled from source, and which modules are looked for and are nowhere."""

    def __init__(self) -> None:
        self.compiled: set[str] = set()
        self.missing: set[str] = set()

    def listen(self) -> None:
        """Hear of every import from now on."""
        to_code = SourceFileLoader.source_to_code

        def noting(loader: SourceFileLoader, data: Any, path: Any, **options: Any) -> Any:  # noqa: ANN401 -- importlib's
            self.compiled.add(str(path))
            return to_code(loader, data, path, **options)

        SourceFileLoader.source_to_code = noting  # type: ignore[method-assign,assignment]
        sys.meta_path.append(self)

    def find_spec(self, name: str, *_: object) -> None:
        """Be asked for a module as the last finder: the others do not have it."""
        self.missing.add(name)


class Output:
    """An output binding."""

    def __init__(self) -> None:
        self.bodies: list[str] = []

    def set(self, bodies: list[str]) -> None:
        """Keep what the function hands over."""
        self.bodies = bodies


class Ticket:
    """A queue message that is delivered for the first time."""

    dequeue_count = 1

    def __init__(self, body: str) -> None:
        self._body = body

    def get_body(self) -> bytes:
        """Return the content."""
        return self._body.encode()


class LoneApp:
    """The indexed app, and its orders."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        app = importlib.import_module("function_app").app
        self._functions = {each.get_function_name(): each for each in app.get_functions()}

    async def functions(self) -> list[str]:
        """List the functions of the index."""
        return sorted(self._functions)

    async def fire(self) -> list[str]:
        """Call the timer's function as the host does; return the messages."""
        tickets = Output()
        await self._functions["check_tokens"].get_user_function()(timer=None, tickets=tickets)
        return tickets.bodies

    async def hand_over(self, body: str) -> None:
        """Call the queue's function as the host does."""
        await self._functions["notify"].get_user_function()(ticket=Ticket(body))

    async def check(self, now: str) -> list[str]:
        """Check at another time, without waits between tries; return the messages."""
        blueprint: Any = importlib.import_module("check_tokens.blueprint")
        # As in the matrix of faults: a Retry-After of 100 s is then not waited for.
        blueprint.SOURCE_DEADLINE_S = 50.0
        waits = blueprint.Waits(after_trouble_s=(0.0, 0.0, 0.0), longest_own_wait_s=0)
        bodies: list[str] = await blueprint.check(
            datetime.fromisoformat(now), blueprint.os.environ, waits=waits
        )
        return bodies

    async def measured_check(self, now: str, tenant_id: str) -> dict[str, object]:
        """Check another tenant; return the messages, and the most memory that it took."""
        path = pathlib.Path("/proc/self")
        if is_measured := (path / "clear_refs").exists():
            gc.collect()
            (path / "clear_refs").write_text("5")  # forget the peak: see proc(5)
        before = os.environ["TENANT_ID"]
        os.environ["TENANT_ID"] = tenant_id
        try:
            bodies = await self.check(now)
        finally:
            os.environ["TENANT_ID"] = before
        status = (path / "status").read_text() if is_measured else "VmHWM: 0"
        (peak_kib,) = re.findall(r"VmHWM:\s+(\d+)", status)
        return {"bodies": bodies, "peak_mb": int(peak_kib) * 1024 / 1_000_000}

    async def report(self) -> dict[str, list[str]]:
        """Say what was noted since the start."""
        return {
            "compiled": sorted(self._watch.compiled),
            "missing": sorted(self._watch.missing),
            "loaded": sorted(sys.modules),
        }


def main() -> None:
    """Carry out orders until there are no more."""
    watch = Watch()
    sys.path += [APP, LIBRARIES]
    watch.listen()
    app = LoneApp(watch)
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        answer: dict[str, object] = {}
        try:
            answer["result"] = asyncio.run(getattr(app, name)(*arguments))
        except Exception:  # noqa: BLE001 # told to the test
            answer["error"] = traceback.format_exc()
        print(json.dumps(answer), flush=True)  # noqa: T201 # the answer


if __name__ == "__main__":
    main()
