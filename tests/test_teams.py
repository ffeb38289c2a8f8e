"""The sender: what counts as accepted, what is tried again by whom, and that no secret gets out."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from notify.answers import Verdict, error_code, remedy, retry_after_s, verdict
from notify.teams import DeliveryError, post
from notify.webhook import WebhookUrl
from tests.leaks import assert_hidden
from tests.survival import Promise, survives
from tests.workflow import SECRET_PATH, SECRET_QUERY, SILENCE, Workflow, answer, error

NOON = datetime(2026, 8, 3, 12, tzinfo=UTC)
PAYLOAD = {"type": "message", "attachments": []}


class Pauses(list[float]):
    """Stands for asyncio.sleep: remembers how long it was asked to wait, and does not."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture(autouse=True)
def all_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


@pytest.fixture
def assert_no_leak(caplog: pytest.LogCaptureFixture) -> Callable[[str, BaseException | None], None]:
    def check(url: str, raised: BaseException | None = None) -> None:
        assert caplog.records, "nothing was logged: the libraries were not listened to"
        assert_hidden(url, raised, caplog.records)

    return check


async def delivery_error(url: str, **options: float | Pauses) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await post(WebhookUrl(url), PAYLOAD, **({"deadline_s": 20.0} | options))  # type: ignore[arg-type]
    return caught.value


def test_every_status_code_has_one_verdict() -> None:
    expected = dict.fromkeys(range(100, 600), Verdict.PERMANENT)
    expected |= dict.fromkeys(range(200, 300), Verdict.ACCEPTED)
    expected |= dict.fromkeys(range(500, 600), Verdict.RETRY)
    expected |= {408: Verdict.RETRY, 429: Verdict.RETRY}

    assert {status: verdict(status) for status in range(100, 600)} == expected


def test_every_refusal_says_what_to_do() -> None:
    assert all(remedy(status, "") for status in range(100, 600) if not 200 <= status < 300)


@pytest.mark.parametrize("status", [200, 202, 204, 299])
async def test_2xx_is_accepted_at_once(status: int, assert_no_leak: Callable[[str], None]) -> None:
    async with Workflow([answer(status)]) as workflow:
        await post(WebhookUrl(workflow.url), PAYLOAD, deadline_s=20)

        assert workflow.bodies == [b'{"type":"message","attachments":[]}']
        assert_no_leak(workflow.url)


@pytest.mark.parametrize(
    "status", [300, 304, 308, 400, 401, 403, 404, 408, 410, 413, 418, 429, 500, 502, 503, 504, 599]
)
async def test_any_other_answer_raises_after_one_request(
    status: int, assert_no_leak: Callable[[str, BaseException], None]
) -> None:
    async with Workflow([answer(status)]) as workflow:
        raised = await delivery_error(workflow.url)

        assert len(workflow.lines) == 1
        assert raised.status == status
        assert raised.is_permanent == (verdict(status) is Verdict.PERMANENT)
        assert f"answered {status}" in str(raised)
        assert_no_leak(workflow.url, raised)


async def test_a_redirect_is_not_followed_and_what_it_repeats_is_not_logged(
    assert_no_leak: Callable[[str, BaseException], None],
) -> None:
    async with Workflow([]) as workflow:
        workflow.answers.append(answer(302, headers={"Location": workflow.url}))

        raised = await delivery_error(workflow.url)

        assert len(workflow.lines) == 1
        assert raised.is_permanent
        assert "redirects" in str(raised)
        assert_no_leak(workflow.url, raised)


@pytest.mark.parametrize(
    "code,advice",
    [
        ("DirectApiAuthorizationRequired", "signature"),
        ("WorkflowTriggerIsNotEnabled", "switched off"),
        ("MissingApiVersionParameter", "not complete"),
        ("SomethingNew", "run history"),
    ],
)
async def test_the_error_carries_the_workflows_own_code_and_what_to_do(
    code: str, advice: str, assert_no_leak: Callable[[str, BaseException], None]
) -> None:
    async with Workflow([error(400, code)]) as workflow:
        raised = await delivery_error(workflow.url)

        assert raised.code == code
        assert code in str(raised)
        assert advice in str(raised)
        assert_no_leak(workflow.url, raised)


async def test_a_code_that_repeats_a_part_of_the_url_is_left_out(
    assert_no_leak: Callable[[str, BaseException], None],
) -> None:
    async with Workflow([error(400, "FakeWorkflowId")]) as workflow:
        raised = await delivery_error(workflow.url)

        assert raised.code == ""
        assert_no_leak(workflow.url, raised)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Sign in</html>",
        b"[]",
        b'{"error":"text"}',
        b'{"error":{"code":5}}',
        b'{"error":{"code":"see https://example.com"}}',
        b'{"error":{"code":"FAKE-signature_for~tests-0001"}}',
        b'{"error":{"code":"' + b"A" * 65 + b'"}}',
        b'{"error":{}}',
        b"\xff\xfe",
    ],
)
def test_a_body_without_a_plain_code_has_none(body: bytes) -> None:
    assert error_code(body) == ""


async def test_a_long_error_body_is_not_read_to_its_end(
    assert_no_leak: Callable[[str, BaseException], None],
) -> None:
    long = '{"error":{"code":"WorkflowTriggerIsNotEnabled"},"x":"' + "x" * 9_000 + '"}'
    async with Workflow([answer(400, long)]) as workflow:
        raised = await delivery_error(workflow.url)

        assert raised.code == ""
        assert_no_leak(workflow.url, raised)


async def test_the_url_arrives_as_it_stands_in_the_setting() -> None:
    async with Workflow([answer(202)]) as workflow:
        # Every character that RFC 3986 allows, and escapes in either case.
        target = "/a-b._~!$'()*,;:@%2f%2F/invoke?sp=%2Fx&x[]=+/?&sig=a-_~.!$'()*,;:@"
        base = workflow.url.removesuffix(f"{SECRET_PATH}?{SECRET_QUERY}")

        await post(WebhookUrl(base + target), PAYLOAD, deadline_s=20)

        assert workflow.lines == [f"POST {target} HTTP/1.1"]


async def test_a_pause_that_fits_is_kept_and_then_it_is_tried_again(
    pauses: Pauses, assert_no_leak: Callable[[str], None]
) -> None:
    async with Workflow([answer(429, headers={"Retry-After": "7"}), answer(202)]) as workflow:
        await post(WebhookUrl(workflow.url), PAYLOAD, deadline_s=20, sleep=pauses)

        assert pauses == [7]
        assert len(workflow.lines) == 2
        assert_no_leak(workflow.url)


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_without_a_pause_asked_for_the_host_owns_the_next_try(
    status: int, pauses: Pauses
) -> None:
    async with Workflow([answer(status), answer(202)]) as workflow:
        raised = await delivery_error(workflow.url, sleep=pauses)

        assert pauses == []
        assert not raised.is_permanent


async def test_a_pause_is_never_kept_for_a_permanent_refusal(pauses: Pauses) -> None:
    async with Workflow([answer(400, headers={"Retry-After": "1"}), answer(202)]) as workflow:
        await delivery_error(workflow.url, sleep=pauses)

        assert pauses == []


@pytest.mark.parametrize("asked,kept", [(19, [19]), (20, []), (21, [])])
async def test_a_pause_as_long_as_the_time_left_is_not_kept(
    asked: int, kept: list[int], pauses: Pauses
) -> None:
    async with Workflow([answer(503, headers={"Retry-After": str(asked)})]) as workflow:
        await delivery_error(workflow.url, deadline_s=20, sleep=pauses)

        assert pauses[:1] == kept


async def test_pauses_use_up_the_time_left(pauses: Pauses) -> None:
    async with Workflow([answer(429, headers={"Retry-After": "8"})]) as workflow:
        await delivery_error(workflow.url, deadline_s=20, sleep=pauses)

        assert pauses == [8, 8]


@survives(Promise.BOUNDED, fault="Teams: 429 with Retry-After of 0 s, each time")
async def test_no_more_than_one_request_a_second_and_four_in_all(
    pauses: Pauses, happened: Callable[[str], None]
) -> None:
    async with Workflow([answer(429, headers={"Retry-After": "0"})]) as workflow:
        await delivery_error(workflow.url, sleep=pauses)

        assert pauses == [1, 1, 1]
        assert len(workflow.lines) == 4
    happened(f"4 requests, {pauses[0]:.0f} s apart")


@pytest.mark.parametrize(
    "headers,expected",
    [
        ({}, None),
        ({"retry-after": "0"}, 0),
        ({"retry-after": " 30 "}, 30),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "1e3"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": format_datetime(NOON + timedelta(seconds=90), usegmt=True)}, None),
        (
            {
                "date": format_datetime(NOON, usegmt=True),
                "retry-after": format_datetime(NOON + timedelta(seconds=90), usegmt=True),
            },
            90,
        ),
        (
            {
                "date": format_datetime(NOON, usegmt=True),
                "retry-after": format_datetime(NOON - timedelta(seconds=90), usegmt=True),
            },
            0,
        ),
        (
            {
                "date": "Mon, 03 Aug 2026 12:00:00 -0000",
                "retry-after": "Mon, 03 Aug 2026 12:00:09 GMT",
            },
            None,
        ),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(
    headers: dict[str, str], expected: float | None
) -> None:
    assert retry_after_s(headers) == expected


async def test_silence_ends_with_the_time_given(
    assert_no_leak: Callable[[str, BaseException], None],
) -> None:
    async with Workflow([SILENCE]) as workflow:
        raised = await delivery_error(workflow.url, deadline_s=0.2)

        assert "did not answer within" in str(raised)
        assert not raised.is_permanent
        assert_no_leak(workflow.url, raised)


@survives(Promise.CLEAR_ERROR, Promise.NO_LEAK, fault="Teams: connection refused")
async def test_a_refused_connection_says_where_to_look(
    assert_no_leak: Callable[[str, BaseException], None], happened: Callable[[str], None]
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}{SECRET_PATH}?{SECRET_QUERY}"

        raised = await delivery_error(url)

    assert "firewall" in str(raised)
    assert not raised.is_permanent
    assert_no_leak(url, raised)
    happened(f"{raised}")


@survives(Promise.CLEAR_ERROR, Promise.NO_LEAK, fault="Teams: answers {reply!r}")
@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(b"\x00\x01 no HTTP at all\r\n\r\n", id="no HTTP"),
        pytest.param(b"HTTP/1.1 202 Accepted\r\nContent-Le", id="cut off"),
        pytest.param(
            f"HTTP/1.1 302 Found\r\nLocation {SECRET_PATH}?{SECRET_QUERY}\r\n\r\n".encode(),
            id="broken header with the secret",
        ),
    ],
)
async def test_an_answer_that_is_none_broke_off_the_connection(
    reply: bytes,
    assert_no_leak: Callable[[str, BaseException], None],
    happened: Callable[[str], None],
) -> None:
    async with Workflow([reply]) as workflow:
        raised = await delivery_error(workflow.url)

        assert "broke off" in str(raised)
        assert not raised.is_permanent
        assert_no_leak(workflow.url, raised)
    happened(f"{raised}")


@survives(
    Promise.CLEAR_ERROR, Promise.NO_LEAK, fault="Teams: a certificate that nobody vouches for"
)
async def test_a_certificate_that_nobody_vouches_for_is_refused(
    tmp_path: Path,
    assert_no_leak: Callable[[str, BaseException], None],
    happened: Callable[[str], None],
) -> None:
    async with Workflow([answer(202)], tls=_self_signed(tmp_path)) as workflow:
        raised = await delivery_error(workflow.url)

        assert "certificate was not accepted" in str(raised)
        assert workflow.lines == []
        assert_no_leak(workflow.url, raised)
    happened("nothing was sent")


async def test_a_proxy_sees_the_host_and_nothing_more(
    monkeypatch: pytest.MonkeyPatch, assert_no_leak: Callable[[str, BaseException], None]
) -> None:
    seen: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        url = f"https://x.environment.api.powerplatform.com:443{SECRET_PATH}?{SECRET_QUERY}"

        raised = await delivery_error(url)

    assert seen[0].startswith(b"CONNECT x.environment.api.powerplatform.com:443 HTTP/1.1")
    assert b"sig=" not in seen[0]
    assert "proxy" in str(raised)
    assert_no_leak(url, raised)


@pytest.mark.parametrize(
    "name,value",
    [("HTTPS_PROXY", "nonsense://fakepassword@host"), ("SSL_CERT_FILE", "/does/not/exist.pem")],
)
async def test_a_broken_environment_is_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    url = f"https://x.environment.api.powerplatform.com{SECRET_PATH}?{SECRET_QUERY}"

    raised = await delivery_error(url)

    assert name in str(raised)
    assert "fakepassword" not in str(raised)
    assert raised.__suppress_context__


async def test_the_proxy_of_the_environment_is_not_asked_for_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with Workflow([answer(202)]) as workflow:
        await post(WebhookUrl(workflow.url), PAYLOAD, deadline_s=20)

        assert len(workflow.lines) == 1


async def test_what_the_libraries_log_for_others_is_not_held_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with Workflow([answer(202)]) as workflow:
        await post(WebhookUrl(workflow.url), PAYLOAD, deadline_s=20)
        async with httpx.AsyncClient(trust_env=False) as somebody_else:
            await somebody_else.post(workflow.url, content=b"")

    assert sum(record.name == "httpx" for record in caplog.records) == 1


def _self_signed(folder: Path) -> ssl.SSLContext:
    """Return a server's TLS with a certificate that no client trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOON - timedelta(days=365 * 10))
        .not_valid_after(NOON + timedelta(days=365 * 100))
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context
