"""The templates: Microsoft's compiler, linter and formatter have nothing to say about them."""

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.bicep_cli import GOLDEN, bicep, complaints, copy_infra, snapshot_text
from tests.seeded import ROOT, project_files

pytestmark = pytest.mark.xdist_group("bicep")  # each deployment is compiled once

TEMPLATES = project_files("infra/**/*.bicep", "infra/*.bicep")
SNAPSHOTS = ("home", "changed", "group")


@cache
def compiled(template: str) -> dict[str, Any]:
    done = bicep("build", template, "--stdout")
    assert complaints(done) == []
    return dict(json.loads(done.stdout))


def test_there_are_templates() -> None:
    assert {"infra/main.bicep", "infra/resources.bicep"} < set(TEMPLATES)


@pytest.mark.parametrize("template", ["infra/main.bicep", "infra/resources.bicep"])
def test_the_compiler_says_nothing(template: str) -> None:
    assert compiled(template)["$schema"]


def test_the_linter_says_nothing_about_any_file() -> None:
    done = bicep("lint", "--pattern", "./infra/**/*.bicep")

    assert complaints(done) == []
    assert (done.returncode, done.stdout) == (0, "")


def test_the_linter_holds_every_rule_to_be_an_error_or_says_why_not() -> None:
    lines = (ROOT / "infra/bicepconfig.json").read_text(encoding="utf-8").splitlines()
    rules = [i for i, line in enumerate(lines) if '"level":' in line]
    text = "\n".join(line for line in lines if not line.lstrip().startswith("//"))

    assert len(json.loads(text)["analyzers"]["core"]["rules"]) == len(rules) > 50
    for i in rules:
        if '"level": "error"' not in lines[i]:
            assert lines[i - 1].lstrip().startswith("//"), f"no reason: {lines[i]}"


def test_the_formatter_changes_nothing(tmp_path: Path) -> None:
    copy_infra(tmp_path)

    done = bicep("format", "--pattern", "./infra/**/*.bicep", cwd=tmp_path)

    assert complaints(done) == []
    changed = [t for t in TEMPLATES if (tmp_path / t).read_bytes() != (ROOT / t).read_bytes()]
    assert changed == []


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_a_deployment_makes_what_the_golden_snapshot_shows(name: str) -> None:
    golden = ROOT / GOLDEN / f"{name}.snapshot.json"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(snapshot_text(name), encoding="utf-8")

    assert snapshot_text(name) == golden.read_text(encoding="utf-8"), "run with UPDATE_GOLDEN=1"


def test_both_entries_describe_their_parameters_in_the_same_words() -> None:
    main = compiled("infra/main.bicep")["parameters"]
    group = compiled("infra/resources.bicep")["parameters"]

    for name, parameter in group.items():
        assert parameter["metadata"]["description"]
        if name in main and name not in {"operators", "location"}:  # what they default to differs
            assert {**parameter, "defaultValue": 0} == {
                **main[name],
                "defaultValue": 0,
                "metadata": {"description": main[name]["metadata"]["description"]},
            }
    assert set(main) - set(group) == {"environmentName"}
    assert set(group) - set(main) == {"tags"}


def test_only_six_things_are_asked_for() -> None:
    main = compiled("infra/main.bicep")["parameters"]
    asked = [name for name, parameter in main.items() if "defaultValue" not in parameter]

    assert asked == [
        "environmentName",
        "location",
        "webhookUrl",
        "alertEmails",
        "timeZone",
        "language",
    ]


def test_azd_can_set_every_parameter_that_is_text_and_every_setting() -> None:
    main = compiled("infra/main.bicep")
    file = json.loads((ROOT / "infra/main.parameters.json").read_text(encoding="utf-8"))
    given = {name: parameter["value"] for name, parameter in file["parameters"].items()}

    assert set(given) <= set(main["parameters"])
    for name, parameter in main["parameters"].items():
        if parameter.get("type") == "string" or name == "webhookUrl":
            assert re.fullmatch(r"\$\{[A-Z_]+\}", given[name])
    settings = next(t for name, t in main["definitions"].items() if name.endswith("settingsType"))
    assert given["settings"] == {name: f"${{{name}}}" for name in settings["properties"]}


def test_no_variable_of_azd_is_one_that_machines_set_for_themselves() -> None:
    # LANGUAGE, for one, is gettext's: on many desktops it would choose the language of the cards.
    text = (ROOT / "infra/main.parameters.json").read_text(encoding="utf-8")

    assert set(re.findall(r"\$\{(\w+)\}", text)).isdisjoint({"LANGUAGE", "LANG", "TZ", "HOME"})
