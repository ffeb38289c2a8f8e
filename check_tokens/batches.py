"""Which alerts go into one message (pure).

One problem, one stage, one reason, however many tokens; for `could_not_check` also one cause. All
fixed ones go together.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from apple_tokens.messages import VERSION, MessageKind, RemediationMessage
from apple_tokens.model import Problem, Reason, Severity, Tenant
from apple_tokens.rows import AlertRow
from check_tokens.alerting import Moment
from check_tokens.occasions import WELCOME_BATCH
from check_tokens.policy import Policy
from check_tokens.schedule import check_date


def assign(alerts: Iterable[AlertRow], moment: Moment) -> list[AlertRow]:
    """Return the alerts, the untold ones assigned to a batch of this check.

    The name of a batch carries the check's instant, so that the ticket of an older check finds
    nothing once the alert has moved to a newer batch.
    """
    return [
        msgspec.structs.replace(alert, batch=_batch(alert, moment)) if alert.is_untold else alert
        for alert in alerts
    ]


def messages(
    alerts: Iterable[AlertRow], tenant: Tenant, moment: Moment, policy: Policy
) -> list[RemediationMessage]:
    """Return one ticket for each batch that has untold alerts, the worst first.

    The welcome has a ticket of its own. A batch that is sent again keeps the time of the check that
    made it.
    """
    batches = dict[str, list[AlertRow]]()
    for alert in alerts:
        if alert.is_untold and alert.batch not in {"", WELCOME_BATCH}:
            batches.setdefault(alert.batch, []).append(alert)
    tickets = [
        _ticket(rows, tenant, _made_at(batch) or moment.now, policy)
        for batch, rows in batches.items()
    ]
    return sorted(tickets, key=_order)


def _batch(alert: AlertRow, moment: Moment) -> str:
    instant = moment.now.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    if alert.reason is Reason.FIXED:
        return f"{instant} {Reason.FIXED}"
    parts = [instant, alert.problem, alert.stage, alert.reason or ""]
    if alert.problem is Problem.COULD_NOT_CHECK and alert.facts.cause:
        parts.append(alert.facts.cause)
    return " ".join(parts)


def _made_at(batch: str) -> datetime | None:
    try:
        made_at = datetime.fromisoformat(batch.partition(" ")[0])
    except ValueError:
        return None
    # Somebody's own text, such as a bare date: the ticket could not be read with it.
    return made_at if made_at.tzinfo else None


def _ticket(
    rows: list[AlertRow], tenant: Tenant, checked_at: datetime, policy: Policy
) -> RemediationMessage:
    first = rows[0]
    is_fixed = first.reason is Reason.FIXED
    return RemediationMessage(
        version=VERSION,
        kind=MessageKind.ALERTS,
        tenant=tenant,
        checked_at=checked_at,
        check_date=check_date(checked_at, policy),
        batch=first.batch,
        problem=None if is_fixed else first.problem,
        reason=first.reason,
        stage="" if is_fixed else first.stage,
        severity=None if is_fixed else max((row.severity for row in rows), key=_rank),
        count=len(rows),
    )


def _order(ticket: RemediationMessage) -> tuple[int, int, str]:
    is_good_news = ticket.reason in {Reason.FIXED, Reason.ACCEPTED}
    rank = ticket.severity.rank if ticket.severity else 0
    return (int(is_good_news), -rank, ticket.batch)


def _rank(severity: Severity) -> int:
    return severity.rank
