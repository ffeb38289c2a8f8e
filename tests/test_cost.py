"""What the app costs, in counts: modules at its start, requests and transactions of its checks.

Seconds depend on the machine; these figures do not. The last test adds the faults that would
cost most, each of which fails a test here that names it.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any

import pytest

from sandbox.azurite import Azurite
from sandbox.graph_objects import GraphSource
from sandbox.large_tenant import large_tenant
from sandbox.stage import Stage
from sandbox.storage_proxy import StorageProxy
from tests.seeded import copy_project

ROOT = Path(__file__).resolve().parent.parent
NOW = datetime(2026, 3, 2, 8, 5, tzinfo=UTC)
DAY, HALF_AN_HOUR = timedelta(days=1), timedelta(minutes=30)
ROWS_OF_A_QUERY, ROWS_OF_A_TRANSACTION = 1_000, 100
MAX_MODULES = 360
"""At start, the standard library's included: 340 of them on 3.13."""
LATER = {"msgraph_core", "httpx", "azure.identity", "azure.core", "azure.data"}
"""What a run loads when it comes to it."""

# In a process of its own, since an app is indexed once. What takes its time is heard of as an audit
# event, or, for the derivation of keys, which raises none, at the functions of hashlib.
START = """
import hashlib, json, sys
sys.path.insert(0, sys.argv[1])
SLOW = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "time.sleep"}
slow = []
def derive(*arguments, **options):
    slow.append("key derivation")
    return bytes(32)
hashlib.pbkdf2_hmac = hashlib.scrypt = derive
sys.addaudithook(lambda event, arguments: slow.append(event) if event in SLOW else None)
import function_app
names = [each.get_function_name() for each in function_app.app.get_functions()]
json.dump({"functions": names, "modules": sorted(sys.modules), "slow": slow}, sys.stdout)
"""


@pytest.fixture(scope="module")
def start() -> dict[str, Any]:
    """Import and index the app, without any setting."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", START, ROOT],
        env={name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


class TestTheStart:
    def test_loads_nothing_of_the_generated_sdk(self, start: dict[str, Any]) -> None:
        generated = [name for name in start["modules"] if name.split(".")[0] == "msgraph"]

        assert generated == [], "loading one generated model loads over 1,200 modules"

    def test_loads_no_library_that_only_a_run_needs(self, start: dict[str, Any]) -> None:
        assert LATER.isdisjoint(start["modules"]), "a start loads what only a run needs"

    def test_loads_no_more_modules_than_it_did(self, start: dict[str, Any]) -> None:
        assert len(start["functions"]) == 2
        assert len(start["modules"]) <= MAX_MODULES

    def test_waits_for_nobody_and_derives_no_key(self, start: dict[str, Any]) -> None:
        assert start["slow"] == [], "the import of the app waits, and with it every cold start"


@pytest.fixture
async def proxy(azurite: Azurite, storage: str) -> AsyncIterator[StorageProxy]:
    assert storage  # emptied
    async with StorageProxy(azurite) as proxy:
        yield proxy


def spent(proxy: StorageProxy) -> Counter[str]:
    """Count the requests to the tables since the last time, by what they are for."""
    counted = Counter(
        f"{method} {path.rpartition('/')[2]}"
        for method, _, path in (request.partition(" ") for request in proxy.table.requests)
    )
    proxy.table.requests.clear()
    return counted


@pytest.mark.e2e
@pytest.mark.parametrize("n_vpp", [20, 900])
async def test_a_check_reads_a_thousand_rows_a_query_and_writes_a_hundred_a_transaction(
    n_vpp: int, azurite: Azurite, proxy: StorageProxy
) -> None:
    n_ade = 130
    n_tokens = n_ade + n_vpp + 1
    tenant = large_tenant(NOW, n_ade=n_ade, n_vpp=n_vpp, n_problems=0)
    async with Stage(tenant, NOW, azurite=azurite) as stage:
        stage.environment["AzureWebJobsStorage"] = proxy.connection_string
        await stage.tick(NOW)
        # The first change makes the table of the history, the second only writes to it.
        for day, changed in ((DAY, 1), (2 * DAY, n_ade)):
            for token in tenant.objects(GraphSource.ADE)[:changed]:
                tenant.change(str(token["id"]), NOW + day, syncedDeviceCount=4_000 + day.days)
            tenant.sync(NOW + day)
            spent(proxy)
            await stage.tick(NOW + day)

        counted = spent(proxy)
        status = 1 + ceil(n_tokens / ROWS_OF_A_QUERY)  # the run rows, then the tokens
        assert counted.pop("GET tokenstatus()") == status
        assert counted.pop("GET tokenalerts()") == 1
        written = (n_ade, n_tokens, 4)  # history, status, run rows
        transactions = sum(ceil(rows / ROWS_OF_A_TRANSACTION) for rows in written)
        assert counted.pop("POST $batch") == transactions, "rows are not written by the hundred"
        assert not counted, "requests of no known use"

        await stage.tick(NOW + 2 * DAY + HALF_AN_HOUR)

        assert spent(proxy) == {"GET tokenstatus()": 1}, "a tick with nothing due has one request"


A_HUNDRED = "list(islice(operations, TRANSACTION_ROWS))"
ONE = "list(islice(operations, 1))"
BLUEPRINT = "blueprint = func.Blueprint()\n"
FAULTS = {
    "a generated model": (
        "notify/blueprint.py",
        "import azure.functions as func\n",
        "import azure.functions as func\nfrom msgraph.generated.models.vpp_token import VppToken\n",
        "TestTheStart",
        "loading one generated model loads over 1,200 modules",
    ),
    "a library at start": (
        "notify/blueprint.py",
        "import azure.functions as func\n",
        "import azure.functions as func\nimport azure.data.tables\n",
        "TestTheStart",
        "a start loads what only a run needs",
    ),
    "a row a transaction": (
        "apple_tokens/partition.py",
        A_HUNDRED,
        ONE,
        "test_a_check_reads and 20",
        "rows are not written by the hundred",
    ),
    "a look-up at import": (
        "notify/blueprint.py",
        BLUEPRINT,
        f"import socket\n\nsocket.getaddrinfo('127.0.0.1', 443)\n{BLUEPRINT}",
        "TestTheStart",
        "the import of the app waits, and with it every cold start",
    ),
    "a key derived at import": (
        "notify/blueprint.py",
        BLUEPRINT,
        f"import hashlib\n\nhashlib.scrypt(b'', salt=b'', n=2, r=1, p=1)\n{BLUEPRINT}",
        "TestTheStart",
        "the import of the app waits, and with it every cold start",
    ),
}


@pytest.mark.timeout(180)  # a further pytest, of which one starts a storage emulator
@pytest.mark.e2e
@pytest.mark.parametrize("file,old,new,tests,reason", FAULTS.values(), ids=FAULTS)
def test_what_would_cost_most_fails_a_test_that_says_why(
    file: str, old: str, new: str, tests: str, reason: str, tmp_path: Path
) -> None:
    copy = copy_project(tmp_path)
    copy.replace(file, old, new)

    done = copy.pytest("tests/test_cost.py", "-k", tests)

    assert done.returncode == 1, done.stdout
    assert f"AssertionError: {reason}" in done.stdout
