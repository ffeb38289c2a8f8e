"""What an answer of the Teams workflow means: accepted, worth another try, or refused for good.

Pure. 202 says that Power Automate took the message, not that the channel shows it: the card is
parsed later, and a bad one fails in the run history only.
"""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from http import HTTPStatus

import msgspec
from msgspec import Struct

# Letters only: codes are names such as WorkflowTriggerIsNotEnabled, and a longer alphabet would let
# an answer that repeats a signature put it into an error text.
_CODE = re.compile(r"[A-Za-z]{3,64}")
_SECONDS = re.compile(r"\d{1,6}")

_COPY = "copy the whole URL of the workflow's trigger into TEAMS_WEBHOOK_URL again"
_REMEDY_BY_CODE = {
    "DirectApiAuthorizationRequired": f"the URL has lost its signature: {_COPY}",
    "MissingApiVersionParameter": f"the URL is not complete: {_COPY}",
    "WorkflowTriggerIsNotEnabled": (
        "the workflow is switched off: turn it on in Power Automate and look there why (not "
        "triggered for 90 days, failing for 14 days, its owner left, or a policy forbids it)"
    ),
}
_REMEDY_BY_STATUS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: f"the signature in the URL was not accepted: {_COPY}",
    HTTPStatus.FORBIDDEN: f"the signature in the URL was not accepted: {_COPY}",
    HTTPStatus.NOT_FOUND: f"no workflow is there (any more): make a new one, or {_COPY}",
    HTTPStatus.GONE: f"no workflow is there any more: make a new one, or {_COPY}",
    HTTPStatus.TOO_MANY_REQUESTS: "it asks for a pause; a later try can succeed",
}
_REMEDY_REDIRECT = f"it redirects, and a secret URL is never carried elsewhere: {_COPY}"
_REMEDY_RETRY = "the trouble is on its side; a later try can succeed"
_REMEDY = "look at the workflow's run history and owner in Power Automate"


class Verdict(Enum):
    """What to do after an answer."""

    ACCEPTED = auto()
    RETRY = auto()
    PERMANENT = auto()
    """Trying again changes nothing: somebody must repair the workflow or the setting."""


def verdict(status: int) -> Verdict:
    """Judge a status code. Redirects are permanent: they are not followed."""
    if status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}:
        return Verdict.RETRY
    match status // 100:
        case 2:
            return Verdict.ACCEPTED
        case 5:
            return Verdict.RETRY
        case _:
            return Verdict.PERMANENT


def remedy(status: int, code: str) -> str:
    """Say what an administrator can do about an answer that is no acceptance."""
    if code in _REMEDY_BY_CODE:
        return _REMEDY_BY_CODE[code]
    if status in _REMEDY_BY_STATUS:
        return _REMEDY_BY_STATUS[status]
    if verdict(status) is Verdict.RETRY:
        return _REMEDY_RETRY
    return _REMEDY_REDIRECT if status // 100 == 3 else _REMEDY  # noqa: PLR2004 - as HTTP counts


class _Error(Struct, frozen=True):
    code: str = ""


class _Body(Struct, frozen=True):
    error: _Error = _Error()


def error_code(body: bytes) -> str:
    """Return the code of an error body, `''` where there is none. Nothing else of it is used."""
    try:
        code = msgspec.json.decode(body, type=_Body).error.code
    except msgspec.MsgspecError:
        return ""
    return code if _CODE.fullmatch(code) else ""


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds the answer asks to wait, None where it does not say.

    A date is measured against the answer's own Date, so that a wrong clock here does not matter.
    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    value = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    try:
        wait = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("date", ""))
    except (TypeError, ValueError):  # TypeError: one of the two has no zone
        return None
    return max(wait.total_seconds(), 0.0)
