"""Run one of the project's commands: `python3 -m sandbox COMMAND`; without one, it lists them.

Works on a fresh clone with nothing but a Python: whatever is missing is set up first (`bootstrap`),
then the command runs under the Python of `.venv`. An older Python can read this file too, so that
it says what is missing instead of failing on syntax that it does not know.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST, NEWEST = (3, 11), (3, 14)
BEST_FIRST = ("python3.13", "python3.14", "python3.12", "python3.11")  # deployed on 3.13
COMMANDS = frozenset(
    {
        *("demo", "cards", "test", "survive", "check", "audit", "bicep", "format", "serve"),
        *("docs", "mutants", "package", "bench", "lock"),
    }
)
USAGE = """usage: python3 -m sandbox COMMAND

  demo [--days N]  let the app watch a sample tenant for some mornings, and show what it posts
  cards            draw every card in every language and look, as a page and as pictures
  test [ARGS...]   run the tests; ARGS go to pytest, without any the coverage is measured too
  survive          break what can break, see that each promise still holds, and print what happened
  check            run formatter, linter, type checker, import rules, workflow checks and the scan
                   for secrets
  audit            ask whether a locked package has a known vulnerability (needs the network)
  bicep            test the infrastructure alone; takes the Bicep CLI
  format           format the code and mend what the linter can mend
  serve            keep the sandbox up, for the app under Core Tools (func start)
  docs             write the parts of the documents that come from a run of the app
  mutants          change the policy in small ways, one at a time, and see that a test notices
  package          build the zip that is deployed (needs the network); with --remote-build, install
                   what Azure installs where no zip is deployed
  bench            measure what the app costs and write docs/performance.md (needs the network)
  lock             compile the locked requirements anew (needs the network)
"""


def main(argv: list[str]) -> int:
    """Hand the command to a fitting Python and return its exit status."""
    if not argv or argv[0] not in COMMANDS:
        print(USAGE, end="")
        return 0 if argv[:1] in (["-h"], ["--help"]) else 2
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        return _hand_to_fitting_python(argv)

    from sandbox import bootstrap

    try:
        python = bootstrap.prepare()
    except bootstrap.SetupError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    if not bootstrap.is_running_in_venv():
        return _run(str(python), argv)

    from sandbox import commands

    return commands.run(argv[0], argv[1:])


def _hand_to_fitting_python(argv: list[str]) -> int:
    this = f"Python {sys.version_info[0]}.{sys.version_info[1]}"
    for python in filter(None, map(shutil.which, BEST_FIRST)):
        # A version manager's stand-in may be on the PATH without the Python behind it.
        if subprocess.call([python, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            print(f"This is {this}; going on with {python}", flush=True)
            return _run(python, argv)
    print(
        f"This is {this}; the project runs on Python 3.{OLDEST[1]} to 3.{NEWEST[1]}. Install one "
        f"and name it: python3.13 -m sandbox {argv[0]} (on Windows: py -3.13 -m sandbox {argv[0]})",
        file=sys.stderr,
    )
    return 1


def _run(python: str, argv: list[str]) -> int:
    # What the commands talk to is on this machine: a proxy must not be asked for it. UTF-8 keeps
    # names readable where the console's own encoding lacks their letters.
    local = ",".join(filter(None, [os.environ.get("NO_PROXY"), "127.0.0.1,localhost,::1"]))
    env = dict(os.environ, NO_PROXY=local, no_proxy=local, PYTHONUTF8="1")
    try:
        return subprocess.call([python, "-m", "sandbox", *argv], cwd=str(ROOT), env=env)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
