"""From the bytes of an answer to the tokens in it, without ever holding more than was asked for."""

from typing import Generic, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType, field

from apple_tokens.model import AppleToken
from check_tokens.wire import (
    ApplePushNotificationCertificate,
    DepOnboardingSetting,
    NotAsDocumentedError,
    VppToken,
    WireToken,
)

# No list of tokens has more objects in one page: a tenant has 5,001 tokens at most, and a name may
# have braces too. A body of 8 MiB could hold over half a million objects, and they would take forty
# times that in memory.
_MAX_OBJECTS = 20_000

Wire = TypeVar("Wire", bound=WireToken)
Shape = TypeVar("Shape")


class Page(Struct, frozen=True):
    """One answer: the tokens in it, and the address of the next one, `''` in the last."""

    tokens: list[AppleToken]
    next_link: str = ""


class _List(Struct, Generic[Wire]):
    value: list[Wire]
    next_link: str | None = field(name="@odata.nextLink", default=None)


class _Wrapped(Struct, Generic[Wire]):
    value: Wire | UnsetType = UNSET


def decode_ade_tokens(body: bytes) -> Page:
    """Decode one page of ADE tokens. Raise NotAsDocumentedError."""
    return _page(_decode(body, _List[DepOnboardingSetting]))


def decode_vpp_tokens(body: bytes) -> Page:
    """Decode one page of VPP tokens. Raise NotAsDocumentedError."""
    return _page(_decode(body, _List[VppToken]))


def decode_push_certificate(body: bytes) -> Page:
    """Decode the push certificate as a page of one. Raise NotAsDocumentedError.

    The sample in Graph's documentation has it inside of a `value`; the service sends it bare.
    """
    wrapped = _decode(body, _Wrapped[ApplePushNotificationCertificate]).value
    bare = _decode(body, ApplePushNotificationCertificate) if wrapped is UNSET else wrapped
    return Page([bare.to_token()])


def _page(answer: _List[Wire]) -> Page:
    return Page([token.to_token() for token in answer.value], answer.next_link or "")


def _decode(body: bytes, shape: type[Shape]) -> Shape:
    if body.count(b"{") > _MAX_OBJECTS:
        raise NotAsDocumentedError(f"one page has more than {_MAX_OBJECTS:,} objects")
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        # The text names the types and the property, and quotes nothing of the body.
        raise NotAsDocumentedError(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NotAsDocumentedError("it is not JSON") from None
