"""Say in a few words what was posted, and why (for people who read the channel of a sandbox)."""

from apple_tokens.messages import MessageKind
from apple_tokens.model import Reason
from sandbox.channel_page import ChannelPost
from sandbox.stage import Posted

_WHY = {
    Reason.NEW: "seen for the first time",
    Reason.WORSE: "got worse",
    Reason.AGAIN: "is back",
    Reason.REMINDER: "daily while critical",
    Reason.FIXED: "fixed",
    Reason.ACCEPTED: "accepted",
}
_MOST_NAMES = 5
_OCCASIONS = {
    MessageKind.WELCOME: "once, after the first complete check",
    MessageKind.DIGEST: "every week",
    MessageKind.TEST: "asked for",
}


def caption(posted: Posted) -> tuple[str, str, str]:
    """Say what a card was about, why it was sent, and which tokens it concerned."""
    message = posted.message
    if message.reason is None:
        return message.kind, _OCCASIONS.get(message.kind, ""), ""
    what: str = message.problem or "what was fixed"
    if message.stage.isdecimal():
        days = int(message.stage)
        what = f"{what}, {days} {'day' if days == 1 else 'days'} or less"
    names = ", ".join(posted.names[:_MOST_NAMES])
    more = len(posted.names) - _MOST_NAMES
    return what, _WHY[message.reason], f"{names} and {more} more" if more > 0 else names


def channel_posts(posted: list[Posted]) -> list[ChannelPost]:
    """Return the cards of the channel with their captions."""
    return [
        ChannelPost(
            at=item.run.at,
            caption=": ".join(part for part in caption(item) if part),
            card=card,
            failure=item.run.error,
        )
        for item in posted
        for card in item.run.cards
    ]
