"""Render the Adaptive Card of one message (pure): what is wrong, what it breaks, what to do.

1. Put each alert beside the row of its token, the most urgent first.
2. Compose the body in the first language, and in the second one folded behind a button.
3. Say less about tokens until the card fits: all their facts, then a line each, then fewer of them,
   always with how many are not shown.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from apple_tokens.messages import MessageKind, RemediationMessage
from apple_tokens.model import Problem, Reason, Tenant, TokenKind
from apple_tokens.rows import AlertRow, TokenRow
from notify import parts
from notify.elements import Element, buttons, card, container, toggle
from notify.facts import ABOUT_SYNC, Subject
from notify.news_card import accepted_body, fixed_body, test_body
from notify.parts import Body, Listing
from notify.problem_card import problem_body
from notify.unread_card import unread_body
from notify.voice import Presentation, Voice

LIMIT_BYTES: Final = 24_000
"""Of the card as an escaped JSON string. Teams' own limit is 28,672, counted in this way.

https://github.com/MicrosoftDocs/msteams-docs/issues/11274
"""
_MOST_IN_FULL = 5
_MOST_LISTED = 20
_SECOND = "second_language"
_PLAIN_NAME = re.compile(r"[^\W_]+(?:[ -][^\W_]+)*")

Tokens = Mapping[tuple[str, str], TokenRow]
"""The rows of the kinds that a card is about, by kind and id. Any can be missing."""


class PayloadStyle(StrEnum):
    """What the workflow's trigger is given."""

    MESSAGE = "message"
    """A message with the card attached, as Microsoft's templates expect it."""
    CARD = "card"
    """The card alone, for a workflow of one's own that posts the body as it is."""


def render(
    message: RemediationMessage,
    alerts: Sequence[AlertRow],
    tokens: Tokens,
    presentation: Presentation,
) -> Element:
    """Return the card of a message: at most `LIMIT_BYTES`, whatever the rows hold.

    `alerts` are those of the message's batch that are to be told, at least one unless it is a test
    message. `tokens` are all rows of their kinds: a card also names the next dates of a source that
    could not be read, and of how many tokens it tells.
    """
    subjects = sorted(
        (Subject(alert=alert, row=tokens.get((alert.kind, alert.token_id))) for alert in alerts),
        key=_urgency,
    )
    voices = [
        Voice(
            catalogue=catalogue,
            zone=presentation.zone,
            cloud=presentation.cloud,
            checked_at=message.checked_at,
        )
        for catalogue in presentation.catalogues
    ]
    made: Element = {}
    for listing in _listings(len(subjects)):
        bodies = [_body(message, subjects, tokens, listing, voice) for voice in voices]
        made = compose(bodies, message.tenant, voices)
        if size_bytes(made) <= LIMIT_BYTES:
            break
    return made


def payload(made: Element, style: PayloadStyle) -> Element:
    """Return what is posted: the card alone, or the message that Microsoft's templates expect."""
    if style is PayloadStyle.CARD:
        return made
    return {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": None,
                "content": made,
            }
        ],
    }


def size_bytes(made: Element) -> int:
    """Return the size of a card as Teams counts it: escaped, as a string inside of JSON."""
    compact = json.dumps(made, ensure_ascii=False, separators=(",", ":"))
    return len(json.dumps(compact, ensure_ascii=False).encode())


def compose(bodies: Sequence[Body], tenant: Tenant, voices: Sequence[Voice]) -> Element:
    """Return the card of one body per voice: the first language, the second one folded below it."""
    pages = [
        [parts.header(body, tenant, voice), *body.elements, parts.footer(voice)]
        for body, voice in zip(bodies, voices, strict=True)
    ]
    shown = pages[0]
    for page, voice in zip(pages[1:], voices[1:], strict=True):
        folded = container(page, id=_SECOND, isVisible=False, separator=True)
        shown = [*shown, buttons([toggle(voice.word("button.this_language"), _SECOND)]), folded]
    return card(shown, _fallback(bodies[0], tenant, voices[0]), voices[0].catalogue.language)


def _body(
    message: RemediationMessage,
    subjects: Sequence[Subject],
    tokens: Tokens,
    listing: Listing,
    voice: Voice,
) -> Body:
    if message.kind is MessageKind.TEST:
        return test_body(voice)
    first = subjects[0].alert
    match first.reason, first.problem:
        case Reason.FIXED, _:
            return fixed_body(subjects, listing, voice)
        case Reason.ACCEPTED, _:
            return accepted_body(subjects, listing, voice)
        case _, Problem.COULD_NOT_CHECK:
            return unread_body(subjects, list(tokens.values()), listing, voice)
        case _:
            return problem_body(subjects, list(tokens.values()), listing, voice)


def _fallback(body: Body, tenant: Tenant, voice: Voice) -> str:
    """Return what stands in place of a card that cannot be shown. It is read as markdown.

    So it holds nothing that others wrote, and a tenant's name only where it cannot become a link.
    """
    name = tenant.name if _PLAIN_NAME.fullmatch(tenant.name) else tenant.id
    severity = voice.word(body.tone.word)
    return f"{severity} · {name} · {body.title} · {voice.word('card.sent_by')}"


def _listings(count: int) -> Iterator[Listing]:
    """Return how the tokens can be listed, the most telling way first."""
    if count <= _MOST_IN_FULL:
        yield Listing(count, in_full=True)
    for shown in range(min(count, _MOST_LISTED), -1, -1):
        yield Listing(shown, in_full=False)


def _urgency(subject: Subject) -> tuple[int, bool, datetime, TokenKind, str]:
    """Order the tokens of a batch: the first to expire first, or the longest without a sync."""
    token = subject.token
    if subject.alert.problem in ABOUT_SYNC:
        instant, without = token.last_synced_at, False  # never synced is the longest of all
    else:
        instant, without = token.expires_on, token.expires_on is None
    return (
        -subject.alert.severity.rank,
        without,
        instant or datetime.min.replace(tzinfo=UTC),
        token.kind,
        token.id,
    )
