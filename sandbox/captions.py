"""Say in a few words what was posted, and why (for people who read the channel of a sandbox)."""

from apple_tokens.messages import MessageKind, RemediationMessage
from apple_tokens.model import Problem, Reason
from sandbox.channel_page import ChannelPost
from sandbox.stage import Posted

_WHY = {
    Reason.NEW: "seen for the first time",
    Reason.WORSE: "got worse",
    Reason.AGAIN: "is back",
    Reason.REMINDER: "still there, told daily while critical",
    Reason.FIXED: "fixed",
    Reason.ACCEPTED: "accepted",
}
_OCCASIONS = {
    MessageKind.WELCOME: "once, after the first complete check",
    MessageKind.DIGEST: "every week",
    MessageKind.TEST: "asked for",
}


def caption(message: RemediationMessage) -> tuple[str, str, str]:
    """Say what a message was about, why it was sent, and how many tokens it concerned."""
    if message.reason is None:
        return message.kind, _OCCASIONS.get(message.kind, ""), ""
    what = message.problem or "what was fixed"
    if message.stage.isdecimal():
        what = f"{what}, {_counted(int(message.stage), 'day')} or less"
    of = "source" if message.problem is Problem.COULD_NOT_CHECK else "token"
    if message.problem is None:
        of = "alert"
    return what, _WHY[message.reason], _counted(message.count, of)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def channel_posts(posted: list[Posted]) -> list[ChannelPost]:
    """Return the cards of the channel with their captions."""
    return [
        ChannelPost(
            at=item.run.at,
            caption=": ".join(part for part in caption(item.message) if part),
            card=card,
            failure=item.run.error,
        )
        for item in posted
        for card in item.run.cards
    ]
