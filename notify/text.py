"""Make text that others wrote safe to show: one line, visible characters only, not too long.

Token names, Apple accounts, organizations, locations and reasons of failure come from people and
services outside. They are shown as they are as far as that is harmless: whatever could reorder,
hide or imitate other text of the card, or be evaluated on its way to Teams, is taken out.
"""

import re
import unicodedata
from typing import Final

MOST_CHARACTERS: Final = 200

_BROKEN_OPENERS = (
    # The workflow resolves <at> to a mention of a person; no other tag has any business here.
    (re.compile(r"<(?=[A-Za-z/!?])"), "< "),
    # Adaptive Cards evaluate {{DATE(…)}} and {{TIME(…)}}, their templates ${…}.
    (re.compile(r"\{(?=\{)"), "{ "),
    (re.compile(r"\$(?=\{)"), "$ "),
)
# Letters and marks without a shape: they pass for nothing, or for a space.
_SHAPELESS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_HIDDEN = frozenset({"Cf", "Cs", "Co", "Cn"})
"""Format characters (bidirectional, zero-width), lone surrogates, private and unassigned ones."""
_SPACES = frozenset({"Cc", "Zl", "Zp", "Zs"})
_MOST_READ = 10 * MOST_CHARACTERS  # a column holds 32,768; what lies beyond is cut off anyway
_MARKS = frozenset({"Mn", "Me"})
_MOST_MARKS = 3  # in a row; more of them cover the lines above and below


def clean(text: str) -> str:
    """Return text of others on one line, cut at `MOST_CHARACTERS`; `''` where nothing is left."""
    shown: list[str] = []
    marks = 0
    for character in text[:_MOST_READ]:
        category = unicodedata.category(character)
        if category in _SPACES or character in _SHAPELESS:
            shown.append(" ")
            marks = 0
        elif category in _MARKS:
            marks += 1
            shown.append(character if marks <= _MOST_MARKS else "")
        elif category not in _HIDDEN:
            shown.append(character)
            marks = 0
    line = " ".join("".join(shown).split())
    for pattern, replacement in _BROKEN_OPENERS:
        line = pattern.sub(replacement, line)
    return line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 1].rstrip()}…"
