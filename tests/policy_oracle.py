"""What was promised to the people in the channel, held against what they were told.

Written from the promises, not from the code: it knows when each check could see what, keeps a case
for each problem of each token, says of every card whether it was right and, once all tickets of a
check were delivered, whether any is missing.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from apple_tokens.messages import RemediationMessage
from apple_tokens.model import (
    EXPIRED,
    EXPIRING,
    SOURCE_ID,
    AppleToken,
    CouldNotCheck,
    FailureReason,
    Problem,
    Reason,
    Severity,
    SourceResult,
    TokenKind,
    TokensRead,
)
from apple_tokens.rows import AlertRow
from tests.policy_case import Card, Case
from tests.policy_sight import (
    CHECK_AT,
    CRITICAL,
    DATED,
    DAY,
    HOUR,
    SYNC,
    WARNING,
    ZONE,
    Memory,
    Perhaps,
    Sight,
    at_least,
    check_date,
    depth,
    ended_well,
)

TRIES = 6
REMINDED = 14
REMOVED = 3
ALWAYS = {Problem.PUSH_CERTIFICATE_EXPIRED, Problem.PUSH_CERTIFICATE_REPLACED}

Key = tuple[TokenKind, str, Problem]


@dataclass
class Source:
    """How far the tries of one source have come."""

    settled_at: datetime | None = None
    read_at: datetime | None = None
    was_read: bool = False
    """Whether the last try read it."""
    tries: int = 0
    tried_at: datetime | None = None


@dataclass
class Oracle:
    """Knows the promises."""

    happened: Counter[str]
    cases: dict[Key, Case] = field(default_factory=dict)
    memories: dict[tuple[TokenKind, str], Memory] = field(default_factory=dict)
    sources: dict[TokenKind, Source] = field(
        default_factory=lambda: {kind: Source() for kind in TokenKind}
    )
    requested_at: datetime | None = None
    welcomed: bool = False
    digested_on: date | None = None
    first_checked_on: date | None = None

    # --- When to check ----------------------------------------------------------------------------

    def due(self, now: datetime) -> set[TokenKind]:
        """Return the sources that are not settled for this check date, or not since a request."""
        return {kind for kind, source in self.sources.items() if not self._settled(source, now)}

    def _settled(self, source: Source, now: datetime) -> bool:
        if source.settled_at is None:
            return False
        if self.requested_at is not None and source.settled_at < self.requested_at <= now:
            return False
        return check_date(source.settled_at) == check_date(now)

    def digest_is_due(self, now: datetime) -> bool:
        """Say whether a Monday has passed since the last digest, or since the first check."""
        last = self.digested_on or self.first_checked_on
        if last is None:
            return False
        days = (last + number * DAY for number in range(1, (check_date(now) - last).days + 1))
        return any(day.weekday() == 0 for day in days)

    def checked(self, results: dict[TokenKind, SourceResult], now: datetime) -> set[TokenKind]:
        """Take note of a check that came to its end. Return the sources that it settled."""
        settled = {kind for kind, result in results.items() if self._tried(kind, result, now)}
        for kind in settled:
            result, source = results[kind], self.sources[kind]
            if isinstance(result, CouldNotCheck):
                self._unread(kind, result.reason, now)
            else:
                source.read_at = now
                self._read(kind, result, now)
            source.settled_at = now
        if not self.due(now):
            self.first_checked_on = self.first_checked_on or check_date(now)
        return settled

    def _tried(self, kind: TokenKind, result: SourceResult, now: datetime) -> bool:
        """Count a try. Return whether it was the last one of this check date."""
        source = self.sources[kind]
        source.was_read = not isinstance(result, CouldNotCheck)
        morning = datetime.combine(check_date(now), CHECK_AT, ZONE).astimezone(UTC)
        begin = max(morning, self.requested_at or morning)
        is_first = source.tried_at is None or source.tried_at < begin
        source.tries = 1 if is_first else source.tries + 1
        source.tried_at = now
        if not isinstance(result, CouldNotCheck):
            source.tried_at = None
            return True
        return result.reason.is_permanent or source.tries == TRIES

    # --- What each check could see ----------------------------------------------------------------

    def _unread(self, kind: TokenKind, reason: FailureReason, now: datetime) -> None:
        key = (kind, SOURCE_ID, Problem.COULD_NOT_CHECK)
        case, read_at = self.cases.get(key), self.sources[kind].read_at
        if read_at is not None:
            old: Perhaps = now - read_at >= 72 * HOUR
        else:
            old = at_least(now - (case.since if case else now), 72 * HOUR)
        severity = CRITICAL if old or reason is FailureReason.PERMISSION else WARNING
        self._open(key, (severity, severity), now, None, tell=True)
        self.cases[key].loose |= old is None
        for (of, token_id), memory in self.memories.items():
            if of is kind:
                self._time_goes_on(token_id, memory, now)

    def _time_goes_on(self, token_id: str, memory: Memory, now: datetime) -> None:
        """Look at the dates of a token that could not be read; all else stays as it was seen."""
        owner = (memory.token.kind, token_id)
        sight = Sight() if memory.absent_since else Sight.of_dates(memory.token, now)
        expired = EXPIRED[owner[0]] in sight.wrong
        for key, case in self.cases.items():
            if key[:2] == owner and key[2] not in sight.wrong and not case.ended_at:
                case.day, case.held = check_date(now), True
                silenced = expired and key[2] in SYNC | {Problem.VPP_TOKEN_INVALID}
                if silenced or self._is_snoozed(key, case, now):
                    case.tell = False
        for problem, seen in sight.wrong.items():
            self._open((*owner, problem), seen, now, memory.token, tell=sight.tell(problem))

    def _read(self, kind: TokenKind, result: SourceResult, now: datetime) -> None:
        key = (kind, SOURCE_ID, Problem.COULD_NOT_CHECK)
        if key in self.cases:
            self._clear(key, now, None)
        tokens = result.tokens if isinstance(result, TokensRead) else ()
        for token in tokens:
            self._saw(token, now)
        seen = {token.id for token in tokens}
        for of, token_id in list(self.memories):
            if of is kind and token_id not in seen:
                self._missed(kind, token_id, now)

    def _saw(self, token: AppleToken, now: datetime) -> None:
        owner = (token.kind, token.id)
        memory = self.memories.setdefault(owner, Memory(token=token, read_at=now))
        accepted = memory.see(token, now)
        sight = Sight.of(memory, now, lambda problem: self._second_sight((*owner, problem), now))
        for problem in Problem:
            key = (*owner, problem)
            tell = sight.tell(problem) if problem in sight.wrong else False
            if problem in sight.wrong and not self._is_mended(key, memory, tell, now):
                self._open(key, sight.wrong[problem], now, token, tell=tell)
            elif key in self.cases:
                self._clear(key, now, token, accepted=accepted)

    def _is_mended(self, key: Key, memory: Memory, tell: Perhaps, now: datetime) -> bool:
        """Say whether a told failure is over, although its old code is still shown."""
        if key[2] is not Problem.ADE_SYNC_FAILED or key not in self.cases or tell:
            return False
        case, token = self.cases[key], memory.token
        fresh = token.last_synced_at is not None and now - token.last_synced_at <= 24 * HOUR
        leftover = fresh and memory.leftover == token.sync_error_code
        return leftover and bool(case.cards) and self._is_forgotten(case, now) is not True

    def _missed(self, kind: TokenKind, token_id: str, now: datetime) -> None:
        memory = self.memories[kind, token_id]
        is_first = memory.absent_since is None
        memory.absent_since = memory.absent_since or now
        mine = [key for key in self.cases if key[:2] == (kind, token_id)]
        for key in mine:
            self.cases[key].tell, self.cases[key].day = False, check_date(now)
        if kind is TokenKind.PUSH:
            key = (kind, token_id, Problem.PUSH_CERTIFICATE_MISSING)
            self._open(key, (CRITICAL, CRITICAL), now, memory.token, tell=True)
            return
        gone = at_least(now - memory.absent_since, 20 * HOUR)
        if is_first or gone is False:
            return
        harmless = kind is TokenKind.ADE and memory.token.device_count == 0
        severity = WARNING if harmless else CRITICAL
        key = (kind, token_id, Problem.TOKEN_REMOVED)
        case = self.cases.get(key)
        if case and not case.ended_at and len(case.run) >= (1 if harmless else REMOVED):
            del self.memories[kind, token_id]
            for other in mine:
                del self.cases[other]
            self.happened["a removed token was forgotten"] += 1
            return
        self._open(key, (severity, severity), now, memory.token, tell=gone)

    def _second_sight(self, key: Key, now: datetime) -> Perhaps:
        case = self.cases.get(key)
        if case is None or self._is_forgotten(case, now):
            return False
        return True if case.cards else at_least(now - case.since, 6 * HOUR)

    # --- Cases ------------------------------------------------------------------------------------

    def _is_forgotten(self, case: Case, now: datetime) -> Perhaps:
        if case.ended_at is None or case.owes_its_end:
            return False
        return at_least(now - case.ended_at, 72 * HOUR)

    def _is_snoozed(self, key: Key, case: Case, now: datetime) -> bool:
        if case.snoozed_until is None or key[0] is TokenKind.PUSH or now >= case.snoozed_until:
            return False
        self.happened["a snooze kept something silent"] += 1
        return True

    def _open(
        self,
        key: Key,
        seen: tuple[Severity, str],
        now: datetime,
        token: AppleToken | None,
        *,
        tell: Perhaps,
    ) -> None:
        case, (severity, stage) = self.cases.get(key), seen
        forgotten = case is not None and self._is_forgotten(case, now)
        if case is None or forgotten:
            case = self.cases[key] = Case(since=now, severity=severity, token=token)
        case.loose |= forgotten is None
        if case.ended_at or (severity is CRITICAL and case.severity is WARNING):
            case.snoozed_until = None
        if not case.ended_at and key[2] in EXPIRING.values() and case.moved_back(token, stage):
            case.begun, case.snoozed_until = len(case.cards), None
            self.happened["a token was renewed into the stages"] += 1
        case.ended_at = case.clear_since = None
        case.severity, case.stage, case.day = severity, stage, check_date(now)
        case.token, case.held = token, False
        case.tell = False if self._is_snoozed(key, case, now) else tell

    def _clear(
        self, key: Key, now: datetime, token: AppleToken | None, *, accepted: bool = False
    ) -> None:
        case = self.cases[key]
        if case.ended_at is not None:
            case.owed = case.owes_its_end
            if self._is_forgotten(case, now) is True:
                del self.cases[key]
            return
        case.tell, case.day, case.held = False, check_date(now), False
        case.clear_since = case.clear_since or now
        if key[2] in SYNC:
            long_enough = at_least(now - case.clear_since, 20 * HOUR)
            case.loose |= long_enough is None
            if not long_enough:
                return
        case.ended_at, case.snoozed_until = now, None
        case.accepted = accepted and key[2] is Problem.PUSH_CERTIFICATE_REPLACED
        case.well = case.accepted or not (case.token and token)
        if case.token and token and not case.accepted:
            case.well = ended_well(key[2], case.token, token)
        case.owed = case.owes_its_end

    def overtaken(self, posting: list[AlertRow]) -> None:
        """Expect nothing of alerts that a check saw while their card was posted, until the next.

        The stamp of that card comes after the check: what the check wanted told as the same step
        counts as told, and the next one sees that it was not.
        """
        for row in posting:
            case = self.cases[row.kind, row.token_id, row.problem]
            case.owed = False
            case.tell = case.tell and None

    def snoozed(self, row: AlertRow, until: datetime) -> None:
        """Take note of a snooze."""
        self.cases[row.kind, row.token_id, row.problem].snoozed_until = until

    # --- What the channel hears -------------------------------------------------------------------

    def posted(self, row: AlertRow, message: RemediationMessage) -> None:
        """Hold one alert on a card against what was promised."""
        key, reason = (row.kind, row.token_id, row.problem), row.reason
        assert key in self.cases, f"{key} was told, and never seen"
        case = self.cases[key]
        if row.facts.as_of and key[2] in DATED:
            self.happened["a date was told as of an earlier check"] += 1
        assert row.step not in {card.step for card in case.cards}, f"{key}: a step was told twice"
        if case.loose:
            self.happened["a limit was too close to say"] += 1
            return
        if reason in {Reason.FIXED, Reason.ACCEPTED}:
            assert case.ended_at, f"{key} was told as {reason}, and goes on"
            assert case.well, f"{key} was told as {reason}, and ended otherwise"
            assert case.run, f"{key} was told as {reason}, and nobody had heard of it"
            assert case.accepted == (reason is Reason.ACCEPTED), f"{key} was told as {reason}"
            return
        assert not case.ended_at, f"{key} was told as {reason}, and is over"
        assert case.tell is not False, f"{key} was told as {reason}, and is to be silent"
        assert row.stage == case.stage, f"{key} was told with stage {row.stage}, not {case.stage}"
        told = [depth(card.stage) for card in case.run]
        match reason:
            case Reason.NEW:
                assert not case.cards[case.begun :], f"{key} is not new"
            case Reason.AGAIN:
                assert not told, f"{key} was told again, and had not ended"
                assert case.cards, f"{key} was told again, and never before"
            case Reason.WORSE:
                assert told, f"{key} got worse, and nobody had heard of it"
                assert depth(row.stage) > max(told), f"{key} was told as worse, and is not"
            case _:
                assert self._may_remind(key, case), f"{key} was repeated too often"
                days = [card.check_date for card in case.run]
                assert message.check_date not in days, f"{key} was told twice on one day"

    def stamped(self, row: AlertRow, message: RemediationMessage) -> None:
        """Take note that an alert is told."""
        case = self.cases.get((row.kind, row.token_id, row.problem))
        assert row.reason is not None
        self.happened[f"reason {row.reason}"] += 1
        self.happened[f"problem {row.problem}"] += 1
        if case is not None:
            case.cards.append(Card(row.step, row.reason, row.stage, message.check_date))

    def _may_remind(self, key: Key, case: Case) -> bool:
        if case.held or case.severity is WARNING or key[2] in EXPIRING.values():
            return False
        if key[2] in ALWAYS:
            return True
        return case.tellings() < (REMOVED if key[2] is Problem.TOKEN_REMOVED else REMINDED)

    def assert_told(self, kinds: set[TokenKind]) -> None:
        """Hold what was to be told against what was told, all tickets being delivered."""
        for key, case in self.cases.items():
            waits = key[2] in EXPIRED.values() and not case.cards and not self.welcomed
            if key[0] not in kinds or case.loose or waits:
                continue
            assert not (case.owed and case.owes_its_end), f"{key} ended well, and nobody was told"
            if case.ended_at is None and case.tell:
                assert case.run, f"{key} was not told"
                deepest = max(depth(card.stage) for card in case.run)
                assert deepest >= depth(case.stage), f"{key} got worse, and nobody was told"
                if self._may_remind(key, case):
                    days = {card.check_date for card in case.run}
                    assert case.day in days, f"{key} was not repeated"
