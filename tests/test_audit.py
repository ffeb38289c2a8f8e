"""The audit of the locked packages: a vulnerability, none, and no answer are three things."""

import asyncio
import json
import sys
import sysconfig
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from sandbox import audit
from sandbox.audit import NOT_AUDITED, PIP_AUDIT, VULNERABLE, Audit
from tests.seeded import ROOT

PACKAGES = ["good==1.0", "poor==2.0"]
GOOD = {"name": "good", "version": "1.0", "vulns": []}
POOR = {
    "name": "poor",
    "version": "2.0",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"], "aliases": ["CVE-1"]}],
}
UNKNOWN = {"name": "poor", "skip_reason": "Dependency not found on PyPI: poor (2.0)"}
ADVISORY = {
    "source": 1,
    "name": "poor",
    "title": "It leaks",
    "url": "https://github.com/advisories/GHSA-1",
    "severity": "high",
    "range": "<2.1",
}


class Tool:
    """A program that prints what it is told, as pip-audit and npm do."""

    def __init__(self, folder: Path) -> None:
        self._script = folder / "tool.py"

    def says(self, stdout: object, stderr: str = "", status: int = 0) -> list[str | Path]:
        text = stdout if isinstance(stdout, str) else json.dumps(stdout)
        self._script.write_text(
            f"import sys; print({text!r}); print({stderr!r}, file=sys.stderr); sys.exit({status})",
            encoding="utf-8",
        )
        return [sys.executable, self._script]


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    return Tool(tmp_path)


PYTHON = {
    "nothing known": (({"dependencies": [GOOD, GOOD]}, "", 0), 0, "No vulnerability is known"),
    "a vulnerability": (
        ({"dependencies": [GOOD, POOR]}, "Found 1 known vulnerability", 1),
        VULNERABLE,
        "VULNERABLE: poor 2.0: PYSEC-1, mended in 2.1",
    ),
    # As where PyPI's JSON is not served: pip-audit says that all is well, and ends with 0.
    "packages that the service does not know": (
        ({"dependencies": [GOOD, UNKNOWN]}, "No known vulnerabilities found", 0),
        NOT_AUDITED,
        "NOT AUDITED: 1 Python packages, first of all: Dependency not found on PyPI",
    ),
    "a vulnerability, and packages that the service does not know": (
        ({"dependencies": [POOR, UNKNOWN]}, "", 1),
        VULNERABLE,
        "NOT AUDITED: 1 Python packages",
    ),
    "a package left out without a word": (
        ({"dependencies": [GOOD]}, "", 0),
        NOT_AUDITED,
        "NOT AUD",
    ),
    "no connection": (
        ("", "Traceback …\nConnectionError: Failed to resolve", 1),
        NOT_AUDITED,
        "NOT AUDITED: 2 Python packages: ConnectionError: Failed to resolve",
    ),
    "nothing at all": (("", "", 1), NOT_AUDITED, "NOT AUDITED: 2 Python packages: no answer"),
}


@pytest.mark.parametrize("name", PYTHON)
def test_what_pip_audit_says_is_told_apart(
    name: str, tool: Tool, capsys: pytest.CaptureFixture[str]
) -> None:
    (stdout, stderr, ends_with), status, line = PYTHON[name]
    said = Audit()

    audit.audit_python(PACKAGES, tool.says(stdout, stderr, ends_with), said)

    assert audit.report(said) == status
    assert line in capsys.readouterr().out


NPM = {
    "nothing known": ({"vulnerabilities": {}}, 0, "No vulnerability is known"),
    "a grave vulnerability": (
        {"vulnerabilities": {"poor": {"via": [ADVISORY]}, "other": {"via": ["poor"]}}},
        VULNERABLE,
        "VULNERABLE: poor <2.1: It leaks, https://github.com/advisories/GHSA-1",
    ),
    "a slight one": (
        {"vulnerabilities": {"poor": {"via": [ADVISORY | {"severity": "moderate"}]}}},
        0,
        "No vulnerability is known",
    ),
    "a registry without advisories": (
        {"message": "405 Method Not Allowed", "error": {"summary": "", "detail": ""}},
        NOT_AUDITED,
        "NOT AUDITED: the packages from npm: 405 Method Not Allowed",
    ),
    "no JSON": ("<html>", NOT_AUDITED, "NOT AUDITED: the packages from npm"),
}


@pytest.mark.parametrize("name", NPM)
def test_what_npm_says_is_told_apart(
    name: str, tool: Tool, capsys: pytest.CaptureFixture[str]
) -> None:
    stdout, status, line = NPM[name]
    said = Audit()

    audit.audit_npm(tool.says(stdout), said)

    assert audit.report(said) == status
    assert line in capsys.readouterr().out


@pytest.mark.parametrize("known_as", ["PYSEC-1", "CVE-1"])
def test_a_vulnerability_is_accepted_by_any_of_its_ids(
    known_as: str, tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(audit.ACCEPTED, known_as, "not called")
    said = Audit()

    audit.audit_python(PACKAGES, tool.says({"dependencies": [GOOD, POOR]}), said)

    assert audit.report(said) == 0


def test_every_version_of_every_lock_is_asked_for_whatever_it_is_pinned_for() -> None:
    locks = [
        'one==1.0 ; python_version < "3.13" \\\n    --hash=sha256:00\none==2.0 \\\n',
        "    # via\ntwo[extra]==3.0 \\\none==2.0\n",
    ]

    assert list(audit.rounds(locks)) == [["one==1.0", "two==3.0"], ["one==2.0"]]


@pytest.fixture
async def database() -> AsyncIterator[dict[str, Any]]:
    """Answer as the database of vulnerabilities at osv.dev does, as `status` and `knows` say."""
    state: dict[str, Any] = {"status": 200, "knows": {}}

    async def query(request: web.Request) -> web.Response:
        name = (await request.json())["package"]["name"]
        return web.json_response(state["knows"].get(name, {}), status=state["status"])

    app = web.Application()
    app.router.add_post("/v1/query", query)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    state["url"] = f"http://127.0.0.1:{runner.addresses[0][1]}/v1/query"
    yield state
    await runner.cleanup()


VULNERABILITY = {
    "id": "GHSA-1",
    "affected": [
        {
            "package": {"name": "poor", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.1"}]}],
        }
    ],
}


@pytest.mark.timeout(180)  # it takes its time to start
@pytest.mark.parametrize(
    "changes, status, line",
    [
        ({}, 0, "No vulnerability is known"),
        ({"knows": {"poor": {"vulns": [VULNERABILITY]}}}, VULNERABLE, "poor 2.0: GHSA-1, mended"),
        ({"status": 503}, NOT_AUDITED, "NOT AUDITED: 2 Python packages: "),
    ],
    ids=["nothing known", "a vulnerability", "a database in trouble"],
)
async def test_the_real_pip_audit_is_understood(
    changes: Mapping[str, Any],
    status: int,
    line: str,
    database: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    uvx = Path(sysconfig.get_path("scripts")) / "uvx"
    pip_audit = (uvx, "--offline", "--quiet", "--from", PIP_AUDIT, "pip-audit")
    there = await asyncio.create_subprocess_exec(*pip_audit, "--version")
    if await there.wait() != 0:
        pytest.skip(f"needs pip-audit in uv's cache: uvx --from {PIP_AUDIT} pip-audit --version")
    monkeypatch.setenv("PIP_AUDIT_VULNERABILITY_SERVICE", "osv")
    monkeypatch.setenv("PIP_AUDIT_OSV_URL", database["url"])
    database |= changes
    said = Audit()

    await asyncio.to_thread(audit.audit_python, PACKAGES, pip_audit, said)

    assert audit.report(said) == status
    assert line in capsys.readouterr().out


def test_the_workflow_audits_and_tests_with_the_same_pip_audit() -> None:
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")

    assert "run: python -m sandbox audit" in workflow
    assert f"--from {PIP_AUDIT} pip-audit" in workflow
