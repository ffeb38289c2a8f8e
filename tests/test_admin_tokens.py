"""Which token and alert an operator means, and until when a snooze may last."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from admin.command import CommandError
from admin.tokens import UnknownTokenError, describe, end_of_snooze, find_alert, find_token
from apple_tokens.model import Problem
from tests.builders import DAY, NOW, ade, alert, push, row, told, vpp

TOKYO, BERLIN, UTC_ZONE = ZoneInfo("Asia/Tokyo"), ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
ROWS = [
    row(ade(id="a-1", name="Offices")),
    row(ade(id="a-2", name="Shops")),
    row(vpp(id="v-1", name="Shops")),
    row(vpp(id="v-2", name="ｼﾌﾞﾔ  Apps\u202e")),
    row(push()),
]


class TestAToken:
    @pytest.mark.parametrize(
        "typed,key",
        [
            ("a-1", "ade_token.a-1"),
            ("ade_token.a-2", "ade_token.a-2"),
            ("v-1", "vpp_token.v-1"),
            ("Offices", "ade_token.a-1"),
            ("offices", "ade_token.a-1"),
            ("apns", "push_certificate.apns"),
            ("シブヤ  apps", "vpp_token.v-2"),
        ],
    )
    def test_is_meant_by_id_key_or_name_as_it_is_shown(self, typed: str, key: str) -> None:
        assert find_token(ROWS, typed).key == key

    def test_is_meant_by_its_id_before_anothers_name(self) -> None:
        rows = [row(ade(id="a-1", name="x")), row(ade(id="x", name="a-1"))]

        assert find_token(rows, "a-1").token.name == "x"

    def test_is_meant_by_its_exact_name_before_one_in_other_letters(self) -> None:
        rows = [row(ade(id="a-1", name="shops")), row(ade(id="a-2", name="SHOPS"))]

        assert find_token(rows, "SHOPS").token.id == "a-2"
        with pytest.raises(CommandError, match="2 tokens"):
            find_token(rows, "Shops")

    def test_is_named_by_its_id_where_two_share_the_name(self) -> None:
        with pytest.raises(CommandError) as error:
            find_token(ROWS, "Shops")

        assert str(error.value) == (
            "2 tokens are called “Shops”, name one by its id: "
            "ade_token.a-2 (Shops); vpp_token.v-1 (Shops)"
        )

    def test_that_nobody_has_is_answered_with_what_looks_like_it(self) -> None:
        with pytest.raises(UnknownTokenError) as error:
            find_token(ROWS, "Ofices")

        assert str(error.value) == "no token has the id or name “Ofices”; similar: Offices"

    @pytest.mark.parametrize("typed", ["", "  ", "\u200b", "nothing like it"])
    def test_that_nobody_has_is_said_so(self, typed: str) -> None:
        with pytest.raises(UnknownTokenError, match="no token has the id or name"):
            find_token(ROWS, typed)

    def test_cannot_steer_the_terminal_through_an_error(self) -> None:
        rows = [row(ade(id="a-1", name="x\x1b[2J")), row(ade(id="a-2", name="x\x1b[2J"))]

        for typed in ("x\x1b[2J", "y\x1b[2J"):
            with pytest.raises(CommandError) as error:
                find_token(rows, typed)
            assert "\x1b" not in str(error.value)

    def test_is_described_by_kind_and_name(self) -> None:
        assert describe(ROWS[0]) == "ADE token Offices"
        assert describe(row(push())) == "MDM push certificate"


class TestAnAlert:
    expired = alert(Problem.ADE_TOKEN_EXPIRED)
    stale = alert(Problem.ADE_SYNC_STALE)

    def test_is_meant_without_a_word_where_it_is_the_only_one(self) -> None:
        others = [alert(Problem.VPP_TOKEN_EXPIRED), alert(Problem.PUSH_CERTIFICATE_EXPIRED)]

        assert find_alert([self.expired, *others], ROWS[0], "") == self.expired

    def test_is_named_by_its_problem_where_there_are_several(self) -> None:
        assert find_alert([self.expired, self.stale], ROWS[0], "ade_sync_stale") == self.stale
        with pytest.raises(CommandError) as error:
            find_alert([self.expired, self.stale], ROWS[0], "")

        assert str(error.value) == (
            "ADE token Offices has 2 open alerts, name one with --problem: "
            "ade_sync_stale, ade_token_expired"
        )

    def test_that_a_cause_silences_is_meant_only_where_it_is_named_or_alone(self) -> None:
        silenced = alert(Problem.ADE_TOKEN_EXPIRING, silenced=True)

        assert find_alert([silenced, self.expired], ROWS[0], "") == self.expired
        assert find_alert([silenced, self.expired], ROWS[0], silenced.problem) == silenced
        assert find_alert([silenced], ROWS[0], "") == silenced
        with pytest.raises(CommandError, match="has 2 open alerts"):
            find_alert([silenced, replace(self.stale, silenced=True)], ROWS[0], "")

    def test_that_is_not_there_is_answered_with_those_that_are(self) -> None:
        with pytest.raises(CommandError) as error:
            find_alert([self.expired], ROWS[0], "ade_sync_stale")

        assert str(error.value) == (
            "ADE token Offices has no open alert ade_sync_stale, only: ade_token_expired"
        )

    def test_that_has_ended_is_not_meant(self) -> None:
        ended = told(self.expired, ended_at=NOW)

        with pytest.raises(CommandError, match=r"^ADE token Offices has no open alert$"):
            find_alert([ended], ROWS[0], "")

    def test_of_another_token_is_not_meant(self) -> None:
        with pytest.raises(CommandError, match=r"^ADE token Shops has no snoozed alert$"):
            find_alert([self.expired], ROWS[1], "", "snoozed alert")


class TestASnooze:
    now = datetime(2026, 12, 1, 8, 30, tzinfo=UTC)

    @pytest.mark.parametrize("days", [1, 89, 90])
    def test_lasts_until_the_beginning_of_a_day_up_to_90_days_ahead(self, days: int) -> None:
        typed = (self.now + days * DAY).date().isoformat()

        until = end_of_snooze(typed, self.now, UTC_ZONE)

        assert until.isoformat() == f"{typed}T00:00:00+00:00"

    def test_of_91_days_is_refused_with_the_latest_date(self) -> None:
        with pytest.raises(CommandError) as error:
            end_of_snooze("2027-03-02", self.now, UTC_ZONE)

        assert str(error.value) == (
            "--until is 2027-03-02: at most 90 days ahead, 2027-03-01 or earlier"
        )
        end_of_snooze("2027-03-01", self.now, UTC_ZONE)

    @pytest.mark.parametrize("typed", ["2026-12-01", "2026-11-30", "0001-01-01"])
    def test_until_today_or_before_is_refused(self, typed: str) -> None:
        with pytest.raises(CommandError) as error:
            end_of_snooze(typed, self.now, UTC_ZONE)

        assert str(error.value) == (
            f"--until is {typed}, and today is 2026-12-01: use a later date"
        )

    @pytest.mark.parametrize("typed", ["9999-12-31", "2027-03-02"])
    def test_for_ever_is_refused(self, typed: str) -> None:
        with pytest.raises(CommandError, match="at most 90 days ahead"):
            end_of_snooze(typed, self.now, UTC_ZONE)

    @pytest.mark.parametrize(
        "typed", ["", "tomorrow", "31.01.2027", "2027-02-30", "2027-01-31T10:00", "２０２７"]
    )
    def test_until_what_is_no_date_is_refused(self, typed: str) -> None:
        with pytest.raises(CommandError, match="use a date such as 2027-01-31"):
            end_of_snooze(typed, self.now, UTC_ZONE)

    def test_ends_at_midnight_of_the_time_zone(self) -> None:
        until = end_of_snooze("2026-12-24", self.now, TOKYO)

        assert until == datetime(2026, 12, 23, 15, tzinfo=UTC)

    def test_knows_that_today_is_another_day_in_another_zone(self) -> None:
        evening = datetime(2026, 12, 1, 15, tzinfo=UTC)  # midnight in Tokyo

        end_of_snooze("2026-12-02", evening - timedelta(seconds=1), TOKYO)
        with pytest.raises(CommandError, match="today is 2026-12-02"):
            end_of_snooze("2026-12-02", evening, TOKYO)
        end_of_snooze("2026-12-02", evening, UTC_ZONE)

    def test_may_last_90_days_over_a_change_of_the_clocks(self) -> None:
        just_past_midnight = datetime(2026, 8, 31, 22, 10, tzinfo=UTC)  # 00:10 in Berlin

        until = end_of_snooze("2026-11-30", just_past_midnight, BERLIN)

        assert until - just_past_midnight > 90 * DAY  # an hour more, by the clock change
        with pytest.raises(CommandError, match="2026-11-30 or earlier"):
            end_of_snooze("2026-12-01", just_past_midnight, BERLIN)

    @given(
        minutes=st.integers(0, 50_000_000),
        days=st.integers(-200, 200),
        zone=st.sampled_from([TOKYO, BERLIN, UTC_ZONE, ZoneInfo("America/St_Johns")]),
    )
    def test_is_in_the_future_and_never_much_longer_than_90_days(
        self, minutes: int, days: int, zone: ZoneInfo
    ) -> None:
        now = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
        typed = (now.astimezone(zone).date() + timedelta(days=days)).isoformat()
        try:
            until = end_of_snooze(typed, now, zone)
        except CommandError:
            assert not 1 <= days <= 90
            return
        assert now < until <= now + timedelta(days=90, hours=2)
