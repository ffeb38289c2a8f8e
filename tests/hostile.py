"""Names that somebody chose who means no good: listed ones, and as many generated as wished."""

import random
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.test_card_text import HOSTILE

_SCENARIO = Path(__file__).parent.parent / "sandbox" / "scenarios" / "hostile.toml"
_URL = "https://evil.example/renew"
_MOMENT = "2026-12-01T00:00:00Z"

LISTED = (
    *HOSTILE,
    f"<{_URL}>",
    "<mailto:someone@evil.example>",
    "mailto:someone@evil.example tel:+123 ftp://evil.example //evil.example",
    "[click](javascript:alert(1)) javascript:alert(1)",
    "[click](data:text/html;base64,PHNjcmlwdD4=) data:text/html,<b>x</b>",
    f"![pixel]({_URL}.png)",
    f"[ref]\n\n[ref]: {_URL}",
    "<b>bold</b><i>x</i><br><hr><p>",
    "<script>document.title='owned'</script>",
    "<img src=x onerror=document.title='owned'>",
    "<svg/onload=document.title='owned'>",
    f"<iframe src={_URL}></iframe><form action={_URL}><input></form>",
    "<style>*{display:none}</style><!-- -->",
    "</div></div></article></main>",
    "<AT>Everyone</AT> <At id=0>x</aT>",
    "&lt;at&gt;Everyone&lt;/at&gt; &#60;b&#62;",
    "{{TIME(2026-12-01T00:00:00Z)}} {{date(2026-12-01)}} ${$root.name}",
    "## heading\n\n---\n\n===",
    "| a | b |\n|---|---|\n| c | d |",
    "```\ncode\n```\n    indented",
    "1) one\n2) two\n* three\n+ four",
    "\\* \\_ \\[ \\< \\\\",
    "x" * 500,
    "Wort" * 60,
    "漢字" * 150,
    "مرحبا " * 60,
    "a\u200db\u200cc\u2062d\ufe0f",
    "\u202dleft\u202eright\u2067x\u2069\u061c",
    '=HYPERLINK("https://evil.example")',
    "'; DROP TABLE tokens; --",
)
"""What is known to have gone wrong somewhere, each once."""

_PLAIN = (
    "Berlin",
    "iPads",
    "東京店舗",
    "アプリ",
    "مرحبا",
    "café",
    "📱",
    "🧑‍💻",
    "1",
    "Renew it",
    " ",
)
_HIDDEN = (
    *("\u200b", "\u200d", "\u202e", "\u2066", "\u2069", "\ufeff", "\u00ad", "\u0301", "\x00"),
    *("\n", "\r\n", "\t", "\n\n", "\u2028", "\u3164", "\ud800", "\U000e0041"),
)
_BAD = (
    *LISTED,
    *_HIDDEN,
    *"<>[](){}*_~`|#+=!\\/\"'&$@:;%",
    *("<at>", "</at>", "<b>", "<a href=", "](", "![", "**", "__", "~~", "{{", "}}", "${", "<!--"),
    *("{{DATE(", f"{{{{TIME({_MOMENT})}}}}", "&lt;", "&#x3c;", "\\u003c", "%3Cat%3E", "<AT "),
    *(_URL, "www.evil.example", "evil.example", "a@evil.example", "javascript:", "data:", "tel:1"),
    *("\n- ", "\n# ", "\n> ", "\n1. ", "\n|-|\n", "    ", "---"),
)
_MOST_PIECES = 6
_PLANES = (0x80, 0x3000, 0x10000, 0x110000)
"""Characters are drawn from the first ones more often than from all of Unicode."""


def scenario_names() -> list[str]:
    """Return what the hostile tenant of the sandbox calls its tokens."""
    with _SCENARIO.open("rb") as file:
        scenario = tomllib.load(file)
    tokens = [*scenario["depOnboardingSettings"], *scenario["vppTokens"]]
    fields = ("tokenName", "displayName", "organizationName")
    return [token[field] for token in tokens for field in fields if token.get(field)]


def generated_names(count: int, seed: int) -> list[str]:
    """Return so many different names, the same ones for the same seed."""
    names = dict[str, None]()
    for name in _names(random.Random(seed)):  # noqa: S311 - no secret, and the same on every run
        names[name] = None
        if len(names) == count:
            return list(names)
    raise AssertionError("unreachable: the names do not end")


def _names(chance: random.Random) -> Iterator[str]:
    while True:
        pieces = chance.choices((*_PLAIN, *_BAD), k=chance.randrange(_MOST_PIECES))
        pieces.insert(chance.randint(0, len(pieces)), chance.choice(_BAD))
        name = "".join(pieces)
        match chance.randrange(6):
            case 0:  # any characters at all, whether assigned or not
                name += "".join(chr(chance.randrange(chance.choice(_PLANES))) for _ in range(9))
            case 1:  # something invisible inside of what would be recognized
                at = chance.randint(0, len(name))
                name = f"{name[:at]}{chance.choice(_HIDDEN)}{name[at:]}"
            case 2:
                name = f"[{name}]({chance.choice(_BAD)})"
            case 3:
                name = name.swapcase()
            case _:
                pass
        yield name
