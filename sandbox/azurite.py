"""Start and stop Azurite, the emulator of Azure Storage."""

import queue
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox import node
from sandbox.npm import npm_file
from sandbox.server import HOST

#: The same on every machine, and public: it guards nothing.
#: https://learn.microsoft.com/azure/storage/common/storage-use-azurite#well-known-storage-account-and-key
ACCOUNT_NAME = "devstoreaccount1"
ACCOUNT_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

SERVICES = ("blob", "queue", "table")
_LISTENING = re.compile(r"Azurite (\w+) service is successfully listening at http://[^:]+:(\d+)")
_START_TIMEOUT_S = 60.0  # two seconds on an idle machine
_STOP_TIMEOUT_S = 10.0


def connect_to(endpoints: Mapping[str, str]) -> str:
    """Write the connection string of the emulated account at these addresses, one a service."""
    services = "".join(f"{name.title()}Endpoint={url};" for name, url in endpoints.items())
    account = f"AccountName={ACCOUNT_NAME};AccountKey={ACCOUNT_KEY}"
    return f"DefaultEndpointsProtocol=http;{account};{services}"


class AzuriteError(Exception):
    """Azurite did not start; the message holds what it printed."""


class Azurite:
    """A storage account on free ports of the loopback interface.

    It keeps everything in memory, and each start begins empty; with a `data` folder it keeps what
    it holds from one start to the next. The ports are chosen at the first start and kept: while it
    is stopped, connections are refused, and after the next `start` the same connection string
    works.
    """

    def __init__(self, data: Path | None = None) -> None:
        self._data = data
        self._ports = dict.fromkeys(SERVICES, 0)
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def connection_string(self) -> str:
        """The full connection string, as AzureWebJobsStorage takes it."""
        return connect_to({service: self.endpoint(service) for service in SERVICES})

    def endpoint(self, service: str) -> str:
        """Give the address of `blob`, `queue` or `table`."""
        port = self._ports[service]
        if not port:
            raise RuntimeError("Azurite has no address before its first start")
        return f"http://{HOST}:{port}/{ACCOUNT_NAME}"

    def start(self) -> None:
        """Start it and wait until all three services listen."""
        command = self._command()
        printed: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        # Without a folder of its own Azurite would use the current one.
        self._folder = tempfile.TemporaryDirectory(prefix="azurite-", ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            command,
            cwd=self._folder.name,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        # A thread, since waiting for a pipe with a time limit is not possible on Windows otherwise;
        # it goes on reading, or Azurite would stand still once the pipe is full.
        self._reader = threading.Thread(
            target=_pass_on, args=(self._process, printed), name="azurite-output", daemon=True
        )
        self._reader.start()
        try:
            self._ports = _await_listening(printed)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it; with a `data` folder, after it has written everything down."""
        process, self._process = self._process, None
        if process is None or process.stdin is None or process.stdout is None:
            return
        if self._data is None:
            process.kill()
        process.stdin.close()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._reader is not None:
            self._reader.join()
        process.stdout.close()
        if self._folder is not None:
            self._folder.cleanup()

    def _command(self) -> list[str]:
        storage = (
            ["--inMemoryPersistence"] if self._data is None else ["--location", str(self._data)]
        )
        ports = [
            word
            for service in SERVICES
            for word in (f"--{service}Host", HOST, f"--{service}Port", str(self._ports[service]))
        ]
        return [
            str(node.require().path),
            *("--require", str(Path(__file__).with_name("exit_with_parent.cjs"))),
            *("--require", str(Path(__file__).with_name("without_telemetry.cjs"))),
            str(npm_file("azurite/dist/src/azurite.js")),
            "--silent",
            "--skipApiVersionCheck",  # the SDKs are newer than the emulator
            "--disableTelemetry",
            *storage,
            *ports,
        ]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def _pass_on(process: subprocess.Popen[str], printed: queue.SimpleQueue[str | None]) -> None:
    if process.stdout is not None:
        for line in process.stdout:
            printed.put(line)
    printed.put(None)


def _await_listening(printed: queue.SimpleQueue[str | None]) -> dict[str, int]:
    ports: dict[str, int] = {}
    lines: list[str] = []
    deadline_s = time.monotonic() + _START_TIMEOUT_S
    while len(ports) < len(SERVICES):
        try:
            line = printed.get(timeout=max(0.0, deadline_s - time.monotonic()))
        except queue.Empty:
            raise AzuriteError(
                f"Azurite does not listen after {_START_TIMEOUT_S:.0f} s: {''.join(lines)}"
            ) from None
        if line is None:
            raise AzuriteError(f"Azurite ended at once: {''.join(lines)}")
        lines.append(line)
        if listening := _LISTENING.search(line):
            ports[listening[1].lower()] = int(listening[2])
    return ports
