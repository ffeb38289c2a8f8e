"""The body of the welcome (pure): what the first complete check found, and what happens now.

Problems have cards of their own. What has been expired for long is told here alone, in one group,
with both ways out: to renew it, or to snooze it.
"""

from collections.abc import Sequence

from apple_tokens.model import EXPIRED, TokenKind
from notify import overview_lines as lines
from notify import overview_parts, parts
from notify.elements import Element, container, heading, line, run, words
from notify.facts import Subject, describe
from notify.overview_lines import bullet
from notify.overview_parts import Room, capped, folded
from notify.parts import CRITICAL, INFORMATION, Body
from notify.problem_card import advise
from notify.remediation.entries import Entry
from notify.standing import Standing
from notify.voice import Voice

_FROM_NOW_ON = ("welcome.daily", "welcome.weekly", "welcome.help")


def welcome_body(standing: Standing, room: Room, voice: Voice) -> Body:
    """Return what was found, the healthy tokens too, and how the channel will hear from now on."""
    elements: list[Element] = [words(voice.word("welcome.intro"), spacing="Medium")]
    if not standing.tokens and not standing.unread:
        elements.append(words(voice.word("welcome.nothing_found"), weight="Bolder"))
    else:
        elements.append(heading(voice.word("welcome.found")))
        elements += overview_parts.sources(standing, voice)
    if standing.all_well:
        elements.append(words(voice.word("welcome.all_well"), weight="Bolder"))
    elements += overview_parts.unread(standing, voice)
    if standing.groups:
        elements.append(heading(voice.word("welcome.open_problems")))
        elements += overview_parts.titles(standing, voice)
    elements += _long_expired(standing.with_welcome, room, voice)
    elements += overview_parts.upcoming(standing, room, voice)
    elements.append(heading(voice.word("welcome.from_now_on")))
    elements += (bullet(run(voice.word(key))) for key in _FROM_NOW_ON)
    # Nobody misses most of what expired long ago, but every device hangs on the push certificate.
    is_urgent = any(subject.alert.kind is TokenKind.PUSH for subject in standing.with_welcome)
    return Body(
        tone=CRITICAL if is_urgent else INFORMATION,
        title=voice.word("welcome.title"),
        elements=elements,
    )


def _long_expired(subjects: Sequence[Subject], room: Room, voice: Voice) -> list[Element]:
    """Return what has been expired for long: to renew, or to snooze where that is possible."""
    if not subjects:
        return []
    by_kind = {
        kind: [subject for subject in subjects if subject.alert.kind is kind] for kind in TokenKind
    }
    found = [kind for kind in TokenKind if by_kind[kind]]
    title = f"{parts.WARNING.icon} {voice.count('welcome.long_expired', len(subjects))}"
    listing: list[Element] = [words(title, weight="Bolder")]
    listed = subjects
    if room.steps:
        # There is only one push certificate: what it breaks, and the topic that the steps compare.
        for subject in by_kind[TokenKind.PUSH]:
            listing += _push_certificate(subject, voice)
        listed = [*by_kind[TokenKind.ADE], *by_kind[TokenKind.VPP]]
    listing += capped([one.token for one in listed], room.lines, lines.expired, voice)
    is_push_alone = found == [TokenKind.PUSH]  # always needed, and never snoozed
    renew = "welcome.renew" if room.steps else "welcome.renew_by_article"
    # Buttons stand outside: in a dark theme their labels can't be read on a coloured ground.
    return [
        container(listing, style="warning", spacing="Large"),
        *([] if is_push_alone else [words(voice.word(renew))]),
        *(part for kind in found if room.steps for part in _steps(by_kind[kind], voice)),
        *parts.links(advise(_entry(found[0], voice), subjects, voice), voice),
        *([] if is_push_alone else [words(voice.word("welcome.snooze"))]),
    ]


def _push_certificate(subject: Subject, voice: Voice) -> list[Element]:
    """Return what the certificate breaks, whether renewing it comes too late, and its facts."""
    drawn = [words(_entry(TokenKind.PUSH, voice).impact, spacing="Small")]
    if expires_on := subject.token.expires_on:
        drawn.append(line(run(voice.grace(expires_on), weight="Bolder")))
    return [*drawn, *describe(subject, voice)]


def _steps(subjects: Sequence[Subject], voice: Voice) -> list[Element]:
    """Return how to renew tokens of one kind, behind a button.

    The numbers are not set apart as on the cards of problems: the steps of several kinds, in two
    languages, would leave no room for the tokens.
    """
    kind = subjects[0].alert.kind
    title = voice.labelled(voice.word("welcome.how_to_renew"), voice.word(f"kind.{kind}"))
    steps = advise(_entry(kind, voice), subjects, voice).steps
    numbered = [line(run(f"{number}. {step}")) for number, step in enumerate(steps, 1)]
    return folded(f"renew_{kind}", title, numbered, voice)


def _entry(kind: TokenKind, voice: Voice) -> Entry:
    return voice.catalogue.problem(EXPIRED[kind])
