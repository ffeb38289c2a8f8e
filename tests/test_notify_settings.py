"""The settings of `notify`: what they default to, and that a wrong one is named and explained."""

import copy
import logging
import pickle
from zoneinfo import ZoneInfo

import pytest

from apple_tokens.model import Cloud
from apple_tokens.settings import SettingsError, choice, integer, is_loopback, time_zone
from notify.card import PayloadStyle
from notify.remediation import Language
from notify.settings import Settings
from notify.webhook import WebhookUrl
from tests.leaks import assert_hidden

HOST = "default0000fake.00.environment.api.powerplatform.com"
URL = (
    f"https://{HOST}:443/powerautomate/automations/direct/workflows/FakeWorkflowId/triggers/manual"
    "/paths/invoke?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=FAKE-signature_0001"
)


def settings(**changes: str) -> Settings:
    return Settings.from_env({"TEAMS_WEBHOOK_URL": URL} | changes)


def refused(**changes: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        settings(**changes)
    return caught.value


def test_only_the_webhook_is_required() -> None:
    found = settings()

    assert found.webhook.reveal() == URL
    assert found.payload_style is PayloadStyle.MESSAGE
    assert found.languages == (Language.EN,)
    assert found.zone == ZoneInfo("UTC")
    assert found.cloud is Cloud.GLOBAL


def test_each_setting_is_read() -> None:
    found = settings(
        TEAMS_PAYLOAD="card", LANGUAGE="ja+en", TIME_ZONE="Asia/Tokyo", GRAPH_CLOUD="usgov_dod"
    )

    assert found.payload_style is PayloadStyle.CARD
    assert found.languages == (Language.JA, Language.EN)
    assert found.zone == ZoneInfo("Asia/Tokyo")
    assert found.cloud is Cloud.USGOV_DOD


def test_an_empty_setting_is_one_that_is_not_set() -> None:
    assert settings(TEAMS_PAYLOAD="", LANGUAGE=" ", TIME_ZONE="").languages == (Language.EN,)


def test_capitals_and_the_space_around_a_value_do_not_matter() -> None:
    found = settings(LANGUAGE=" JA + en ", GRAPH_CLOUD=" Global\n", TEAMS_PAYLOAD="Card")

    assert found.languages == (Language.JA, Language.EN)
    assert found.cloud is Cloud.GLOBAL
    assert found.payload_style is PayloadStyle.CARD


@pytest.mark.parametrize(
    "name,value,allowed",
    [
        ("TEAMS_PAYLOAD", "text", "message, card"),
        ("LANGUAGE", "de", "en, ja"),
        ("LANGUAGE", "en+en", "ja+en"),
        ("LANGUAGE", "ja+en+ja", "ja+en"),
        ("LANGUAGE", "en,ja", "ja+en"),
        ("LANGUAGE", "+", "ja+en"),
        ("TIME_ZONE", "Europe/Berln", "Europe/Berlin"),
        ("TIME_ZONE", "Europe", "Europe/Berlin"),
        ("TIME_ZONE", "../etc/passwd", "IANA"),
        ("TIME_ZONE", "Tokyo Standard Time", "Asia/Tokyo"),
        ("GRAPH_CLOUD", "germany", "global, usgov, usgov_dod, china"),
    ],
)
def test_a_wrong_value_is_shown_with_what_is_allowed(name: str, value: str, allowed: str) -> None:
    raised = refused(**{name: value})

    assert raised.setting == name
    assert name in str(raised)
    assert repr(value) in str(raised)
    assert allowed in str(raised)


@pytest.mark.parametrize(
    "value,said",
    [
        ("", "is not set"),
        ("  ", "is not set"),
        (
            "@Microsoft.KeyVault(SecretUri=https://fake.vault.azure.net/secrets/planted)",
            "Key Vault",
        ),
        ("https://contoso.webhook.office.com/webhookb2/planted@planted", "retired"),
        ("https://outlook.office.com/webhook/planted", "retired"),
        (URL.replace("https:", "http:"), "https://"),
        (URL.partition("&sig")[0], "no signature"),
        (URL.partition("&sig")[0] + "&sig=", "no signature"),
        (URL.replace("https://", ""), "not a URL"),
        (f'"{URL}"', "no URL has"),
        (URL.replace("/paths", "/pa ths"), "no URL has"),
        (URL.replace("/paths", "/pa\nths"), "no URL has"),
        (URL.replace("/paths", "/pa\u200bths"), "no URL has"),
        (URL.replace(":443", ":port"), "not a URL"),
        (URL.replace(":443", ":0"), "not a URL"),
        (URL.replace(":443", ":99999"), "not a URL"),
        (URL.replace(HOST, "planted:word@host"), "not a URL"),
        (URL.replace(f"{HOST}:443", ""), "not a URL"),
        (URL.replace(HOST, "[::1"), "not a URL"),
        ("ftp://host/?sig=planted", "not a URL"),
        ("https:planted", "not a URL"),
        (f"wss://{HOST}/?sig=planted", "not a URL"),
    ],
)
def test_a_webhook_that_cannot_work_is_refused_without_being_shown(value: str, said: str) -> None:
    raised = refused(TEAMS_WEBHOOK_URL=value)

    assert str(raised).startswith("TEAMS_WEBHOOK_URL ")
    assert said in str(raised)
    assert "planted" not in str(raised)
    assert_hidden(URL, raised, [])


def test_html_entities_in_the_webhook_are_undone_once() -> None:
    assert settings(TEAMS_WEBHOOK_URL=URL.replace("&", "&amp;")).webhook.reveal() == URL
    assert settings(TEAMS_WEBHOOK_URL=URL.replace("&", "&#38;")).webhook.reveal() == URL
    twice = f"{URL}&x=&amp;amp;"
    assert settings(TEAMS_WEBHOOK_URL=twice).webhook.reveal() == f"{URL}&x=&amp;"


def test_names_of_parameters_that_look_like_entities_are_left_alone() -> None:
    # "&para", "&sect" and "&copy" are entities in old HTML, even without a semicolon.
    url = f"{URL}&para=1&sect=2&copy=3"

    assert settings(TEAMS_WEBHOOK_URL=url).webhook.reveal() == url


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.8.9.10"])
def test_plain_http_is_for_this_machine_only(host: str) -> None:
    assert settings(TEAMS_WEBHOOK_URL=f"http://{host}:8080/channel?sig=fake").webhook.is_local


@pytest.mark.parametrize("host", ["127.0.0.1.example.com", "localhost.example.com", "10.0.0.1"])
def test_a_host_that_only_looks_like_this_machine_needs_https(host: str) -> None:
    assert "https://" in str(refused(TEAMS_WEBHOOK_URL=f"http://{host}/channel?sig=fake"))


def test_the_webhook_shows_itself_nowhere() -> None:
    webhook = settings().webhook

    shown = f"{webhook} {webhook!r} {webhook!s} {settings()!r} {[webhook]}"

    assert_hidden(URL, ValueError(webhook), [])
    assert "FAKE" not in shown
    assert HOST not in shown
    with pytest.raises(TypeError):
        pickle.dumps(webhook)
    with pytest.raises(TypeError):
        copy.deepcopy(webhook)


@pytest.mark.parametrize(
    "host",
    [
        "x.api.powerplatform.com.example.com",
        "prod-01.westeurope.logic.azure.com",
        "apipowerplatform.com",
    ],
)
def test_an_unknown_host_is_a_warning_that_names_the_host_alone(
    host: str, caplog: pytest.LogCaptureFixture
) -> None:
    url = URL.replace(HOST, host)

    assert settings(TEAMS_WEBHOOK_URL=url).webhook.reveal() == url

    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert host in caplog.text
    assert_hidden(url, None, caplog.records)


@pytest.mark.parametrize(
    "host",
    [
        HOST,
        "x.environment.api.gov.powerplatform.microsoft.us",
        "x.environment.api.high.powerplatform.microsoft.us",
        "x.environment.api.appsplatform.us",
        "x.environment.api.powerplatform.partner.microsoftonline.cn",
        HOST.upper(),
    ],
)
def test_the_hosts_of_power_automate_are_known(host: str, caplog: pytest.LogCaptureFixture) -> None:
    settings(TEAMS_WEBHOOK_URL=URL.replace(HOST, host))

    assert caplog.records == []


def test_a_long_value_is_cut_in_the_error() -> None:
    assert len(str(refused(LANGUAGE="x" * 5_000))) < 300


@pytest.mark.parametrize("value,expected", [("", 36), ("1", 1), (" 720 ", 720)])
def test_a_whole_number_within_its_limits_is_taken(value: str, expected: int) -> None:
    assert integer({"STALE": value}, "STALE", 36, least=1, most=720) == expected


@pytest.mark.parametrize("value", ["0", "721", "-5", "1.5", "many", "1e3"])
def test_a_number_outside_its_limits_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match=r"STALE is .*from 1 to 720"):
        integer({"STALE": value}, "STALE", 36, least=1, most=720)


def test_a_choice_and_a_zone_have_their_defaults() -> None:
    assert choice({}, "GRAPH_CLOUD", Cloud.GLOBAL) is Cloud.GLOBAL
    assert time_zone({}) == ZoneInfo("UTC")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "[::1]", "localhost"])
def test_loopback_is_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "10.0.0.1", "::", "example.com", "localhost.", "127.1"])
def test_nothing_else_is_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_a_webhook_can_be_made_without_the_other_settings() -> None:
    assert WebhookUrl(URL).host == HOST
