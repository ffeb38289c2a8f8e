"""What other programs read of ours is valid by the schemas that they publish."""

import json
import subprocess
import sys
from typing import Any

import pytest
import yaml
from jsonschema.validators import validator_for

from tests.bicep_cli import only, snapshot_text
from tests.seeded import ROOT

pytestmark = pytest.mark.xdist_group("bicep")  # each deployment is compiled once

# In a process of its own, since an app can be indexed only once.
INDEX = """
import json, sys
import function_app
json.dump([f.get_dict_repr() for f in function_app.app.get_functions()], sys.stdout, default=str)
"""


def schema(name: str) -> dict[str, Any]:
    return dict(json.loads((ROOT / "tests" / "schemas" / name).read_text(encoding="utf-8")))


def complaints(document: Any, schema: dict[str, Any]) -> list[str]:  # noqa: ANN401 -- any document
    """Return what a schema has against a document."""
    validator = validator_for(schema)(schema)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def load_workflow(name: str) -> dict[str, Any]:
    text = (ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    # By YAML 1.1 the word `on` is true; GitHub reads YAML 1.2.
    return {"on" if key is True else key: value for key, value in document.items()}


def workbook(deployment: str) -> dict[str, Any]:
    resource = only(snapshot_text(deployment), "Microsoft.Insights/workbooks")
    return dict(json.loads(resource["properties"]["serializedData"]))


@pytest.mark.parametrize("deployment", ["home", "changed", "group"])
def test_the_workbook_is_one(deployment: str) -> None:
    assert complaints(workbook(deployment), schema("workbook.json")) == []


def test_the_schema_of_a_workbook_can_refuse() -> None:
    broken = workbook("home")
    broken["items"][1]["content"]["size"] = "big"

    assert complaints(broken, schema("workbook.json")) != []


def test_every_part_of_the_workbook_asks_our_workspace_for_the_chosen_time() -> None:
    workspace = only(snapshot_text("home"), "Microsoft.OperationalInsights/workspaces")["id"]
    time_range, *parts = workbook("home")["items"]

    assert [parameter["name"] for parameter in time_range["content"]["parameters"]] == ["TimeRange"]
    assert len(parts) == 5
    for part in parts:
        assert part["content"]["crossComponentResources"] == [workspace]
        assert part["content"]["timeContextFromParameter"] == "TimeRange"
        assert part["content"]["query"].startswith("// ")


def test_azure_yaml_is_what_azd_reads() -> None:
    text = (ROOT / "azure.yaml").read_text(encoding="utf-8")

    assert complaints(yaml.safe_load(text), schema("azure.yaml.json")) == []


def test_azd_deploys_this_app_with_the_permission_granted_before() -> None:
    document = yaml.safe_load((ROOT / "azure.yaml").read_text(encoding="utf-8"))
    grant, forget = document["hooks"]["postprovision"]

    assert document["requiredVersions"]["azd"].startswith(">= 1.23.")
    assert document["services"] == {
        "app": {"project": ".", "host": "function", "language": "python", "remoteBuild": True}
    }
    for system, suffix in (("posix", "sh"), ("windows", "ps1")):
        assert grant[system]["run"] == f"infra/grant-graph-permission.{suffix}"
        assert (ROOT / grant[system]["run"]).is_file()
        assert grant[system]["continueOnError"] is True
        assert "infra.parameters.webhookUrl" in forget[system]["run"]
        assert "TEAMS_WEBHOOK_URL" in forget[system]["run"]


def test_host_json_is_what_the_host_reads() -> None:
    document = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))

    assert complaints(document, schema("host.json")) == []


def test_the_bindings_of_both_functions_are_what_the_host_reads() -> None:
    done = subprocess.run(
        [sys.executable, "-c", INDEX], cwd=ROOT, capture_output=True, text=True, check=True
    )
    functions = json.loads(done.stdout)
    definitions = schema("function.json")["definitions"]

    assert len(functions) == 2
    for binding in (binding for function in functions for binding in function["bindings"]):
        # The schema as a whole refuses every binding: one of its kinds accepts anything, and only
        # one may accept. So each is held to its own kind. The worker writes directions in capitals.
        kind = "timerTriggerBinding" if binding["type"] == "timerTrigger" else "queueBinding"
        document = {**binding, "direction": binding["direction"].lower()}
        for name in ("bindingBase", kind):
            reference = {"$ref": f"#/definitions/{name}", "definitions": definitions}
            dialect = {"$schema": "http://json-schema.org/draft-04/schema#"}
            assert complaints(document, dialect | reference) == []


@pytest.mark.parametrize("workflow", ["ci.yml", "deploy.yml"])
def test_the_workflows_are_what_github_reads(workflow: str) -> None:
    assert complaints(load_workflow(workflow), schema("github-workflow.json")) == []


def test_only_somebody_who_asks_deploys() -> None:
    document = load_workflow("deploy.yml")

    assert set(document["on"]) == {"pull_request", "workflow_dispatch"}
    assert document["permissions"] == {}
    assert document["jobs"]["azure"]["if"] == "github.event_name == 'workflow_dispatch'"
    assert document["jobs"]["azure"]["needs"] == "validate"
    assert document["on"]["workflow_dispatch"]["inputs"]["action"]["default"] == "preview"
