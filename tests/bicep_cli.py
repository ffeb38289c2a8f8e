"""Microsoft's Bicep compiler, offline: what it says of the templates, and what they would make.

`bicep snapshot` works out every resource of a deployment with its names and values, so the tests
assert on what is deployed and not on the text that describes it. Values that only Azure knows, and
values of secure parameters, stay expressions such as `[reference(…)]`.
"""

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.seeded import ROOT

GOLDEN = Path("tests/golden/infra")
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
TENANT = "00000000-0000-0000-0000-000000000002"

Resource = dict[str, Any]

_WHERE = {
    "home": ("--location", "westeurope"),
    "changed": ("--location", "japaneast"),
    "group": ("--location", "westeurope", "--resource-group", "existing"),
}


def bicep(*arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run the Bicep CLI. It ends with 0 after warnings too: its words count, not its status."""
    found = shutil.which("bicep") or shutil.which("bicep", path=Path.home() / ".azure" / "bin")
    if found is None:
        pytest.skip("needs the Bicep CLI on PATH, or from `az bicep install`")
    return subprocess.run(
        [found, *arguments],
        cwd=cwd,
        # Builds of Linux without ICU, such as slim containers, are no reason not to check.
        env=os.environ | {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def copy_infra(target: Path) -> Path:
    """Copy the templates and their parameter files, without the golden snapshots."""
    for folder in (Path("infra"), GOLDEN):
        shutil.copytree(
            ROOT / folder, target / folder, ignore=shutil.ignore_patterns("*.snapshot.json")
        )
    return target


@cache
def snapshot_text(name: str) -> str:
    """Return what a deployment with one of the parameter files makes, as the compiler writes it."""
    with TemporaryDirectory() as folder:
        return _snapshot(copy_infra(Path(folder)), name)


@cache
def revealed_text(name: str) -> str:
    """Return the same of templates whose secure parameters are plain ones.

    The compiler works out no value that comes from a secure parameter, so that only this way shows
    where the webhook URL would go, and whether its secret is made at all.
    """
    with TemporaryDirectory() as folder:
        root = copy_infra(Path(folder))
        for template in root.glob("infra/**/*.bicep"):
            text = template.read_text(encoding="utf-8").replace("@secure()\n", "")
            template.write_text(text, encoding="utf-8")
        return _snapshot(root, name)


def resources(snapshot: str) -> list[Resource]:
    """Return the resources of a snapshot."""
    return list(json.loads(snapshot)["predictedResources"])


def of_type(snapshot: str, kind: str) -> list[Resource]:
    """Return the resources of a type, in the template's order."""
    return [resource for resource in resources(snapshot) if resource["type"] == kind]


def only(snapshot: str, kind: str) -> Resource:
    """Return the one resource of a type."""
    (resource,) = of_type(snapshot, kind)
    return resource


def app_settings(snapshot: str) -> dict[str, str]:
    """Return the settings of the function app."""
    listed = only(snapshot, "Microsoft.Web/sites")["properties"]["siteConfig"]["appSettings"]
    settings = {setting["name"]: setting["value"] for setting in listed}
    assert len(settings) == len(listed)
    return settings


def _snapshot(root: Path, name: str) -> str:
    # With the deployment's name the compiler can follow the modules' outputs.
    tenant = ("--subscription-id", SUBSCRIPTION, "--tenant-id", TENANT, "--deployment-name", name)
    parameters = GOLDEN / f"{name}.bicepparam"
    done = bicep("snapshot", parameters, "--mode", "overwrite", *tenant, *_WHERE[name], cwd=root)
    assert done.stderr == ""
    made = json.loads((root / GOLDEN / f"{name}.snapshot.json").read_text(encoding="utf-8"))
    # The compiler writes some keys in another order each time.
    return json.dumps(made, indent=2, sort_keys=True) + "\n"
