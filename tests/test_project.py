"""The project's own files: what they say of each other is true."""

import ast
import importlib.metadata
import json
import re
import socket
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from pytest_socket import SocketConnectBlockedError

from tests.seeded import ROOT, Copy, copy_project, project_files

DEPLOYED_LOCK, DEVELOPMENT_LOCK = "requirements.txt", "requirements-dev.txt"
NODE_LOCK = "sandbox/requirements-node.txt"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PLATFORMS = (("linux", "posix"), ("darwin", "posix"), ("win32", "nt"))


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def pyproject() -> dict[str, Any]:
    return tomllib.loads(read("pyproject.toml"))


def pins(lock: str) -> Iterator[tuple[Requirement, list[str]]]:
    """Yield each pinned package of a lock with its hashes."""
    for entry in read(lock).replace("\\\n", " ").splitlines():
        if entry.strip() and not entry.lstrip().startswith("#"):
            requirement, *hashes = re.split(r"\s+--hash=", entry.strip())
            yield Requirement(requirement), hashes


def environments() -> Iterator[dict[str, str]]:
    """Yield every Python on every platform that a lock must serve."""
    this_machine = {key: str(value) for key, value in default_environment().items()}
    for python in PYTHONS:
        for sys_platform, os_name in PLATFORMS:
            machine = {"sys_platform": sys_platform, "os_name": os_name}
            version = {"python_version": python, "python_full_version": f"{python}.0"}
            yield this_machine | machine | version


def pinned(lock: str, environment: dict[str, str]) -> dict[str, Version]:
    """Resolve a lock for one environment, as an installer would."""
    return {
        canonicalize_name(pin.name): Version(str(pin.specifier).removeprefix("=="))
        for pin, _ in pins(lock)
        if pin.marker is None or pin.marker.evaluate(environment)
    }


@pytest.mark.parametrize(
    "lock, group", [(DEPLOYED_LOCK, None), (DEVELOPMENT_LOCK, "dev"), (NODE_LOCK, "node")]
)
def test_a_lock_holds_what_is_declared_on_every_python_and_platform(
    lock: str, group: str | None
) -> None:
    declared = pyproject()["dependency-groups"][group] if group else []
    if lock != NODE_LOCK:
        declared = declared + pyproject()["project"]["dependencies"]

    for environment in environments():
        locked = pinned(lock, environment)
        for requirement in map(Requirement, declared):
            if requirement.marker is None or requirement.marker.evaluate(environment):
                name = canonicalize_name(requirement.name)
                assert name in locked, f"{name} is missing: run `make lock`"
                assert requirement.specifier.contains(locked[name]), f"{name}: run `make lock`"


def test_what_is_tested_has_the_versions_of_what_is_deployed() -> None:
    for environment in environments():
        developed = pinned(DEVELOPMENT_LOCK, environment)
        deployed = pinned(DEPLOYED_LOCK, environment)
        assert deployed.items() <= developed.items()


@pytest.mark.parametrize("lock", [DEPLOYED_LOCK, DEVELOPMENT_LOCK, NODE_LOCK])
def test_a_lock_pins_each_package_by_hash_and_names_no_registry(lock: str) -> None:
    assert all(hashes for _, hashes in pins(lock))
    assert "://" not in read(lock)
    assert "--index" not in read(lock)


@pytest.mark.parametrize("lock", [DEPLOYED_LOCK, DEVELOPMENT_LOCK])
def test_an_extra_that_one_package_asks_of_another_is_pinned_with_it(lock: str) -> None:
    # pip 23, which comes with Python 3.11, otherwise takes the newest version for the extra, and
    # refuses it for want of a hash: the day that httpx is released, no deployment would build.
    pinned_extras = {canonicalize_name(pin.name): pin.extras for pin, _ in pins(lock)}
    for package in pinned_extras.keys() & installed_packages().keys():
        for requirement in map(Requirement, installed_packages()[package].requires or []):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                name = canonicalize_name(requirement.name)
                assert requirement.extras <= pinned_extras.get(name, set()), f"{package}: {name}"


@cache
def installed_packages() -> dict[str, importlib.metadata.Distribution]:
    found = importlib.metadata.distributions()
    return {canonicalize_name(distribution.name): distribution for distribution in found}


def test_the_npm_lock_pins_each_package_by_hash_and_names_no_registry() -> None:
    wanted = json.loads(read("sandbox/package.json"))["dependencies"]
    packages = json.loads(read("sandbox/package-lock.json"))["packages"]
    top = packages.pop("")

    assert top["dependencies"] == wanted
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not any("resolved" in package for package in packages.values())


@pytest.mark.parametrize("workflow", project_files(".github/workflows"))
def test_a_workflow_takes_each_action_by_the_hash_of_a_commit(workflow: str) -> None:
    used = re.findall(r"^\s*(?:- )?uses: (\S+)", read(workflow), re.MULTILINE)

    assert used
    assert all(re.fullmatch(r"[\w/.-]+@[0-9a-f]{40}", action) for action in used)
    assert "permissions: {}" in read(workflow)  # each job names what it may do


def test_all_files_agree_on_the_pythons_that_are_served() -> None:
    served = SpecifierSet(pyproject()["project"]["requires-python"])
    matrix = re.search(r"python: (\[.*\])", read(".github/workflows/ci.yml"))
    starter = re.search(r"OLDEST, NEWEST = \(3, (\d+)\), \(3, (\d+)\)", read("sandbox/__main__.py"))

    assert [f"3.{minor}" for minor in range(30) if f"3.{minor}" in served] == list(PYTHONS)
    assert matrix
    assert json.loads(matrix[1]) == list(PYTHONS)
    assert starter
    assert (f"3.{starter[1]}", f"3.{starter[2]}") == (PYTHONS[0], PYTHONS[-1])
    assert f'target-version = "py{PYTHONS[0].replace(".", "")}"' in read("pyproject.toml")


@pytest.mark.parametrize("module", ["__init__", "__main__"])
def test_a_python_too_old_for_the_project_can_still_read_the_starter(module: str) -> None:
    ast.parse(read(f"sandbox/{module}.py"), feature_version=(3, 7))


@pytest.mark.parametrize("module", ["__init__", "__main__", "bootstrap", "node"])
def test_the_set_up_needs_the_standard_library_only(module: str) -> None:
    for node in ast.walk(ast.parse(read(f"sandbox/{module}.py"))):
        if isinstance(node, ast.Import):
            imported = {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported = {(node.module or "").partition(".")[0]}
        else:
            continue
        assert imported <= sys.stdlib_module_names | {"sandbox"}


@pytest.mark.parametrize("path", project_files("*.json"))
def test_every_json_file_is_json(path: str) -> None:
    if Path(path).name != "bicepconfig.json":  # Bicep reads its own with comments
        json.loads(read(path))


def test_every_make_target_is_one_line_and_a_command_of_the_sandbox() -> None:
    targets = re.findall(r"^(\w+): ; \$\(PYTHON\) -m sandbox (\w+)", read("Makefile"), re.MULTILINE)
    phony = re.search(r"^\.PHONY: (.*)$", read("Makefile"), re.MULTILINE)
    commands = re.findall(r"^  (\w+) ", read("sandbox/__main__.py"), re.MULTILINE)

    assert phony
    assert [target for target, _ in targets] == phony[1].split() == commands
    assert all(target == command for target, command in targets)


def test_every_exception_to_a_tools_rule_has_its_reason_beside_it() -> None:
    for line in read("pyproject.toml").splitlines():
        if re.match(r'    "[A-Z]+\d*",', line):
            assert re.search(r"# \S+", line), f"no reason: {line}"


def test_no_module_is_longer_than_250_lines() -> None:
    modules = [path for path in project_files("*.py") if not path.startswith("tests/")]
    lengths = {module: len(read(module).splitlines()) for module in modules}

    assert {module: length for module, length in lengths.items() if length > 250} == {}


def test_a_test_that_reaches_out_of_this_machine_fails() -> None:
    with socket.socket() as outside, pytest.raises(SocketConnectBlockedError):
        outside.connect(("192.0.2.1", 80))  # reserved for documentation


NEEDY_TEST = """
import pytest

def test_needy():
    pytest.skip("needs a browser: Chromium")

def test_other():
    pytest.skip("not on a Sunday")
"""


GROUPED_TESTS = """\
import os
from pathlib import Path

import pytest

@pytest.mark.xdist_group("costly")
@pytest.mark.parametrize("number", range(8))
def test_grouped(number):
    Path(os.environ["PYTEST_XDIST_WORKER"] + ".took_part").touch()
"""


def copy_with_tests(tmp_path: Path, tests: str) -> Copy:
    fixtures = ("__init__", "conftest", "fixtures_*", "survival")
    needed = [f"tests/{name}.py" for name in fixtures]
    copy = copy_project(tmp_path, "pyproject.toml", "sandbox/*.py", *needed)
    (copy.root / "tests" / "test_copied.py").write_text(tests, encoding="utf-8")
    return copy


@pytest.mark.parametrize("workers", ["-n0", "-n1"])
def test_a_test_that_a_machine_cannot_run_is_named_at_the_end(tmp_path: Path, workers: str) -> None:
    done = copy_with_tests(tmp_path, NEEDY_TEST).pytest(workers, "tests")

    assert done.returncode == 0, done.stdout
    assert "NOT TESTED ON THIS MACHINE" in done.stdout
    assert "1 skipped: needs a browser: Chromium" in done.stdout
    assert "1 skipped: not on a Sunday" not in done.stdout


def test_where_everything_is_required_such_a_skip_is_a_failure(tmp_path: Path) -> None:
    done = copy_with_tests(tmp_path, NEEDY_TEST).pytest("tests", TOKENWATCH_REQUIRE_ALL="1")

    assert done.returncode == 1, done.stdout
    assert "1 failed, 1 skipped" in done.stdout
    assert "needs a browser: Chromium, and TOKENWATCH_REQUIRE_ALL" in done.stdout


def test_tests_that_share_something_costly_run_in_one_worker(tmp_path: Path) -> None:
    copy = copy_with_tests(tmp_path, GROUPED_TESTS)

    done = copy.pytest("--numprocesses=2", "--dist=loadgroup", "tests")

    assert done.returncode == 0, done.stdout
    assert len(list(copy.root.glob("*.took_part"))) == 1


def test_a_seeded_fault_makes_a_test_of_the_copy_fail(tmp_path: Path) -> None:
    copy = copy_project(
        tmp_path, "pyproject.toml", "requirements*.txt", "sandbox/*.py", "tests/*.py"
    )
    node = "tests/test_project.py::test_a_lock_pins_each_package_by_hash_and_names_no_registry"
    assert copy.pytest(f"{node}[{DEPLOYED_LOCK}]").returncode == 0

    copy.replace(DEPLOYED_LOCK, "#    make lock", "--index-url https://pypi.example/simple")

    assert copy.pytest(f"{node}[{DEPLOYED_LOCK}]").returncode == 1
    with pytest.raises(AssertionError, match="0 times"):
        copy.replace(DEPLOYED_LOCK, "#    make lock", "")
