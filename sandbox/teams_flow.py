"""Judge a payload as the flow behind a Teams webhook does, after it has answered 202.

The stock template "Send webhook alerts to a channel" takes `attachments` apart and posts each card;
the .NET library of Power Automate parses the card. What it refuses fails in the run history only,
and the sender never hears of it. Sources:
https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook,
https://github.com/microsoft/AdaptiveCards/issues/8965 (version 1.5),
https://github.com/MicrosoftDocs/msteams-docs/issues/11274 (how the size is counted).
"""

import json
from dataclasses import dataclass
from enum import StrEnum

MAX_CARD_BYTES = 28_672
CARD_TYPE = "application/vnd.microsoft.card.adaptive"

_MAX_VERSION = (1, 4)

Card = dict[str, object]


class FlowKind(StrEnum):
    """What the flow expects in the body: TEAMS_PAYLOAD decides what is sent."""

    MESSAGE = "message"
    CARD = "card"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The cards that appear in the channel, or why the run failed."""

    cards: tuple[Card, ...] = ()
    error: str = ""


def run_flow(body: object, kind: FlowKind) -> Verdict:
    """Run the flow on a body that was JSON."""
    if not isinstance(body, dict):
        return Verdict(error="InvalidTemplate: the trigger's body is no object")
    cards = [body] if kind is FlowKind.CARD else _attached_cards(body)
    if isinstance(cards, str):
        return Verdict(error=cards)
    for card in cards:
        if complaint := _card_complaint(card):
            return Verdict(error=complaint)
    return Verdict(cards=tuple(cards))


def counted_bytes(card: Card) -> int:
    """Count a card as the flow does: as text inside a JSON string, every quote escaped."""
    compact = json.dumps(card, ensure_ascii=False, separators=(",", ":"))
    return len(json.dumps(compact, ensure_ascii=False).encode())


def _attached_cards(message: Card) -> list[Card] | str:
    if message.get("type") != "message":
        return "InvalidTemplate: the body's type is not 'message'"
    attachments = message.get("attachments")
    if not isinstance(attachments, list) or not attachments:
        return "InvalidTemplate: 'triggerBody()?['attachments']' is null: nothing to loop over"
    cards: list[Card] = []
    for attachment in attachments:
        if not isinstance(attachment, dict) or attachment.get("contentType") != CARD_TYPE:
            return f"BadRequest: an attachment's contentType is not {CARD_TYPE}"
        content = attachment.get("content")
        if not isinstance(content, dict):
            return "BadRequest: an attachment has no content"
        cards.append(content)
    return cards


def _card_complaint(card: Card) -> str:
    if card.get("type") != "AdaptiveCard":
        return "AdaptiveSerializationException: property 'type' must be 'AdaptiveCard'"
    version = card.get("version")
    try:
        major, minor = (int(part) for part in str(version).split("."))
    except ValueError:
        return f"AdaptiveSerializationException: could not parse required version: {version}"
    if (major, minor) > _MAX_VERSION:
        return f"We're sorry, this card couldn't be displayed (version {version})"
    if not isinstance(card.get("body"), list):
        return "AdaptiveSerializationException: property 'body' must be a list"
    size = counted_bytes(card)
    if size > MAX_CARD_BYTES:
        return f"RequestEntityTooLarge: {size} bytes, the limit is {MAX_CARD_BYTES}"
    return ""
