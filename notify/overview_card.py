"""Render the welcome or a digest (pure): the tenant as a whole, in one card.

1. Sort the rows once.
2. Compose the body in the first language, and in the second one folded behind a button.
3. List less until the card fits: first fewer of the dates behind their button, then of everything.
"""

import bisect
from collections.abc import Callable, Sequence

from apple_tokens.messages import MessageKind, RemediationMessage
from apple_tokens.rows import AlertRow, RunRows, TokenRow
from notify.card import LIMIT_BYTES, compose, size_bytes
from notify.digest_card import digest_body
from notify.elements import Element
from notify.overview_parts import Room
from notify.standing import stand
from notify.voice import Presentation, Voice
from notify.welcome_card import welcome_body

_MOST_DATES = 40
_MOST_LINES = 10
_FEWEST_BESIDE_STEPS = 3


def render_overview(
    message: RemediationMessage,
    run_rows: RunRows,
    tokens: Sequence[TokenRow],
    alerts: Sequence[AlertRow],
    presentation: Presentation,
) -> Element:
    """Return the card of a welcome or of a digest: at most `LIMIT_BYTES`, whatever the rows hold.

    `tokens` and `alerts` are all rows of the tenant. What of them the welcome tells alone is in its
    batch.
    """
    standing = stand(message, run_rows, tokens, alerts)
    voices = [
        Voice(
            catalogue=catalogue,
            zone=presentation.zone,
            cloud=presentation.cloud,
            checked_at=standing.checked_at,
        )
        for catalogue in presentation.catalogues
    ]

    def made_for(room: Room) -> Element:
        if message.kind is MessageKind.WELCOME:
            bodies = [welcome_body(standing, room, voice) for voice in voices]
        else:
            bodies = [digest_body(standing, run_rows.run, room, voice) for voice in voices]
        return compose(bodies, message.tenant, voices)

    def fits(room: Room) -> bool:
        return size_bytes(made_for(room)) <= LIMIT_BYTES

    with_steps, without = _rooms(steps=True), _rooms(steps=False)
    if fits(with_steps[-1]):
        return made_for(_largest(with_steps, fits))
    return made_for(_largest(without, fits))


def _rooms(*, steps: bool) -> list[Room]:
    """Return how much can be listed, the most telling way first."""
    fewest = _FEWEST_BESIDE_STEPS if steps else 0
    rooms = []
    for dates in range(_MOST_DATES, -1, -1):
        lines = max(min(dates, _MOST_LINES), fewest)
        rooms.append(Room(tokens=lines, lines=lines, dates=dates, steps=steps))
    if steps:
        return rooms
    # Many problems leave no room for their tokens, but for the next dates and the snoozes.
    last = (Room(tokens=0, lines=lines, dates=0, steps=False) for lines in (3, 2, 1, 0))
    return [*rooms[:-1], *last]


def _largest(rooms: Sequence[Room], fits: Callable[[Room], bool]) -> Room:
    """Return the first room that fits, found by halving: the less is listed, the smaller the card.

    Without a list a card fits whatever is in it, so the last room is not asked.
    """
    return rooms[bisect.bisect_left(rooms, x=True, hi=len(rooms) - 1, key=fits)]
