"""What one check saw change on one token."""

from apple_tokens.model import Problem, Severity
from apple_tokens.rows import HistoryRow, TokenRow
from check_tokens.history import WATCHED, changes
from tests.builders import DAY, NOW, SECOND, ade, push, row


def history(
    before: list[TokenRow], after: list[TokenRow], gone: list[TokenRow] | None = None
) -> list[HistoryRow]:
    """Return what a check at NOW writes, a day after the one before."""
    return list(changes(before, after, gone or [], checked_at=NOW, previous_check_at=NOW - DAY))


def test_the_first_sight_of_a_token_is_no_change() -> None:
    assert history([], [row(ade())]) == []


def test_what_changes_with_every_check_is_no_change() -> None:
    before = row(ade(), days_left=300)
    after = row(ade(last_synced_at=NOW), days_left=299, checked_at=NOW)

    assert history([before], [after]) == []


def test_one_row_names_all_that_changed_with_before_and_after() -> None:
    before = row(ade(expires_on=NOW + DAY, device_count=40), severity=Severity.WARNING)
    after = row(
        ade(expires_on=NOW + 365 * DAY, device_count=41, apple_account="new@contoso.example"),
        severity=None,
    )

    assert history([before], [after]) == [
        HistoryRow(
            kind=before.token.kind,
            token_id="a-1",
            name="Head office iPads",
            checked_at=NOW,
            changed="AppleAccount, DeviceCount, ExpiresOn, Severity",
            before={
                "AppleAccount": "ade@contoso.example",
                "DeviceCount": "40",
                "ExpiresOn": "2026-03-03T08:00:00Z",
                "Severity": "warning",
            },
            after={
                "AppleAccount": "new@contoso.example",
                "DeviceCount": "41",
                "ExpiresOn": "2027-03-02T08:00:00Z",
                "Severity": "",
            },
            previous_check_at=NOW - DAY,
        )
    ]


def test_each_column_that_is_watched_is_seen_to_change() -> None:
    before = row(push(), problems="")
    after = row(
        push(
            name="n",
            expires_on=NOW,
            apple_account="a",
            topic="t",
            serial_number="s",
            device_count=1,
            state="s",
            sync_error_code=1,
        ),
        problems=Problem.PUSH_CERTIFICATE_EXPIRED,
        severity=Severity.CRITICAL,
    )

    (change,) = history([before], [after])

    assert set(change.changed.split(", ")) == WATCHED
    assert set(change.before) == set(change.after) == WATCHED


def test_each_token_has_a_row_of_its_own() -> None:
    tokens = [row(ade(id=f"a-{n}")) for n in range(3)]
    after = [row(ade(id=f"a-{n}", name="renamed")) for n in range(2)]

    found = history(tokens, [*after, tokens[2]])

    assert [change.token_id for change in found] == ["a-0", "a-1"]
    assert {change.name for change in found} == {"renamed"}


def test_a_token_whose_row_goes_is_removed() -> None:
    (change,) = history([row(ade())], [], [row(ade())])

    assert (change.changed, change.before, change.after) == ("Removed", {}, {})
    assert (change.token_id, change.name) == ("a-1", "Head office iPads")
    assert (change.checked_at, change.previous_check_at) == (NOW, NOW - DAY)


def test_the_same_check_run_again_writes_the_same_row() -> None:
    renamed = row(ade(name="renamed"))
    (first,) = history([row(ade())], [renamed])
    (again,) = changes(
        [row(ade())], [renamed], [], checked_at=NOW + 1800 * SECOND, previous_check_at=NOW - DAY
    )

    assert first.key == again.key
    (next_day,) = changes([row(ade())], [renamed], [], checked_at=NOW + DAY, previous_check_at=NOW)
    assert next_day.key < first.key, "the newest stands first"
