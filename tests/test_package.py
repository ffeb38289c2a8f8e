"""What is deployed works on its own: the package, and what Azure's remote build installs.

Both are built beforehand, since that takes the network: `python3 -m sandbox package`, with and
without `--remote-build`. The app runs in an interpreter that has nothing else, against a simulated
tenant that this process serves.
"""

import fnmatch
import os
import sys
import zipfile
from datetime import timedelta
from pathlib import Path, PurePosixPath

import pytest

from apple_tokens.model import FailureReason, Problem
from sandbox import package, remote_build
from sandbox.azurite import Azurite
from sandbox.package import LIBRARIES, PACKAGE
from tests.lone import Deployed, alone
from tests.test_sources_faults import STANDING_FAULTS

pytestmark = [pytest.mark.package, pytest.mark.e2e]

DAY = timedelta(days=1)
MAX_MB = 15.0
BUILD_IT = "run `python3 -m sandbox package`"
PERMANENT = {FailureReason.PERMISSION, FailureReason.NOT_LICENSED}


def require_python() -> None:
    if f"{sys.version_info.major}.{sys.version_info.minor}" != remote_build.PYTHON:
        pytest.skip(f"needs Python {remote_build.PYTHON}, on which the app is deployed")
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        pytest.skip("needs Linux on x86-64, on which the app is deployed")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    if not PACKAGE.is_file():
        pytest.skip(f"needs build/apple-token-watch.zip: {BUILD_IT}")
    archive = zipfile.ZipFile(PACKAGE)
    own = tmp_path_factory.mktemp("own")
    package.copy_app(own)
    files = {path.relative_to(own).as_posix(): path for path in own.rglob("*") if path.is_file()}
    held = {name for name in archive.namelist() if "__pycache__" not in name}
    same = files.keys() == {name for name in held if not name.startswith(".")} and all(
        archive.read(name) == path.read_bytes() for name, path in files.items()
    )
    if not same:
        pytest.skip(f"needs build/apple-token-watch.zip of the code as it is now: {BUILD_IT}")
    return archive


@pytest.fixture(scope="module")
def from_package(archive: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    require_python()
    folder = tmp_path_factory.mktemp("wwwroot")
    archive.extractall(folder)
    return Deployed(folder, folder / LIBRARIES, Path(sys.executable))


@pytest.fixture(scope="module")
def from_remote_build(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    require_python()
    python = remote_build.FOLDER / "bin" / "python"
    if not python.exists():
        pytest.skip("needs build/remote-build: run `python3 -m sandbox package --remote-build`")
    folder = tmp_path_factory.mktemp("wwwroot")
    package.copy_app(folder)
    (libraries,) = remote_build.FOLDER.glob("lib/python*/site-packages")
    return Deployed(folder, libraries, python)


@pytest.fixture(params=["from_package", "from_remote_build"])
def deployed(request: pytest.FixtureRequest) -> Deployed:
    found: Deployed = request.getfixturevalue(request.param)
    return found


def test_the_package_is_small(archive: zipfile.ZipFile) -> None:
    assert PACKAGE.stat().st_size <= MAX_MB * 1_000_000
    assert archive.testzip() is None


def test_the_package_holds_the_bytecode_of_every_module_and_it_is_never_checked(
    archive: zipfile.ZipFile,
) -> None:
    names = set(archive.namelist())
    for name in names:
        path = PurePosixPath(name)
        if path.suffix == ".py":
            bytecode = path.parent / "__pycache__" / f"{path.stem}.cpython-313.pyc"
            assert bytecode.as_posix() in names
            # PEP 552: bit 0, a hash stands in the place of the time; bit 1, it is to be compared.
            assert archive.read(bytecode.as_posix())[4:8] == b"\1\0\0\0", bytecode


def test_every_exclusion_has_a_reason() -> None:
    for pattern, reason in package.patterns():
        assert len(reason.split()) >= 2, pattern


@pytest.mark.timeout(300)  # a start from a cold disk, on a machine that does other things
async def test_the_app_checks_and_tells_on_its_own(
    deployed: Deployed, azurite: Azurite, storage: str
) -> None:
    assert storage  # emptied
    before = deployed.files()
    async with alone(deployed, azurite) as app:
        assert await app.order("functions") == ["check_tokens", "notify"]
        for body in await app.order("fire"):
            await app.order("hand_over", body)
        posts = app.stage.teams.posts
        alerts = await app.stage.alert_rows()
        report = await app.order("report")

    assert len(posts) == 2, "the card of the token that expires, and the welcome"
    assert [(alert.problem, alert.told_step) for alert in alerts] == [
        (Problem.ADE_TOKEN_EXPIRING, 1)
    ]
    assert not [name for name in report["loaded"] if name.partition(".")[0] == "msgraph"]
    if deployed.libraries.is_relative_to(deployed.app):
        assert report["compiled"] == []
        assert deployed.files() == before, "bytecode was written"


@pytest.mark.timeout(300)  # some forty checks, of which some read 40 MB
async def test_no_fault_of_graph_meets_a_module_that_was_left_out(
    deployed: Deployed, azurite: Azurite, storage: str
) -> None:
    assert storage  # emptied
    async with alone(deployed, azurite) as app:
        now = app.stage.teams.now
        for fault, reason, _ in STANDING_FAULTS:
            now += DAY
            for plan in app.stage.tenant.faults.values():
                plan.always(fault)
            # A source that fails for a reason that may pass is settled after six tries.
            for body in await app.order("check", now.isoformat()):
                await app.order("hand_over", body)

            rows = await app.stage.tables.run_rows()
            for row in rows.sources.values():
                assert (row.reason, row.tried_at) == (reason, now), f"{fault.name}: {row.detail}"
                assert "defect" not in row.detail, f"{fault.name}: {row.detail}"
        report = await app.order("report")

    assert report["missing"], "the names of optional modules are heard"
    assert [name for name in report["missing"] if was_left_out(name)] == []
    if deployed.libraries.is_relative_to(deployed.app):
        assert report["compiled"] == []


def was_left_out(module: str) -> bool:
    parts = module.split(".")
    folders = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
    return any(
        fnmatch.fnmatchcase(folder, pattern)
        for folder in folders
        for pattern, _ in package.patterns()
    )


class TestTheCommand:
    def test_says_so_where_the_deployed_python_is_not_there(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(remote_build, "PYTHON", "3.99")
        monkeypatch.setenv("PATH", str(tmp_path))
        before = PACKAGE.stat().st_mtime_ns if PACKAGE.exists() else None

        assert package.main([]) == 1
        assert package.main(["--remote-build"]) == 1

        assert "Python 3.99, and there is none on the PATH" in capsys.readouterr().err
        assert before == (PACKAGE.stat().st_mtime_ns if PACKAGE.exists() else None)

    def test_takes_one_option(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert package.main(["--fast"]) == 2

        assert "usage: python3 -m sandbox package" in capsys.readouterr().err
