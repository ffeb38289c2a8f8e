"""What stands in more than one place is the same in all of them: settings, names, events."""

import ast
import json
import re
from collections.abc import Iterator, Mapping

import pytest

from apple_tokens import events, messages, tables
from apple_tokens.settings import CONNECTION
from check_tokens.settings import Settings as CheckSettings
from notify.settings import Settings as NotifySettings
from tests.bicep_cli import app_settings, of_type, snapshot_text
from tests.seeded import ROOT, project_files

pytestmark = pytest.mark.xdist_group("bicep")  # each deployment is compiled once

PLATFORM_IN_AZURE = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__queueServiceUri",
    "AzureWebJobsStorage__tableServiceUri",
}
PLATFORM_LOCALLY = {"AzureWebJobsStorage", "FUNCTIONS_WORKER_RUNTIME"}
SANDBOX_ONLY = {"GRAPH_ENDPOINT"}
GIVEN_BY_A_PARAMETER = {
    "AZURE_CLIENT_ID",
    "LANGUAGE",
    "TEAMS_WEBHOOK_URL",
    "TENANT_ID",
    "TIME_ZONE",
}
"""In Azure these have no default: the deployment knows them or asks for them."""

QUERIES = project_files("infra/queries/*.kql")
EVENTS: dict[str, type[events.Event]] = {
    str(event.__struct_config__.tag): event for event in events.Event.__subclasses__()
}


class Asked(Mapping[str, str]):
    """Settings that remember what they were asked for."""

    def __init__(self, **values: str) -> None:
        self.names = set[str]()
        self._values = values

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def read_by_code() -> set[str]:
    """Return what the two functions read, and what the host resolves in their triggers."""
    asked = Asked(TENANT_ID="t", TEAMS_WEBHOOK_URL="https://example.test/?sig=planted-fake")
    CheckSettings.from_env(asked)
    NotifySettings.from_env(asked)
    resolved = re.findall(
        r"%(\w+)%", read("check_tokens/blueprint.py") + read("notify/blueprint.py")
    )
    return (asked.names | set(resolved)) - SANDBOX_ONLY


def set_by_bicep() -> set[str]:
    return set(app_settings(snapshot_text("home"))) - PLATFORM_IN_AZURE


def in_the_readme() -> dict[str, str]:
    """Return the table of settings with their defaults."""
    table = read("README.md").split("## Settings")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", table, re.MULTILINE))


def local() -> dict[str, str]:
    return dict(json.loads(read("local.settings.example.json"))["Values"])


def test_the_settings_are_the_same_in_code_and_bicep() -> None:
    assert set_by_bicep() == read_by_code()


def test_the_settings_are_the_same_in_code_and_readme() -> None:
    assert set(in_the_readme()) == read_by_code()


def test_the_settings_are_the_same_in_code_and_the_local_example() -> None:
    assert set(local()) - PLATFORM_LOCALLY == read_by_code()
    assert set(local()) >= PLATFORM_LOCALLY


def test_what_is_for_the_sandbox_never_gets_into_a_deployment() -> None:
    for path in project_files("infra/*", "infra/**", "azure.yaml"):
        assert "GRAPH_ENDPOINT" not in read(path), path


def test_defaults_are_the_same_in_bicep_readme_and_the_local_example() -> None:
    deployed = app_settings(snapshot_text("home"))
    readme = in_the_readme()

    for name in set_by_bicep() - GIVEN_BY_A_PARAMETER:
        assert readme[name] == (f"`{deployed[name]}`" if deployed[name] else "empty"), name
        assert local()[name] == deployed[name], name


def test_the_defaults_of_bicep_are_what_the_code_takes_without_any() -> None:
    required = {"TENANT_ID": "t", "TEAMS_WEBHOOK_URL": "https://example.test/?sig=planted-fake"}
    deployed = app_settings(snapshot_text("home"))
    defaults = {name: deployed[name] for name in set_by_bicep() - GIVEN_BY_A_PARAMETER}

    for settings in (CheckSettings, NotifySettings):
        bare, full = settings.from_env(required), settings.from_env(required | defaults)
        for name in settings.__struct_fields__:
            if name != "webhook":  # compares by identity, so that nothing shows it
                assert getattr(bare, name) == getattr(full, name), name


def test_the_languages_that_can_be_deployed_are_those_that_can_be_shown() -> None:
    allowed = re.search(
        r"@allowed\(\[(.*?)\]\)\n.*\n?param language", read("infra/main.bicep"), re.DOTALL
    )

    assert allowed
    for language in re.findall(r"'([^']+)'", allowed[1]):
        settings = {"TEAMS_WEBHOOK_URL": "https://example.test/?sig=planted-fake"}
        NotifySettings.from_env(settings | {"LANGUAGE": language})


@pytest.mark.parametrize("name", ["home", "group"])
def test_the_queues_are_those_of_the_code(name: str) -> None:
    queues = of_type(snapshot_text(name), "Microsoft.Storage/storageAccounts/queueServices/queues")

    assert {queue["name"].rsplit("/", 1)[1] for queue in queues} == {
        messages.QUEUE,
        f"{messages.QUEUE}-poison",
    }
    assert f"'{messages.QUEUE}-poison'" in read("infra/queries/alert-undelivered.kql")


@pytest.mark.parametrize("name", ["home", "group"])
def test_the_tables_are_those_of_the_code(name: str) -> None:
    made = of_type(snapshot_text(name), "Microsoft.Storage/storageAccounts/tableServices/tables")

    assert {table["name"].rsplit("/", 1)[1] for table in made} == {
        tables.STATUS,
        tables.ALERTS,
        tables.HISTORY,
    }


def test_the_storage_is_connected_under_the_name_that_the_code_uses() -> None:
    connections = {name.partition("__")[0] for name in PLATFORM_IN_AZURE if "__" in name}

    assert connections == {CONNECTION}


def named_events(query: str) -> set[str]:
    """Return the events that a query asks for."""
    compared = re.findall(r"(?:e\.event\)?|Event)\)? (?:== |in \()([^)\n|]+)", query)
    return set(re.findall(r'"(\w+)"', " ".join(compared)))


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_asks_only_for_events_and_fields_that_the_code_has(query: str) -> None:
    text = read(query)
    named = named_events(text)
    fields = set(re.findall(r'\be(?:\.|\[")(\w+)', text)) - {"event"}
    nested = set(re.findall(r'\bt(?:\.|\[")(\w+)', text))

    assert named <= set(EVENTS)
    assert named or "AppRequests" in text or "isnotempty" in text
    known = {field for name in named for field in EVENTS[name].__struct_encode_fields__}
    assert fields <= known
    assert nested <= set(events.TokenCount.__struct_encode_fields__)


@pytest.mark.parametrize("query", QUERIES)
def test_every_event_that_a_query_asks_for_is_logged_somewhere(query: str) -> None:
    called = {
        node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
        for path in project_files("check_tokens/*.py", "notify/*.py", "apple_tokens/*.py")
        for node in ast.walk(ast.parse(read(path)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name)
    } | {
        # An event chosen first and made afterwards stands there without a call.
        node.attr
        for path in project_files("check_tokens/*.py", "notify/*.py")
        for node in ast.walk(ast.parse(read(path)))
        if isinstance(node, ast.Attribute)
    }

    for name in named_events(read(query)):
        assert EVENTS[name].__name__ in called, f"{name} is never logged"


def test_the_alarms_rest_on_log_levels_that_the_host_lets_through() -> None:
    logging = json.loads(read("host.json"))["logging"]
    levels = logging["logLevel"]

    assert logging["applicationInsights"]["samplingSettings"] == {"isEnabled": False}
    assert levels["default"] == "Information"
    # Host.Results are the runs that the alarm of the failing function counts; Host.Triggers and the
    # extensions tell of the poison queue.
    quiet = {name for name, level in levels.items() if level != "Information"}
    assert quiet <= {"Azure.Core", "Host.Aggregator"}


def test_the_runbook_describes_every_event_with_its_fields() -> None:
    section = read("docs/operations.md").split("## Events")[1].split("\n## ")[0]
    described = {
        name: set(re.findall(r"`(\w+)`", fields))
        for name, fields in re.findall(r"^\| `(\w+)` \|[^|]*\| (.*) \|$", section, re.MULTILINE)
    }

    assert set(described) == set(EVENTS)
    for name, event in EVENTS.items():
        assert described[name] == set(event.__struct_encode_fields__) - {"tenant_id"}, name


def test_what_each_alarm_says_to_read_is_there() -> None:
    headings = set(re.findall(r"^#+ (.+)$", read("docs/operations.md"), re.MULTILINE))

    for rule in of_type(snapshot_text("home"), "Microsoft.Insights/scheduledQueryRules"):
        chapter = re.search(r'docs/operations\.md, "([^"]+)"', rule["properties"]["description"])
        assert chapter, rule["name"]
        assert chapter[1] in headings


def test_the_mail_about_the_missing_check_says_that_the_first_may_be_none() -> None:
    rules = of_type(snapshot_text("changed"), "Microsoft.Insights/scheduledQueryRules")
    description = next(r for r in rules if r["name"] == "check-overdue")["properties"][
        "description"
    ]

    assert "first hour after a deployment" in description
    assert "30 hours" in description
