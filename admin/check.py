"""`check`: read Microsoft Graph with one's own sign-in, write nothing, print what is wrong.

What only memory can tell (a replaced push certificate, a removed token, a failure seen twice) is
not known here: this is for the time before anything is deployed.
"""

import argparse
from datetime import datetime

from msgspec import Struct

from admin import sign_in
from admin.check_report import CheckReport
from admin.command import Answer, Commands, Environment
from admin.sign_in import SignIn
from apple_tokens.model import Cloud, CouldNotCheck, FailureReason, SourceResult, TokenKind
from apple_tokens.rows import SourceRow
from apple_tokens.settings import choice, refuse, text
from check_tokens.alerting import Moment
from check_tokens.assessment import Known, assess
from check_tokens.clouds import graph_endpoint
from check_tokens.graph import GraphClient
from check_tokens.schedule import check_date
from check_tokens.settings import read_policy
from check_tokens.sources import read_sources
from check_tokens.verdicts import GraphError

_DEADLINE_S = 240.0
"""For all sources, which are read side by side; the sign-in has its own time."""


def add_to(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add(
        "check",
        run,
        "read Graph with your own sign-in, write nothing, print what is wrong",
        "Ends with status 0 when everything was read and nothing is wrong, 1 when something is "
        "wrong, 2 when not everything could be read.",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    sign_in.add_arguments(parser)


async def run(options: argparse.Namespace, environment: Environment, now: datetime) -> Answer:
    """Read all sources and say what is wrong.

    Status 2 when a source could not be checked, whatever else was found.
    """
    policy = read_policy(environment)
    read = await _read(options, environment)
    moment = Moment(now=now, check_date=check_date(now, policy))
    report = CheckReport(
        rows=tuple(
            row
            for kind, result in read.results.items()
            for row in assess(kind, result, Known(), SourceRow(kind=kind), moment, policy).tokens
        ),
        results=read.results,
        advice=read.advice,
        checked_at=now,
        zone=policy.time_zone,
    )
    return Answer(report.as_json() if options.json else report.as_text(), report.status)


class _Read(Struct, frozen=True):
    results: dict[TokenKind, SourceResult]
    advice: str


async def _read(options: argparse.Namespace, environment: Environment) -> _Read:
    way, cloud = SignIn(options.sign_in), choice(environment, "GRAPH_CLOUD", Cloud.GLOBAL)
    endpoint, scope = _endpoint(cloud, environment), sign_in.scope_of(way, cloud)
    credential = sign_in.open_credential(
        way, cloud, environment, tenant_id=options.tenant, client_id=options.client_id
    )
    async with credential, GraphClient(credential, endpoint=endpoint, scope=scope) as client:
        try:
            await client.sign_in()
        except GraphError as error:
            raise sign_in.not_signed_in(way, error.__cause__, options.tenant) from error
        results = await read_sources(client, TokenKind, _DEADLINE_S)
        refused = any(
            isinstance(result, CouldNotCheck) and result.reason is FailureReason.PERMISSION
            for result in results.values()
        )
        advice = await sign_in.what_to_grant(way, credential, cloud) if refused else ""
    return _Read(results, advice)


def _endpoint(cloud: Cloud, environment: Environment) -> str:
    override = text(environment, "GRAPH_ENDPOINT")
    try:
        return graph_endpoint(cloud, override)
    except ValueError as error:
        raise refuse("GRAPH_ENDPOINT", override, str(error)) from None
