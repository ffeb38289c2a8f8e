"""One tenant's check: gather, let the pure core decide, write, and return what must be told.

A function of tenant, sources, tables, policy and time; the timer calls it for the home tenant, and
a queue could call it for each of many.
"""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta

import msgspec

from apple_tokens import events
from apple_tokens.messages import RemediationMessage
from apple_tokens.model import CouldNotCheck, SourceResult, Tenant, TokenKind, TokensRead
from apple_tokens.rows import AlertRow, RunRows, SourceRow
from apple_tokens.tables import TokenTables
from check_tokens import batches, escalation, history, occasions, report
from check_tokens.alerting import Moment
from check_tokens.assessment import Assessment, Known, assess
from check_tokens.common_cause import mark_common_cause
from check_tokens.policy import Policy
from check_tokens.schedule import MAX_TRIES, due, tries_so_far

ReadSources = Callable[[tuple[TokenKind, ...]], Awaitable[dict[TokenKind, SourceResult]]]
"""Reads the named sources side by side and answers for each of them."""

HISTORY_KEPT = timedelta(days=730)

_replace = msgspec.structs.replace


async def tick(
    tenant: Tenant, read: ReadSources, tables: TokenTables, policy: Policy, now: datetime
) -> list[RemediationMessage]:
    """Do what is due at `now` and return the tickets that must be queued, the worst first.

    Nothing due costs one storage request. Raises azure.core exceptions when the tables fail, and
    nothing for a source. Everything may be repeated: what was cut off anywhere is made up for by
    the next tick.

    1. Read the due sources. Rows are read after them, so that what was told meanwhile is known.
    2. Bring the rows of each source up to date that is settled now.
    3. Write history, alerts, status rows and run rows, in this order: a crash in between leaves
       the source unsettled, and the next tick does all of it again.
    """
    rows = await tables.run_rows()
    todo = due(now, rows, policy)
    if not todo:
        return []
    moment = Moment(now=now, check_date=todo.check_date)
    results = await read(todo.sources) if todo.sources else {}
    sources = {kind: _settle(result, rows, kind, now, policy) for kind, result in results.items()}
    for kind, result in results.items():
        if isinstance(result, CouldNotCheck):
            events.emit(_source_unread(tenant, result, sources[kind], now))
    settled = tuple(kind for kind in results if sources[kind].settled_at == now)
    known = await _known(tables, settled, requeue=todo.requeue)
    parts = [
        mark_common_cause(assess(kind, results[kind], known[kind], sources[kind], moment, policy))
        for kind in settled
    ]
    run = occasions.plan(rows.run, _progress(rows, sources, moment, policy), moment, policy)
    alerts = [
        escalation.escalate(row, moment, policy)
        for row in batches.assign((row for part in parts for row in part.alerts), moment)
    ]
    alerts = occasions.tell_with_the_welcome(alerts, run, moment)
    for overdue in report.escalations_of(tenant, parts, alerts, moment):
        events.emit(overdue)
    await _write(tables, known, parts, alerts, rows, moment)
    others = (row for kind in known if kind not in settled for row in known[kind].alerts)
    messages = batches.messages([*alerts, *others], tenant, moment, policy)
    if settled or todo.requeue:
        messages += occasions.messages(run, tenant, moment)
    if run.digest_step > rows.run.digest_step:
        await tables.delete_history(now - HISTORY_KEPT)
    run = _replace(
        run,
        checked_at=now if any(row.read_at == now for row in sources.values()) else run.checked_at,
        queued_at=now if messages and settled else run.queued_at,
        requeued_at=now if todo.requeue else run.requeued_at,
    )
    await tables.write_run(run, sources.values())
    for event in report.events_of(tenant, results, parts, alerts, messages, moment):
        events.emit(event)
    return messages


def _settle(
    result: SourceResult, rows: RunRows, kind: TokenKind, now: datetime, policy: Policy
) -> SourceRow:
    """Return the source's row after this try; `settled_at` is `now` when no other try follows."""
    before = rows.source(kind)
    if not isinstance(result, CouldNotCheck):
        name = "tokens_read" if isinstance(result, TokensRead) else "not_configured"
        return SourceRow(kind=kind, settled_at=now, read_at=now, tried_at=now, result=name)
    tries = tries_so_far(now, rows, before, policy) + 1
    is_settled = result.reason.is_permanent or tries >= MAX_TRIES
    return SourceRow(
        kind=kind,
        settled_at=now if is_settled else before.settled_at,
        read_at=before.read_at,
        tried_at=now,
        tries=tries,
        result=result.reason,
        reason=result.reason,
        detail=result.detail,
        request_id=result.request_id,
    )


async def _known(
    tables: TokenTables, settled: tuple[TokenKind, ...], *, requeue: bool
) -> dict[TokenKind, Known]:
    """Read what the tables hold of the settled kinds, and the alerts of the others to requeue."""
    kinds = tuple(TokenKind) if requeue else settled
    alerts = await tables.alert_rows(kinds) if kinds else []
    tokens = await tables.token_rows(settled) if settled else []
    return {
        kind: Known(
            tokens=tuple(row for row in tokens if row.token.kind is kind),
            alerts=tuple(row for row in alerts if row.kind is kind),
        )
        for kind in kinds
    }


def _progress(
    rows: RunRows, sources: dict[TokenKind, SourceRow], moment: Moment, policy: Policy
) -> occasions.Sources:
    after = _replace(rows, sources=rows.sources | sources)
    return occasions.Sources(
        all_settled=not due(moment.now, after, policy).sources,
        any_read=any(row.read_at and row.reason is None for row in after.sources.values()),
    )


async def _write(
    tables: TokenTables,
    known: dict[TokenKind, Known],
    parts: Iterable[Assessment],
    alerts: Iterable[AlertRow],
    rows: RunRows,
    moment: Moment,
) -> None:
    parts = tuple(parts)
    kinds = {part.kind for part in parts}
    await tables.write_history(
        change
        for part in parts
        for change in history.changes(
            known[part.kind].tokens,
            part.tokens,
            part.gone_tokens,
            checked_at=moment.now,
            previous_check_at=rows.source(part.kind).settled_at,
        )
    )
    before = {row.key: row for kind in kinds for row in known[kind].alerts}
    await tables.write_alerts(row for row in alerts if before.get(row.key) != row)
    await tables.write_tokens(row for part in parts for row in part.tokens)
    # A token whose row outlived its alerts would be told as removed once more.
    await tables.delete_tokens(row for part in parts for row in part.gone_tokens)
    await tables.delete_alerts(row for part in parts for row in part.gone_alerts)


def _source_unread(
    tenant: Tenant, failure: CouldNotCheck, source: SourceRow, now: datetime
) -> events.SourceUnread:
    return events.SourceUnread(
        tenant_id=tenant.id,
        kind=source.kind,
        reason=failure.reason,
        detail=failure.detail,
        status=failure.status,
        request_id=failure.request_id,
        tries=source.tries,
        settled=source.settled_at == now,
    )
