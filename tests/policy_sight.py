"""What a check could see to be wrong with a token, written from the design's table of problems.

A check that was cut off saw the same up to an hour earlier than the one that made up for it, so
whatever memory measures may go either way within `SLACK` of a limit.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from apple_tokens.model import EXPIRED, EXPIRING, AppleToken, Problem, Severity, TokenKind

ZONE = ZoneInfo("Europe/Berlin")
CHECK_AT = time(8)
SLACK = timedelta(minutes=70)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL
STALE = {Problem.ADE_SYNC_STALE, Problem.VPP_SYNC_STALE}
SYNC = STALE | {Problem.ADE_SYNC_FAILED, Problem.VPP_SYNC_FAILED}
DATED = {*EXPIRED.values(), *EXPIRING.values(), Problem.EXPIRY_UNKNOWN}
STATES = {
    "invalid": (Problem.VPP_TOKEN_INVALID, CRITICAL),
    "assignedToExternalMDM": (Problem.VPP_TOKEN_IN_OTHER_MDM, CRITICAL),
    "duplicateLocationId": (Problem.VPP_TOKEN_DUPLICATE_LOCATION, WARNING),
    "unknown": (Problem.VPP_TOKEN_STATE_UNKNOWN, WARNING),
}

Perhaps = bool | None
"""None where `SLACK` decides."""


def check_date(instant: datetime) -> date:
    """Return the local date of the latest 08:00 that has passed; no clock skips or repeats that."""
    local = instant.astimezone(ZONE)
    return local.date() if local.time() >= CHECK_AT else local.date() - DAY


def at_least(age: timedelta, limit: timedelta) -> Perhaps:
    """Say whether an age has reached a limit."""
    return None if abs(age - limit) < SLACK else age > limit


def either(*conditions: Perhaps) -> Perhaps:
    """Say whether one of the conditions holds."""
    if True in conditions:
        return True
    return None if None in conditions else False


def depth(stage: str) -> int:
    """Order stages: the fewer days, and critical before warning."""
    return -int(stage) if stage.isdecimal() else int(stage == CRITICAL)


def is_later(after: datetime | None, before: datetime | None) -> bool:
    """Say whether a time moved on, or came to be."""
    return after is not None and (before is None or before < after)


@dataclass
class Memory:
    """What the checks have seen of one token."""

    token: AppleToken
    read_at: datetime
    known_topic: str = ""
    accepted_topic: str = ""
    leftover: int = 0
    """A sync error code that stood unchanged while the sync moved on."""
    renewed_at: datetime | None = None
    absent_since: datetime | None = None

    def see(self, token: AppleToken, now: datetime) -> bool:
        """Take note of the token as it is now. Return whether another topic is accepted now."""
        before, self.token = self.token, token
        if before.expires_on and is_later(token.expires_on, before.expires_on):
            self.renewed_at = now
        if token.sync_error_code != self.leftover:
            self.leftover = 0
        synced = before.last_synced_at and is_later(token.last_synced_at, before.last_synced_at)
        if synced and before.sync_error_code == token.sync_error_code:
            self.leftover = token.sync_error_code
        known = self.known_topic
        if not known or token.topic in {known, self.accepted_topic}:
            self.known_topic = token.topic
        self.read_at, self.absent_since = now, None
        return known not in {"", self.known_topic}


SecondSight = Callable[[Problem], Perhaps]
"""Says whether a failed sync was seen by a check at least six hours ago, or told."""


@dataclass
class Sight:
    """What is wrong with a token now."""

    wrong: dict[Problem, tuple[Severity, str]] = field(default_factory=dict)
    """Its severity and stage."""
    _sure: dict[Problem, Perhaps] = field(default_factory=dict)
    _silenced: dict[Problem, Perhaps] = field(default_factory=dict)

    def tell(self, problem: Problem) -> Perhaps:
        """Say whether it is told: not silenced, and not waiting for a second sight."""
        silent = either(self._silenced.get(problem, False), _not(self._sure[problem]))
        return _not(silent)

    def _add(
        self, problem: Problem, severity: Severity, stage: str = "", *, sure: Perhaps = True
    ) -> None:
        self.wrong[problem], self._sure[problem] = (severity, stage or severity), sure

    def _silence(self, problems: set[Problem], because: Perhaps) -> None:
        for problem in problems & self.wrong.keys():
            self._silenced[problem] = either(self._silenced.get(problem, False), because)

    def _silence_consequences(self, token: AppleToken) -> None:
        if EXPIRED[token.kind] in self.wrong:
            silenced = {EXPIRING[token.kind], Problem.VPP_TOKEN_INVALID, Problem.EXPIRY_UNKNOWN}
            self._silence(SYNC | silenced, because=True)
        causes = {Problem.ADE_TERMS_NOT_ACCEPTED, *SYNC} - STALE
        for cause in causes & self.wrong.keys():
            self._silence(STALE, because=self._sure[cause])

    @classmethod
    def of_dates(cls, token: AppleToken, now: datetime) -> "Sight":
        """Look at the dates only, which go on while a source cannot be read."""
        sight = cls()
        sight._look_at_dates(token, now)
        sight._silence_consequences(token)
        return sight

    @classmethod
    def of(cls, memory: Memory, now: datetime, second_sight: SecondSight) -> "Sight":
        """Look at a token that was read just now."""
        sight, token = cls(), memory.token
        sight._look_at_dates(token, now)
        age = now - (token.last_synced_at or token.last_modified_at or now)
        match token.kind:
            case TokenKind.ADE:
                sight._look_at_ade(memory, age, second_sight)
            case TokenKind.VPP:
                sight._look_at_vpp(token, age, second_sight)
            case TokenKind.PUSH:
                if token.topic != memory.known_topic:
                    sight._add(Problem.PUSH_CERTIFICATE_REPLACED, CRITICAL)
                if token.upload_failure:
                    sight._add(Problem.PUSH_CERTIFICATE_UPLOAD_FAILED, WARNING)
        sight._silence_consequences(token)
        if memory.renewed_at is not None:
            sight._silence(SYNC, because=_not(at_least(now - memory.renewed_at, 48 * HOUR)))
        return sight

    def _look_at_dates(self, token: AppleToken, now: datetime) -> None:
        by_state = token.kind is TokenKind.VPP and token.state == "expired"
        if token.expires_on is None:
            self._add(Problem.EXPIRY_UNKNOWN, WARNING)
        else:
            left = token.expires_on - now
            stages = [days for days in (1, 3, 7, 14, 30) if left <= days * DAY]
            if stages:
                severity = CRITICAL if left <= 7 * DAY else WARNING
                self._add(EXPIRING[token.kind], severity, str(stages[0]))
        if by_state or (token.expires_on is not None and token.expires_on <= now):
            unused = token.kind is TokenKind.ADE and token.device_count == 0
            self._add(EXPIRED[token.kind], WARNING if unused else CRITICAL)

    def _look_at_ade(self, memory: Memory, age: timedelta, second_sight: SecondSight) -> None:
        token = memory.token
        if token.sync_error_code == 3:
            self._add(Problem.ADE_TERMS_NOT_ACCEPTED, CRITICAL)
        elif token.sync_error_code:
            sure: Perhaps = True
            if age <= 24 * HOUR:
                leftover = memory.leftover == token.sync_error_code
                sure = False if leftover else second_sight(Problem.ADE_SYNC_FAILED)
            severity = CRITICAL if age > 72 * HOUR else WARNING
            self._add(Problem.ADE_SYNC_FAILED, severity, sure=sure)
        if age >= 36 * HOUR:
            critical = age >= 72 * HOUR and token.device_count != 0
            self._add(Problem.ADE_SYNC_STALE, CRITICAL if critical else WARNING)

    def _look_at_vpp(self, token: AppleToken, age: timedelta, second_sight: SecondSight) -> None:
        if token.state in STATES:
            self._add(*STATES[token.state])
        if token.sync_status == "failed":
            problem = Problem.VPP_SYNC_FAILED
            self._add(problem, WARNING, sure=second_sight(problem))
        if age >= 48 * HOUR:
            self._add(Problem.VPP_SYNC_STALE, CRITICAL if age >= 72 * HOUR else WARNING)


def ended_well(problem: Problem, before: AppleToken, after: AppleToken) -> bool:
    """Say whether a problem was mended, and did not turn into another or end by a setting."""
    if problem in DATED - {Problem.EXPIRY_UNKNOWN}:
        return is_later(after.expires_on, before.expires_on) and before.topic == after.topic
    synced = is_later(after.last_synced_at, before.last_synced_at)
    if problem in STALE:
        return synced
    if problem is Problem.ADE_SYNC_FAILED:
        return synced or after.sync_error_code == 0
    if problem in {of for of, _ in STATES.values()}:
        return after.state == "valid"
    return True


def _not(condition: Perhaps) -> Perhaps:
    return None if condition is None else not condition
