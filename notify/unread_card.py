"""The body of a card about sources that could not be checked (pure).

It never says that anything is well: it says what is unknown, what to grant or to do, and which
expiration dates come next as far as they are known.
"""

from collections.abc import Sequence

from apple_tokens.model import TokenKind
from apple_tokens.rows import TokenRow
from notify import parts
from notify.elements import Element, container, foreign, heading, line, numbered, run, words
from notify.facts import Subject, fact, name_runs
from notify.parts import Body, Listing
from notify.problem_card import advise, reason
from notify.voice import Voice

_MOST_DATES = 5
"""Of each source."""


def unread_body(
    subjects: Sequence[Subject], rows: Sequence[TokenRow], listing: Listing, voice: Voice
) -> Body:
    """Return which sources could not be read and why, what to do, and the next known dates."""
    alert = subjects[0].alert
    cause = alert.facts.cause
    catalogue = voice.catalogue
    entry = catalogue.failure(cause) if cause else catalogue.problem(alert.problem)
    advice = advise(entry, subjects, voice)
    elements = [words(entry.impact, spacing="Medium")]
    elements += (
        container(_source(subject, voice, in_full=listing.in_full), style="emphasis")
        for subject in subjects
    )
    elements += [heading(voice.word("heading.steps")), *numbered(advice.steps)]
    elements.append(heading(voice.word("heading.next_expiries")))
    shown = _MOST_DATES if listing.in_full else listing.shown
    for subject in subjects:
        elements += _next_expiries(subject.alert.kind, rows, shown, voice)
    return Body(
        tone=parts.tone(subject.alert.severity for subject in subjects),
        title=entry.title,
        notes=reason(subjects, voice),
        elements=[*elements, *parts.links(advice, voice)],
    )


def _source(subject: Subject, voice: Voice, *, in_full: bool) -> list[Element]:
    alert = subject.alert
    facts = alert.facts
    values = [
        (
            "last_checked",
            run(voice.time(facts.as_of) if facts.as_of else voice.word("value.never")),
        ),
        ("detail", foreign(facts.detail if in_full else "")),
        ("http_status", run(str(facts.status) if facts.status else "")),
        ("request_id", foreign(facts.request_id)),
    ]
    return [
        line(run(voice.word(f"source.{alert.kind}"), weight="Bolder"), spacing="None"),
        *(fact(label, value, voice) for label, value in values if value["text"]),
    ]


def _next_expiries(
    kind: TokenKind, rows: Sequence[TokenRow], shown: int, voice: Voice
) -> list[Element]:
    """Return the dates of a source that lie ahead; what has expired has a card of its own."""
    ahead = sorted(
        (row.token.expires_on, row.token.id, row)
        for row in rows
        if row.token.kind is kind
        and row.token.expires_on is not None
        and row.token.expires_on > voice.checked_at
    )
    part = [
        line(
            run("• "),
            *name_runs(row.token, voice),
            run(f" · {voice.dated(expires_on)} · {voice.left(expires_on)}"),
        )
        for expires_on, _, row in ahead[:shown]
    ]
    if len(ahead) > shown:
        part.append(line(run(voice.count("card.and_more", len(ahead) - shown))))
    if not ahead:
        source = voice.word(f"source.{kind}")
        part.append(line(run(voice.labelled(source, voice.word("card.no_known_expiries")))))
    return part
