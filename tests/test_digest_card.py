"""The weekly digest: everything that is open, quiet, unknown or next, and no all-clear too many."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from apple_tokens.model import SOURCE_ID, FailureReason, Health, Problem, Severity, TokenKind
from apple_tokens.rows import AlertRow, TokenRow
from sandbox.specimens.overviews import (
    DAY,
    DIGEST,
    HOUR,
    LAST_DIGEST,
    Overview,
    ailing,
    expired,
    healthy,
    overview,
    row,
    run_rows,
    snoozed,
    source_alert,
    unread_source,
)
from sandbox.specimens.tokens import CHECKED_AT, token
from tests.card_reading import lines, of_type, styles, text
from tests.specimens import large

CRITICAL, WARNING = Severity.CRITICAL, Severity.WARNING
ADE, VPP, PUSH = TokenKind
SECOND = timedelta(seconds=1)
ALL_WELL = "Weekly overview: nothing is wrong"


def title(found: Overview) -> str:
    """Return the headline of the card."""
    return lines(found.card())[1]


def section(found: Overview, heading: str) -> list[str]:
    """Return the items below a heading."""
    below = lines(found.card())
    below = below[below.index(heading) + 1 :]
    end = next((at for at, one in enumerate(below) if not one.startswith("• ")), len(below))
    return below[:end]


def headings(found: Overview) -> list[str]:
    """Return the bold paragraphs of the card below its head."""
    blocks = of_type(found.card(), "TextBlock")
    return [block["text"] for block in blocks if block.get("weight") == "Bolder"][1:]


# ---- Nothing is wrong, and only then -------------------------------------------------------------


def test_a_digest_of_a_tenant_in_which_all_is_well_is_short_and_says_so() -> None:
    found = overview(DIGEST, [], *healthy())

    assert title(found) == ALL_WELL
    assert styles(found.card()) == ["good"]
    assert headings(found) == ["What is watched", "Next known expiration dates"]
    assert len(lines(found.card())) == 14


def quietly_wrong() -> dict[str, Overview]:
    """Return digests of tenants in which not everything is known to be well."""
    ok = healthy()
    failed_once = ailing(Problem.ADE_SYNC_FAILED, token(ADE, 7), WARNING, step=0, told_step=0)
    unread = run_rows(unread_source(VPP))
    return {
        "an open problem": overview(DIGEST, [ailing(Problem.VPP_TOKEN_INVALID, token(VPP, 7))]),
        "one seen once": overview(DIGEST, [failed_once], *ok),
        "one that may be over": overview(
            DIGEST, [ailing(Problem.ADE_SYNC_STALE, token(ADE, 7), clear_since=CHECKED_AT)], *ok
        ),
        "one that is snoozed": overview(
            DIGEST, [snoozed(Problem.ADE_TOKEN_EXPIRED, expired(ADE, 7), days=20)], *ok
        ),
        "a source that could not be read": overview(DIGEST, [], *ok, rows=unread),
        "a source that was never read": overview(
            DIGEST, [], *healthy(vpp=0), rows=run_rows(unread_source(VPP, ever_read=False))
        ),
        "a token that was not found": overview(
            DIGEST, [], *ok, row(token(ADE, 7), absent_since=CHECKED_AT)
        ),
        "a token of unknown health": overview(
            DIGEST, [], *ok, row(token(ADE, 7), health=Health.UNKNOWN)
        ),
        "no token at all": overview(DIGEST),
    }


@pytest.mark.parametrize("what", quietly_wrong())
def test_nothing_is_wrong_is_never_said_with(what: str) -> None:
    found = quietly_wrong()[what]

    assert "nothing is wrong" not in text(found.card())
    assert styles(found.card())[0] != "good"


@pytest.mark.parametrize(
    "change",
    [{"silenced": True}, {"ended_at": CHECKED_AT}],
    ids=["silenced by its cause", "over"],
)
def test_what_is_silenced_or_over_is_not_open(change: dict[str, object]) -> None:
    _, alert = ailing(Problem.ADE_SYNC_STALE, token(ADE))
    found = overview(DIGEST, [], *healthy(), alerts=[replace(alert, **change)])

    assert title(found) == ALL_WELL


# ---- What is open --------------------------------------------------------------------------------


def test_open_problems_are_grouped_the_worst_first_and_counted() -> None:
    found = overview(
        DIGEST,
        [
            ailing(Problem.ADE_TOKEN_EXPIRING, token(ADE, 1), WARNING),
            ailing(Problem.VPP_TOKEN_INVALID, token(VPP, 1)),
            ailing(Problem.ADE_TOKEN_EXPIRED, expired(ADE, 2)),
            ailing(Problem.ADE_TOKEN_EXPIRED, expired(ADE, 3), WARNING),
            ailing(Problem.ADE_TOKEN_EXPIRED, expired(ADE, 4)),
        ],
    )

    assert title(found) == "Weekly overview: 5 open problems"
    assert styles(found.card())[0] == "attention"
    assert headings(found)[:4] == [
        "⛔ Critical: ADE token expired · 2 tokens",
        "⛔ Critical: VPP token is invalid",
        "⚠️ Warning: ADE token expired",
        "⚠️ Warning: ADE token expires soon",
    ]


def test_warnings_alone_make_a_digest_of_warnings() -> None:
    found = overview(DIGEST, [ailing(Problem.ADE_SYNC_STALE, token(ADE), WARNING)])

    assert title(found) == "Weekly overview: 1 open problem"
    assert styles(found.card())[0] == "warning"


def test_what_expired_says_when_and_the_longest_expired_comes_first() -> None:
    found = overview(
        DIGEST,
        [
            ailing(Problem.ADE_TOKEN_EXPIRED, expired(ADE, 0, days=3)),
            ailing(Problem.ADE_TOKEN_EXPIRED, expired(ADE, 1, days=60)),
        ],
    )

    assert section(found, "⛔ Critical: ADE token expired · 2 tokens") == [
        "• Osaka retail · 2026-06-04 (expired 60 days ago)",
        "• Berlin warehouse · 2026-07-31 (expired 3 days ago)",
    ]


def test_what_expires_says_how_much_time_is_left() -> None:
    soon = token(ADE, expires_on=CHECKED_AT + 12 * DAY + HOUR)
    found = overview(DIGEST, [ailing(Problem.ADE_TOKEN_EXPIRING, soon, WARNING)])

    assert section(found, "⚠️ Warning: ADE token expires soon") == [
        "• Berlin warehouse · 2026-08-15 (12 days left)"
    ]


def test_other_problems_say_since_when_and_the_oldest_comes_first() -> None:
    found = overview(
        DIGEST,
        [
            ailing(Problem.ADE_SYNC_STALE, token(ADE, 0), since=3 * DAY),
            ailing(Problem.ADE_SYNC_STALE, token(ADE, 1), since=20 * DAY),
        ],
    )

    assert section(found, "⛔ Critical: No successful ADE sync for a long time · 2 tokens") == [
        "• Osaka retail · since 2026-07-14 (20 days ago)",
        "• Berlin warehouse · since 2026-07-31 (3 days ago)",
    ]


def test_a_vpp_token_that_intune_calls_expired_before_its_date_shows_no_days_left() -> None:
    found = overview(DIGEST, [ailing(Problem.VPP_TOKEN_EXPIRED, token(VPP, state="expired"))])

    assert section(found, "⛔ Critical: VPP token expired") == [
        "• Apps Berlin warehouse · Berlin warehouse · since 2026-07-31 (3 days ago)"
    ]


def test_what_is_not_told_yet_or_may_be_over_is_marked() -> None:
    found = overview(
        DIGEST,
        [
            ailing(
                Problem.ADE_SYNC_FAILED,
                token(ADE, 0, sync_error_code=17),
                WARNING,
                step=0,
                told_step=0,
            ),
            ailing(Problem.ADE_SYNC_STALE, token(ADE, 1), WARNING, clear_since=CHECKED_AT),
            ailing(Problem.VPP_SYNC_FAILED, token(VPP, 1), WARNING, step=1, told_step=0),
        ],
    )

    marked = [one for one in lines(found.card()) if "since 2026-07-31" in one]
    assert marked == [
        "• Berlin warehouse · since 2026-07-31 (3 days ago) · Sync error: 17 · seen once so far",
        "• Osaka retail · since 2026-07-31 (3 days ago) · no longer seen by the last check",
        "• Apps Osaka retail · Osaka retail · since 2026-07-31 (3 days ago)",
    ]


def test_problems_say_where_to_go_in_intune_and_where_their_steps_are() -> None:
    found = overview(
        DIGEST,
        [
            ailing(Problem.ADE_TOKEN_EXPIRED, expired(ADE)),
            ailing(Problem.VPP_TOKEN_INVALID, token(VPP)),
        ],
    )
    buttons = [node["title"] for node in of_type(found.card(), "Action.OpenUrl")]

    assert buttons == ["Intune: Enrollment program tokens", "Intune: Apple VPP tokens"]
    assert "The steps are on the card of each problem" in text(found.card())
    assert "Enrollment program tokens; Tenant administration" in text(found.card())


def test_without_problems_no_button_leads_anywhere() -> None:
    assert not of_type(overview(DIGEST, [], *healthy()).card(), "Action.OpenUrl")


def test_more_tokens_than_ten_of_a_problem_are_counted() -> None:
    many = [ailing(Problem.ADE_TOKEN_EXPIRED, expired(ADE, number)) for number in range(34)]
    found = overview(DIGEST, many)

    assert title(found) == "Weekly overview: 34 open problems"
    assert len(section(found, "⛔ Critical: ADE token expired · 34 tokens")) == 10
    assert "and 24 more" in lines(found.card())


# ---- What is quiet -------------------------------------------------------------------------------


def test_a_snoozed_problem_stands_apart_with_its_end_its_author_and_its_reason() -> None:
    found = overview(
        DIGEST,
        [
            snoozed(Problem.ADE_TOKEN_EXPIRED, expired(ADE, 1), days=50),
            snoozed(Problem.ADE_TOKEN_EXPIRED, expired(ADE, 0), days=20),
        ],
        *healthy(),
    )

    assert title(found) == "Weekly overview: no open problems"
    assert styles(found.card())[0] == "accent"
    first, second = section(found, "Snoozed")
    assert first == (
        "• Berlin warehouse · ADE token · ADE token expired"
        " · Snoozed until: 2026-08-23 (Asia/Tokyo)"
        " · Snoozed by: operator@contoso.example"
        " · Reason for the snooze: The office closes at the end of the month"
    )
    assert "2026-09-22" in second


@pytest.mark.parametrize(
    "until,is_snoozed",
    [(CHECKED_AT + SECOND, True), (CHECKED_AT, False), (CHECKED_AT - SECOND, False)],
    ids=str,
)
def test_a_snooze_that_is_over_leaves_its_problem_open(
    until: datetime, *, is_snoozed: bool
) -> None:
    known, alert = snoozed(Problem.ADE_TOKEN_EXPIRED, expired(ADE), days=20)
    found = overview(DIGEST, [(known, replace(alert, snoozed_until=until))])

    assert ("Snoozed" in headings(found)) is is_snoozed
    assert title(found).endswith("no open problems" if is_snoozed else "1 open problem")


def test_a_token_that_was_not_found_is_named_and_its_other_problems_rest() -> None:
    _, resting = ailing(Problem.ADE_SYNC_STALE, token(ADE, 0))
    absent = row(token(ADE, 0), health=Health.UNKNOWN, absent_since=CHECKED_AT)
    found = overview(DIGEST, [], *healthy(ade=0), absent, alerts=[resting])

    assert title(found) == "Weekly overview: no open problems"
    assert section(found, "Tokens that the last check did not find") == [
        "• Berlin warehouse · ADE token · since 2026-08-03"
    ]
    assert "Berlin warehouse · ADE token · 2027" not in text(found.card())
    assert "• ADE tokens · Not configured in this tenant" in text(found.card())


@pytest.mark.parametrize(
    "problem,kind", [(Problem.TOKEN_REMOVED, ADE), (Problem.PUSH_CERTIFICATE_MISSING, PUSH)]
)
def test_what_is_known_to_be_gone_stands_as_a_problem_and_nowhere_else(
    problem: Problem, kind: TokenKind
) -> None:
    known, alert = ailing(problem, token(kind))
    gone = replace(known, absent_since=CHECKED_AT - 2 * DAY)
    found = overview(DIGEST, [(gone, alert)])

    assert title(found) == "Weekly overview: 1 open problem"
    assert "Tokens that the last check did not find" not in headings(found)
    assert "Next known expiration dates" not in headings(found)


# ---- What is unknown -----------------------------------------------------------------------------


def test_a_source_that_could_not_be_read_is_said_first_with_its_reason_and_last_reading() -> None:
    found = overview(
        DIGEST, [], *healthy(), rows=run_rows(unread_source(VPP, FailureReason.UNAVAILABLE))
    )

    assert title(found) == "Weekly overview: not everything could be checked"
    assert styles(found.card())[:2] == ["warning", "warning"]
    below = lines(found.card())
    assert below[2:5] == [
        "⚠️ Could not be checked",
        (
            "• VPP tokens · Microsoft Graph did not answer properly"
            " · Last checked: 2026-07-31 15:00 (Asia/Tokyo)"
        ),
        (
            "This is no all-clear: what has happened there since then is unknown. "
            "Only the dates read before are watched."
        ),
    ]
    assert len(section(found, "What is watched")) == 2


def test_a_source_that_is_critically_long_unread_makes_the_digest_critical() -> None:
    found = overview(
        DIGEST, [], *healthy(), rows=run_rows(unread_source(VPP)), alerts=[source_alert(VPP)]
    )

    assert styles(found.card())[:2] == ["attention", "attention"]
    assert title(found) == "Weekly overview: not everything could be checked"


def test_a_source_that_was_never_read_has_no_last_reading() -> None:
    rows = run_rows(unread_source(VPP, ever_read=False))
    found = overview(DIGEST, [], *healthy(vpp=0), rows=rows)

    assert "• VPP tokens · Permission is missing · Last checked: never" in lines(found.card())


def test_a_source_without_a_row_is_not_checked_yet() -> None:
    rows = run_rows()
    sources = {kind: source for kind, source in rows.sources.items() if kind is not VPP}
    found = overview(DIGEST, [], *healthy(vpp=0), rows=replace(rows, sources=sources))

    assert "• VPP tokens · Not checked yet · Last checked: never" in lines(found.card())


def test_dates_of_an_unread_source_say_from_when_they_are() -> None:
    seen = token(VPP, expires_on=CHECKED_AT - DAY)
    old = {"checked_at": CHECKED_AT - 3 * DAY}
    known, alert = ailing(Problem.VPP_TOKEN_EXPIRED, seen)
    others = [replace(one, **old) for one in healthy(ade=0, vpp=2, push=False)[1:]]
    rows = run_rows(unread_source(VPP))
    found = overview(DIGEST, [(replace(known, **old), alert)], *others, rows=rows)

    dated = [one for one in lines(found.card()) if "as of 2026-07-31" in one]
    assert [one.split(" · ")[0] for one in dated] == [
        "• Apps Berlin warehouse",
        "• Apps Osaka retail",
    ]


def test_a_source_is_no_problem_of_its_own_beside_what_could_not_be_checked() -> None:
    alert = source_alert(VPP)
    assert alert.token_id == SOURCE_ID
    found = overview(DIGEST, [], *healthy(), rows=run_rows(unread_source(VPP)), alerts=[alert])

    assert not [one for one in headings(found) if "Apple tokens could not be checked" in one]


# ---- What is watched, new and next ---------------------------------------------------------------


def test_each_source_says_how_many_are_well_and_when_it_was_read() -> None:
    found = overview(DIGEST, [ailing(Problem.ADE_TOKEN_EXPIRED, expired(ADE, 9))], *healthy(vpp=0))

    assert section(found, "What is watched") == [
        "• ADE tokens · 3 tokens · 2 healthy · Last checked: 2026-08-03 15:00 (Asia/Tokyo)",
        (
            "• VPP tokens · Not configured in this tenant"
            " · Last checked: 2026-08-03 15:00 (Asia/Tokyo)"
        ),
        "• MDM push certificate · Healthy · Last checked: 2026-08-03 15:00 (Asia/Tokyo)",
    ]


@pytest.mark.parametrize(
    "first_seen_at,is_new",
    [(LAST_DIGEST - SECOND, False), (LAST_DIGEST, False), (LAST_DIGEST + SECOND, True)],
    ids=str,
)
def test_a_token_is_new_when_it_was_first_seen_after_the_last_digest(
    first_seen_at: datetime, *, is_new: bool
) -> None:
    found = overview(DIGEST, [], *healthy(), row(token(ADE, 7), first_seen_at=first_seen_at))

    assert ("New since the last overview" in headings(found)) is is_new


def test_before_the_first_digest_a_token_is_new_that_the_first_check_did_not_see() -> None:
    rows = run_rows(told_before=False)
    later = row(token(ADE, 7), first_seen_at=CHECKED_AT - DAY)
    found = overview(DIGEST, [], *healthy(), later, rows=rows)

    assert section(found, "New since the last overview") == [
        "• Field service · ADE token · 2027-02-26 (207 days left)"
    ]


def dated(*days: int) -> list[TokenRow]:
    """Return healthy tokens that expire in so many days."""
    return [
        row(token(ADE, number, name=f"In {day}", expires_on=CHECKED_AT + day * DAY))
        for number, day in enumerate(days)
    ]


def test_the_next_dates_come_first_and_past_ones_not_at_all() -> None:
    found = overview(DIGEST, [], *dated(50, 40, 45, -3))

    assert [one.split(" · ")[0] for one in section(found, "Next known expiration dates")] == [
        "• In 40",
        "• In 45",
        "• In 50",
    ]


@pytest.mark.parametrize("at,is_listed", [(SECOND, True), (0 * DAY, False), (-SECOND, False)])
def test_a_date_lies_ahead_until_it_is_reached(at: timedelta, *, is_listed: bool) -> None:
    found = overview(DIGEST, [], row(token(ADE, expires_on=CHECKED_AT + at)))

    assert ("Next known expiration dates" in headings(found)) is is_listed


@pytest.mark.parametrize(
    "count,seen,folded,button",
    [(7, 7, 0, None), (8, 5, 3, "Show 3 more"), (45, 5, 40, "Show 40 more")],
)
def test_later_dates_are_folded_away(
    count: int, seen: int, folded: int, button: str | None
) -> None:
    found = overview(DIGEST, [], *dated(*range(40, 40 + count)))
    body = found.card()["body"]
    behind = lines([node for node in of_type(body, "Container") if "id" in node])

    assert len(behind) == folded
    assert len(section(found, "Next known expiration dates")) == seen + folded
    assert [node["title"] for node in of_type(body, "Action.ToggleVisibility")] == (
        [button] if button else []
    )


def test_dates_beyond_those_are_counted() -> None:
    found = overview(DIGEST, [], *dated(*range(40, 100)))

    assert len(section(found, "Next known expiration dates")) == 45
    assert "and 15 more" in lines(found.card())


def test_a_button_that_would_show_a_date_or_two_gives_way_to_their_number() -> None:
    card = large(DIGEST).card()
    said = lines(card)
    at = said.index("Next known expiration dates")

    assert said[at + 2].endswith(" more")
    assert not of_type(card, "Action.ToggleVisibility")


# ---- A ticket that comes late --------------------------------------------------------------------


def test_a_late_ticket_counts_from_the_last_check_that_the_rows_know() -> None:
    soon = [row(token(ADE, expires_on=CHECKED_AT + 40 * DAY))]
    early = overview(DIGEST, [], *soon)
    late = replace(early, message=replace(early.message, checked_at=CHECKED_AT - 3 * DAY))

    assert late.card() == early.card()
    assert "40 days left" in text(late.card())


def test_without_any_try_in_the_rows_the_ticket_says_when_the_check_was() -> None:
    rows = replace(run_rows(), sources={})

    assert "Checked: 2026-08-03 15:00" in text(overview(DIGEST, rows=rows).card())


def test_an_alert_without_a_row_is_told_by_its_id() -> None:
    alert: AlertRow = ailing(Problem.VPP_TOKEN_INVALID, token(VPP, 3))[1]

    assert section(overview(DIGEST, alerts=[alert]), "⛔ Critical: VPP token is invalid") == [
        "• vpp-3 · since 2026-07-31 (3 days ago)"
    ]
