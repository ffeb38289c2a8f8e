"""What a card says about one token (pure): labelled facts, from its row and from its alert.

Every value that comes from Graph or from people is a run of its own. Where the row is missing, the
facts of the alert are enough for a card.
"""

from collections.abc import Iterator

from msgspec import Struct

from apple_tokens.model import EXPIRED, EXPIRING, AppleToken, Problem, Reason, TokenKind
from apple_tokens.rows import AlertRow, TokenRow
from notify.elements import Element, foreign, line, run
from notify.text import clean
from notify.voice import Voice

_TERMS = 3
"""The one error number whose meaning is known, and its row in Microsoft's table."""
GONE = frozenset({Problem.TOKEN_REMOVED, Problem.PUSH_CERTIFICATE_MISSING})
"""Problems of tokens that are shown as they were last seen, although Intune can be read."""
_PROBLEMS = frozenset(problem.value for problem in Problem)
ABOUT_SYNC = frozenset(
    {
        Problem.ADE_SYNC_FAILED,
        Problem.VPP_SYNC_FAILED,
        Problem.ADE_SYNC_STALE,
        Problem.VPP_SYNC_STALE,
    }
)
_SOUND_STATES = frozenset({"", "valid"})
_SOUND_SYNCS = frozenset({"", "completed"})


class Subject(Struct, frozen=True, kw_only=True):
    """One alert, and the row of its token."""

    alert: AlertRow
    row: TokenRow | None

    @property
    def token(self) -> AppleToken:
        """The token as it was last seen; where its row is missing, what the alert knows of it."""
        if self.row:
            return self.row.token
        facts = self.alert.facts
        return AppleToken(
            kind=self.alert.kind,
            id=self.alert.token_id,
            apple_account=facts.new_apple_account or facts.old_apple_account,
            expires_on=facts.new_expires_on or facts.old_expires_on,
            last_synced_at=facts.last_synced_at,
            sync_error_code=facts.sync_error_code,
            serial_number=facts.new_serial_number or facts.old_serial_number,
        )


def name_runs(token: AppleToken, voice: Voice, *, with_kind: bool = True) -> list[Element]:
    """Return what a token is called, and its kind."""
    kind = voice.word(f"kind.{token.kind}")
    if token.kind is TokenKind.PUSH:
        return [run(kind, weight="Bolder")]
    name = clean(token.name) or clean(token.location) or clean(token.organization) or token.id
    return [foreign(name, weight="Bolder"), *([run(f" · {kind}")] if with_kind else [])]


def describe(subject: Subject, voice: Voice) -> list[Element]:
    """Return everything a card knows about one token, a fact a line."""
    lines = [line(*name_runs(subject.token, voice), spacing="None")]
    lines += (fact(label, value, voice) for label, value in _facts(subject, voice))
    if others := _other_findings(subject, voice):
        lines.append(_labelled(voice.word("heading.other_findings"), run(others), voice))
    return lines


def fact(label: str, value: Element, voice: Voice) -> Element:
    """Return one fact on its line; `label` is its key among the catalogue's labels."""
    return _labelled(voice.word(f"label.{label}"), value, voice)


def summarize(subject: Subject, voice: Voice, *, with_kind: bool) -> Element:
    """Return what tells one token of many from the others, on one line."""
    token = subject.token
    runs = [run("• "), *name_runs(token, voice, with_kind=with_kind)]
    for part in (token.location, token.country, token.apple_account):
        if clean(part):
            runs += (run(" · "), foreign(part))
    if token.expires_on:
        runs.append(run(f" · {voice.date(token.expires_on)} ({voice.left(token.expires_on)})"))
    if subject.alert.problem in ABOUT_SYNC and token.last_synced_at:
        label = voice.labelled(
            voice.word(f"label.{_sync_key(token)}"), voice.ago(token.last_synced_at)
        )
        runs.append(run(f" · {label}"))
    if subject.alert.problem is Problem.ADE_SYNC_FAILED:
        label = voice.labelled(voice.word("label.sync_error"), str(token.sync_error_code))
        runs.append(run(f" · {label}"))
    return line(*runs)


def _facts(subject: Subject, voice: Voice) -> Iterator[tuple[str, Element]]:
    alert, token = subject.alert, subject.token
    if token.kind is TokenKind.VPP:
        yield from _given(("location", token.location), ("country", token.country))
        yield from _given(("organization", token.organization))
    account = clean(token.apple_account)
    yield "account", foreign(account) if account else run(voice.word("value.not_noted"))
    yield "expires", run(_expiry(token, voice))
    if token.kind is TokenKind.PUSH:
        yield from _push(subject, voice)
    else:
        yield _sync_key(token), run(_last_sync(token, voice))
        yield from _sync_trouble(subject, voice)
    if token.device_count is not None:
        yield "devices", run(str(token.device_count))
    if alert.problem in GONE and alert.facts.as_of:
        yield "last_seen", run(voice.time(alert.facts.as_of))
    if alert.reason not in {Reason.NEW, Reason.ACCEPTED}:
        yield "open_since", run(voice.dated(alert.since))


def _given(*values: tuple[str, str]) -> Iterator[tuple[str, Element]]:
    """Return facts that somebody else wrote, without the empty ones."""
    for label, value in values:
        if clean(value):
            yield label, foreign(value)


def _sync_trouble(subject: Subject, voice: Voice) -> Iterator[tuple[str, Element]]:
    token = subject.token
    if token.sync_error_code:
        yield "sync_error", run(_sync_error(subject, voice))
    if token.state not in _SOUND_STATES:
        yield "state", _graph_value("state", token.state, voice)
    if token.sync_status not in _SOUND_SYNCS:
        yield "sync_status", _graph_value("sync_status", token.sync_status, voice)


def _push(subject: Subject, voice: Voice) -> Iterator[tuple[str, Element]]:
    facts, token = subject.alert.facts, subject.token
    match subject.alert.problem:
        case Problem.PUSH_CERTIFICATE_REPLACED:
            yield from _given(("old_topic", facts.old_topic), ("new_topic", token.topic))
            yield from _given(("old_account", facts.old_apple_account))
            if facts.old_topic_expires_on:
                yield "old_topic_expires", run(voice.dated(facts.old_topic_expires_on))
            yield from _given(
                ("old_serial_number", facts.old_serial_number),
                ("new_serial_number", token.serial_number),
                ("accepted_by", facts.accepted_by),
                ("accepted_reason", facts.accepted_reason),
            )
        case Problem.PUSH_CERTIFICATE_MISSING:
            yield from _given(
                ("old_topic", facts.old_topic or token.topic),
                ("old_serial_number", facts.old_serial_number or token.serial_number),
            )
        case _:
            yield from _given(("topic", token.topic), ("serial_number", token.serial_number))
    yield from _given(("upload_failure", token.upload_failure))


def _other_findings(subject: Subject, voice: Voice) -> str:
    """Return the token's further problems, those that a cause silences included."""
    if subject.row is None:
        return ""
    found = dict.fromkeys(subject.row.problems.split(", "))
    kind, problem = subject.token.kind, subject.alert.problem
    found.pop(problem, None)
    if EXPIRED[kind] in {problem, *found}:
        found.pop(EXPIRING[kind], None)  # also true, and odd to read beside "expired"
    titles = (voice.catalogue.problem(Problem(name)).title for name in found if name in _PROBLEMS)
    return voice.join(titles)


def _expiry(token: AppleToken, voice: Voice) -> str:
    if token.expires_on is None:
        return voice.word("value.unknown")
    return f"{voice.dated(token.expires_on)} · {voice.left(token.expires_on)}"


def _last_sync(token: AppleToken, voice: Voice) -> str:
    if token.last_synced_at is None:
        return voice.word("value.never")
    return f"{voice.time(token.last_synced_at)} · {voice.ago(token.last_synced_at)}"


def _sync_key(token: AppleToken) -> str:
    """Return the label. Graph tells when a VPP sync was, but not whether it succeeded."""
    return "last_successful_sync" if token.kind is TokenKind.ADE else "last_sync"


def _sync_error(subject: Subject, voice: Voice) -> str:
    code = subject.token.sync_error_code
    facts = subject.alert.facts
    row = facts.sync_error_row if facts.sync_error_code == code else 0
    row = row or (_TERMS if code == _TERMS else 0)
    if not row:
        return voice.word("sync.unknown_number", code=code)
    return voice.word("sync.known_number", row=voice.catalogue.sync_error(row).title, code=code)


def _graph_value(group: str, value: str, voice: Voice) -> Element:
    """Return a value of Graph in words, or as it is where Graph added it since."""
    known = voice.catalogue.words.get(f"{group}.{value}")
    return run(known) if isinstance(known, str) else foreign(value)


def _labelled(label: str, value: Element, voice: Voice) -> Element:
    return line(run(voice.labelled(label), weight="Bolder"), value, spacing="None")
