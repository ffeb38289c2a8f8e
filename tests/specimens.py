"""Batches and overviews changed further, in ways that only tests ask for."""

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from apple_tokens.model import Problem, TokenKind
from apple_tokens.rows import AlertRow, TokenRow
from sandbox.specimens.alerts import Specimen
from sandbox.specimens.overviews import (
    DAY,
    Overview,
    ailing,
    long_expired,
    overview,
    row,
    snoozed,
)
from sandbox.specimens.tokens import CHECKED_AT, kinds_of, severities_of, token


def with_row(specimen: Specimen, **changes: object) -> Specimen:
    """Return the batch with something else in each token's row."""
    tokens = {key: msgspec.structs.replace(row, **changes) for key, row in specimen.tokens.items()}
    return msgspec.structs.replace(specimen, tokens=tokens)


def with_tokens(specimen: Specimen, *changes: Mapping[str, object]) -> Specimen:
    """Return the batch with its first token changed in the first way, and so on."""
    tokens = {
        key: msgspec.structs.replace(row, token=msgspec.structs.replace(row.token, **change))
        for (key, row), change in zip(specimen.tokens.items(), changes, strict=True)
    }
    return msgspec.structs.replace(specimen, tokens=tokens)


def with_facts(specimen: Specimen, **changes: object) -> Specimen:
    """Return the batch with something else in each alert's facts."""
    alerts = [
        msgspec.structs.replace(alert, facts=msgspec.structs.replace(alert.facts, **changes))
        for alert in specimen.alerts
    ]
    return msgspec.structs.replace(specimen, alerts=alerts)


def of_tenant(specimen: Specimen, name: str) -> Specimen:
    """Return the batch of a tenant with another name."""
    tenant = msgspec.structs.replace(specimen.message.tenant, name=name)
    message = msgspec.structs.replace(specimen.message, tenant=tenant)
    return msgspec.structs.replace(specimen, message=message)


def large(batch: str, name: str = "{kind} {number:04}", text: str = "") -> Overview:
    """Return the largest tenant that Apple allows, half of it with problems."""
    seen = [token(TokenKind.PUSH)]
    seen += [token(TokenKind.ADE, n) for n in range(2_000)]
    seen += [token(TokenKind.VPP, n) for n in range(3_000)]
    tokens, alerts = list[TokenRow](), list[AlertRow]()
    for number, one in enumerate(seen):
        named = replace(
            one,
            name=name.format(kind=one.kind, number=number),
            **({"location": text, "apple_account": text} if text else {}),
        )
        problems = [
            (problem, severity)
            for problem in Problem
            if one.kind in kinds_of(problem) and problem is not Problem.COULD_NOT_CHECK
            for severity in severities_of(problem)
        ]
        problem, severity = problems[number % len(problems)]
        if number % 2:
            tokens.append(row(named, first_seen_at=CHECKED_AT - DAY * (number % 3)))
            continue
        known, alert = ailing(problem, named, severity)
        if number % 10 == 0:
            known, alert = snoozed(problem, named, days=number % 90)
            alert = replace(alert, snooze_reason=text or alert.snooze_reason)
        if number % 14 == 0:
            known, alert = long_expired(one.kind, number, days=50)
            known = replace(known, token=replace(named, expires_on=known.token.expires_on))
            alert = replace(alert, token_id=named.id)
        tokens.append(known)
        alerts.append(alert)
    return replace(overview(batch, alerts=alerts), tokens=tokens)
