"""One tenant's check: gather, let the pure core decide, write, and return what must be told.

A function of tenant, sources, tables, policy and time; the timer calls it for the home tenant, and
a queue could call it for each of many.
"""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

import msgspec

from apple_tokens import events
from apple_tokens.messages import RemediationMessage
from apple_tokens.model import CouldNotCheck, SourceResult, Tenant, TokenKind, TokensRead
from apple_tokens.rows import AlertRow, RunRows, SourceRow, TokenRow
from apple_tokens.tables import TokenTables
from check_tokens import batches, report
from check_tokens.alerting import Moment
from check_tokens.assessment import Assessment, Known, assess
from check_tokens.policy import Policy
from check_tokens.schedule import MAX_TRIES, Due, due, tries_so_far

ReadSources = Callable[[tuple[TokenKind, ...]], Awaitable[dict[TokenKind, SourceResult]]]
"""Reads the named sources side by side and answers for each of them."""

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
    3. Write alerts before status rows before run rows: a crash in between leaves the source
       unsettled, and the next tick does all of it again.
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
    alerts = await tables.alert_rows()
    tokens = await tables.token_rows() if settled else []
    assessments = [
        assess(kind, results[kind], _known(kind, tokens, alerts), sources[kind], moment, policy)
        for kind in settled
    ]
    fresh = batches.assign((row for part in assessments for row in part.alerts), moment)
    await _write(tables, assessments, fresh, before=alerts)
    told_again = [row for row in alerts if row.kind not in settled] if todo.requeue else []
    messages = batches.messages([*fresh, *told_again], tenant, moment, policy)
    await _write_run(tables, rows, sources, todo, now, queued=bool(messages))
    for event in report.events_of(tenant, results, assessments, fresh, messages, moment):
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


def _known(kind: TokenKind, tokens: Iterable[TokenRow], alerts: Iterable[AlertRow]) -> Known:
    return Known(
        tokens=tuple(row for row in tokens if row.token.kind is kind),
        alerts=tuple(row for row in alerts if row.kind is kind),
    )


async def _write(
    tables: TokenTables,
    assessments: Iterable[Assessment],
    alerts: Iterable[AlertRow],
    before: Iterable[AlertRow],
) -> None:
    unchanged = {row.key: row for row in before}
    await tables.write_alerts(row for row in alerts if unchanged.get(row.key) != row)
    for part in assessments:
        await tables.delete_alerts(part.gone_alerts)
        await tables.write_tokens(part.tokens)
        await tables.delete_tokens(part.gone_tokens)


async def _write_run(
    tables: TokenTables,
    rows: RunRows,
    sources: dict[TokenKind, SourceRow],
    todo: Due,
    now: datetime,
    *,
    queued: bool,
) -> None:
    was_read = any(source.read_at == now for source in sources.values())
    run = _replace(
        rows.run,
        checked_at=now if was_read else rows.run.checked_at,
        queued_at=now if queued and todo.sources else rows.run.queued_at,
        requeued_at=now if todo.requeue else rows.run.requeued_at,
    )
    await tables.write_run(run, sources.values())


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
