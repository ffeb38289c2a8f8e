"""Azurite starts, stops, comes back, and never outlives the process that started it."""

import contextlib
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.data.tables import TableServiceClient

from sandbox.azurite import Azurite, AzuriteError
from sandbox.npm import npm_file

pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True)
def _installed() -> None:
    try:
        npm_file("azurite/package.json")
    except FileNotFoundError as error:
        pytest.skip(f"needs Azurite: {error}")


def table_names(azurite: Azurite) -> list[str]:
    with TableServiceClient.from_connection_string(
        azurite.connection_string, retry_total=0
    ) as tables:
        return [table.name for table in tables.list_tables()]


def create_table(azurite: Azurite, name: str) -> None:
    with TableServiceClient.from_connection_string(azurite.connection_string) as tables:
        tables.create_table(name)


def test_it_goes_away_and_comes_back_empty_at_the_same_address() -> None:
    with Azurite() as azurite:
        before = azurite.connection_string
        create_table(azurite, "kept")
        azurite.stop()
        with pytest.raises(ServiceRequestError):
            table_names(azurite)

        azurite.start()

        assert azurite.connection_string == before
        assert table_names(azurite) == []


def test_with_a_data_folder_it_keeps_what_it_holds(tmp_path: Path) -> None:
    with Azurite(tmp_path / "data") as azurite:
        create_table(azurite, "kept")
        azurite.stop()
        azurite.start()

        assert table_names(azurite) == ["kept"]


def test_two_run_side_by_side() -> None:
    with Azurite() as first, Azurite() as second:
        create_table(first, "mine")

        assert table_names(second) == []


def test_before_the_first_start_there_is_no_address() -> None:
    with pytest.raises(RuntimeError, match="before its first start"):
        _ = Azurite().connection_string


def test_a_start_that_fails_says_what_azurite_said(tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("not a folder")

    with pytest.raises(AzuriteError, match=r"EEXIST|ENOTDIR|not a directory"):
        Azurite(occupied).start()


def test_what_is_not_installed_is_missing_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKENWATCH_NODE_MODULES", str(tmp_path))

    with pytest.raises(FileNotFoundError, match="python3 -m sandbox demo"):
        Azurite().start()


def test_it_dies_with_the_process_that_started_it() -> None:
    program = (
        "import sys\n"
        "from sandbox.azurite import Azurite\n"
        "azurite = Azurite()\n"
        "azurite.start()\n"
        "print(azurite.endpoint('table'), flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    ) as parent:
        assert parent.stdout is not None
        address = urlsplit(parent.stdout.readline().strip())
        with socket.create_connection((address.hostname, address.port or 0), timeout=20) as held:
            parent.kill()  # no chance to clean up
            parent.wait()

            # Closed by the end of Azurite; the time limit would raise TimeoutError.
            with contextlib.suppress(ConnectionResetError):
                assert held.recv(1) == b""
