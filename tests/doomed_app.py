"""Run the app in a process that is made to be killed, and then in the next one.

    python -m tests.doomed_app

It imports the app and forks. The fork carries out orders, each a line of JSON on the standard
input: settings, function and arguments. Once it is killed, another takes its place, which costs no
start of Python and has nothing but what was imported: no event loop, no connection, no access
token. Each line of the output is a pair of JSON:

    started     the id of a new process
    event       what the app logged
    result      what the function returned
    error       the traceback of what it raised
    ended       the signal that killed the process
"""

import asyncio
import functools
import gc
import importlib
import json
import logging
import os
import ssl
import sys
import traceback
from datetime import datetime

import certifi

from check_tokens.blueprint import check
from notify.blueprint import tell

_IMPORTED_LATE = (
    "_strptime",
    "anyio._backends._asyncio",
    "azure.core.pipeline.transport._aiohttp",
    "azure.core.rest._aiohttp",
    "azure.identity.aio._credentials.app_service",
    "concurrent.futures.thread",
    "email.generator",
    "h2.connection",
    "httpcore",
)
"""What the libraries load with their first use: most of the time of a first delivery."""


class _Tell(logging.Handler):
    """Passes the app's events on at once: who is killed has no time to."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one on."""
        _say("event", record.getMessage())


def _say(what: str, content: object) -> None:
    # In one piece and unbuffered: what was said before a kill is heard whole.
    os.write(1, json.dumps([what, content]).encode() + b"\n")


async def _carry_out(function: str, now: str, *arguments: str | int) -> list[str]:
    at = datetime.fromisoformat(now)
    if function == "check":
        return await check(at, os.environ)
    body, dequeue_count = arguments
    await tell(at, os.environ, str(body), int(dequeue_count))
    return []


def _serve() -> None:
    _say("started", os.getpid())
    for line in sys.stdin:
        order = json.loads(line)
        os.environ.update(order["settings"])
        try:
            result = asyncio.run(_carry_out(order["function"], *order["arguments"]))
        except Exception:  # noqa: BLE001 # told to the test
            _say("error", traceback.format_exc())
        else:
            _say("result", result)


def main() -> None:
    """Keep a process that carries out orders until there are no more."""
    for module in _IMPORTED_LATE:
        importlib.import_module(module)
    # All that is talked to is on this machine and without TLS: the authorities are read once.
    ssl.create_default_context = functools.cache(ssl.create_default_context)  # type: ignore[assignment]
    ssl.create_default_context(cafile=certifi.where())
    events = logging.getLogger("apple_tokens.events")
    events.setLevel(logging.DEBUG)
    events.addHandler(_Tell())
    gc.freeze()  # or each process would copy the memory of what was imported
    while process := os.fork():
        _, status = os.waitpid(process, 0)
        if not os.WIFSIGNALED(status):
            return
        _say("ended", os.WTERMSIG(status))
    _serve()


if __name__ == "__main__":
    main()
