"""The settings of `check_tokens`: what they default to, and that a wrong one is named."""

from datetime import time
from zoneinfo import ZoneInfo

import pytest

from apple_tokens.model import Cloud, Tenant
from apple_tokens.settings import SettingsError
from check_tokens.policy import Policy
from check_tokens.settings import Settings, read_policy

TENANT_ID = "00000000-0000-0000-0000-000000000001"


def settings(**changes: str) -> Settings:
    return Settings.from_env({"TENANT_ID": TENANT_ID} | changes)


def test_only_the_tenant_is_required() -> None:
    assert settings() == Settings(
        tenant=Tenant(id=TENANT_ID),
        cloud=Cloud.GLOBAL,
        graph_endpoint="",
        client_id="",
        policy=Policy(
            check_at=time(8),
            time_zone=ZoneInfo("UTC"),
            remind_days=(30, 14, 7, 3, 1),
            repeat_critical_days=14,
            stale_sync_h_ade=36,
            stale_sync_h_vpp=48,
            digest_weekday=0,
            escalate_days=3,
            ade_sync_errors={},
        ),
    )


def test_the_defaults_of_the_policy_are_those_of_the_settings() -> None:
    assert read_policy({}) == Policy()


def test_each_setting_is_read() -> None:
    found = settings(
        TENANT_NAME="Contoso",
        GRAPH_CLOUD="usgov",
        GRAPH_ENDPOINT="http://127.0.0.1:8080",
        AZURE_CLIENT_ID="00000000-0000-0000-0000-000000000002",
        CHECK_AT="06:30",
        TIME_ZONE="Asia/Kathmandu",
        REMIND_DAYS="7, 60,21",
        REPEAT_CRITICAL_DAYS="5",
        STALE_SYNC_HOURS_ADE="72",
        STALE_SYNC_HOURS_VPP="96",
        DIGEST_WEEKDAY="Friday",
        ESCALATE_DAYS="2",
        ADE_SYNC_ERRORS=" 7=5, -8 = 11 ,9=3,",
    )

    assert found == Settings(
        tenant=Tenant(id=TENANT_ID, name="Contoso"),
        cloud=Cloud.USGOV,
        graph_endpoint="http://127.0.0.1:8080",
        client_id="00000000-0000-0000-0000-000000000002",
        policy=Policy(
            check_at=time(6, 30),
            time_zone=ZoneInfo("Asia/Kathmandu"),
            remind_days=(60, 21, 7),
            repeat_critical_days=5,
            stale_sync_h_ade=72,
            stale_sync_h_vpp=96,
            digest_weekday=4,
            escalate_days=2,
            ade_sync_errors={7: 5, -8: 11, 9: 3},
        ),
    )


def test_an_empty_setting_is_one_that_is_not_set() -> None:
    names = (
        "TENANT_NAME GRAPH_CLOUD GRAPH_ENDPOINT AZURE_CLIENT_ID CHECK_AT TIME_ZONE REMIND_DAYS "
        "REPEAT_CRITICAL_DAYS STALE_SYNC_HOURS_ADE STALE_SYNC_HOURS_VPP DIGEST_WEEKDAY "
        "ESCALATE_DAYS ADE_SYNC_ERRORS"
    )

    assert settings(**dict.fromkeys(names.split(), " ")) == settings()


@pytest.mark.parametrize("value", ["", "  "])
def test_without_a_tenant_the_error_says_what_to_set(value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(TENANT_ID=value)

    assert caught.value.setting == "TENANT_ID"
    assert "id of the Entra tenant" in str(caught.value)


@pytest.mark.parametrize(
    "name,value,allowed",
    [
        ("CHECK_AT", "8:00", "such as 08:00"),
        ("CHECK_AT", "24:00", "such as 08:00"),
        ("CHECK_AT", "08:60", "such as 08:00"),
        ("CHECK_AT", "08:00:30", "such as 08:00"),
        ("CHECK_AT", "08:00Z", "such as 08:00"),
        ("CHECK_AT", "08", "such as 08:00"),
        ("CHECK_AT", "0\uff18:00", "such as 08:00"),
        ("CHECK_AT", "noon", "such as 08:00"),
        ("TIME_ZONE", "Berlin", "IANA"),
        ("GRAPH_CLOUD", "germany", "global, usgov, usgov_dod, china"),
        ("GRAPH_ENDPOINT", "http://graph.example:80", "this machine"),
        ("REMIND_DAYS", "30,,7", "days from 1 to 180"),
        ("REMIND_DAYS", "30;7", "days from 1 to 180"),
        ("REMIND_DAYS", "30,0", "days from 1 to 180"),
        ("REMIND_DAYS", "-1", "days from 1 to 180"),
        ("REMIND_DAYS", "181", "days from 1 to 180"),
        ("REMIND_DAYS", "7.5", "days from 1 to 180"),
        ("REPEAT_CRITICAL_DAYS", "0", "from 1 to 365"),
        ("REPEAT_CRITICAL_DAYS", "366", "from 1 to 365"),
        ("REPEAT_CRITICAL_DAYS", "daily", "from 1 to 365"),
        ("STALE_SYNC_HOURS_ADE", "12", "from 13 to 720"),
        ("STALE_SYNC_HOURS_ADE", "721", "from 13 to 720"),
        ("STALE_SYNC_HOURS_VPP", "24", "from 25 to 720"),
        ("STALE_SYNC_HOURS_VPP", "721", "from 25 to 720"),
        ("DIGEST_WEEKDAY", "mon", "monday, tuesday"),
        ("DIGEST_WEEKDAY", "1", "monday, tuesday"),
        ("ESCALATE_DAYS", "0", "from 1 to 90"),
        ("ESCALATE_DAYS", "91", "from 1 to 90"),
        ("ADE_SYNC_ERRORS", "7", "such as 7=5,8=6"),
        ("ADE_SYNC_ERRORS", "7=", "such as 7=5,8=6"),
        ("ADE_SYNC_ERRORS", "=5", "such as 7=5,8=6"),
        ("ADE_SYNC_ERRORS", "7:5", "such as 7=5,8=6"),
        ("ADE_SYNC_ERRORS", "7=0", "1 to 11"),
        ("ADE_SYNC_ERRORS", "7=12", "1 to 11"),
        ("ADE_SYNC_ERRORS", "0=5", "1 to 11"),
        ("ADE_SYNC_ERRORS", "7=5=6", "1 to 11"),
    ],
)
def test_a_value_that_cannot_be_used_is_quoted_with_what_is_allowed(
    name: str, value: str, allowed: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(**{name: value})

    assert caught.value.setting == name
    assert str(caught.value).startswith(f"{name} is {value!r}: ")
    assert allowed in str(caught.value)


@pytest.mark.parametrize("value", ["3=5", "8=6,3=1"])
def test_the_code_that_means_terms_cannot_come_to_mean_something_else(value: str) -> None:
    with pytest.raises(SettingsError, match="3 always means row 3"):
        settings(ADE_SYNC_ERRORS=value)


def test_saying_what_is_built_in_is_no_error() -> None:
    assert settings(ADE_SYNC_ERRORS="3=3").policy.sync_error_row(3) == 3


@pytest.mark.parametrize(
    "name,value",
    [
        ("CHECK_AT", "00:00"),
        ("CHECK_AT", "23:59"),
        ("REMIND_DAYS", "1"),
        ("REMIND_DAYS", "180"),
        ("REPEAT_CRITICAL_DAYS", "1"),
        ("REPEAT_CRITICAL_DAYS", "365"),
        ("STALE_SYNC_HOURS_ADE", "13"),
        ("STALE_SYNC_HOURS_ADE", "720"),
        ("STALE_SYNC_HOURS_VPP", "25"),
        ("STALE_SYNC_HOURS_VPP", "720"),
        ("ESCALATE_DAYS", "1"),
        ("ESCALATE_DAYS", "90"),
        ("ADE_SYNC_ERRORS", "7=1"),
        ("ADE_SYNC_ERRORS", "7=11"),
    ],
)
def test_the_limits_themselves_are_allowed(name: str, value: str) -> None:
    assert settings(**{name: value}).tenant.id == TENANT_ID


@pytest.mark.parametrize(
    "number,name",
    [*enumerate(["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"])],
)
def test_the_digest_comes_on_any_day_of_the_week(number: int, name: str) -> None:
    assert settings(DIGEST_WEEKDAY=name).policy.digest_weekday == number


def test_a_stage_that_is_set_twice_is_one() -> None:
    assert settings(REMIND_DAYS="30,7,30").policy.remind_days == (30, 7)


def test_only_terms_are_known_without_a_setting() -> None:
    rows = {code: Policy().sync_error_row(code) for code in range(-1, 12)}

    assert {code: row for code, row in rows.items() if row} == {3: 3}


@pytest.mark.parametrize("length,fits", [(100, True), (101, False)])
def test_the_name_of_the_tenant_has_to_fit_into_a_message(length: int, *, fits: bool) -> None:
    environment = {"TENANT_ID": "tenant-1", "TENANT_NAME": "x" * length}

    if fits:
        assert Settings.from_env(environment).tenant.name == "x" * length
    else:
        with pytest.raises(SettingsError, match=r"TENANT_NAME is .*at most 100 characters"):
            Settings.from_env(environment)
