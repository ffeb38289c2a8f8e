"""Checkov, a linter of infrastructure for security, over a deployment as the compiler works it out.

It reads ARM templates, but no template whose resources have symbolic names, as Bicep makes them
today: over those it reports nothing at all. The resources of a snapshot make a template that it can
read, and the test makes sure that it did.
"""

import json
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.bicep_cli import resources, snapshot_text

pytestmark = pytest.mark.xdist_group("bicep")  # each deployment is compiled once

CHECKOV = "checkov==3.3.30"

SKIPPED = {
    # Closing the network needs private endpoints and a way in for operators: not in this version.
    "open network": {"CKV_AZURE_35", "CKV_AZURE_109", "CKV_AZURE_189"},
    # The URL of a workflow has no end, so that any date would be a guess.
    "secret without an end": {"CKV_AZURE_41"},
    # Three zones of one region are enough for rows that the next check writes again.
    "one region": {"CKV_AZURE_206"},
    # What is asked of a site is asked of web apps: client certificates, several instances and a
    # health check for callers that this app does not have. Its TLS, FTP, password and identity
    # settings are held by test_infra_deployed.py.
    "no web app": {"Microsoft.Web/sites"},
}
"""The decisions that are no finding here, with the checks or the type of resource they concern."""


def run_checkov(folder: Path) -> dict[str, Any]:
    """Run checkov from uv's cache: its packages do not go together with the project's."""
    uvx = Path(sysconfig.get_path("scripts")) / "uvx"
    done = subprocess.run(
        [
            *(uvx, "--offline", "--quiet", "--from", CHECKOV, "checkov", "--directory", folder),
            *("--framework", "arm", "--skip-download", "--output", "json"),
        ],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if not done.stdout:
        pytest.skip(f"needs checkov in uv's cache: uvx --from {CHECKOV} checkov --version")
    return dict(json.loads(done.stdout))


@pytest.mark.timeout(180)  # it takes its time to start
def test_checkov_finds_nothing_that_was_not_decided(tmp_path: Path) -> None:
    # The deployment with everything switched on that a small one saves.
    made = resources(snapshot_text("changed"))
    template = {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": made,
    }
    (tmp_path / "template.json").write_text(json.dumps(template), encoding="utf-8")

    report = run_checkov(tmp_path)

    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["resource_count"] == len(made)
    assert report["summary"]["passed"] > 20
    # A type of resource has a dot in it: Microsoft.Web/sites.func-….
    failed = [
        (check["check_id"], ".".join(check["resource"].split(".")[:2]))
        for check in report["results"]["failed_checks"]
    ]
    decided = set[str]().union(*SKIPPED.values())
    assert [finding for finding in failed if decided.isdisjoint(finding)] == []
    assert decided <= {name for finding in failed for name in finding}, "a skip is not needed"
    assert len(SKIPPED) <= 5
