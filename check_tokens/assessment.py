"""What a check makes of one source's answer (pure): the rows and alerts as they are from now on.

The three ways a source can end are kept apart: read (with tokens, or with none), and failed. A
failed source changes nothing that was observed; only time goes on.
"""

from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct

from apple_tokens.model import (
    SOURCE_ID,
    AppleToken,
    CouldNotCheck,
    Facts,
    FailureReason,
    Health,
    Problem,
    Severity,
    SourceResult,
    TokenKind,
    TokensRead,
)
from apple_tokens.rows import AlertRow, SourceRow, TokenRow
from check_tokens import alerting, diagnosis
from check_tokens.alerting import Moment
from check_tokens.clock_steps import until_now
from check_tokens.finding import Finding
from check_tokens.policy import REMOVED_AFTER, UNREAD_CRITICAL_AFTER, Policy
from check_tokens.status import describe, health_of, remember, was_accepted

_replace = msgspec.structs.replace
_DATED = diagnosis.DATED


class Known(Struct, frozen=True, kw_only=True):
    """What the tables hold about one kind of tokens."""

    tokens: tuple[TokenRow, ...] = ()
    alerts: tuple[AlertRow, ...] = ()


class _Part(Struct, frozen=True, kw_only=True):
    """What a check makes of one token, or of the source itself."""

    tokens: tuple[TokenRow, ...] = ()
    alerts: tuple[AlertRow, ...] = ()
    gone_tokens: tuple[TokenRow, ...] = ()
    gone_alerts: tuple[AlertRow, ...] = ()


class Assessment(Struct, frozen=True, kw_only=True):
    """The rows after a check of one source, and those that are to be deleted."""

    kind: TokenKind
    tokens: tuple[TokenRow, ...] = ()
    alerts: tuple[AlertRow, ...] = ()
    gone_tokens: tuple[TokenRow, ...] = ()
    gone_alerts: tuple[AlertRow, ...] = ()


def assess(
    kind: TokenKind,
    result: SourceResult,
    known: Known,
    source: SourceRow,
    moment: Moment,
    policy: Policy,
) -> Assessment:
    """Bring the rows of one kind up to date with a source that is settled for this check date."""
    # Here and not where they are read: what this mends is then written, as any other change.
    known = Known(
        tokens=tuple(until_now(row, moment.now) for row in known.tokens),
        alerts=tuple(until_now(row, moment.now) for row in known.alerts),
    )
    alerts = _by_token(known.alerts)
    if isinstance(result, CouldNotCheck):
        parts = [_unread(row, alerts, moment, policy) for row in known.tokens]
        parts.append(_source_failed(kind, result, source, alerts, moment, policy))
    else:
        tokens = result.tokens if isinstance(result, TokensRead) else ()
        rows = {row.token.id: row for row in known.tokens}
        read = {token.id for token in tokens}
        parts = [_read(token, rows.get(token.id), alerts, moment, policy) for token in tokens]
        parts += [
            _absent(row, alerts, moment, policy) for id_, row in rows.items() if id_ not in read
        ]
        parts.append(_source_read(alerts, moment))
    covered = {row.key for part in parts for row in (*part.alerts, *part.gone_alerts)}
    was_read = not isinstance(result, CouldNotCheck)
    # A check that was cut off after it deleted a token's row has left its alerts behind.
    left_behind = [
        row
        for row in known.alerts
        if row.key not in covered and (was_read or alerting.is_forgotten(row, moment.now))
    ]
    return Assessment(
        kind=kind,
        tokens=tuple(row for part in parts for row in part.tokens),
        alerts=tuple(row for part in parts for row in part.alerts),
        gone_tokens=tuple(row for part in parts for row in part.gone_tokens),
        gone_alerts=(*(row for part in parts for row in part.gone_alerts), *left_behind),
    )


_Alerts = Mapping[str, Mapping[Problem, AlertRow]]


def _read(
    token: AppleToken, before: TokenRow | None, alerts: _Alerts, moment: Moment, policy: Policy
) -> _Part:
    now = moment.now
    mine = alerts.get(token.id, {})
    row = remember(token, before, now)
    live = {key: alert for key, alert in mine.items() if not alerting.is_forgotten(alert, now)}
    findings = diagnosis.diagnose(token, row, live, now, policy)
    seen = {finding.problem: finding for finding in findings}
    after = dict[Problem, AlertRow | None]()
    for problem in Problem:
        alert, finding = mine.get(problem), seen.get(problem)
        if finding is not None and not _is_leftover(finding, live.get(problem)):
            after[problem] = alerting.decide(alert, finding, (token.kind, token.id), moment, policy)
        elif alert is not None:
            accepted = problem is Problem.PUSH_CERTIFICATE_REPLACED and was_accepted(row, before)
            after[problem] = alerting.clear(alert, row, moment, accepted=accepted)
    kept = tuple(alert for alert in after.values() if alert is not None)
    health = health_of(findings)
    return _Part(
        tokens=(describe(row, findings, kept, health, moment),),
        alerts=kept,
        gone_alerts=tuple(mine[problem] for problem, alert in after.items() if alert is None),
    )


def _unread(row: TokenRow, alerts: _Alerts, moment: Moment, policy: Policy) -> _Part:
    mine = alerts.get(row.token.id, {})
    findings = diagnosis.diagnose_unread(row, mine, moment.now, policy)
    after = {
        problem: alerting.rest(alert) if row.absent_since else alert
        for problem, alert in mine.items()
    }
    for finding in findings:
        after[finding.problem] = alerting.decide(
            mine.get(finding.problem),
            finding,
            (row.token.kind, row.token.id),
            moment,
            policy,
            held=finding.problem not in _DATED,
        )
    kept = tuple(after.values())
    health = health_of(findings)
    if health is Health.HEALTHY:
        health = Health.UNKNOWN
    return _Part(tokens=(describe(row, findings, kept, health, moment),), alerts=kept)


def _absent(row: TokenRow, alerts: _Alerts, moment: Moment, policy: Policy) -> _Part:
    token, now = row.token, moment.now
    mine = alerts.get(token.id, {})
    absent_since = row.absent_since or now
    row = _replace(row, absent_since=absent_since)
    if token.kind is TokenKind.PUSH:
        finding = diagnosis.missing_push_certificate(row)
    elif now - absent_since < REMOVED_AFTER:
        resting = tuple(alerting.rest(alert) for alert in mine.values())
        return _Part(tokens=(describe(row, (), resting, Health.UNKNOWN, moment),), alerts=resting)
    else:
        finding = diagnosis.removed(token, row.checked_at)
        told = mine.get(finding.problem)
        if told is not None and not told.is_untold and alerting.last_card_was_told(told):
            return _Part(gone_tokens=(row,), gone_alerts=tuple(mine.values()))
    alert = mine.get(finding.problem)
    decided = alerting.decide(alert, finding, (token.kind, token.id), moment, policy)
    others = (alerting.rest(other) for other in mine.values() if other.problem != finding.problem)
    kept = (decided, *others)
    described = describe(row, (finding,), kept, health_of((finding,)), moment)
    return _Part(tokens=(described,), alerts=kept)


def _source_failed(
    kind: TokenKind,
    failure: CouldNotCheck,
    source: SourceRow,
    alerts: _Alerts,
    moment: Moment,
    policy: Policy,
) -> _Part:
    alert = alerts.get(SOURCE_ID, {}).get(Problem.COULD_NOT_CHECK)
    last_good = source.read_at or (alert.since if alert else moment.now)
    is_critical = (
        failure.reason is FailureReason.PERMISSION
        or moment.now - last_good >= UNREAD_CRITICAL_AFTER
    )
    severity = Severity.CRITICAL if is_critical else Severity.WARNING
    finding = Finding(
        problem=Problem.COULD_NOT_CHECK,
        severity=severity,
        stage=severity,
        facts=Facts(
            as_of=source.read_at,
            cause=failure.reason,
            status=failure.status,
            request_id=failure.request_id,
            detail=failure.detail,
        ),
    )
    return _Part(alerts=(alerting.decide(alert, finding, (kind, SOURCE_ID), moment, policy),))


def _source_read(alerts: _Alerts, moment: Moment) -> _Part:
    alert = alerts.get(SOURCE_ID, {}).get(Problem.COULD_NOT_CHECK)
    if alert is None:
        return _Part()
    after = alerting.clear(alert, None, moment)
    return _Part(alerts=(after,)) if after else _Part(gone_alerts=(alert,))


def _by_token(alerts: Iterable[AlertRow]) -> _Alerts:
    found = dict[str, dict[Problem, AlertRow]]()
    for alert in alerts:
        found.setdefault(alert.token_id, {})[alert.problem] = alert
    return found


def _is_leftover(finding: Finding, alert: AlertRow | None) -> bool:
    """Say whether a told failure is mended, although its old error code is still shown."""
    return finding.unsure and alert is not None and alert.was_told
