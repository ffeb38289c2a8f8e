"""The sources of tokens, one entry per kind, and how they are read side by side."""

import asyncio
import logging
import traceback
from collections.abc import Callable, Iterable
from hashlib import blake2b

from msgspec import Struct
from msgspec.structs import astuple

from apple_tokens.model import (
    AppleToken,
    CouldNotCheck,
    FailureReason,
    NotConfigured,
    SourceResult,
    TokenKind,
    TokensRead,
)
from check_tokens import verdicts
from check_tokens.decoding import (
    Page,
    decode_ade_tokens,
    decode_push_certificate,
    decode_vpp_tokens,
)
from check_tokens.graph import GraphClient
from check_tokens.transport import Deadline
from check_tokens.verdicts import GraphError
from check_tokens.wire import ApplePushNotificationCertificate, DepOnboardingSetting, VppToken

logger = logging.getLogger(__name__)

MAX_TOKENS = 6_000
"""Of one source. Microsoft allows 2,000 ADE and 3,000 VPP tokens; twice that is no tenant."""

MAX_CHARACTERS = 2_000_000
"""Of all texts of one source: over 600 for each of 3,000 tokens. One may take four bytes."""


class Source(Struct, frozen=True):
    """Where the tokens of one kind are, and how an answer is read."""

    path: str
    wire: type[Struct]
    """Its properties are those that are asked for, and no others."""
    decode: Callable[[bytes], Page]
    absent_is_404: bool = False
    """Whether "none configured" is said with a 404 instead of an empty list."""

    @property
    def address(self) -> str:
        """The path with its `$select`: by default Graph would send the secrets too."""
        return f"{self.path}?$select={','.join(self.wire.__struct_encode_fields__)}"


# Beta where v1.0 lacks the resource (ADE) or the names and a state (VPP); Microsoft supports
# Intune's beta resources.
SOURCES = {
    TokenKind.ADE: Source(
        path="/beta/deviceManagement/depOnboardingSettings",
        wire=DepOnboardingSetting,
        decode=decode_ade_tokens,
    ),
    TokenKind.VPP: Source(
        path="/beta/deviceAppManagement/vppTokens",
        wire=VppToken,
        decode=decode_vpp_tokens,
    ),
    TokenKind.PUSH: Source(
        path="/v1.0/deviceManagement/applePushNotificationCertificate",
        wire=ApplePushNotificationCertificate,
        decode=decode_push_certificate,
        absent_is_404=True,
    ),
}


async def read_sources(
    client: GraphClient, kinds: Iterable[TokenKind], deadline_s: float
) -> dict[TokenKind, SourceResult]:
    """Read the sources side by side and return a result for each, within `deadline_s` seconds.

    Never raise for a source. A defect of this program is logged as an error, with the place where
    it happened, and becomes the result of its source alone: the others are as good as ever, and a
    check that raises would tell nothing of them.
    """
    kinds = tuple(kinds)
    deadline = Deadline(asyncio.get_running_loop().time() + deadline_s)
    try:
        async with asyncio.timeout_at(deadline.at):
            await client.sign_in()
    except TimeoutError:
        return dict.fromkeys(kinds, verdicts.timed_out(deadline_s))
    except GraphError as error:
        return dict.fromkeys(kinds, error.failure)
    results = await asyncio.gather(
        *(_read(client, SOURCES[kind], deadline, deadline_s) for kind in kinds)
    )
    return dict(zip(kinds, results, strict=True))


async def _read(
    client: GraphClient, source: Source, deadline: Deadline, deadline_s: float
) -> SourceResult:
    try:
        async with asyncio.timeout_at(deadline.at):
            tokens = await _read_pages(client, source, deadline)
    except TimeoutError:
        return verdicts.timed_out(deadline_s)
    except GraphError as error:
        if error.not_configured and source.absent_is_404:
            return NotConfigured()
        return error.failure
    except Exception as error:  # noqa: BLE001 # see read_sources
        return _defect(error)
    return TokensRead(tokens=tokens) if tokens else NotConfigured()


async def _read_pages(
    client: GraphClient, source: Source, deadline: Deadline
) -> tuple[AppleToken, ...]:
    """Follow the next links to the last page, through empty pages too.

    A token that stands on two pages is taken from the later one: it moved while the pages were
    read, and the later answer is the newer one.
    """
    tokens: dict[str, AppleToken] = {}
    followed: set[bytes] = set()
    characters = 0
    address = source.address
    while address:
        page = await client.get(address, source.decode, deadline)
        tokens.update((token.id, token) for token in page.tokens)
        if len(tokens) > MAX_TOKENS:
            raise verdicts.unexpected(f"Microsoft Graph lists more than {MAX_TOKENS:,} tokens.")
        characters += sum(map(_characters, page.tokens))
        if characters > MAX_CHARACTERS:
            raise verdicts.unexpected(
                f"Microsoft Graph's list has texts of more than {MAX_CHARACTERS:,} characters."
            )
        # Digests, so that ten thousand pages with long links stay small.
        link = blake2b(page.next_link.encode(), digest_size=16).digest()
        if link in followed:
            raise verdicts.unexpected("Microsoft Graph's links to the next page go in a circle.")
        followed.add(link)
        address = page.next_link
    return tuple(tokens.values())


def _characters(token: AppleToken) -> int:
    return sum(len(value) for value in astuple(token) if isinstance(value, str))


def _defect(error: Exception) -> CouldNotCheck:
    place = traceback.extract_tb(error.__traceback__)[-1]
    # Without the error's text, which could quote an answer, and without a traceback, which ends
    # with that text.
    where = f"{type(error).__name__} in {place.name}, line {place.lineno} of {place.filename}"
    logger.error("Reading a source failed because of a defect of this program: %s", where)
    detail = f"Reading failed because of a defect of this program ({type(error).__name__})."
    return CouldNotCheck(reason=FailureReason.UNEXPECTED_ANSWER, detail=detail)
