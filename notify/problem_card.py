"""The body of a card about something wrong with tokens (pure)."""

from collections import Counter
from collections.abc import Sequence

from apple_tokens.model import EXPIRED, EXPIRING, ApplePortal, Problem, Reason, TokenKind
from apple_tokens.rows import TokenRow
from notify import parts
from notify.elements import Element, heading, line, numbered, run, words
from notify.facts import GONE, Subject, describe, summarize
from notify.parts import Body, Listing
from notify.remediation.entries import Advice, Entry
from notify.voice import Voice

_IN_A_PORTAL = frozenset({TokenKind.ADE, TokenKind.VPP})
"""The push certificate has a site of its own at Apple."""

_SEVERAL = 2


def problem_body(
    subjects: Sequence[Subject], rows: Sequence[TokenRow], listing: Listing, voice: Voice
) -> Body:
    """Return what is wrong, what it breaks, with which tokens, and what to do about it."""
    problem = subjects[0].alert.problem
    entry = voice.catalogue.problem(problem)
    row = _common_row(subjects)
    repair = voice.catalogue.sync_error(row) if row else entry
    advice = advise(repair, subjects, voice)
    elements = [words(entry.impact, spacing="Medium")]
    if row:
        elements.append(words(voice.labelled(repair.title, repair.impact)))
    if problem is Problem.ADE_SYNC_FAILED:
        elements += _one_cause(subjects, rows, voice)
    expires_on = subjects[0].token.expires_on
    if problem is Problem.PUSH_CERTIFICATE_EXPIRED and expires_on:
        elements.append(line(run(voice.grace(expires_on), weight="Bolder")))
    kinds = {subject.alert.kind for subject in subjects}
    elements += parts.listed(
        subjects,
        listing,
        lambda subject: describe(subject, voice),
        lambda subject: summarize(subject, voice, with_kind=len(kinds) > 1),
        voice,
        worst_first=True,
    )
    todo = voice.word("sync.for_row", row=repair.title) if row else voice.word("heading.steps")
    elements += [heading(todo), *numbered(advice.steps)]
    if problem is Problem.ADE_SYNC_FAILED and not row:
        elements += _sync_errors(voice)
    return Body(
        tone=parts.tone(subject.alert.severity for subject in subjects),
        title=_headline(entry.title, subjects, voice),
        notes=(*reason(subjects, voice), *_as_of(subjects, voice)),
        elements=[*elements, *parts.links(advice, voice)],
    )


def reason(subjects: Sequence[Subject], voice: Voice) -> tuple[str, ...]:
    """Return why a batch is told now."""
    told = subjects[0].alert.reason
    return (voice.word(f"reason.{told}"),) if told else ()


def advise(entry: Entry, subjects: Sequence[Subject], voice: Voice) -> Advice:
    """Make an entry definite: right for every kind and portal among the tokens."""
    portals = {subject.token.portal for subject in subjects if subject.alert.kind in _IN_A_PORTAL}
    return voice.catalogue.advise(
        entry,
        kinds={subject.alert.kind for subject in subjects},
        portal=portals.pop() if len(portals) == 1 else ApplePortal.UNKNOWN,
        cloud=voice.cloud,
    )


def _headline(title: str, subjects: Sequence[Subject], voice: Voice) -> str:
    """Return the problem with what makes it concrete: how many tokens, or how much time."""
    if len(subjects) > 1:
        return voice.labelled(title, voice.count("count.tokens", len(subjects)))
    expires_on = subjects[0].token.expires_on
    if expires_on and subjects[0].alert.problem in EXPIRING.values():
        return voice.labelled(title, voice.left(expires_on))
    # A VPP token can be called expired by its state, with a date that is still ahead.
    has_passed = expires_on is not None and expires_on <= voice.checked_at
    if expires_on and has_passed and subjects[0].alert.problem in EXPIRED.values():
        return voice.labelled(title, voice.date(expires_on))
    return title


def _common_row(subjects: Sequence[Subject]) -> int:
    """Return the row of Microsoft's table that explains every token's sync error, 0 for none."""
    rows = {subject.alert.facts.sync_error_row for subject in subjects}
    is_sync_error = subjects[0].alert.problem is Problem.ADE_SYNC_FAILED
    return rows.pop() if is_sync_error and len(rows) == 1 else 0


def _one_cause(
    subjects: Sequence[Subject], rows: Sequence[TokenRow], voice: Voice
) -> list[Element]:
    """Say so where more than half of all tokens show the same new error since the same day."""
    seen = Counter(
        (subject.token.sync_error_code, voice.date(subject.alert.since))
        for subject in subjects
        if subject.alert.reason is Reason.NEW
    )
    if not seen:
        return []
    n = seen.most_common(1)[0][1]
    total = sum(row.token.kind is TokenKind.ADE for row in rows)
    if n < _SEVERAL or not n <= total < 2 * n:
        return []
    return [line(run(voice.word("sync.one_cause", n=n, total=total), weight="Bolder"))]


def _as_of(subjects: Sequence[Subject], voice: Voice) -> tuple[str, ...]:
    """Say since when Intune could not be read, where what the card shows is from then."""
    known = [
        subject.alert.facts.as_of
        for subject in subjects
        if subject.alert.facts.as_of and subject.alert.problem not in GONE
    ]
    return (voice.word("card.as_of", time=voice.time(min(known))),) if known else ()


def _sync_errors(voice: Voice) -> list[Element]:
    """Return what each error text that Intune can show asks for: the number alone does not say."""
    return [
        heading(voice.word("heading.sync_error_rows")),
        *(
            line(
                run(voice.join(row.title for row in group.rows), weight="Bolder"),
                run(f" → {group.title}"),
            )
            for group in voice.catalogue.sync_error_groups
        ),
    ]
