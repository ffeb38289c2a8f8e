"""`test-card`: prove the way to the channel, through the deployed app or straight from here."""

import argparse
from datetime import datetime

from admin import storage
from admin.command import Answer, CommandError, Commands, Environment
from admin.queue import PACKAGE, SENDER, open_queue
from apple_tokens.messages import QUEUE, VERSION, MessageKind, RemediationMessage, encode
from apple_tokens.model import Tenant
from apple_tokens.settings import text, time_zone
from notify import teams
from notify.card import payload, render
from notify.delivery import MAX_DEQUEUE_COUNT
from notify.settings import Settings
from notify.teams import DeliveryError
from notify.webhook import SETTING

_DEADLINE_S = 60.0
_RUN_HISTORY = (
    "In Power Automate, open the run history of the workflow. A run that failed says why. No run "
    "at all means that another workflow got the message."
)


def add_to(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add(
        "test-card",
        run,
        "have a test card posted to the channel",
        f"Puts a test message on the queue {QUEUE}, so that the deployed app posts it: that proves "
        "its function, its reference to the vault and its way out. You need the role "
        f"“{SENDER}” on the storage account, and the Python package {PACKAGE}.",
    )
    storage.add_arguments(parser, else_tenant="the one in which you signed in")
    parser.add_argument(
        "--direct",
        action="store_true",
        help=f"post from here instead, with {SETTING} from the environment: that proves the URL "
        "and the workflow, and nothing of the app",
    )


async def run(options: argparse.Namespace, environment: Environment, now: datetime) -> Answer:
    """Have a test card posted, and say what that proves and what it does not."""
    if options.direct:
        return await _post_from_here(options, environment, now)
    async with open_queue(options, environment) as queue:
        tenant_id = options.tenant or text(environment, "TENANT_ID") or queue.home_tenant_id
        if not tenant_id:
            raise CommandError("name the tenant for the card with --tenant ID, or set TENANT_ID")
        await queue.send(encode(_ticket(tenant_id, environment, now)))
    return Answer(
        f"A test message is on the queue {QUEUE}. The app takes it within some minutes and posts "
        "the card.\n"
        "If no card appears:\n"
        "- The event alert_failed in the app's log says what went wrong. After "
        f"{MAX_DEQUEUE_COUNT} tries it is alert_gave_up, and the message is in {QUEUE}-poison.\n"
        "- The event alert_delivered says that Power Automate took the card, which it answers with "
        f"202. That proves no delivery: the card is looked at later. {_RUN_HISTORY}\n"
        "- Neither event: the app does not run, or it reads another storage account."
    )


async def _post_from_here(
    options: argparse.Namespace, environment: Environment, now: datetime
) -> Answer:
    if options.storage:
        raise CommandError("--direct posts from here and reads no storage: leave out --storage")
    settings = Settings.from_env(environment)
    tenant_id = options.tenant or text(environment, "TENANT_ID")
    card = render(_ticket(tenant_id, environment, now), [], {}, settings.presentation)
    try:
        await teams.post(
            settings.webhook, payload(card, settings.payload_style), deadline_s=_DEADLINE_S
        )
    except DeliveryError as error:
        raise CommandError(str(error)) from error
    return Answer(
        "Power Automate took the card, which it answers with 202. That proves no delivery: the "
        f"card is looked at later.\nIf no card appears: {_RUN_HISTORY}"
    )


def _ticket(tenant_id: str, environment: Environment, now: datetime) -> RemediationMessage:
    return RemediationMessage(
        version=VERSION,
        kind=MessageKind.TEST,
        tenant=Tenant(id=tenant_id, name=text(environment, "TENANT_NAME")),
        checked_at=now,
        check_date=now.astimezone(time_zone(environment)).date(),
    )
