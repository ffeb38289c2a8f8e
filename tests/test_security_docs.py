"""The security model names the tests that hold it: each is there, and none is left out."""

import re
import subprocess
import sys
from functools import cache

import pytest

from apple_tokens.messages import RemediationMessage
from tests.seeded import ROOT
from tests.test_infra_deployed import ACCESS

DOCUMENT = (ROOT / "docs" / "security.md").read_text("utf-8")
TEST = re.compile(r"`(tests/test_\w+\.py(?:::\w+)+)`")
# Modules that are about nothing but security: each of their tests must hold some claim.
WHOLE = (
    "tests/test_card_links.py",
    "tests/test_rendering_hostile.py",
    "tests/test_secret_scan.py",
    "tests/test_sources_hygiene.py",
)
ELSEWHERE = {
    # About memory and start-up time, with the same server.
    "tests/test_sources_hygiene.py::test_a_whole_reading_loads_no_generated_model_of_the_sdk",
}


def rows_under(head: str) -> list[list[str]]:
    """Return the rows of all tables with this head."""
    found, inside = list[list[str]](), False
    for line in DOCUMENT.splitlines():
        if line.startswith("|---") and inside:
            continue
        inside = line == head or (inside and line.startswith("|"))
        if inside and line != head:
            found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


CLAIMS = rows_under("| Claim | Held by |")
NAMED = sorted({test for _, held_by in CLAIMS for test in TEST.findall(held_by)})


@cache
def collected(*files: str) -> frozenset[str]:
    """Return the tests that pytest finds in these files, without their parameters."""
    options = (
        "--collect-only",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        "-p",
        "no:cov",
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *files],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    return frozenset(line.partition("[")[0] for line in done.stdout.splitlines() if "::" in line)


@pytest.mark.parametrize("claim, held_by", CLAIMS)
def test_a_claim_is_held_by_tests_and_nothing_else(claim: str, held_by: str) -> None:
    assert claim
    for name in held_by.split("<br>"):
        assert TEST.fullmatch(name), f"{claim}: {name!r} is no test"


def test_every_table_about_claims_is_read() -> None:
    assert len(CLAIMS) > 30
    assert set(TEST.findall(DOCUMENT)) == set(NAMED)


@pytest.mark.timeout(180)  # collects a third of the suite
def test_every_test_that_holds_a_claim_is_run() -> None:
    files = {test.partition("::")[0] for test in NAMED}

    assert set(NAMED) - collected(*sorted(files)) == set()


@pytest.mark.timeout(180)
def test_every_test_about_security_alone_holds_a_claim() -> None:
    assert collected(*WHOLE) - set(NAMED) == ELSEWHERE


def test_the_rights_told_are_those_deployed() -> None:
    told = [tuple(row[:3]) for row in rows_under("| Who | Azure role | On | So it could |")]

    assert len(told) == len(ACCESS)
    assert set(told) == ACCESS


def test_a_message_has_no_field_for_an_address_or_for_words() -> None:
    text = {"tenant"}  # its name, which a card shows as text of others
    ids = {"kind", "batch", "problem", "reason", "stage", "severity"}
    figures = {"version", "checked_at", "check_date", "count"}

    assert set(RemediationMessage.__struct_fields__) == text | ids | figures
