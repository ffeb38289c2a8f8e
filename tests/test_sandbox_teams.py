"""The simulated channel accepts and refuses what a Workflows webhook accepts and refuses."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from yarl import URL

from sandbox import faults
from sandbox.planted import PLANTED_SECRET
from sandbox.teams import TeamsChannel
from sandbox.teams_flow import MAX_CARD_BYTES, FlowKind, counted_bytes, run_flow

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
JsonObject = dict[str, Any]


def card(**properties: object) -> JsonObject:
    body = [{"type": "TextBlock", "text": "Hello", "wrap": True}]
    return {"type": "AdaptiveCard", "version": "1.4", "body": body, **properties}


def message(content: object = None) -> JsonObject:
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": content or card(),
    }
    return {"type": "message", "attachments": [attachment]}


def without(mapping: JsonObject, key: str) -> JsonObject:
    return {name: value for name, value in mapping.items() if name != key}


@dataclass(frozen=True)
class Poster:
    session: aiohttp.ClientSession
    teams: TeamsChannel

    async def post(self, body: object, url: str = "") -> tuple[int, str]:
        """Post and return the status and the code of the error, if any."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.session.post(
            URL(url or self.teams.webhook_url, encoded=True), data=data
        ) as response:
            text = await response.text()
            return response.status, json.loads(text)["error"]["code"] if text else ""


@pytest.fixture
async def poster() -> AsyncIterator[Poster]:
    async with TeamsChannel(NOW) as teams, aiohttp.ClientSession() as session:
        yield Poster(session, teams)


async def test_a_message_with_a_card_is_accepted_and_appears_in_the_channel(
    poster: Poster,
) -> None:
    assert await poster.post(message()) == (202, "")

    (post,) = poster.teams.posts
    assert (post.at, post.cards) == (NOW, (card(),))
    assert json.loads(post.payload) == message()


async def test_posts_stand_in_order_at_the_time_of_the_channels_clock(poster: Poster) -> None:
    for day in range(3):
        poster.teams.now = NOW + timedelta(days=day)
        await poster.post(message(card(fallbackText=f"day {day}")))

    assert [(post.at - NOW).days for post in poster.teams.posts] == [0, 1, 2]
    assert [post.cards[0]["fallbackText"] for post in poster.teams.posts] == [
        "day 0",
        "day 1",
        "day 2",
    ]


async def test_a_flow_with_a_response_action_answers_200(poster: Poster) -> None:
    poster.teams.responds = True

    assert await poster.post(message()) == (200, "")


async def test_the_webhook_url_is_as_long_as_a_real_one_and_holds_a_planted_secret(
    poster: Poster,
) -> None:
    assert len(poster.teams.webhook_url) > 200
    assert f"sig={PLANTED_SECRET}" in poster.teams.webhook_url


@pytest.mark.parametrize("change", ["", "&sig=guessed&was=", "&amp;sig="])
async def test_without_the_right_signature_the_webhook_answers_401(
    change: str, poster: Poster
) -> None:
    url, _, signature = poster.teams.webhook_url.partition("&sig=")
    wrong = f"{url}{change}{signature}" if change else url

    assert await poster.post(message(), wrong) == (401, "DirectApiAuthorizationRequired")
    assert poster.teams.runs == []


@pytest.mark.parametrize(
    "old,new,status,code",
    [
        ("api-version=1&", "", 400, "MissingApiVersionParameter"),
        ("/workflows/3f", "/workflows/4f", 404, "WorkflowNotFound"),
    ],
)
async def test_an_address_that_was_rebuilt_wrongly_is_refused(
    old: str, new: str, status: int, code: str, poster: Poster
) -> None:
    url = poster.teams.webhook_url.replace(old, new)

    assert await poster.post(message(), url) == (status, code)
    assert poster.teams.runs == []


async def test_a_flow_that_is_switched_off_refuses(poster: Poster) -> None:
    poster.teams.switched_on = False

    assert await poster.post(message()) == (400, "WorkflowTriggerIsNotEnabled")
    assert poster.teams.runs == []


async def test_what_is_no_json_is_refused(poster: Poster) -> None:
    assert await poster.post(b"Card") == (400, "InvalidRequestContent")


async def test_what_only_the_run_history_knows_was_accepted_with_202(poster: Poster) -> None:
    assert await poster.post(message(card(version="1.5"))) == (202, "")

    assert poster.teams.posts == []
    (run,) = poster.teams.failed_runs
    assert "couldn't be displayed" in run.error


@pytest.mark.parametrize(
    "body,complaint",
    [
        (message(card(version="1.5")), "couldn't be displayed"),
        (message(card(version="2.0")), "couldn't be displayed"),
        (message(without(card(), "version")), "required version"),
        (message(card(type="TextBlock")), "'type'"),
        (message(without(card(), "body")), "'body'"),
        (without(message(), "attachments"), "attachments"),
        ({**message(), "attachments": []}, "attachments"),
        ({**message(), "attachments": ["card"]}, "contentType"),
        ({**message(), "attachments": [{"contentType": "text/plain"}]}, "contentType"),
        (
            {
                **message(),
                "attachments": [{**without(message()["attachments"][0], "content")}],
            },
            "no content",
        ),
        (without(message(), "type"), "'message'"),
        (card(), "'message'"),
        ([], "no object"),
    ],
)
def test_the_flow_fails_on_what_it_cannot_post(body: object, complaint: str) -> None:
    verdict = run_flow(body, FlowKind.MESSAGE)

    assert complaint in verdict.error
    assert verdict.cards == ()


@pytest.mark.parametrize("version", ["1.0", "1.2", "1.4"])
def test_the_versions_that_power_automate_shows_are_posted(version: str) -> None:
    assert run_flow(message(card(version=version)), FlowKind.MESSAGE).error == ""


def test_a_flow_for_bare_cards_posts_them_and_fails_on_messages() -> None:
    assert run_flow(card(), FlowKind.CARD).cards == (card(),)
    assert "AdaptiveCard" in run_flow(message(), FlowKind.CARD).error


def test_every_quote_of_the_card_counts_twice_and_every_letter_in_utf_8() -> None:
    assert counted_bytes({"a": "b"}) == len(r'"{\"a\":\"b\"}"')
    assert counted_bytes({"a": "東"}) == counted_bytes({"a": "bcd"})


@pytest.mark.parametrize("over", [-1, 0, 1])
@pytest.mark.parametrize("letter", ["x", "東", '"'])
def test_size_is_counted_on_the_escaped_card(letter: str, over: int) -> None:
    empty = card(fallbackText="")
    each = counted_bytes(card(fallbackText=letter)) - counted_bytes(empty)
    count, rest = divmod(MAX_CARD_BYTES + over - counted_bytes(empty), each)
    full = card(fallbackText=letter * count + "x" * rest)
    assert counted_bytes(full) == MAX_CARD_BYTES + over

    verdict = run_flow(message(full), FlowKind.MESSAGE)

    assert bool(verdict.error) == (over > 0)


async def test_faults_are_shown_instead_of_the_flow(poster: Poster) -> None:
    poster.teams.faults.once(
        faults.answer(429, b"{}", headers={"Retry-After": "7"}), faults.reset()
    )
    async with poster.session.post(URL(poster.teams.webhook_url, encoded=True)) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "7")
    with pytest.raises((aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)):
        await poster.post(message())

    assert poster.teams.runs == []
    assert poster.teams.requests == 2
