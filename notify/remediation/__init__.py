"""What cards say: one entry per problem, per ADE sync error and per reason of not checking.

`load` gives the catalogue of a language. The texts are `en.toml` and `ja.toml`, what they share
stands in `places.toml`; all of it is checked on the first use. Nothing else is read, and no clock.
"""

import tomllib
from functools import cache
from pathlib import Path

from notify.remediation.catalogue import Catalogue
from notify.remediation.entries import (
    Advice,
    CatalogueError,
    Counted,
    Entry,
    Language,
    Link,
    SyncErrorGroup,
)
from notify.remediation.parsing import parse, parse_places

__all__ = [
    "Advice",
    "Catalogue",
    "CatalogueError",
    "Counted",
    "Entry",
    "Language",
    "Link",
    "SyncErrorGroup",
    "load",
]

_FOLDER = Path(__file__).parent


@cache
def load(language: Language) -> Catalogue:
    """Return the catalogue of a language, read and checked once per process.

    Raise CatalogueError, which names the language, the section and the key, for a text that is
    missing, empty or superfluous.
    """
    return parse(language, read_toml(language), parse_places(read_toml("places")))


def read_toml(name: str) -> dict[str, object]:
    """Return a packaged file as TOML has it, unchecked."""
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
