"""The queries: correct Kusto over the tables that Azure has, and loaded by Bicep."""

import re
import subprocess
from pathlib import Path

import pytest

from sandbox import node
from sandbox.npm import npm_file
from tests.seeded import ROOT, project_files

QUERIES = project_files("infra/queries/*.kql")
TEMPLATES = project_files("infra/**/*.bicep", "infra/*.bicep")


def complaints(*queries: str | Path) -> list[str]:
    """Ask Microsoft's parser about the queries, over the columns of the Azure Monitor tables."""
    found = node.find()
    try:
        parser = npm_file("@kusto/language-service-next/Kusto.Language.Bridge.js").parent
    except FileNotFoundError as error:
        pytest.skip(f"needs Microsoft's Kusto parser: {error}")
    if found is None:
        pytest.skip("needs Node.js")
    tests = ROOT / "tests"
    tables = tests / "schemas" / "azure-monitor-tables.json"
    done = subprocess.run(
        [found.path, tests / "kql_check.cjs", parser, tables, *queries],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return done.stdout.splitlines()


def test_microsofts_parser_has_nothing_to_say() -> None:
    assert complaints(*QUERIES) == []


@pytest.mark.parametrize(
    "query, complaint",
    [
        ("AppTrace | take 1", "AppTrace"),
        ("AppTraces | project Massage", "Massage"),
        ("AppTraces | where SeverityLevel > 'high'", "Error"),
        ("AppTraces | wher true", "Error"),
    ],
)
def test_the_parser_sees_wrong_tables_columns_types_and_operators(
    tmp_path: Path, query: str, complaint: str
) -> None:
    file = tmp_path / "wrong.kql"
    file.write_text(query, encoding="utf-8")

    assert any(complaint in line for line in complaints(file))


def test_bicep_loads_every_query_once_and_holds_none_itself() -> None:
    templates = {path: (ROOT / path).read_text(encoding="utf-8") for path in TEMPLATES}
    loaded = [
        f"infra/{name}"
        for text in templates.values()
        for name in re.findall(r"loadTextContent\('\.\./(queries/[\w-]+\.kql)'\)", text)
    ]

    assert sorted(loaded) == QUERIES
    for path, text in templates.items():
        assert not re.search(r"\bApp[A-Z]\w+\s*(\\n)?\|", text), f"a query stands in {path}"


def test_every_query_says_what_it_answers() -> None:
    for query in QUERIES:
        assert (ROOT / query).read_text(encoding="utf-8").startswith("// ")
