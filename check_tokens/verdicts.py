"""What a failed request says about a source: the reason, and a sentence for the administrator.

The sentences are written here and nowhere quoted from an answer. Intune puts internal addresses of
its scale units into error texts, and a proxy in between can put anything.
"""

import re
from http import HTTPStatus

import httpx
import msgspec
from msgspec import Struct

from apple_tokens.model import CouldNotCheck, FailureReason
from check_tokens.clouds import PERMISSION

_NOT_APPLICABLE = "not applicable to target tenant"
_NOT_CONFIGURED = "ResourceNotFound"
# 503 and 504 are missing on purpose: the SDK's retry handler has tried these again already.
_WORTH_ANOTHER_TRY = frozenset({HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.BAD_GATEWAY})
_ENTRA_CODE = re.compile(r"\bAADSTS\d{3,9}\b")


class GraphError(Exception):
    """A source could not be read. Holds the result to hand on; its text is the result's detail."""

    def __init__(
        self, failure: CouldNotCheck, *, may_pass: bool = False, not_configured: bool = False
    ) -> None:
        super().__init__(failure.detail)
        self.failure = failure
        self.may_pass = may_pass
        """Whether the same request may well succeed in a moment, and nobody has tried it again."""
        self.not_configured = not_configured
        """Whether Intune said that there is no such object, which for some sources is an answer."""


class _ErrorText(Struct):
    code: str = ""
    message: str = ""


class _ErrorBody(Struct):
    error: _ErrorText


def refused(status: int, body: bytes, request_id: str) -> GraphError:
    """Return the verdict over an answer with any status but 200."""
    text = _error_text(body)
    reason, detail = _reason(status, text)
    not_configured = status == HTTPStatus.NOT_FOUND and text.code == _NOT_CONFIGURED
    return GraphError(
        CouldNotCheck(reason=reason, detail=detail, status=status, request_id=request_id),
        may_pass=status in _WORTH_ANOTHER_TRY,
        not_configured=not_configured,
    )


def unreachable(error: httpx.TransportError, request_id: str) -> GraphError:
    """Return the verdict over a connection that failed before the whole answer had arrived."""
    name = type(error).__name__
    if isinstance(error, httpx.TimeoutException):
        reason = FailureReason.TIMED_OUT
        detail = f"Microsoft Graph took too long to answer ({name})."
    else:
        reason = FailureReason.UNAVAILABLE
        detail = f"The connection to Microsoft Graph failed ({name})."
    failure = CouldNotCheck(reason=reason, detail=detail, request_id=request_id)
    return GraphError(failure, may_pass=True)


def unexpected(detail: str, request_id: str = "", status: int | None = None) -> GraphError:
    """Return the verdict over an answer that is not what Graph's documentation promises."""
    return GraphError(
        CouldNotCheck(
            reason=FailureReason.UNEXPECTED_ANSWER,
            detail=detail,
            status=status,
            request_id=request_id,
        )
    )


def not_signed_in(error: Exception) -> GraphError:
    """Return the verdict over a sign-in that failed.

    It counts as passing trouble: azure-identity raises the same error for an identity endpoint that
    restarts and for an identity that is not assigned. Of its text, which can quote any answer, only
    the error code of Microsoft Entra ID is kept.
    """
    code = _ENTRA_CODE.search(str(error))
    name = f"{type(error).__name__}, {code[0]}" if code else type(error).__name__
    detail = (
        f"Signing in to Microsoft Graph failed ({name}). In Azure, check that the managed identity "
        "is assigned to the function app and that AZURE_CLIENT_ID is its client id; "
        "in a terminal, sign in again."
    )
    return GraphError(CouldNotCheck(reason=FailureReason.UNAVAILABLE, detail=detail))


def timed_out(deadline_s: float) -> CouldNotCheck:
    """Return the result of a source that was not read to its end in time."""
    detail = f"Microsoft Graph was not read to the end within {deadline_s:g} seconds."
    return CouldNotCheck(reason=FailureReason.TIMED_OUT, detail=detail)


def _error_text(body: bytes) -> _ErrorText:
    try:
        return msgspec.json.decode(body, type=_ErrorBody).error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _ErrorText()  # a gateway's web page, or nothing at all


def _reason(status: int, text: _ErrorText) -> tuple[FailureReason, str]:
    refusals = {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN}
    if status in refusals and _NOT_APPLICABLE in text.message.lower():
        return FailureReason.NOT_LICENSED, (
            f"Intune is not available in this tenant ({status}): it needs an active Intune license "
            "and Intune as its MDM authority."
        )
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return FailureReason.PERMISSION, (
                f"Microsoft Graph did not accept the sign-in ({status}). Check that the identity "
                f"still exists and has the permission {PERMISSION}."
            )
        case HTTPStatus.FORBIDDEN:
            return FailureReason.PERMISSION, (
                f"Microsoft Graph refused access ({status}): grant the permission {PERMISSION}. "
                "After it was granted it can take up to 24 hours to have an effect."
            )
        case HTTPStatus.TOO_MANY_REQUESTS:
            return FailureReason.THROTTLED, f"Microsoft Graph is throttling requests ({status})."
        case HTTPStatus.NOT_FOUND:
            return FailureReason.UNEXPECTED_ANSWER, (
                f"Microsoft Graph has nothing at this address ({status}), not even an empty list: "
                "what is configured is unknown."
            )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return FailureReason.UNAVAILABLE, f"Microsoft Graph is in trouble ({status})."
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return FailureReason.UNEXPECTED_ANSWER, (
            f"Microsoft Graph answered with a redirect ({status}), which is never followed."
        )
    return FailureReason.UNEXPECTED_ANSWER, f"Microsoft Graph answered with status {status}."
