"""One problem of one token, as one check sees it: what diagnosis hands to the alert policy."""

from msgspec import Struct

from apple_tokens.model import Facts, Problem, Severity


class Finding(Struct, frozen=True, kw_only=True):
    """One problem of one token, as one check sees it."""

    problem: Problem
    severity: Severity
    stage: str = ""
    """How deep. The reminder stage in days for `…_expiring`; else the severity."""
    silenced: bool = False
    """Whether a cause already says it. A silenced problem is not over, only not told."""
    unsure: bool = False
    """Whether a second check must see it before anybody is told."""
    facts: Facts = Facts()
