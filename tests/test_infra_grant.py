"""Granting the permission of Microsoft Graph: once, by name, read back, and kindly refused."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.seeded import ROOT

PERMISSION = "DeviceManagementServiceConfig.Read.All"
IDENTITY = "11111111-2222-3333-4444-555555555555"
ROLE = {"id": "06a5fe6d-c49d-46a7-b082-56b1b14103c7", "value": PERMISSION}
OTHER_ROLE = {"id": "5b07b0dd-2377-4e44-a38d-703f09a0dc3c", "value": PERMISSION + "Write"}
GRAPH_APP = {"id": "graph-in-this-tenant", "appRoles": [OTHER_ROLE, ROLE]}
GRANTED = {"principalId": IDENTITY, "resourceId": GRAPH_APP["id"], "appRoleId": ROLE["id"]}

TENANT: dict[str, Any] = {
    "graph": "https://graph.example.test",
    "graph_app": GRAPH_APP,
    "identity": IDENTITY,
    "assignments": [],
    "may_grant": True,
    "signed_in": True,
    "unknown_for": 0,
    "requests": [],
}
SHELLS = ["sh", "bash", "pwsh"]


@dataclass
class Desk:
    """A desk with one of the shells, and a tenant behind its Azure CLI."""

    shell: str
    folder: Path

    def grant(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the script that is for this shell."""
        script = (
            ROOT / "infra" / f"grant-graph-permission.{'ps1' if self.shell == 'pwsh' else 'sh'}"
        )
        words = [self.shell, "-NoProfile", "-File"] if self.shell == "pwsh" else [self.shell]
        inherited = {k: v for k, v in os.environ.items() if k != "AZURE_IDENTITY_PRINCIPAL_ID"}
        path = f"{self.folder}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            [*words, script, *arguments],
            env=inherited | {"PATH": path, "GRANT_WAIT_S": "0"} | environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    @property
    def tenant(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "tenant.json").read_text(encoding="utf-8")))

    def change(self, **changes: object) -> None:
        state = json.dumps(TENANT | changes)
        (self.folder / "tenant.json").write_text(state, encoding="utf-8")


@pytest.fixture(params=SHELLS)
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    shell = str(request.param)
    if os.name == "nt" and shell != "pwsh":
        pytest.skip("Windows has the other script")
    if shutil.which(shell) is None:
        # Without the word that makes a skip a failure: no registry has these shells.
        pytest.skip(f"{shell} is not on this machine; GitHub's runners have it")
    az = [sys.executable, str(ROOT / "tests" / "fake_az.py"), str(tmp_path / "tenant.json")]
    if os.name == "nt":
        (tmp_path / "az.cmd").write_text(f"@{subprocess.list2cmdline(az)} %*\n", encoding="utf-8")
    else:
        quoted = " ".join(f"'{word}'" for word in az)
        (tmp_path / "az").write_text(f'#!/bin/sh\nexec {quoted} "$@"\n', encoding="utf-8")
        (tmp_path / "az").chmod(stat.S_IRWXU)
    made = Desk(shell, tmp_path)
    made.change()
    return made


def posts(desk: Desk) -> int:
    return sum(request.startswith("post") for request in desk.tenant["requests"])


def test_it_grants_the_one_permission_and_reads_it_back(desk: Desk) -> None:
    done = desk.grant(IDENTITY)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == f"Granted: the identity {IDENTITY} has {PERMISSION}."
    (assignment,) = desk.tenant["assignments"]
    assert assignment.items() >= GRANTED.items()
    assert desk.tenant["requests"][-1].startswith("get"), "it was not read back"


def test_run_again_it_changes_nothing(desk: Desk) -> None:
    desk.grant(IDENTITY)

    done = desk.grant(IDENTITY)

    assert done.returncode == 0
    assert posts(desk) == 1


def test_run_by_azd_it_finds_the_identity_in_the_environment(desk: Desk) -> None:
    assert desk.grant(AZURE_IDENTITY_PRINCIPAL_ID=IDENTITY).returncode == 0
    assert len(desk.tenant["assignments"]) == 1


def test_another_permission_or_another_app_is_not_taken_for_it(desk: Desk) -> None:
    others = [GRANTED | {"id": "1", "appRoleId": OTHER_ROLE["id"]}]
    others += [GRANTED | {"id": "2", "resourceId": "another-app"}]
    desk.change(assignments=others)

    assert desk.grant(IDENTITY).returncode == 0
    assert posts(desk) == 1


def test_an_identity_made_a_moment_ago_is_waited_for(desk: Desk) -> None:
    desk.change(unknown_for=3)

    assert desk.grant(IDENTITY).returncode == 0
    assert len(desk.tenant["assignments"]) == 1


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"may_grant": False}, "this sign-in may not grant it"),
        ({"signed_in": False}, "Azure CLI is not signed in: az login"),
        ({"unknown_for": 99}, "Request_ResourceNotFound"),
        ({"graph_app": None}, "Microsoft Graph does not know it in this tenant"),
        ({"graph_app": {"id": "g", "appRoles": [OTHER_ROLE]}}, "does not know it"),
    ],
)
def test_when_it_cannot_it_says_what_an_administrator_must_run(
    desk: Desk, changes: dict[str, Any], said: str
) -> None:
    desk.change(**changes)

    done = desk.grant(IDENTITY)

    assert done.returncode == 1
    assert said in done.stderr
    assert f"{PERMISSION} is NOT granted" in done.stderr
    command = re.search(r"^    \S+ (infra/\S+) (\S+)$", done.stderr, re.MULTILINE)
    assert command
    assert (ROOT / command[1]).is_file()
    assert command[2] == IDENTITY
    assert desk.tenant["assignments"] == []


def test_refused_it_does_not_ask_again_and_again(desk: Desk) -> None:
    desk.change(may_grant=False)

    desk.grant(IDENTITY)

    assert posts(desk) == 1


@pytest.mark.parametrize("identity", ["", "apple-token-watch", "11111111-2222"])
def test_without_the_id_of_an_identity_nothing_is_asked(desk: Desk, identity: str) -> None:
    done = desk.grant(identity)

    assert done.returncode == 1
    assert "object id" in done.stderr
    assert desk.tenant["requests"] == []


def test_both_scripts_ask_for_the_same() -> None:
    shell = (ROOT / "infra/grant-graph-permission.sh").read_text(encoding="utf-8")
    power = (ROOT / "infra/grant-graph-permission.ps1").read_text(encoding="utf-8")

    for text in (shell, power):
        # Anything else that the app may do in a tenant would have to stand here.
        assert set(re.findall(r"DeviceManagement\w+(?:\.\w+)+", text)) == {PERMISSION}
        assert set(re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", text)) == {
            "00000003-0000-0000-c000-000000000000"
        }
        assert text.count("/appRoleAssignments") == 2
