"""From a ticket to a card in the channel, and back to the rows: parse, read, post, stamp."""

from collections.abc import Callable
from datetime import date, datetime

import msgspec

from apple_tokens import events
from apple_tokens.messages import MalformedMessageError, MessageKind, RemediationMessage, decode
from apple_tokens.rows import RunRow, RunRows
from apple_tokens.settings import SettingsError
from apple_tokens.tables import StampConflictError, TokenTables
from notify import teams
from notify.card import Tokens, payload, render
from notify.elements import Element
from notify.overview_card import render_overview
from notify.settings import Settings
from notify.teams import DeliveryError

MAX_DEQUEUE_COUNT = 5
"""As in host.json: after so many failed deliveries the host moves a message to the poison queue."""

POST_DEADLINE_S = 120.0
"""For one card with its further tries; less than the time for which the message stays hidden."""

_MOST_DIGITS = 9
"""Of the number of a digest: there is one a week."""

_SAFE_TO_QUOTE = (DeliveryError, MalformedMessageError, SettingsError, StampConflictError)


async def deliver(
    body: str | bytes,
    dequeue_count: int,
    *,
    settings: Callable[[], Settings],
    tables: Callable[[str], TokenTables],
    now: datetime,
) -> None:
    """Tell the untold alerts of one ticket, and mark them as told once Teams has accepted the card.

    Delivered twice, a ticket finds nothing untold the second time and posts nothing. Raise whatever
    went wrong: the host makes further tries and owns their count; the last one is logged as given
    up before.
    """
    message: RemediationMessage | None = None
    try:
        message = decode(body)
        count = await _tell(message, settings(), tables(message.tenant.id), now)
    except Exception as error:
        events.emit(_failure(message, error, dequeue_count))
        raise
    events.emit(_outcome(message, count))


async def _tell(
    message: RemediationMessage, settings: Settings, tables: TokenTables, now: datetime
) -> int | None:
    """Return how many alerts were told, None when the ticket finds nothing left to tell."""
    match message.kind:
        case MessageKind.TEST:
            await _post(render(message, [], {}, settings.presentation), settings)
            return 0
        case MessageKind.ALERTS:
            return await _tell_alerts(message, settings, tables, now)
        case MessageKind.WELCOME:
            return await _tell_welcome(message, settings, tables, now)
        case MessageKind.DIGEST:
            return await _tell_digest(message, settings, tables, now)


async def _tell_alerts(
    message: RemediationMessage, settings: Settings, tables: TokenTables, now: datetime
) -> int | None:
    alerts = await tables.untold(message.batch)
    if not alerts:
        return None
    rows = await tables.token_rows({alert.row.kind for alert in alerts})
    tokens: Tokens = {(row.token.kind, row.token.id): row for row in rows}
    card = render(message, [alert.row for alert in alerts], tokens, settings.presentation)
    await _post(card, settings)
    return await tables.stamp(alerts, told_at=now, check_date=message.check_date)


async def _tell_welcome(
    message: RemediationMessage, settings: Settings, tables: TokenTables, now: datetime
) -> int | None:
    """Tell what was found at first, with the alerts that nothing else tells.

    The alerts are stamped first: cut off in between, the welcome comes once more and nothing of it
    is lost.
    """
    alerts = await tables.untold(message.batch)
    run_rows = await tables.run_rows()
    if not run_rows.run.welcome_is_untold and not alerts:
        return None
    step = run_rows.run.welcome_step
    await _post_overview(message, run_rows, settings, tables)
    count = await tables.stamp(alerts, told_at=now, check_date=message.check_date)
    await tables.stamp_run(lambda run: _with_welcome(run, step))
    return count


async def _tell_digest(
    message: RemediationMessage, settings: Settings, tables: TokenTables, now: datetime
) -> int | None:
    """Tell how everything stands, unless a digest of this number or a later one was told."""
    number = _digest_number(message.batch)
    run_rows = await tables.run_rows()
    if not run_rows.run.digest_told_step < number <= run_rows.run.digest_step:
        return None
    await _post_overview(message, run_rows, settings, tables)
    await tables.stamp_run(lambda run: _with_digest(run, number, now, message.check_date))
    return 0


def _with_welcome(run: RunRow, step: int) -> RunRow | None:
    if run.welcome_told_step >= step:
        return None
    return msgspec.structs.replace(run, welcome_told_step=step)


def _with_digest(run: RunRow, number: int, told_at: datetime, check_date: date) -> RunRow | None:
    if run.digest_told_step >= number:
        return None
    return msgspec.structs.replace(
        run,
        digest_told_step=number,
        digest_told_at=told_at,
        digest_told_check_date=check_date,
    )


def _digest_number(batch: str) -> int:
    number = batch.removeprefix("digest ")
    # Far below the number of digits at which Python refuses to count.
    if not number.isdecimal() or len(number) > _MOST_DIGITS:
        raise MalformedMessageError("the batch of a digest does not say which one it is")
    return int(number)


async def _post_overview(
    message: RemediationMessage, run_rows: RunRows, settings: Settings, tables: TokenTables
) -> None:
    tokens, alerts = await tables.token_rows(), await tables.alert_rows()
    card = render_overview(message, run_rows, tokens, alerts, settings.presentation)
    await _post(card, settings)


async def _post(card: Element, settings: Settings) -> None:
    await teams.post(
        settings.webhook, payload(card, settings.payload_style), deadline_s=POST_DEADLINE_S
    )


def _outcome(
    message: RemediationMessage, count: int | None
) -> events.AlertDelivered | events.AlertDropped:
    if count is None:
        return events.AlertDropped(tenant_id=message.tenant.id, batch=message.batch)
    return events.AlertDelivered(
        tenant_id=message.tenant.id,
        batch=message.batch,
        problem=message.problem,
        reason=message.reason,
        count=count,
    )


def _failure(
    message: RemediationMessage | None, error: Exception, dequeue_count: int
) -> events.AlertFailed | events.AlertGaveUp:
    event = events.AlertGaveUp if dequeue_count >= MAX_DEQUEUE_COUNT else events.AlertFailed
    name = type(error).__name__
    return event(
        tenant_id=message.tenant.id if message else "",
        batch=message.batch if message else "",
        error=f"{name}: {error}" if isinstance(error, _SAFE_TO_QUOTE) else name,
        dequeue_count=dequeue_count,
    )
