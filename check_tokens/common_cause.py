"""Whether one new sync error hit most tokens at once (pure): then it looks like one cause.

Terms that wait at Apple, or trouble at Apple or Microsoft, stop every token on the same day. An
administrator who knows that does not renew forty tokens one by one.
"""

from collections import Counter

import msgspec

from apple_tokens.model import Problem, Reason
from apple_tokens.rows import AlertRow
from check_tokens.assessment import Assessment

_FEWEST = 3
_SYNC_ERRORS = frozenset(
    {Problem.ADE_TERMS_NOT_ACCEPTED, Problem.ADE_SYNC_FAILED, Problem.VPP_SYNC_FAILED}
)


def mark_common_cause(assessment: Assessment) -> Assessment:
    """Note in the facts of new sync errors that more than half of the tokens have the same."""
    counted = Counter(_error(alert) for alert in assessment.alerts if _is_new(alert))
    common = {
        error
        for error, count in counted.items()
        if count >= _FEWEST and 2 * count > len(assessment.tokens)
    }
    if not common:
        return assessment
    return msgspec.structs.replace(
        assessment,
        alerts=tuple(
            msgspec.structs.replace(
                alert,
                facts=msgspec.structs.replace(alert.facts, looks_like_one_cause=True),
            )
            if _is_new(alert) and _error(alert) in common
            else alert
            for alert in assessment.alerts
        ),
    )


def _is_new(alert: AlertRow) -> bool:
    return alert.is_untold and alert.reason is Reason.NEW and alert.problem in _SYNC_ERRORS


def _error(alert: AlertRow) -> tuple[Problem, int]:
    return alert.problem, alert.facts.sync_error_code
