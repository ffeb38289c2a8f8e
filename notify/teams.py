"""Post one payload to the Teams workflow, and keep the secret address out of every text.

The URL is the credential. HTTP libraries put it into log lines and exceptions, and an answer can
repeat it in a header; so their log lines are held back while a post is under way, their exceptions
are turned into values before an error of our own is raised, and of an answer only the status, the
error code and the pause asked for are kept.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

import httpx
import msgspec
from msgspec import Struct

from apple_tokens.tls import tls_context
from notify.answers import Verdict, error_code, remedy, retry_after_s, verdict
from notify.webhook import WebhookUrl

_TRY_S: Final = 30.0
"""No try takes longer: the trigger answers before the flow runs."""
_MOST_TRIES: Final = 4
_LEAST_WAIT_S: Final = 1.0
"""Also after `Retry-After: 0`: more than one request a second is throttled."""
_BODY_BYTES: Final = 8_192

_posting: ContextVar[bool] = ContextVar("posting", default=False)


class DeliveryError(Exception):
    """A payload that Teams did not accept: what it said, and what to do. Never shows the URL."""

    def __init__(
        self, text: str, *, status: int | None = None, code: str = "", is_permanent: bool = False
    ) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        """Power Automate's own name for the error, such as WorkflowTriggerIsNotEnabled."""
        self.is_permanent = is_permanent
        """Whether trying again is pointless until somebody repaired something."""


class _Answer(Struct, frozen=True):
    status: int
    code: str
    retry_after_s: float | None


class _NoAnswer(Struct, frozen=True):
    why: str


async def post(
    url: WebhookUrl,
    payload: Mapping[str, object],
    *,
    deadline_s: float,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Post a payload; return when it was accepted, raise DeliveryError when it was not.

    A pause that the answer asks for is kept here as long as it fits into `deadline_s`. Every other
    further try belongs to the host, which delivers the queue message again. Not idempotent: a
    try that timed out may have been accepted.
    """
    left_s = deadline_s
    for tries in range(1, _MOST_TRIES + 1):
        started_s = asyncio.get_running_loop().time()
        answer = await _try(url, msgspec.json.encode(payload), min(left_s, _TRY_S))
        left_s -= asyncio.get_running_loop().time() - started_s
        if isinstance(answer, _NoAnswer):
            raise DeliveryError(f"the Teams workflow {answer.why}")
        found = verdict(answer.status)
        if found is Verdict.ACCEPTED:
            return
        wait_s = _pause_s(answer) if found is Verdict.RETRY else None
        if wait_s is None or wait_s >= left_s or tries == _MOST_TRIES:
            raise _refusal(answer)
        await sleep(wait_s)
        left_s -= wait_s


def _pause_s(answer: _Answer) -> float | None:
    return None if answer.retry_after_s is None else max(answer.retry_after_s, _LEAST_WAIT_S)


def _refusal(answer: _Answer) -> DeliveryError:
    named = f" ({answer.code})" if answer.code else ""
    return DeliveryError(
        f"the Teams workflow answered {answer.status}{named}: {remedy(answer.status, answer.code)}",
        status=answer.status,
        code=answer.code,
        is_permanent=verdict(answer.status) is Verdict.PERMANENT,
    )


async def _try(url: WebhookUrl, body: bytes, timeout_s: float) -> _Answer | _NoAnswer:
    """Send one request, and return what came of it.

    A failure is a value here: raised, the library's error would be chained to ours, and it carries
    the request with its URL.
    """
    try:
        with _quiet_libraries():
            async with asyncio.timeout(timeout_s), _client(url, timeout_s) as client:
                return await _send(client, url, body)
    except (TimeoutError, httpx.TimeoutException):
        return _NoAnswer(f"did not answer within {timeout_s:.0f} s")
    except httpx.ProxyError:
        return _NoAnswer("cannot be reached: the proxy on the way out refused to connect")
    except httpx.ConnectError as error:
        return _NoAnswer(_why_not_connected(error))
    except httpx.HTTPError:
        return _NoAnswer("broke off the connection")


def _client(url: WebhookUrl, timeout_s: float) -> httpx.AsyncClient:
    # The environment's proxy is for the way out, never for the sandbox on this machine.
    try:
        trust_env = not url.is_local
        return httpx.AsyncClient(
            verify=tls_context(trust_env=trust_env),
            timeout=timeout_s,
            follow_redirects=False,
            trust_env=trust_env,
        )
    except (OSError, ValueError, httpx.InvalidURL):
        # Not chained: the address of a proxy can hold a password.
        raise DeliveryError(
            "the request cannot be made: check HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE"
        ) from None


async def _send(client: httpx.AsyncClient, url: WebhookUrl, body: bytes) -> _Answer:
    headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    async with client.stream("POST", url.reveal(), content=body, headers=headers) as response:
        code = ""
        if verdict(response.status_code) is not Verdict.ACCEPTED:
            code = error_code(await _read_start(response))
        return _Answer(
            status=response.status_code,
            # An answer that repeats the URL must not carry a part of it into the error.
            code="" if code in url.reveal() else code,
            retry_after_s=retry_after_s(response.headers),
        )


async def _read_start(response: httpx.Response) -> bytes:
    """Return a body that is short, nothing of a longer one; a compressed one stays compressed."""
    body = b""
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > _BODY_BYTES:
            return b""
    return body


def _why_not_connected(error: httpx.ConnectError) -> str:
    """Tell a refused certificate from a host that cannot be reached."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return (
                "cannot be reached safely: its certificate was not accepted (behind a proxy that "
                "inspects TLS, point SSL_CERT_FILE to its root certificate)"
            )
        cause = cause.__cause__ or cause.__context__
    return "cannot be reached: check DNS, firewall and proxy on the way out"


def _is_not_ours(_record: logging.LogRecord) -> bool:
    """Let pass what a library logs for anybody else, and nothing that it logs about our request."""
    return not _posting.get()


# httpx logs the whole URL at INFO; httpcore logs the answer's headers at DEBUG, and a redirect to a
# sign-in page repeats the URL in one.
for _name in ("httpx", "httpcore.http11", "httpcore.http2", "httpcore.proxy"):
    logging.getLogger(_name).addFilter(_is_not_ours)


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    token = _posting.set(True)
    try:
        yield
    finally:
        _posting.reset(token)
