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

VERSION = "0.49.2"
GOLDEN = Path("tests/golden/infra")
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
TENANT = "00000000-0000-0000-0000-000000000002"

Resource = dict[str, Any]

# Linux without ICU, as in slim containers, is no reason not to check.
_ENV = os.environ | {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
_WHERE = {
    "home": ("--location", "westeurope"),
    "changed": ("--location", "japaneast"),
    "group": ("--location", "westeurope", "--resource-group", "existing"),
}


@cache
def _compiler() -> str:
    """Find the version that wrote the golden snapshots: another one words some of it otherwise."""
    folders = (None, Path.home() / ".azure" / "bin")
    for found in filter(None, (shutil.which("bicep", path=folder) for folder in folders)):
        done = subprocess.run([found, "--version"], env=_ENV, capture_output=True, check=False)
        if f" {VERSION} ".encode() in done.stdout:
            return found
    pytest.skip(f"needs the Bicep CLI {VERSION}: az bicep install --version v{VERSION}")


def bicep(*arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run the Bicep CLI. It ends with 0 after warnings too: its words count, not its status."""
    return subprocess.run(
        [_compiler(), *arguments],
        cwd=cwd,
        env=_ENV,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def complaints(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return everything that the Bicep CLI said beside its result, each line once."""
    return sorted({line for line in done.stderr.splitlines() if line})


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
    assert complaints(done) == []
    made = json.loads((root / GOLDEN / f"{name}.snapshot.json").read_text(encoding="utf-8"))
    # The compiler writes some keys in another order each time.
    return json.dumps(made, indent=2, sort_keys=True) + "\n"
