"""What an overview says about one token, alert or source (pure): a line each."""

from collections.abc import Sequence
from datetime import datetime

from apple_tokens.model import EXPIRED, AppleToken, Health, Problem, TokenKind
from apple_tokens.rows import SourceRow, TokenRow
from notify.elements import Element, foreign, line, run
from notify.facts import Subject, name_runs
from notify.standing import DATED, Standing
from notify.text import clean
from notify.voice import Voice

_OF_ANY_KIND = frozenset({Problem.TOKEN_REMOVED, Problem.EXPIRY_UNKNOWN})
"""Problems whose title does not name the kind of the token."""


def bullet(*runs: Element) -> Element:
    """Return an item of a list. Runs of the same look become one: long lists fill a card."""
    joined: list[Element] = []
    for one in (run("• "), *runs):
        if joined and _looks(joined[-1]) == _looks(one):
            joined[-1] = one | {"text": f"{joined[-1]['text']}{one['text']}"}
        else:
            joined.append(one)
    return line(*joined)


def and_more(count: int, voice: Voice) -> Element:
    """Return how many items of a list had no room."""
    return line(run(voice.count("card.and_more", count)))


def read_source(source: SourceRow, rows: Sequence[TokenRow], voice: Voice) -> list[str]:
    """Return what is known of a source that was read: its tokens, and when it was read."""
    if not rows:
        known = voice.word("overview.not_configured")
    elif source.kind is TokenKind.PUSH:
        known = voice.word(f"health.{rows[0].health}")
    else:
        healthy = sum(row.health is Health.HEALTHY for row in rows)
        tokens = voice.count("count.tokens", len(rows))
        known = f"{tokens} · {voice.count('count.healthy', healthy)}"
    return [known, _last_checked(source, voice)]


def unread_source(source: SourceRow, voice: Voice) -> list[str]:
    """Return why a source could not be read, and when it was read last."""
    reason = f"failure.{source.reason}" if source.reason else "overview.not_checked_yet"
    return [voice.word(reason), _last_checked(source, voice)]


def of_source(kind: TokenKind, texts: Sequence[str], voice: Voice) -> Element:
    """Return a source with what is said about it."""
    return _item([run(voice.word(f"source.{kind}"), weight="Bolder")], *texts)


def open_problem(subject: Subject, standing: Standing, voice: Voice) -> Element:
    """Return a token below its problem: since when it is open, and what is particular."""
    alert, token = subject.alert, subject.token
    texts = [_since(subject, voice)]
    if alert.problem is Problem.ADE_SYNC_FAILED:
        code = str(token.sync_error_code)
        texts.append(voice.labelled(voice.word("label.sync_error"), code))
    if not alert.was_told and not alert.is_untold:
        texts.append(voice.word("overview.seen_once"))
    if alert.clear_since:
        texts.append(voice.word("overview.clearing"))
    if subject.row:
        texts += _as_of(subject.row, standing, voice)
    name = _name(token, voice, with_kind=alert.problem in _OF_ANY_KIND)
    return _item(name, *texts)


def snoozed(subject: Subject, voice: Voice) -> Element:
    """Return what is snoozed, until when, by whom and why."""
    alert = subject.alert
    title = voice.catalogue.problem(alert.problem).title
    runs = [*_name(subject.token, voice), run(f" · {title}")]
    if alert.snoozed_until:
        until = voice.labelled(voice.word("label.snoozed_until"), voice.dated(alert.snoozed_until))
        runs.append(run(f" · {until}"))
    for label, text in (("snoozed_by", alert.snoozed_by), ("snooze_reason", alert.snooze_reason)):
        if clean(text):
            runs += (run(f" · {voice.labelled(voice.word(f'label.{label}'))}"), foreign(text))
    return bullet(*runs)


def absent(row: TokenRow, voice: Voice) -> Element:
    """Return a token that the last check did not find."""
    since = voice.date(row.absent_since or voice.checked_at)
    return _item(_name(row.token, voice), voice.word("time.since", date=since))


def dated(row: TokenRow, standing: Standing, voice: Voice) -> Element:
    """Return a token with its expiration date."""
    expires_on = row.token.expires_on
    when = _expiry(expires_on, voice) if expires_on else voice.word("value.unknown")
    return _item(_name(row.token, voice), when, *_as_of(row, standing, voice))


def expired(token: AppleToken, voice: Voice) -> Element:
    """Return an expired token with all that tells it from others, for whoever renews it."""
    runs = _name(token, voice)
    for text in (token.country, token.apple_account):
        if clean(text):
            runs += (run(" · "), foreign(text))
    when = _expiry(token.expires_on, voice) if token.expires_on else voice.word("state.expired")
    return bullet(*runs, run(f" · {when}"))


def _name(token: AppleToken, voice: Voice, *, with_kind: bool = True) -> list[Element]:
    """Return the name; the location too, which tells VPP tokens of one name apart."""
    runs = name_runs(token, voice, with_kind=with_kind)
    location = clean(token.location)
    if location and location != runs[0]["text"]:
        runs += (run(" · "), foreign(location))
    return runs


def _item(name: Sequence[Element], *texts: str) -> Element:
    return bullet(*name, *(run(f" · {text}") for text in texts))


def _looks(one: Element) -> Element:
    return {key: value for key, value in one.items() if key != "text"}


def _since(subject: Subject, voice: Voice) -> str:
    expires_on, since = subject.token.expires_on, subject.alert.since
    problem = subject.alert.problem
    # Intune can call a VPP token expired before its date.
    contradicts = expires_on and problem in EXPIRED.values() and expires_on > voice.checked_at
    if problem in DATED and expires_on and not contradicts:
        return _expiry(expires_on, voice)
    return f"{voice.word('time.since', date=voice.date(since))} ({voice.ago(since)})"


def _expiry(expires_on: datetime, voice: Voice) -> str:
    return f"{voice.date(expires_on)} ({voice.left(expires_on)})"


def _as_of(row: TokenRow, standing: Standing, voice: Voice) -> list[str]:
    """Say from when a date is, where its source can't be read now."""
    if row.checked_at is None or not standing.is_unread(row.token.kind):
        return []
    return [voice.word("overview.as_of", date=voice.date(row.checked_at))]


def _last_checked(source: SourceRow, voice: Voice) -> str:
    when = voice.time(source.read_at) if source.read_at else voice.word("value.never")
    return voice.labelled(voice.word("label.last_checked"), when)
