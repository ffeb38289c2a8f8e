"""One verdict over every status: the reason, what may pass, and words that give nothing away."""

import json

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError

from apple_tokens.model import FailureReason
from check_tokens import verdicts

REASONS = {
    401: FailureReason.PERMISSION,
    403: FailureReason.PERMISSION,
    429: FailureReason.THROTTLED,
    **dict.fromkeys(range(500, 600), FailureReason.UNAVAILABLE),
}
SECRET = "https://fef.msua06.manage.microsoft.com/?secret"


def error_body(code: str, message: str) -> bytes:
    return json.dumps({"error": {"code": code, "message": message}}).encode()


@pytest.mark.parametrize("status", range(201, 600))
def test_every_status_but_200_has_one_reason(status: int) -> None:
    verdict = verdicts.refused(status, error_body("AnyCode", SECRET), "request-1")

    assert verdict.failure.reason is REASONS.get(status, FailureReason.UNEXPECTED_ANSWER)
    assert verdict.may_pass is (status in {500, 502})
    assert verdict.not_configured is False
    assert (verdict.failure.status, verdict.failure.request_id) == (status, "request-1")
    assert str(status) in verdict.failure.detail
    assert verdict.failure.detail.endswith(".")
    assert SECRET not in f"{verdict} {verdict.failure}"


@pytest.mark.parametrize("status", [400, 403])
@pytest.mark.parametrize(
    "message",
    ["Request not applicable to target tenant.", "REQUEST NOT APPLICABLE TO TARGET TENANT - Url"],
)
def test_a_tenant_without_intune_is_not_licensed(status: int, message: str) -> None:
    verdict = verdicts.refused(status, error_body("BadRequest", message), "")

    assert verdict.failure.reason is FailureReason.NOT_LICENSED
    assert verdict.failure.reason.is_permanent


def test_the_words_of_a_tenant_without_intune_mean_nothing_under_another_status() -> None:
    body = error_body("ServiceUnavailable", "Request not applicable to target tenant.")

    assert verdicts.refused(503, body, "").failure.reason is FailureReason.UNAVAILABLE


@pytest.mark.parametrize(
    "body,not_configured",
    [
        (error_body("ResourceNotFound", "An error has occurred"), True),
        (error_body("UnknownError", ""), False),
        (b"<html>not found</html>", False),
        (b"", False),
        (b'{"error": null}', False),
        (b'{"error": "ResourceNotFound"}', False),
        (b'{"error": {"code": 404}}', False),
        (b"\xff", False),
        (b'{"error":' * 50_000, False),
    ],
)
def test_only_intune_itself_can_say_that_something_is_not_configured(
    body: bytes, *, not_configured: bool
) -> None:
    assert verdicts.refused(404, body, "").not_configured is not_configured


@pytest.mark.parametrize(
    "error,reason",
    [
        (httpx.ConnectError("name or service not known"), FailureReason.UNAVAILABLE),
        (httpx.ReadError("reset"), FailureReason.UNAVAILABLE),
        (httpx.RemoteProtocolError(SECRET), FailureReason.UNAVAILABLE),
        (httpx.ProxyError("407"), FailureReason.UNAVAILABLE),
        (httpx.ConnectTimeout(""), FailureReason.TIMED_OUT),
        (httpx.ReadTimeout(""), FailureReason.TIMED_OUT),
        (httpx.PoolTimeout(""), FailureReason.TIMED_OUT),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_connection_that_fails_may_pass_and_is_named_by_its_kind(
    error: httpx.TransportError, reason: FailureReason
) -> None:
    verdict = verdicts.unreachable(error, "request-1")

    assert verdict.failure.reason is reason
    assert verdict.may_pass
    assert type(error).__name__ in verdict.failure.detail
    assert SECRET not in verdict.failure.detail


@pytest.mark.parametrize(
    "error,shown",
    [
        (CredentialUnavailableError(message=SECRET), "CredentialUnavailableError"),
        (
            ClientAuthenticationError(message=f"AADSTS65001: not consented. {SECRET}"),
            "ClientAuthenticationError, AADSTS65001",
        ),
        (KeyError("access_token"), "KeyError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_sign_in_that_fails_says_what_to_look_at(error: Exception, shown: str) -> None:
    verdict = verdicts.not_signed_in(error)

    assert verdict.failure.reason is FailureReason.UNAVAILABLE
    assert f"({shown})" in verdict.failure.detail
    assert "AZURE_CLIENT_ID" in verdict.failure.detail
    assert SECRET not in verdict.failure.detail
