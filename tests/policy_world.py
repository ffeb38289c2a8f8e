"""A tenant, its administrators, a host, a queue and a channel in memory, driven by one clock.

The host ticks every half hour. Tickets are delivered right after a tick, unless a test has them
lost, Teams switched off, or `notify` cut off between the answer of Teams and its stamp.
"""

from collections import Counter, deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from msgspec.structs import replace

from apple_tokens.messages import MessageKind, RemediationMessage
from apple_tokens.model import (
    AppleToken,
    CouldNotCheck,
    FailureReason,
    NotConfigured,
    SourceResult,
    Tenant,
    TokenKind,
    TokensRead,
)
from apple_tokens.operator_tables import GoneError, Operator
from apple_tokens.rows import AlertRow, RunRow
from check_tokens.check import tick
from check_tokens.policy import Policy
from tests.fake_tables import CutOffError, FakeTables
from tests.policy_oracle import Oracle
from tests.policy_sight import ZONE

TICK = timedelta(minutes=30)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TENANT = Tenant(id="00000000-0000-0000-0000-000000000001", name="Contoso")
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
POLICY = Policy(time_zone=ZONE)
_Result = TypeVar("_Result")


def run(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run what never waits to its end, without an event loop."""
    try:
        work.send(None)
    except StopIteration as end:
        answer: _Result = end.value
        return answer
    raise AssertionError("this waited for something")


@dataclass
class Held:
    """A token as it really is, whether anybody can see it or not."""

    token: AppleToken
    is_there: bool = True
    syncs: bool = True

    def seen(self, now: datetime) -> AppleToken:
        """Return the token as Graph would describe it: a working one synced two hours ago."""
        if self.syncs and self.token.kind is not TokenKind.PUSH:
            self.token = replace(self.token, last_synced_at=now - 2 * HOUR)
        return self.token


@dataclass
class World:
    """What a test changes, and what follows from that."""

    now: datetime
    happened: Counter[str]
    oracle: Oracle
    tables: FakeTables = field(default_factory=lambda: FakeTables(TENANT.id))
    tokens: dict[str, Held] = field(default_factory=dict)
    outages: dict[TokenKind, tuple[FailureReason, datetime]] = field(default_factory=dict)
    """Why a source cannot be read, and until when."""
    teams_works_from: datetime = LONG_AGO
    queue_works_from: datetime = LONG_AGO
    """Until then all tickets are lost on their way to the queue."""
    cut_stamps: int = 0
    """How many cards are still accepted without being stamped."""
    while_posting: tuple[str, Callable[[], None]] | None = None
    """What happens once while Teams takes a card about a token, before a check that runs then."""
    queue: deque[RemediationMessage] = field(default_factory=deque)
    sent: deque[RemediationMessage] = field(default_factory=lambda: deque(maxlen=30))
    told_steps: dict[tuple[str, datetime], int] = field(default_factory=dict)
    digests: set[str] = field(default_factory=set)
    queued_at: datetime | None = None
    _read_now: dict[TokenKind, SourceResult] = field(default_factory=dict)
    _undisturbed: bool = True

    # --- The host ---------------------------------------------------------------------------------

    def live(self, time: timedelta) -> None:
        """Let time pass with a tick every half hour."""
        end = self.now + time
        while self.now < end:
            self.now += TICK
            self.tick()

    def tick(self) -> None:
        """Fire the timer once, and deliver what it hands over."""
        due, settled = self.oracle.due(self.now), set[TokenKind]()
        messages = self._check(due)
        if due:
            settled = self.oracle.checked(self._read_now, self.now)
        self._take_to_queue(messages)
        requeue_is_due = self.queued_at is not None and self.now - self.queued_at >= HOUR
        if requeue_is_due:
            self.queued_at = None
        if settled and messages:
            self.queued_at = self.now
        self.drain()
        if self._undisturbed:
            self._assert_promises(set(TokenKind) if requeue_is_due else settled)
        self._undisturbed = True
        if due or messages:
            self._assert_rows()

    def cut_off(self, after_writes: int) -> None:
        """Cut the next tick off in the middle of its writing; the one after that repairs it."""
        # Nothing begins or ends between the two, so that both see the same.
        for kind, (reason, until) in self.outages.items():
            if until <= self.now + 2 * TICK:
                self.outages[kind] = (reason, self.now)
        partition = self.tables.partition
        partition.cut_off_after = after_writes
        self.now += TICK
        try:
            self.tick()
        except CutOffError:
            partition.cut_off_after = None
            self.happened["a check was cut off"] += 1
            self.now += TICK
            self.tick()

    def _check(self, due: set[TokenKind]) -> list[RemediationMessage]:
        asked = set[TokenKind]()

        async def read(kinds: tuple[TokenKind, ...]) -> dict[TokenKind, SourceResult]:
            asked.update(kinds)
            self._read_now = {kind: self._answer(kind) for kind in kinds}
            return self._read_now

        messages = run(tick(TENANT, read, self.tables, POLICY, self.now))
        self.tables.partition.cut_off_after = None
        assert asked == due, f"{due} were due, and {asked} were read"
        return messages

    def _answer(self, kind: TokenKind) -> SourceResult:
        reason, until = self.outages.get(kind, (FailureReason.UNAVAILABLE, self.now))
        if self.now < until:
            return CouldNotCheck(reason=reason, detail="Made up by a test.")
        there = [held for held in self.tokens.values() if held.is_there and held.token.kind is kind]
        if not there:
            return NotConfigured()
        return TokensRead(tokens=tuple(held.seen(self.now) for held in there))

    # --- The queue and the channel ----------------------------------------------------------------

    def _take_to_queue(self, messages: list[RemediationMessage]) -> None:
        self.sent.extend(messages)
        if messages and self.now < self.queue_works_from:
            self.happened["tickets were lost"] += 1
            self._undisturbed = False
            return
        self.queue.extend(messages)

    def drain(self) -> None:
        """Deliver every ticket; what Teams does not take in five tries is given up."""
        while self.queue:
            message = self.queue.popleft()
            if self.now < self.teams_works_from:
                self.happened["a ticket was given up"] += 1
                self._undisturbed = False
                continue
            self.deliver(message)

    def deliver(self, message: RemediationMessage) -> None:
        """Do what `notify` does with one ticket."""
        match message.kind:
            case MessageKind.ALERTS:
                self._tell_alerts(message)
            case MessageKind.WELCOME:
                self._tell_welcome(message)
            case MessageKind.DIGEST:
                self._tell_digest(message)
            case MessageKind.TEST:
                raise AssertionError("nobody asked for a test message")

    def _tell_alerts(self, message: RemediationMessage) -> None:
        untold = run(self.tables.untold(message.batch))
        if not untold:
            self.happened["a ticket found nothing to tell"] += 1
            return
        rows = [alert.row for alert in untold]
        self._post(rows, message)
        if self.while_posting and self.while_posting[0] in {row.token_id for row in rows}:
            self._check_meanwhile(self.while_posting[1], rows)
        if self.cut_stamps:
            self._cut_off_before_the_stamp(message)
            return
        count = run(self.tables.stamp(untold, told_at=self.now, check_date=message.check_date))
        assert count <= len(rows)
        self._stamped(rows, message)

    def _tell_welcome(self, message: RemediationMessage) -> None:
        untold = run(self.tables.untold(message.batch))
        rows = [alert.row for alert in untold]
        if not run(self.tables.run_rows()).run.welcome_is_untold and not rows:
            self.happened["a ticket found nothing to tell"] += 1
            return
        assert not self.oracle.welcomed or rows, "the welcome was told twice"
        was_read = any(source.read_at for source in self.oracle.sources.values())
        assert was_read, "the welcome was told before anything was read"
        self._post(rows, message)
        run(self.tables.stamp(untold, told_at=self.now, check_date=message.check_date))
        self._stamped(rows, message)
        run(self.tables.stamp_run(lambda row: replace(row, welcome_told_step=row.welcome_step)))
        self.oracle.welcomed = True
        self.happened["welcome"] += 1

    def _tell_digest(self, message: RemediationMessage) -> None:
        row = run(self.tables.run_rows()).run
        number = int(message.batch.removeprefix("digest "))
        if not row.digest_told_step < number <= row.digest_step:
            self.happened["a ticket found nothing to tell"] += 1
            return
        assert message.batch not in self.digests, "a digest was told twice"
        assert self.oracle.digest_is_due(self.now), "a digest was told before its day"
        self.digests.add(message.batch)
        self.oracle.digested_on = message.check_date

        def told(present: RunRow) -> RunRow:
            return replace(
                present,
                digest_told_step=number,
                digest_told_at=self.now,
                digest_told_check_date=message.check_date,
            )

        run(self.tables.stamp_run(told))
        self.happened["digest"] += 1

    def _post(self, rows: list[AlertRow], message: RemediationMessage) -> None:
        for row in rows:
            self.oracle.posted(row, message)
        reasons = {row.reason for row in rows}
        assert len(reasons) <= 1, "a card has one reason"

    def _stamped(self, rows: list[AlertRow], message: RemediationMessage) -> None:
        for row in rows:
            self.oracle.stamped(row, message)

    def _check_meanwhile(self, change: Callable[[], None], posting: list[AlertRow]) -> None:
        """Run a check while Teams takes a card that is not stamped yet."""
        self.while_posting = None
        change()
        self.now += timedelta(minutes=1)
        self.ask_for_a_check()
        due = self.oracle.due(self.now)
        messages = self._check(due)
        self.oracle.checked(self._read_now, self.now)
        self.oracle.overtaken(posting)
        self._take_to_queue(messages)
        self._undisturbed = False
        self.happened["a check ran while a card was posted"] += 1

    def _cut_off_before_the_stamp(self, message: RemediationMessage) -> None:
        self.cut_stamps -= 1
        self.happened["a card was accepted and not stamped"] += 1
        # It becomes visible again after five minutes.
        self.queue.append(message)

    # --- The administrators -----------------------------------------------------------------------

    def operator(self) -> Operator:
        return Operator(name="operator@contoso.example", at=self.now, reason="A test's.")

    def ask_for_a_check(self) -> None:
        try:
            run(self.tables.operator().request_check(self.operator()))
        except GoneError:
            return  # Before the first check there is nothing to ask for.
        self.oracle.requested_at = self.now
        self.happened["a check was asked for"] += 1

    def snooze(self, number: int, days: int) -> None:
        """Snooze one of the alerts that are open, whichever the number hits."""
        alerts = [row for row in run(self.tables.alert_rows()) if row.ended_at is None]
        if not alerts:
            return
        row = alerts[number % len(alerts)]
        until = self.now + days * DAY
        run(self.tables.operator().snooze(row, until, self.operator()))
        self.oracle.snoozed(row, until)

    def accept_topic(self) -> None:
        """Accept the topic that the status row shows."""
        for row in run(self.tables.token_rows([TokenKind.PUSH])):
            run(self.tables.operator().accept_topic(row.token.topic, self.operator()))
            self.oracle.memories[row.token.kind, row.token.id].accepted_topic = row.token.topic

    # --- The promises -----------------------------------------------------------------------------

    def _assert_promises(self, kinds: set[TokenKind]) -> None:
        self.oracle.assert_told(kinds)
        if kinds and not self.oracle.due(self.now):
            was_read = any(source.was_read for source in self.oracle.sources.values())
            assert self.oracle.welcomed or not was_read, "the welcome was not told"
            assert not self.oracle.digest_is_due(self.now), "the digest was not told"

    def _assert_rows(self) -> None:
        """Hold the rows against what was observed: a failed check changes nothing of that."""
        for row in run(self.tables.token_rows()):
            memory = self.oracle.memories[row.token.kind, row.token.id]
            assert row.token == memory.token
            assert row.checked_at == memory.read_at
        for alert in run(self.tables.alert_rows()):
            key = (alert.kind, alert.token_id, alert.problem)
            assert key in self.oracle.cases, f"the alert {key} was left behind"
            life = (alert.key, alert.since)
            assert alert.told_step >= self.told_steps.get(life, 0), "ToldStep went down"
            self.told_steps[life] = alert.told_step


def first_morning(year_part: str) -> datetime:
    """Return a morning some days before the clocks change."""
    return {
        "spring": datetime(2026, 3, 24, 5, tzinfo=ZONE),
        "autumn": datetime(2026, 10, 20, 5, tzinfo=ZONE),
    }[year_part]
