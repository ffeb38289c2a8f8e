"""Whatever stands in the settings is used, or refused by the name of the setting."""

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import strategies as st

from admin.command import CommandError
from admin.tokens import end_of_snooze
from apple_tokens.settings import SettingsError
from check_tokens import settings as check_settings
from check_tokens.schedule import check_date, starts_at
from notify import settings as notify_settings
from tests.fuzzing import MARK, TEXTS, explore
from tests.survival import Promise, survives

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
NUMBERS = ["1", "14", "36", "90", " 30 ", "0", "-1", "1e3", "９", "9" * 5_000]
WEBHOOK = "TEAMS_WEBHOOK_URL"
VALUES: dict[str, list[str]] = {
    "TENANT_ID": ["5f0c8b1e-7a3d-4c1e-9b62-0d6a4f2e8c17", " "],
    "TENANT_NAME": ["Contoso", "x" * 100, "x" * 101],
    "CHECK_AT": ["08:00", "00:00", "23:59", "24:00", "8:00", "0８:00", "08:0٣", "08:00Z"],
    "TIME_ZONE": ["Asia/Kathmandu", "Europe", "../etc", "zone.tab", "\0", "x" * 5_000, "europe/b"],
    "GRAPH_CLOUD": ["USGov", "global", "germany"],
    "GRAPH_ENDPOINT": ["http://127.0.0.1:80", "http://[", "http://graph.example", "http://::1:x"],
    "REMIND_DAYS": ["30,14,7,3,1", "7, 60", "30,,7", "181", "٣٠", ",", "9" * 5_000],
    "REPEAT_CRITICAL_DAYS": NUMBERS,
    "STALE_SYNC_HOURS_ADE": NUMBERS,
    "STALE_SYNC_HOURS_VPP": NUMBERS,
    "ESCALATE_DAYS": NUMBERS,
    "DIGEST_WEEKDAY": ["Friday", "1", "mon"],
    "ADE_SYNC_ERRORS": ["7=5,8=6", "3=5", "0=1", "7=", "=", "9" * 5_000 + "=1", "7=1=1"],
    "LANGUAGE": ["en", "ja+en", "en+en", "+", "de"],
    "TEAMS_PAYLOAD": ["card", "message", "text"],
    WEBHOOK: [
        f"https://x.api.powerplatform.com/workflows?sig={MARK}",
        f"https://x.api.powerplatform.com:0/{MARK}?sig=1",
        f"https://contoso.webhook.office.com/{MARK}?sig=1",
        f"https://x.api.powerplatform.com/{MARK}",
        f"http://x.example/{MARK}?sig=1",
        f"https://[{MARK}?sig=1",
        f"https://user:{MARK}@x.example/?sig=1",
        f"@Microsoft.KeyVault({MARK})",
        f"{MARK} {MARK}",
    ],
}
READERS: dict[str, Callable[[Mapping[str, str]], object]] = {
    "check_tokens": check_settings.Settings.from_env,
    "notify": notify_settings.Settings.from_env,
}


@st.composite
def environments(draw: st.DrawFn) -> dict[str, str]:
    """Draw settings of which a few are not as they should be."""
    names = draw(st.sets(st.sampled_from(sorted(VALUES)), max_size=4))
    found = {name: values[0] for name, values in VALUES.items() if name in {"TENANT_ID", WEBHOOK}}
    for name in sorted(names):
        texts = TEXTS.map(lambda text: f"{MARK}{text}") if name == WEBHOOK else TEXTS
        found[name] = draw(st.sampled_from(VALUES[name]) | texts)
    return found


@survives(Promise.CLEAR_ERROR, Promise.NO_LEAK, fault="Fuzzing: settings of {function}")
@pytest.mark.parametrize("function", READERS)
def test_settings_are_used_or_refused_by_name(
    function: str, caplog: pytest.LogCaptureFixture, happened: Callable[[str], None]
) -> None:
    caplog.set_level(logging.DEBUG)

    def examine(found: dict[str, str]) -> Iterator[str]:
        try:
            read = READERS[function](found)
        except SettingsError as refused:
            name, text = refused.setting, f"{refused} {refused.__cause__!r}"
            assert name in VALUES
            assert text.startswith(f"{name} "), f"{text} does not name its setting"
            assert MARK not in text, "the error shows the webhook URL"
            value = found.get(name, "").strip()
            assert name == WEBHOOK or repr(value[:80])[1:-1] in text, "what is wrong?"
            yield "secret refused" if name == WEBHOOK else "refused"
        else:
            assert MARK not in repr(read), "the settings show the webhook URL"
            if isinstance(read, check_settings.Settings):
                day = check_date(NOW, read.policy)
                assert starts_at(day, read.policy) <= NOW
            yield "used"
        assert MARK not in caplog.text, "the log shows the webhook URL"

    must = {"used", "refused"} | ({"secret refused"} if function == "notify" else set())
    happened(explore(environments(), examine, must=must))


DATES = st.one_of(
    st.sampled_from(
        ["2026-03-03", "2026-05-31", "2026-06-01", "0001-01-01", "9999-12-31", "20260303"]
    ),
    st.sampled_from(
        ["2026-W11-1", "2026-02-30", "2026-03-０３", "tomorrow", "", "2026-03-03T08:00"]
    ),
    st.dates().map(str),
    TEXTS,
)


@survives(Promise.CLEAR_ERROR, fault="Fuzzing: dates that an operator types")
def test_a_date_that_an_operator_types_is_one_or_refused(happened: Callable[[str], None]) -> None:
    zones = st.sampled_from(["UTC", "Pacific/Kiritimati", "America/New_York", "Asia/Kathmandu"])

    def examine(drawn: tuple[str, str]) -> Iterator[str]:
        typed, zone = drawn
        try:
            until = end_of_snooze(typed, NOW, ZoneInfo(zone))
        except CommandError as refused:
            text = str(refused)
            assert text.startswith("--until is "), f"{text} does not name the option"
            yield "refused"
        else:
            assert NOW < until <= NOW + timedelta(days=92)
            yield "taken"

    happened(explore(st.tuples(DATES, zones), examine, must={"taken", "refused"}))
