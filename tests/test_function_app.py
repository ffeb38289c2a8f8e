"""The app as the host sees it: a name that changes here breaks what was deployed with it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from apple_tokens.storage import PATIENCE, table_endpoint, table_service
from check_tokens.blueprint import SOURCE_DEADLINE_S
from check_tokens.settings import Settings as CheckSettings
from notify.delivery import MAX_DEQUEUE_COUNT, POST_DEADLINE_S
from notify.settings import Settings as NotifySettings

ROOT = Path(__file__).resolve().parent.parent

# In a process of its own: an app can be indexed only once, and what is loaded by then shows what
# starting costs.
INDEX = """
import json, sys
import function_app
functions = [
    {"name": f.get_function_name(), "retry": f.get_settings_dict("retry_policy")}
    | f.get_dict_repr()
    for f in function_app.app.get_functions()
]
json.dump({"functions": functions, "modules": sorted(sys.modules)}, sys.stdout, default=str)
"""


@pytest.fixture(scope="module")
def indexed() -> dict[str, Any]:
    """Index the app as the worker does, without any setting."""
    done = subprocess.run(
        [sys.executable, "-c", INDEX],
        cwd=ROOT,
        env={name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def host() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    return document


def seconds(clock: str) -> float:
    hours, minutes, secs = map(int, clock.split(":"))
    return timedelta(hours=hours, minutes=minutes, seconds=secs).total_seconds()


class TestTheFunctions:
    def test_are_one_of_a_timer_and_one_of_a_queue(self, indexed: dict[str, Any]) -> None:
        assert indexed["functions"] == [
            {
                "name": "check_tokens",
                "scriptFile": "function_app.py",
                "bindings": [
                    {
                        "direction": "OUT",
                        "type": "queue",
                        "name": "tickets",
                        "queueName": "remediation",
                        "connection": "AzureWebJobsStorage",
                    },
                    {
                        "direction": "IN",
                        "type": "timerTrigger",
                        "name": "timer",
                        "schedule": "%CHECK_SCHEDULE%",
                        "runOnStartup": False,
                        "useMonitor": True,
                    },
                ],
                "retry": None,
            },
            {
                "name": "notify",
                "scriptFile": "function_app.py",
                "bindings": [
                    {
                        "direction": "IN",
                        "type": "queueTrigger",
                        "name": "ticket",
                        "queueName": "remediation",
                        "connection": "AzureWebJobsStorage",
                    }
                ],
                "retry": None,
            },
        ]

    def test_load_none_of_the_thousand_generated_models_of_graph(
        self, indexed: dict[str, Any]
    ) -> None:
        assert not [name for name in indexed["modules"] if name.startswith("msgraph.generated")]

    def test_load_nothing_of_the_sandbox_and_of_the_tests(self, indexed: dict[str, Any]) -> None:
        loaded = {name.partition(".")[0] for name in indexed["modules"]}

        assert {"apple_tokens", "check_tokens", "notify"} <= loaded
        assert not loaded & {"admin", "sandbox", "tests", "pytest"}

    def test_are_found_in_code_only(self) -> None:
        # Beside function_app.py the host takes such a file for an app of the older model.
        assert not list(ROOT.glob("function.json")) + list(ROOT.glob("*/function.json"))


class TestTheHost:
    def test_takes_one_message_at_a_time(self) -> None:
        # Two cards at once would be throttled by the workflow, and could overtake each other.
        queues = host()["extensions"]["queues"]

        assert (queues["batchSize"], queues["newBatchThreshold"]) == (1, 0)

    def test_lets_five_minutes_pass_between_two_deliveries(self) -> None:
        # The default is none: five failures within a second, and the alert is in the poison queue.
        assert host()["extensions"]["queues"]["visibilityTimeout"] == "00:05:00"

    def test_gives_up_after_as_many_deliveries_as_notify_counts(self) -> None:
        assert host()["extensions"]["queues"]["maxDequeueCount"] == MAX_DEQUEUE_COUNT == 5

    def test_ends_no_function_before_its_own_deadlines(self) -> None:
        limit_s = seconds(host()["functionTimeout"])

        assert limit_s == 600
        assert max(SOURCE_DEADLINE_S, POST_DEADLINE_S) < limit_s / 2
        # Whatever hangs, an error is raised before the host ends the process without a word.
        assert max(SOURCE_DEADLINE_S, POST_DEADLINE_S) + PATIENCE.longest_s < limit_s

    def test_loses_no_event_to_sampling(self) -> None:
        sampling = host()["logging"]["applicationInsights"]["samplingSettings"]

        assert sampling == {"isEnabled": False}

    def test_forwards_the_events_of_every_level(self) -> None:
        assert host()["logging"]["logLevel"]["default"] == "Information"

    def test_has_the_extensions_of_timer_and_queue(self) -> None:
        assert host()["version"] == "2.0"
        assert host()["extensionBundle"] == {
            "id": "Microsoft.Azure.Functions.ExtensionBundle",
            "version": "[4.*, 5.0.0)",
        }


class Asked(Mapping[str, str]):
    """Settings that remember which of them were asked for."""

    def __init__(self, **values: str) -> None:
        self._values = values
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("settings are asked for by name")

    def __len__(self) -> int:
        return len(self._values)


class TestTheSettings:
    def test_of_check_tokens_have_the_names_that_are_documented(self) -> None:
        settings = Asked(TENANT_ID="5f0c8b1e")

        CheckSettings.from_env(settings)

        assert settings.names == {
            "ADE_SYNC_ERRORS",
            "AZURE_CLIENT_ID",
            "CHECK_AT",
            "DIGEST_WEEKDAY",
            "ESCALATE_DAYS",
            "GRAPH_CLOUD",
            "GRAPH_ENDPOINT",
            "REMIND_DAYS",
            "REPEAT_CRITICAL_DAYS",
            "STALE_SYNC_HOURS_ADE",
            "STALE_SYNC_HOURS_VPP",
            "TENANT_ID",
            "TENANT_NAME",
            "TIME_ZONE",
        }

    def test_of_notify_have_the_names_that_are_documented(self) -> None:
        settings = Asked(TEAMS_WEBHOOK_URL="http://127.0.0.1:1/?sig=FAKE")

        NotifySettings.from_env(settings)

        assert settings.names == {
            "GRAPH_CLOUD",
            "LANGUAGE",
            "TEAMS_PAYLOAD",
            "TEAMS_WEBHOOK_URL",
            "TIME_ZONE",
        }

    async def test_of_the_storage_are_those_of_the_hosts_own_connection(self) -> None:
        settings = Asked(AzureWebJobsStorage__accountName="tokenwatch")

        assert table_endpoint(settings) == "https://tokenwatch.table.core.windows.net"
        async with table_service(settings):
            pass

        assert settings.names == {
            "AZURE_CLIENT_ID",
            "AzureWebJobsStorage",
            "AzureWebJobsStorage__accountName",
            "AzureWebJobsStorage__clientId",
            "AzureWebJobsStorage__tableServiceUri",
        }
