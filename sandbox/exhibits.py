"""Choose from all cards that can be made those that are worth looking at, in every language."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from notify.remediation import Language
from sandbox.gallery_page import Exhibit
from sandbox.specimens.every import everything

LANGUAGES: Final = ((Language.EN,), (Language.JA,), (Language.JA, Language.EN))

# Elsewhere a card differs from these in one line, which says why it is told.
ROOMS: Final = {
    "Problems, by severity and kind of token": ("*-new-*",),
    "Sync errors, by their row in Microsoft's table": ("*-row_*",),
    "Told again": (
        "ade_token_expiring-critical-worse-*",
        "vpp_sync_failed-warning-again-*",
        "push_certificate_expired-critical-reminder-*",
    ),
    "Many tokens": ("vpp_token_expiring-*-many", "ade_sync_failed-*-many"),
    "A row is missing": ("ade_token_expired-critical-bare", "push_certificate_*-critical-bare"),
    "A source could not be checked": ("could_not_check-*",),
    "Renewed and fixed": ("renewed-*", "fixed-*", "*-fixed"),
    "Accepted, and the test message": ("accepted", "test"),
    "Welcome and digest": ("welcome-*", "digest-*"),
}


def every_exhibit() -> Iterator[Exhibit]:
    """Return the cards of the gallery, room by room; a card stands in the first that it fits."""
    left = everything()
    for room, patterns in ROOMS.items():
        for pattern in patterns:
            for name in [name for name in left if fnmatchcase(name, pattern)]:
                specimen = left.pop(name)
                cards = {"+".join(languages): specimen.card(*languages) for languages in LANGUAGES}
                yield Exhibit(room=room, name=name, cards=cards)
