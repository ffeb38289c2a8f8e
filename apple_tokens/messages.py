"""The queue contract: the ticket by which `check_tokens` sends `notify` to the rows.

A message says which batch of alerts waits to be told and when it was checked; what the card says
stands in the rows. Version 1 is pinned by golden files: fields may be added with a default, and a
reader ignores fields that it does not know, but no field changes its meaning without a new version.
"""

import re
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta, Struct

from apple_tokens.model import Instant, Problem, Reason, Severity, Tenant

QUEUE = "remediation"
VERSION = 1


class MessageKind(StrEnum):
    """What the ticket is for."""

    ALERTS = "alerts"
    """The untold alerts of one batch."""
    WELCOME = "welcome"
    """What the first complete check found, with what has been expired for long."""
    DIGEST = "digest"
    """The weekly overview."""
    TEST = "test"
    """A test message: it has no rows and is posted as it is."""


class RemediationMessage(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One ticket. `batch` is the only field that selects rows; the others say what to expect."""

    version: int
    kind: MessageKind
    tenant: Tenant
    checked_at: Instant
    """The check that made the batch, in UTC; a telling counts for its check date."""
    check_date: date
    batch: str = ""
    problem: Problem | None = None
    """None for a batch of all that was fixed."""
    reason: Reason | None = None
    stage: str = ""
    severity: Severity | None = None
    count: int = 0
    """How many alerts the batch held when it was queued."""


class MalformedMessageError(ValueError):
    """A queue message that this version cannot read; the host moves it to the poison queue."""


class _Envelope(Struct):
    version: Annotated[int, Meta(ge=0, le=2**31)]


_Shape = TypeVar("_Shape", bound=Struct)

# The library quotes a value that is none of an enum's, and nothing else of a body.
_QUOTED: Final = re.compile(r"(?<=value ).*(?= - at )", re.DOTALL)

_encoder = msgspec.json.Encoder(order="deterministic")


def encode(message: RemediationMessage) -> str:
    """Return the JSON text of a message, the same bytes for the same message."""
    return _encoder.encode(message).decode()


def decode(body: str | bytes) -> RemediationMessage:
    """Parse the body of a queue message.

    Raise MalformedMessageError for anything but a whole message of a version that is known here.
    The error names what is wrong with it, and keeps the body out of the text: a queue can hold
    anything.
    """
    version = _parse(body, _Envelope).version
    if version != VERSION:
        raise MalformedMessageError(
            f"the queue message has version {version}, and this app reads version {VERSION}: "
            "deploy the version of the app that wrote it, or clear the message"
        )
    return _parse(body, RemediationMessage)


def _parse(body: str | bytes, shape: type[_Shape]) -> _Shape:
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.MsgspecError as error:
        why = _QUOTED.sub("…", str(error))
    except UnicodeDecodeError:
        why = "it is not UTF-8"
    except RecursionError:
        why = "it is nested too deeply"
    # Raised out here: chained, the library's error would show what was cut out of its text.
    raise MalformedMessageError(f"the queue message is no remediation message: {why}")
