"""An operator's desk: run a command in this process, and stand in for Azure CLI."""

import base64
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import aiohttp
import pytest

from admin.cli import build_parser
from admin.command import Answer
from sandbox.identity import IdentityEndpoint
from sandbox.planted import planted_secret

_FAR_AWAY = 4_102_444_800
"""The beginning of the year 2100, at which stand-in access tokens end."""


async def type_in(words: list[str], environment: Mapping[str, str], now: datetime) -> Answer:
    """Run `python -m admin WORDS` as at a given time."""
    options = build_parser().parse_args(words)
    answer: Answer = await options.run(options, environment, now)
    return answer


@dataclass(frozen=True)
class StandInCli:
    """An `az` that prints one answer, whatever it is asked."""

    folder: Path

    @property
    def calls(self) -> list[str]:
        """What it was asked, one line a call."""
        log = self.folder / "calls"
        return log.read_text(encoding="utf-8").splitlines() if log.exists() else []


def install_az(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    *,
    prints: str = "",
    complains: str = "",
    takes_s: int = 0,
) -> StandInCli:
    """Put an `az` on the PATH, before any other. It fails if it has something to complain about."""
    script = folder / "stand_in.py"
    script.write_text(
        "import sys, time\n"
        f"with open({str(folder / 'calls')!r}, 'a', encoding='utf-8') as log:\n"
        "    print(*sys.argv[1:], file=log)\n"
        f"time.sleep({takes_s})\n"
        f"print({prints!r})\n"
        f"print({complains!r}, file=sys.stderr)\n"
        f"sys.exit({1 if complains else 0})\n",
        encoding="utf-8",
    )
    if os.name == "nt":
        (folder / "az.cmd").write_text(f'@"{sys.executable}" "{script}" %*\n', encoding="utf-8")
    else:
        az = folder / "az"
        az.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n', encoding="utf-8")
        az.chmod(0o700)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return StandInCli(folder)


def az_answer(access_token: str) -> str:
    """Return what `az account get-access-token --output json` prints."""
    return json.dumps({"accessToken": access_token, "expires_on": _FAR_AWAY, "tokenType": "Bearer"})


def access_token(**claims: object) -> str:
    """Return an access token with these claims; nobody has signed it."""
    payload = json.dumps({"exp": _FAR_AWAY, **claims}).encode()
    encoded = base64.urlsafe_b64encode(payload).decode().rstrip("=")
    return f"e30.{encoded}.{planted_secret('access-token', str(sorted(claims)))}"


async def graph_token(identity: IdentityEndpoint, client_id: str) -> str:
    """Return an access token that the simulated Graph accepts."""
    environment = identity.environment()
    async with (
        aiohttp.ClientSession() as session,
        session.get(
            environment["IDENTITY_ENDPOINT"],
            params={
                "api-version": "2019-08-01",
                "resource": "https://graph.microsoft.com",
                "client_id": client_id,
            },
            headers={"X-IDENTITY-HEADER": environment["IDENTITY_HEADER"]},
        ) as response,
    ):
        return str((await response.json())["access_token"])
