"""Run pytest again and again without loading its libraries each time: each run is a fork.

    python -P tests/forked_pytest.py

Nothing of the project is loaded here (`-P` keeps its folder off the path): each run has a copy of
its own. A run is a line of JSON on the standard input: the folder, the environment, the arguments
of pytest, and the file that takes all that it prints. It is answered with its status.
"""

import gc
import importlib
import json
import os
import sys
from contextlib import redirect_stdout
from io import StringIO
from tempfile import TemporaryDirectory

import pytest

LIBRARIES = (
    "_strptime",
    "aiohttp.web",
    "azure.core.pipeline.transport._aiohttp",
    "azure.core.rest._aiohttp",
    "azure.data.tables.aio",
    "azure.functions",
    "azure.identity.aio",
    "azure.storage.queue.aio",
    "hypothesis.strategies",
    "jsonschema",
    "kiota_http.middleware",
    "msgraph_core",
    "msgspec",
)
"""What most tests load; whatever else a test needs it loads in its fork."""


def main() -> int:
    """Serve until the standard input ends; in a fork, return the status of its run."""
    _load()
    for line in sys.stdin:
        run = json.loads(line)
        child = os.fork()
        if child == 0:
            return _pytest(**run)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()
    return 0


def _load() -> None:
    # By pytest itself, since the assertions of its plugins are rewritten on the way.
    with TemporaryDirectory() as nothing, StringIO() as said:
        options = ("-p", "no:cacheprovider", "-o", "asyncio_default_fixture_loop_scope=function")
        with redirect_stdout(said):
            status = pytest.main(["--collect-only", *options, "--rootdir", nothing, nothing])
        if status is not pytest.ExitCode.NO_TESTS_COLLECTED:
            sys.exit(said.getvalue())
    for name in LIBRARIES:
        importlib.import_module(name)
    gc.freeze()  # what all forks share is not looked through again in each


def _pytest(folder: str, env: dict[str, str], arguments: list[str], output: str) -> int:
    nothing, printed = os.open(os.devnull, os.O_RDONLY), os.open(output, os.O_WRONLY)
    os.dup2(nothing, 0)
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    sys.path.insert(0, folder)  # as `python -m pytest` does
    return int(pytest.main(arguments))


if __name__ == "__main__":
    sys.exit(main())
