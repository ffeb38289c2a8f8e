"""Regressions that the survival matrix must notice: one module for each kind of fault.

Each module has a tuple `REGRESSIONS`. A row of the matrix counts only if one of them turns it red.
"""

import importlib
import pkgutil
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Regression:
    """A mistake that somebody could make: a small patch, and the rows that notice it."""

    name: str
    file: str
    old: str
    """Text that stands exactly once in the file."""
    new: str
    rows: str
    """A regular expression that finds the rows, all of which must fail, by their node ids."""
    says: str
    """A regular expression: what the report of each failing row says of the cause."""


def regressions() -> list[Regression]:
    """Return all of them, in the order of the modules' names."""
    found = list[Regression]()
    for module in pkgutil.iter_modules(__path__):
        found += importlib.import_module(f"{__name__}.{module.name}").REGRESSIONS
    return found
