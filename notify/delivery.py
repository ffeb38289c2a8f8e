"""From a ticket to a card in the channel, and back to the rows: parse, read, post, stamp."""

from collections.abc import Callable
from datetime import datetime

from apple_tokens import events
from apple_tokens.messages import MalformedMessageError, MessageKind, RemediationMessage, decode
from apple_tokens.settings import SettingsError
from apple_tokens.tables import StampConflictError, TokenTables
from notify import teams
from notify.card import payload, render
from notify.elements import Element
from notify.settings import Settings
from notify.teams import DeliveryError

MAX_DEQUEUE_COUNT = 5
"""As in host.json: after so many failed deliveries the host moves a message to the poison queue."""

POST_DEADLINE_S = 120.0
"""For one card with its further tries; less than the time for which the message stays hidden."""

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
        await _tell(message, settings(), tables(message.tenant.id), now)
    except Exception as error:
        events.emit(_failure(message, error, dequeue_count))
        raise


async def _tell(
    message: RemediationMessage, settings: Settings, tables: TokenTables, now: datetime
) -> None:
    match message.kind:
        case MessageKind.TEST:
            card = render(message, [], {}, settings.presentation)
            await _post(card, settings)
            count = 0
        case MessageKind.ALERTS:
            alerts = await tables.untold(message.batch)
            if not alerts:
                events.emit(events.AlertDropped(tenant_id=message.tenant.id, batch=message.batch))
                return
            rows = await tables.token_rows({alert.row.kind for alert in alerts})
            tokens = {(row.token.kind, row.token.id): row for row in rows}
            card = render(message, [alert.row for alert in alerts], tokens, settings.presentation)
            await _post(card, settings)
            count = await tables.stamp(alerts, told_at=now, check_date=message.check_date)
    events.emit(
        events.AlertDelivered(
            tenant_id=message.tenant.id,
            batch=message.batch,
            problem=message.problem,
            reason=message.reason,
            count=count,
        )
    )


async def _post(card: Element, settings: Settings) -> None:
    await teams.post(
        settings.webhook, payload(card, settings.payload_style), deadline_s=POST_DEADLINE_S
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
