"""What `check` found, for people and for scripts (pure)."""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from admin.command import ExitStatus
from admin.table import KIND_NAMES, by_urgency, printable, status_table
from apple_tokens.model import (
    CouldNotCheck,
    FailureReason,
    Health,
    NotConfigured,
    SourceResult,
    TokenKind,
)
from apple_tokens.rows import TokenRow


class CheckReport(Struct, frozen=True, kw_only=True):
    """The tokens of all sources, and how each source answered."""

    rows: tuple[TokenRow, ...]
    results: dict[TokenKind, SourceResult]
    advice: str
    """What to do about a refusal; empty where nothing was refused."""
    checked_at: datetime
    zone: ZoneInfo

    @property
    def status(self) -> ExitStatus:
        """Healthy only if every source was read; a failure outweighs whatever was found."""
        if self._failures:
            return ExitStatus.NOT_DONE
        return ExitStatus.PROBLEMS if self._unhealthy else ExitStatus.DONE

    def as_text(self) -> str:
        """Return a table, what could not be checked and why, and a summary."""
        lines = [status_table(self.rows, self.zone)] if self.rows else []
        lines += [
            f"{KIND_NAMES[kind]}: none configured"
            for kind, result in self.results.items()
            if isinstance(result, NotConfigured)
        ]
        for kind, failure in self._failures.items():
            lines.append(f"COULD NOT CHECK {KIND_NAMES[kind]}: {_why(failure)}")
            if failure.request_id:
                lines.append(f"    request id {printable(failure.request_id)}")
        if self.advice:
            lines.append(self.advice)
        return "\n".join([*lines, self._summary()])

    def as_json(self) -> str:
        """Return the same as JSON, in ASCII: no console can garble it, and it steers none."""
        document = {
            "checkedAt": self.checked_at.isoformat(),
            "sources": {kind: _source(result) for kind, result in self.results.items()},
            "advice": self.advice,
            "tokens": [_token(row) for row in by_urgency(self.rows)],
        }
        return json.dumps(document, indent=2)

    @property
    def _failures(self) -> dict[TokenKind, CouldNotCheck]:
        return {
            kind: result
            for kind, result in self.results.items()
            if isinstance(result, CouldNotCheck)
        }

    @property
    def _unhealthy(self) -> int:
        return sum(row.health is not Health.HEALTHY for row in self.rows)

    def _summary(self) -> str:
        found = f"{len(self.rows)} read, {self._unhealthy} with problems"
        if not self._failures:
            return found
        return (
            f"{found}; {len(self._failures)} of {len(self.results)} sources could not be checked: "
            "nothing is known of them"
        )


def _why(failure: CouldNotCheck) -> str:
    if failure.reason is FailureReason.PERMISSION:
        # What to grant depends on who signed in. It is said once, by the advice.
        return f"Microsoft Graph refused access ({failure.status})."
    return printable(failure.detail)


def _source(result: SourceResult) -> dict[str, object]:
    match result:
        case CouldNotCheck():
            return {
                "result": result.reason,
                "detail": _why(result),
                "status": result.status,
                "requestId": result.request_id,
            }
        case NotConfigured():
            return {"result": "not_configured"}
        case _:
            return {"result": "tokens_read"}


def _token(row: TokenRow) -> dict[str, object]:
    columns: dict[str, object] = msgspec.to_builtins(row.token)
    token = {f"{name[0].lower()}{name[1:]}": value for name, value in columns.items()}
    return token | {
        "health": row.health,
        "severity": row.severity,
        "daysLeft": row.days_left,
        "problems": [problem for problem in row.problems.split(", ") if problem],
    }
