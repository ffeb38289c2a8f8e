"""The body of the weekly digest (pure): what is open, what is quiet, and what comes next.

It is the only card that may say that nothing is wrong, and it says so only when that is known.
"""

import msgspec

from apple_tokens.model import ApplePortal
from apple_tokens.rows import RunRow
from notify import overview_lines as lines
from notify import overview_parts, parts
from notify.elements import Element, heading, line, run, words
from notify.overview_parts import Room, capped
from notify.parts import INFORMATION, WARNING, Body, Tone
from notify.standing import Standing
from notify.voice import Voice

WELL = Tone("good", "✅", "health.healthy")


def digest_body(standing: Standing, told: RunRow, room: Room, voice: Voice) -> Body:
    """Return the state of everything; `told` knows when the last digest was."""
    elements = overview_parts.unread(standing, voice)
    if standing.groups:
        elements += overview_parts.problems(standing, room, voice)
        elements += _where_to_act(standing, voice)
    for key, drawn in (
        ("digest.snoozed", capped(standing.snoozed, room.lines, lines.snoozed, voice)),
        ("digest.absent", capped(standing.absent, room.lines, lines.absent, voice)),
        ("digest.new_tokens", _new_tokens(standing, told, room, voice)),
        ("digest.sources", overview_parts.sources(standing, voice)),
    ):
        if drawn:
            elements += [heading(voice.word(key)), *drawn]
    elements += overview_parts.upcoming(standing, room, voice)
    elements.append(line(run(voice.word("digest.why"), isSubtle=True), spacing="Medium"))
    return Body(tone=_tone(standing), title=_title(standing, voice), elements=elements)


def _tone(standing: Standing) -> Tone:
    if standing.all_well:
        return WELL
    severities = [*(group.severity for group in standing.groups), *standing.unread_severities]
    if severities:
        return parts.tone(severities)
    return WARNING if standing.unread else INFORMATION


def _title(standing: Standing, voice: Voice) -> str:
    """Return the state in a few words, the most urgent that can be said of it."""
    if standing.all_well:
        state = voice.word("digest.all_well")
    elif standing.groups:
        count = sum(len(group.subjects) for group in standing.groups)
        state = voice.count("digest.open_problems", count)
    elif standing.unread:
        state = voice.word("digest.unread")
    elif not standing.tokens:
        state = voice.word("digest.nothing_configured")
    else:
        state = voice.word("digest.no_problems")
    return voice.labelled(voice.word("digest.title"), state)


def _where_to_act(standing: Standing, voice: Voice) -> list[Element]:
    """Return where the steps are, and the pages of Intune: each problem has its own way there."""
    entry = voice.catalogue.problem(standing.groups[0].problem)
    kinds = {subject.alert.kind for group in standing.groups for subject in group.subjects}
    advice = voice.catalogue.advise(
        entry, kinds=kinds, portal=ApplePortal.UNKNOWN, cloud=voice.cloud
    )
    in_intune = msgspec.structs.replace(advice, apple_links=(), learn_links=())
    steps = words(voice.word("digest.steps"), spacing="Medium")
    return [steps, *parts.links(in_intune, voice)]


def _new_tokens(standing: Standing, told: RunRow, room: Room, voice: Voice) -> list[Element]:
    """Return the tokens first seen since the last digest, before that since the first check."""
    seen = {row.key: row.first_seen_at for row in standing.tokens if row.first_seen_at}
    since = told.digest_told_at or min(seen.values(), default=None)
    new = [row for row in standing.tokens if since and row.key in seen and seen[row.key] > since]
    return capped(new, room.lines, lambda row, voice: lines.dated(row, standing, voice), voice)
