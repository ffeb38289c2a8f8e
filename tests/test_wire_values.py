"""Words that stand in rows, messages, events and catalogue entries: they are never renamed."""

from enum import StrEnum

import pytest

from apple_tokens.messages import QUEUE, MessageKind
from apple_tokens.model import (
    EXPIRED,
    EXPIRING,
    PUSH_CERTIFICATE_ID,
    SOURCE_ID,
    FailureReason,
    Health,
    Problem,
    Reason,
    Severity,
    TokenKind,
)
from apple_tokens.rows import AlertRow, HistoryRow, RunRow, SourceRow, TokenRow
from apple_tokens.tables import ALERTS, HISTORY, STATUS
from check_tokens.occasions import WELCOME_BATCH
from tests.builders import DAY, NOW, ade, alert, push, row

WORDS: dict[type[StrEnum], str] = {
    TokenKind: "ade_token vpp_token push_certificate",
    Severity: "warning critical",
    Health: "healthy warning unhealthy unknown",
    Reason: "new worse again reminder fixed accepted",
    FailureReason: "permission not_licensed throttled unavailable unexpected_answer timed_out",
    MessageKind: "alerts welcome digest test",
    Problem: (
        "ade_token_expired vpp_token_expired push_certificate_expired ade_token_expiring "
        "vpp_token_expiring push_certificate_expiring ade_terms_not_accepted ade_sync_failed "
        "ade_sync_stale vpp_sync_stale vpp_token_invalid vpp_token_in_other_mdm "
        "vpp_token_duplicate_location vpp_token_state_unknown vpp_sync_failed "
        "push_certificate_replaced push_certificate_upload_failed push_certificate_missing "
        "token_removed expiry_unknown could_not_check"
    ),
}


@pytest.mark.parametrize("words", WORDS, ids=lambda words: words.__name__)
def test_the_words_of_the_contract_stay(words: type[StrEnum]) -> None:
    assert [word.value for word in words] == WORDS[words].split()


def test_the_names_of_tables_and_queue_stay() -> None:
    assert (STATUS, ALERTS, HISTORY) == ("tokenstatus", "tokenalerts", "tokenhistory")
    assert (QUEUE, WELCOME_BATCH) == ("remediation", "welcome")


def test_the_keys_of_rows_stay() -> None:
    assert row(ade()).key == "ade_token.a-1"
    assert row(push()).key == "push_certificate.apns"
    assert (PUSH_CERTIFICATE_ID, SOURCE_ID) == ("apns", "source")
    assert alert(Problem.ADE_SYNC_STALE).key == "ade_token.a-1.ade_sync_stale"
    unread = alert(Problem.COULD_NOT_CHECK, kind=TokenKind.VPP, token_id=SOURCE_ID)
    assert unread.key == "vpp_token.source.could_not_check"
    assert (RunRow.key, SourceRow(kind=TokenKind.ADE).key) == ("run.check", "run.ade_token")
    change = HistoryRow(kind=TokenKind.ADE, token_id="a-1", name="", checked_at=NOW, changed="Name")
    assert change.key == "ade_token.a-1.253402300799"


@pytest.mark.parametrize("table", [EXPIRED, EXPIRING], ids=["expired", "expiring"])
def test_every_kind_of_token_can_expire(table: dict[TokenKind, Problem]) -> None:
    assert {kind: problem.partition("_")[0] for kind, problem in table.items()} == {
        kind: kind.partition("_")[0] for kind in TokenKind
    }


def test_no_column_has_two_writers() -> None:
    for columns in (AlertRow, RunRow):
        assert not columns.NOTIFY_COLUMNS & columns.OPERATOR_COLUMNS
    assert _sorted(TokenRow.OPERATOR_COLUMNS) == (
        "AcceptedAt AcceptedBy AcceptedReason AcceptedTopic"
    )
    assert _sorted(AlertRow.NOTIFY_COLUMNS) == (
        "ToldAt ToldCheckDate ToldReason ToldStage ToldStep"
    )
    assert _sorted(AlertRow.OPERATOR_COLUMNS) == ("SnoozeReason SnoozedAt SnoozedBy SnoozedUntil")


def test_what_the_rows_say_of_themselves() -> None:
    known = alert(Problem.ADE_SYNC_STALE, step=3, told_step=2, base_step=2)

    assert known.is_untold
    assert not known.was_told
    assert (RunRow(digest_step=1).digest_is_untold, RunRow().welcome_is_untold) == (True, False)
    earlier, later = (
        HistoryRow(
            kind=TokenKind.ADE,
            token_id="a-1",
            name="",
            checked_at=NOW,
            changed="Name",
            previous_check_at=at,
        ).key
        for at in (NOW - DAY, NOW)
    )
    assert later < earlier


def _sorted(columns: frozenset[str]) -> str:
    return " ".join(sorted(columns))
