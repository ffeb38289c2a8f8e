"""Ten faults seeded into a copy of the project, each caught by a check that names it."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.seeded import Copy, copy_project


@dataclass(frozen=True)
class Fault:
    """One change of one file, the test that must fail, and what it must say."""

    file: str
    old: str
    new: str
    test: str
    says: str


OUTPUT = "@description('Where the newest version"

FAULTS = {
    "a wrong property": Fault(
        "infra/modules/storage.bicep",
        "allowSharedKeyAccess: false",
        "allowSharedKeyAcces: false",
        "test_bicep.py::test_the_compiler_says_nothing[infra/main.bicep]",
        'The property "allowSharedKeyAcces" is not allowed',
    ),
    "a module parameter that is missing": Fault(
        "infra/main.bicep",
        "    timeZone: timeZone\n",
        "",
        "test_bicep.py::test_the_compiler_says_nothing[infra/main.bicep]",
        "timeZone",
    ),
    "a wrong table in a query": Fault(
        "infra/queries/check-overdue.kql",
        "AppTraces",
        "AppTrace",
        "test_kql.py::test_microsofts_parser_has_nothing_to_say",
        "check-overdue.kql:3:1 Error",
    ),
    "a wrong column in a query": Fault(
        "infra/queries/function-failing.kql",
        "Function = Name,",
        "Function = FunctionName,",
        "test_kql.py::test_microsofts_parser_has_nothing_to_say",
        "FunctionName",
    ),
    "a secret in an output": Fault(
        "infra/modules/vault.bicep",
        OUTPUT,
        f"@description('A leak.')\noutput leak string = webhookUrl\n\n{OUTPUT}",
        "test_bicep.py::test_the_linter_says_nothing_about_any_file",
        "outputs-should-not-contain-secrets",
    ),
    "shared keys switched on": Fault(
        "infra/modules/storage.bicep",
        "allowSharedKeyAccess: false",
        "allowSharedKeyAccess: true",
        "test_infra_deployed.py::test_storage_takes_identities_only[home]",
        "allowSharedKeyAccess",
    ),
    "a role too many": Fault(
        "infra/resources.bicep",
        "operatorTableNames: take(tableNames, 2)",
        "operatorTableNames: tableNames",
        "test_infra_deployed.py::test_the_rights_are_these_each_on_one_resource[home]",
        "tables/tokenhistory",
    ),
    "a queue renamed in Bicep": Fault(
        "infra/resources.bicep",
        "var queueNames = ['remediation', 'remediation-poison']",
        "var queueNames = ['alerts', 'alerts-poison']",
        "test_infra_contracts.py::test_the_queues_are_those_of_the_code[home]",
        "alerts-poison",
    ),
    "a queue renamed in the code": Fault(
        "apple_tokens/messages.py",
        'QUEUE = "remediation"',
        'QUEUE = "alerts"',
        "test_infra_contracts.py::test_the_queues_are_those_of_the_code[home]",
        "remediation-poison",
    ),
    "a setting dropped in Bicep": Fault(
        "infra/settings.bicep",
        "  ESCALATE_DAYS: '3'\n",
        "",
        "test_infra_contracts.py::test_the_settings_are_the_same_in_code_and_bicep",
        "ESCALATE_DAYS",
    ),
    "a setting dropped in the code": Fault(
        "check_tokens/settings.py",
        'integer(settings, "ESCALATE_DAYS", 3, least=1, most=90)',
        "3",
        "test_infra_contracts.py::test_the_settings_are_the_same_in_code_and_bicep",
        "ESCALATE_DAYS",
    ),
    "a setting dropped in the README": Fault(
        "README.md",
        "| `ESCALATE_DAYS` | `3` |",
        "| | |",
        "test_infra_contracts.py::test_the_settings_are_the_same_in_code_and_readme",
        "ESCALATE_DAYS",
    ),
    "a setting dropped in the local example": Fault(
        "local.settings.example.json",
        '    "ESCALATE_DAYS": "3",\n',
        "",
        "test_infra_contracts.py::test_the_settings_are_the_same_in_code_and_the_local_example",
        "ESCALATE_DAYS",
    ),
    "an event that the code no longer has": Fault(
        "apple_tokens/events.py",
        'tag="source_unread"',
        'tag="source_failed"',
        "test_infra_contracts.py::test_a_query_asks_only_for_events_and_fields_that_the_code_has"
        "[infra/queries/source-unread.kql]",
        "source_unread",
    ),
    "an event that the code no longer logs": Fault(
        "check_tokens/report.py",
        "yield ProblemEscalated(",
        "yield dict(",
        "test_infra_contracts.py::test_every_event_that_a_query_asks_for_is_logged_somewhere"
        "[infra/queries/problem-escalated.kql]",
        "problem_escalated is never logged",
    ),
    "a workbook that is none": Fault(
        "infra/modules/workbook.bicep",
        "      size: part.height\n",
        "      size: part.width\n",
        "test_infra_schemas.py::test_the_workbook_is_one[home]",
        "$.items[1]: ",
    ),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return copy_project(tmp_path_factory.mktemp("seeded"))


def run(copy: Copy, *tests: str) -> tuple[int, str]:
    nodes = [f"tests/{test}" for test in tests]
    done = copy.pytest("-vvv", *nodes)
    skipped = [line for line in done.stdout.splitlines() if "skipped: needs " in line]
    if skipped:
        pytest.skip(skipped[0].partition("skipped: ")[2])
    return done.returncode, done.stdout


@pytest.mark.timeout(180)  # a compiler and a test run for each
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_seeded_fault_is_caught_and_named(copy: Copy, fault: Fault) -> None:
    path = copy.root / fault.file
    before = path.read_bytes()
    copy.replace(fault.file, fault.old, fault.new)
    try:
        status, output = run(copy, fault.test)
    finally:
        path.write_bytes(before)

    assert status == 1, output
    assert fault.says in output


@pytest.mark.timeout(180)
def test_without_a_fault_the_same_tests_pass(copy: Copy) -> None:
    status, output = run(copy, *sorted({fault.test for fault in FAULTS.values()}))

    assert status == 0, output


def test_a_fault_that_no_longer_applies_is_noticed(copy: Copy, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="0 times"):
        copy.replace("infra/main.bicep", "param noSuchParameter", "")
