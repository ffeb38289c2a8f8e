"""A Teams workflow on loopback: it answers what it was told to, and keeps what it was sent."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

SECRET_QUERY = (
    "api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=FAKE-signature_for~tests-0001"
)
SECRET_PATH = "/powerautomate/automations/direct/workflows/FakeWorkflowId/triggers/manual/paths"


def answer(status: int, body: bytes | str = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """Return the bytes of an HTTP answer."""
    data = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(data)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def error(status: int, code: str, headers: Mapping[str, str] | None = None) -> bytes:
    """Return an error as Power Automate words it."""
    body = {"error": {"code": code, "message": "The message of an error is never used."}}
    return answer(status, json.dumps(body), headers)


@dataclass
class Workflow:
    """Answers each request with the next of its answers, the last one again and again."""

    answers: list[bytes]
    tls: ssl.SSLContext | None = None
    lines: list[str] = field(default_factory=list)
    """The request lines received."""
    bodies: list[bytes] = field(default_factory=list)
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        """The address that would stand in TEAMS_WEBHOOK_URL."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        scheme = "https" if self.tls else "http"
        return f"{scheme}://127.0.0.1:{port}{SECRET_PATH}?{SECRET_QUERY}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(
                int(line.split(":")[1])
                for line in head.splitlines()
                if line.lower().startswith("content-length:")
            )
            self.lines.append(head.splitlines()[0])
            self.bodies.append(await reader.readexactly(length))
            reply = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if reply == SILENCE:
                await reader.read()  # until the other side gives up
            writer.write(reply)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


SILENCE = b""
"""Given as an answer: nothing is ever said."""
