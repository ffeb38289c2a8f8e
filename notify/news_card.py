"""The bodies of cards that ask for little or nothing (pure): fixed, accepted, test message."""

from collections.abc import Sequence

from apple_tokens.model import EXPIRED, EXPIRING, SOURCE_ID, Facts, Problem, TokenKind
from notify import parts
from notify.elements import Element, foreign, line, run, words
from notify.facts import Subject, describe, fact, name_runs, summarize
from notify.parts import Body, Listing
from notify.problem_card import advise
from notify.text import clean
from notify.voice import Voice

_DATED = frozenset({*EXPIRED.values(), *EXPIRING.values()})

_Ended = Sequence[Subject]
"""The alerts of one token that ended together."""


def fixed_body(subjects: Sequence[Subject], listing: Listing, voice: Voice) -> Body:
    """Return what is no longer wrong, a token once, and whether something is left to do."""
    by_token = dict[tuple[TokenKind, str], list[Subject]]()
    for subject in subjects:
        by_token.setdefault((subject.alert.kind, subject.alert.token_id), []).append(subject)
    # What still wants a look comes first, so that no limit of space hides it.
    tokens = sorted(by_token.values(), key=lambda ended: not _left_to_do(ended, voice))
    loose_ends = [subject for ended in tokens if _left_to_do(ended, voice) for subject in ended]
    elements = parts.listed(
        tokens,
        listing,
        lambda ended: _token_in_full(ended, voice),
        lambda ended: _token_in_brief(ended, voice),
        voice,
        worst_first=False,
    )
    if loose_ends:
        entry = voice.catalogue.problem(loose_ends[0].alert.problem)
        elements += parts.links(advise(entry, loose_ends, voice), voice)
    else:
        elements.append(words(voice.word("fixed.nothing_to_do"), spacing="Medium"))
    title = voice.count("fixed.title", len(subjects))
    if len(subjects) == 1:
        title = voice.labelled(title, voice.catalogue.problem(subjects[0].alert.problem).title)
    return Body(tone=parts.FIXED, title=title, elements=elements)


def accepted_body(subjects: Sequence[Subject], listing: Listing, voice: Voice) -> Body:
    """Return that an operator accepted the push certificate's new topic, and what that is not."""
    certificates = parts.listed(
        subjects,
        listing,
        lambda subject: describe(subject, voice),
        lambda subject: summarize(subject, voice, with_kind=True),
        voice,
        worst_first=False,
    )
    return Body(
        tone=parts.ACCEPTED,
        title=voice.word("accepted.title"),
        elements=[words(voice.word("accepted.text"), spacing="Medium"), *certificates],
    )


def test_body(voice: Voice) -> Body:
    """Return that the way to the channel works."""
    return Body(
        tone=parts.INFORMATION,
        title=voice.word("test.title"),
        elements=[words(voice.word("test.text"), spacing="Medium")],
    )


def _token_in_full(ended: _Ended, voice: Voice) -> list[Element]:
    texts = [
        f"{voice.catalogue.problem(alert.problem).title} · "
        f"{voice.lasted(alert.since, alert.ended_at or voice.checked_at)}"
        for alert in (subject.alert for subject in ended)
    ]
    renewal = _renewal(ended)
    if renewal and renewal.synced_since:
        texts.append(voice.word("fixed.synced_since"))
    if renewal and _keeps_topic(ended[0]):
        texts.append(voice.word("fixed.topic_unchanged"))
    texts += _left_to_do(ended, voice)
    lines = [
        line(*_name(ended[0], voice), spacing="None"),
        line(run(_outcome(ended, voice), weight="Bolder"), spacing="None"),
        *(line(run(text), spacing="None") for text in texts),
    ]
    if renewal and ended[0].alert.kind is TokenKind.PUSH:
        lines += _new_certificate(renewal, voice)
    return lines


def _token_in_brief(ended: _Ended, voice: Voice) -> Element:
    problems = voice.join(voice.catalogue.problem(subject.alert.problem).title for subject in ended)
    told = " · ".join((problems, _outcome(ended, voice), *_left_to_do(ended, voice)))
    return line(run("• "), *_name(ended[0], voice), run(f" · {told}"))


def _name(subject: Subject, voice: Voice) -> list[Element]:
    if subject.alert.token_id == SOURCE_ID:
        return [run(voice.word(f"source.{subject.alert.kind}"), weight="Bolder")]
    return name_runs(subject.token, voice)


def _outcome(ended: _Ended, voice: Voice) -> str:
    renewal = _renewal(ended)
    if renewal and renewal.old_expires_on and renewal.new_expires_on:
        old, new = voice.date(renewal.old_expires_on), voice.dated(renewal.new_expires_on)
        return voice.word("fixed.renewed", old_date=old, new_date=new)
    if any(subject.alert.problem is Problem.PUSH_CERTIFICATE_REPLACED for subject in ended):
        return voice.word("fixed.topic_back")
    return voice.word("fixed.solved")


def _renewal(ended: _Ended) -> Facts | None:
    """Return what is known of the renewal that ended these problems, None if it was none."""
    found = (subject.alert.facts for subject in ended if subject.alert.problem in _DATED)
    return next((facts for facts in found if facts.new_expires_on), None)


def _left_to_do(ended: _Ended, voice: Voice) -> list[str]:
    renewal = _renewal(ended)
    texts = []
    if renewal and renewal.synced_since is False:
        texts.append(voice.word("fixed.not_synced_since"))
    if renewal and _changed_account(renewal):
        texts.append(voice.word("fixed.account_changed"))
    return texts


def _changed_account(renewal: Facts) -> bool:
    old, new = clean(renewal.old_apple_account), clean(renewal.new_apple_account)
    return bool(old) and old != new


def _keeps_topic(subject: Subject) -> bool:
    row = subject.row
    return row is not None and bool(row.known_topic) and row.known_topic == row.token.topic


def _new_certificate(renewal: Facts, voice: Voice) -> list[Element]:
    values = [("new_serial_number", renewal.new_serial_number)]
    if _changed_account(renewal):
        values.append(("old_account", renewal.old_apple_account))
        values.append(("new_account", renewal.new_apple_account))
    return [fact(label, foreign(value), voice) for label, value in values if clean(value)]
