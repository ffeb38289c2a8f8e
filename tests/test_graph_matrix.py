"""Whole checks while Graph is at fault, by the app in a process of its own: its memory is measured.

Each case is a tenant of its own: a check that reads everything, and one on the next day that meets
the fault. What a fault of one source means for it is told apart in test_sources_faults.py.
"""

import json
import sys
import sysconfig
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode
from uuid import NAMESPACE_DNS, uuid5

import pytest
import pytest_asyncio
from aiohttp import web

from apple_tokens.messages import decode
from apple_tokens.model import FailureReason, Problem, Reason, TokenKind
from apple_tokens.rows import TokenRow
from apple_tokens.tables import TokenTables
from check_tokens.bodies import MAX_BODY_BYTES
from check_tokens.sources import MAX_CHARACTERS
from check_tokens.wire import MAX_TEXT_CHARACTERS
from sandbox import faults, graph_faults
from sandbox.azurite import Azurite
from sandbox.faults import Fault
from sandbox.graph_objects import GraphSource, property_names
from tests.fakegraph import IN_GRAPH
from tests.lone import Deployed, Lone, alone
from tests.survival import Promise, survives
from tests.test_sources_faults import STANDING_FAULTS

pytestmark = [pytest.mark.e2e, pytest.mark.crash, pytest.mark.asyncio(loop_scope="module")]

ROOT = Path(__file__).resolve().parent.parent
DAY = timedelta(days=1)
DEADLINE_S = 60.0
"""The app's own deadline for its sources is 50 s here, see lone_app.py."""
MOST_MB = 150

Happened = Callable[[str], None]


@asynccontextmanager
async def deployed(azurite: Azurite) -> AsyncIterator[Lone]:
    libraries = Path(sysconfig.get_path("purelib"))
    async with alone(Deployed(ROOT, libraries, Path(sys.executable)), azurite) as app:
        # Something is wrong with each source already, and must not look mended when it is unread.
        tenant, now = app.stage.tenant, app.stage.teams.now
        tenant.add(GraphSource.VPP, now, displayName="Books", state="invalid")
        tenant.push = None
        tenant.add(GraphSource.PUSH, now, expirationDateTime="+5d 12h")
        yield app


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(azurite: Azurite) -> AsyncIterator[Lone]:
    async with deployed(azurite) as app:
        yield app


@pytest_asyncio.fixture(loop_scope="module")
async def fresh_app(azurite: Azurite) -> AsyncIterator[Lone]:
    """Give a process to a test that would leave its memory scattered for the others."""
    async with deployed(azurite) as app:
        yield app


@pytest.fixture(autouse=True)
def healed(app: Lone) -> AsyncIterator[None] | None:
    for plan in app.stage.tenant.faults.values():
        plan.clear()
    return None


class Case:
    """One tenant: what its rows say, and what its next check does and takes."""

    def __init__(self, app: Lone, name: str) -> None:
        self._app = app
        self._tenant_id = str(uuid5(NAMESPACE_DNS, name))
        self.tables = TokenTables(app.stage.service, self._tenant_id)
        self.now: datetime = app.stage.teams.now
        self.peak_mb = 0.0
        self.took_s = 0.0

    async def check(self) -> list[str]:
        """Check on the next day; return problem and reason of what it tells."""
        tickets = map(decode, await self.messages())
        return [f"{ticket.problem or ticket.kind} {ticket.reason or ''}" for ticket in tickets]

    async def messages(self) -> list[str]:
        """Check on the next day; return the messages."""
        self.now += DAY
        started_s = time.monotonic()
        answer = await self._app.order("measured_check", self.now.isoformat(), self._tenant_id)
        self.took_s = time.monotonic() - started_s
        self.peak_mb = answer["peak_mb"]
        bodies: list[str] = answer["bodies"]
        return bodies

    async def seen(self, kind: TokenKind) -> list[TokenRow]:
        return await self.tables.token_rows([kind])


def every_scope() -> list[object]:
    cases = list[object]()
    for fault, reason, _ in STANDING_FAULTS:
        for kind in TokenKind:
            cases.append(pytest.param((kind,), kind, fault, reason, id=f"{kind} {fault.name}"))
        every = tuple(TokenKind)
        cases.append(pytest.param(every, "all sources", fault, reason, id=f"all {fault.name}"))
    return cases


@survives(
    Promise.NO_ALL_CLEAR,
    Promise.APART,
    Promise.KEPT,
    Promise.BOUNDED,
    fault="Graph, {where}: {fault.name}",
)
@pytest.mark.parametrize("kinds,where,fault,reason", every_scope())
async def test_a_check_that_cannot_read_keeps_what_was_seen_and_says_so(
    kinds: tuple[TokenKind, ...],
    where: str,
    fault: Fault,
    reason: FailureReason,
    app: Lone,
    happened: Happened,
) -> None:
    case = Case(app, f"{where} {fault.name}")
    await case.check()
    before = {kind: await case.seen(kind) for kind in TokenKind}
    for kind in kinds:
        app.stage.tenant.faults[IN_GRAPH[kind]].always(fault)

    told = await case.check()

    sources = (await case.tables.run_rows()).sources
    for kind in TokenKind:
        after = await case.seen(kind)
        if kind in kinds:
            assert sources[kind].reason is reason, f"{kind} is taken for {sources[kind].result}"
            assert observed(after) == observed(before[kind]), "what was observed has changed"
            assert wrong_with(after) == wrong_with(before[kind]), "a problem looks mended"
        else:
            assert {row.checked_at for row in after} == {case.now}, f"{kind} was not read"
    failures = [each for each in told if each.startswith(Problem.COULD_NOT_CHECK)]
    assert len(failures) == int(reason.is_permanent), "six tries before a passing fault is told"
    assert not [each for each in told if each.endswith(Reason.FIXED)], "an all-clear was given"
    assert case.peak_mb <= MOST_MB, f"the check took {case.peak_mb:.0f} MB"
    assert case.took_s < DEADLINE_S
    happened(f"{reason}; told: {failures or 'tried again'}; {case.peak_mb:.0f} MB")


def observed(rows: list[TokenRow]) -> list[object]:
    """Return what comes from Graph, with the time at which it was read."""
    return [(row.token, row.checked_at, row.known_topic, row.absent_since) for row in rows]


def wrong_with(rows: list[TokenRow]) -> list[object]:
    return [(row.key, row.problem) for row in rows]


@survives(Promise.BOUNDED, fault="Graph, all sources: bodies as long as they may be, at once")
async def test_three_bodies_of_the_greatest_length_side_by_side_take_little_memory(
    app: Lone, happened: Happened
) -> None:
    case = Case(app, "greatest length")
    for plan in app.stage.tenant.faults.values():
        plan.always(faults.huge(MAX_BODY_BYTES))

    await case.check()

    (name,) = [row.token.name for row in await case.seen(TokenKind.ADE)]
    assert len(name) <= MAX_TEXT_CHARACTERS
    assert case.peak_mb <= MOST_MB, f"the check took {case.peak_mb:.0f} MB"
    happened(f"{case.peak_mb:.0f} MB; a name of {MAX_BODY_BYTES:,} letters is cut to {len(name)}")


def last_of_many_pages(count: int) -> Fault:
    """Answer with empty pages, and with the tokens on the last of so many."""
    empty = graph_faults.many_pages(count)
    tokens = b""

    async def play(request: web.BaseRequest, regular: web.Response) -> web.StreamResponse:
        nonlocal tokens
        page = request.query.get("$skiptoken")
        if page is None:  # the only page that the simulated Graph knows of
            assert isinstance(regular.body, bytes)
            tokens = regular.body
        if page == str(count):
            return web.Response(body=tokens, content_type="application/json")
        return await empty.play(request, regular)

    return Fault(f"{count:,} pages, tokens on the last alone", play)


@survives(Promise.NO_ALL_CLEAR, Promise.BOUNDED, fault="Graph, ade_token: 10,000 pages")
@pytest.mark.timeout(180)  # ten thousand requests
async def test_ten_thousand_pages_are_read_to_the_last_or_said_not_to_be(
    app: Lone, happened: Happened
) -> None:
    case = Case(app, "10,000 pages")
    await case.check()
    plan = app.stage.tenant.faults[GraphSource.ADE]
    plan.always(last_of_many_pages(10_000))

    await case.check()

    source = (await case.tables.run_rows()).sources[TokenKind.ADE]
    (row,) = await case.seen(TokenKind.ADE)
    # Within the deadline they are read; a slower machine says that they were not.
    assert source.result in {"tokens_read", FailureReason.TIMED_OUT}, "pages were left out unsaid"
    assert (row.checked_at == case.now) == (source.result == "tokens_read")
    assert case.peak_mb <= MOST_MB
    assert case.took_s < DEADLINE_S
    happened(f"{source.result}; {case.peak_mb:.0f} MB")


TEXTS = {
    GraphSource.ADE: ("tokenName", "appleIdentifier", "tokenType"),
    GraphSource.VPP: (
        *("displayName", "organizationName", "locationName", "appleId"),
        *("countryOrRegion", "lastSyncStatus", "state"),
    ),
}
WIDEST = "\U0001f34e" + "a" * (MAX_TEXT_CHARACTERS - 1)
"""Of the greatest length; one wide character makes each of them take four bytes in memory."""
WIDE = WIDEST[: MAX_CHARACTERS // 6_000 // 7 - 10]
"""As long as every text of every token may be, next to ids and kinds."""


def list_of(source: GraphSource, count: int, text: str, *, page_size: int) -> Fault:
    """Answer with a list of so many tokens, every text of which is the one given."""
    texts = "".join(f',"{name}":"{text}"' for name in TEXTS[source] if text)

    async def play(request: web.BaseRequest, _: web.Response) -> web.StreamResponse:
        first = int(request.query.get("$skiptoken", "0"))
        last = min(first + page_size, count)
        tokens = (f'{{"id":"{number}"{texts}}}' for number in range(first, last))
        rest = ""
        if last < count:
            query = urlencode({**request.query, "$skiptoken": last}, safe="$,")
            rest = f', "@odata.nextLink": "{request.url.with_query(None)}?{query}"'
        body = f'{{"value": [{",".join(tokens)}]{rest}}}'
        return web.Response(body=body.encode(), content_type="application/json")

    return Fault(f"{count:,} tokens", play)


async def check_lists(app: Lone, case: Case, *, page_size: int, count: int, text: str) -> set[str]:
    """Check while both lists are so long; return what came of reading them."""
    for source in TEXTS:
        plan = app.stage.tenant.faults[source]
        plan.always(list_of(source, count, text, page_size=page_size))

    await case.check()

    assert case.peak_mb <= MOST_MB, f"the check took {case.peak_mb:.0f} MB"
    sources = (await case.tables.run_rows()).sources
    return {sources[kind].result for kind in (TokenKind.ADE, TokenKind.VPP)}


@survives(Promise.BOUNDED, fault="Graph, both lists: as many tokens and texts as are ever read")
async def test_as_many_tokens_as_are_read_take_little_memory(
    fresh_app: Lone, happened: Happened
) -> None:
    case = Case(fresh_app, "many tokens")

    results = await check_lists(fresh_app, case, count=6_000, text=WIDE, page_size=1_000)

    assert results == {"tokens_read"}, "a list is given up that a tenant could have"
    happened(f"tokens_read; {case.peak_mb:.0f} MB")


IMPOSSIBLE_LISTS = {
    # How many tokens, each text of them, and how many on a page.
    "6,001 tokens": (6_001, "", 1_000),
    "500,000 tokens on one page": (500_000, "", 500_000),
    "4,000 tokens, each text as long as one may be": (4_000, WIDEST, 1_000),
}


@survives(Promise.NO_ALL_CLEAR, Promise.BOUNDED, fault="Graph, both lists: {name}")
@pytest.mark.parametrize("name", IMPOSSIBLE_LISTS)
async def test_a_list_that_no_tenant_can_have_is_given_up_in_little_memory(
    name: str, fresh_app: Lone, happened: Happened
) -> None:
    case = Case(fresh_app, name)
    count, text, page_size = IMPOSSIBLE_LISTS[name]
    await case.check()
    before = {kind: await case.seen(kind) for kind in TokenKind}

    results = await check_lists(fresh_app, case, count=count, text=text, page_size=page_size)

    assert results == {FailureReason.UNEXPECTED_ANSWER}, f"the lists are taken for {results}"
    for kind in (TokenKind.ADE, TokenKind.VPP):
        assert observed(await case.seen(kind)) == observed(before[kind])
    happened(f"unexpected_answer; {case.peak_mb:.0f} MB")


NULLABLE = property_names(GraphSource.ADE) - {"id"}
FAR = "9999-12-31T23:59:59.9999999Z"
OF_OTHERS = {None, Problem.VPP_TOKEN_INVALID, Problem.PUSH_CERTIFICATE_EXPIRING}
EXPIRING = Problem.ADE_TOKEN_EXPIRING
ADE_ANSWERS: dict[str, tuple[dict[str, object], tuple[Problem, ...]]] = {
    # What Graph sends, and what is wrong with the token then, the worst first.
    "year 1": ({"tokenExpirationDateTime": "0001-01-01T00:00:00Z"}, (Problem.EXPIRY_UNKNOWN,)),
    "no date": ({"tokenExpirationDateTime": None}, (Problem.EXPIRY_UNKNOWN,)),
    "year 9999": ({"tokenExpirationDateTime": FAR}, ()),
    "an unknown token type": ({"tokenType": "appleMoonManager"}, (EXPIRING,)),
    "an unknown sync error": ({"lastSyncErrorCode": -(2**31)}, (EXPIRING, Problem.ADE_SYNC_FAILED)),
    "nulls wherever one may stand": (dict.fromkeys(NULLABLE), (Problem.EXPIRY_UNKNOWN,)),
    "a name of 10,000 letters": ({"tokenName": "W" * 10_000}, (EXPIRING,)),
    "a name from right to left": ({"tokenName": "\u202eevil\u202c\u200b\u2066"}, (EXPIRING,)),
    "a name that is a formula": ({"tokenName": '=HYPERLINK("https://x.example";"y")'}, (EXPIRING,)),
    "a name that is a mention": ({"tokenName": "<at>Everyone</at> {{DATE(now)}}"}, (EXPIRING,)),
}


@survives(Promise.NO_ALL_CLEAR, Promise.NO_LEAK, fault="Graph, ade_token: {answer}")
@pytest.mark.parametrize("answer", ADE_ANSWERS)
async def test_an_odd_token_is_told_for_what_it_is(
    answer: str, app: Lone, happened: Happened
) -> None:
    case = Case(app, answer)
    properties, problems = ADE_ANSWERS[answer]
    worst = problems[0] if problems else None
    tenant, before = app.stage.tenant, dict(app.stage.tenant.ade[0])
    tenant.ade[0].update(properties)
    posts = len(app.stage.teams.posts)
    try:
        bodies = await case.messages()
    finally:
        tenant.ade[0].clear()
        tenant.ade[0].update(before)
    for body in bodies:
        await app.order("hand_over", body)

    rows = await case.seen(TokenKind.ADE)
    assert len(rows) == 1, "the token was not read"
    (row,) = rows
    assert len(row.token.name) <= MAX_TEXT_CHARACTERS, "a text is kept at its whole length"
    assert row.problem == worst, f"the token is taken for {row.problem or 'healthy'}"
    cards = [json.dumps(post.cards) for post in app.stage.teams.posts[posts:]]
    told = {message.problem for message in map(decode, bodies)}
    assert told - OF_OTHERS == {*problems}, "not what is wrong is told"
    assert len(cards) == len(bodies), "a card was not accepted"
    active = [card for card in cards for text in ("<at>", "{{DATE", "\\u202e") if text in card]
    assert active == [], "a name does something on the card"
    happened(f"{row.problem or 'healthy'}; {len(cards)} cards")
