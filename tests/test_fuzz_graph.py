"""Whatever Graph answers is read, or refused by the name of what is wrong; a card comes of it."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import strategies as st

from apple_tokens.model import (
    AppleToken,
    CouldNotCheck,
    FailureReason,
    NotConfigured,
    SourceResult,
    TokenKind,
    TokensRead,
)
from check_tokens.sources import SOURCES
from check_tokens.wire import MAX_TEXT_CHARACTERS, NotAsDocumentedError
from sandbox import faults
from tests.fakegraph import IN_GRAPH, reading, small_tenant
from tests.fuzzing import JUNK, MARK, TEXTS, explore
from tests.fuzzing_checks import MORNINGS, Channel, OfRows
from tests.survival import Promise, survives

GOOD_DATES = st.sampled_from(
    [
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "1970-01-01T00:00:00Z",
        "2026-02-20T08:00:00.1234567Z",
        "2026-03-02T07:59:59.9999999Z",
        "2026-03-05T00:00:00+05:45",
        "2026-03-20T23:59:59-09:30",
        "2027-03-01T00:00:00Z",
        "9999-12-31T23:59:59.9999999Z",
        "9999-12-31T23:59:59-14:00",
        "9999-12-31T12:00:00-12:00",
        "9999-12-31T23:00:00.5-01:00",
    ]
)
BAD_DATES = st.sampled_from(
    ["", MARK, f"2026-03-01 {MARK}", "2026-03-01", "2026-03-01T00:00:00", "2026-02-30T00:00:00Z"]
)
INT32 = st.integers(-(2**31), 2**31 - 1)
NO_TEXT = st.sampled_from([7, 0.5, True, [MARK], {MARK: MARK}, 10**30])
NO_NUMBER = st.sampled_from([2**31, 10**30, 0.5, True, MARK, [MARK], {"x": MARK}])
NO_ID = st.sampled_from([None, "", "あ", f"{MARK} ", "x" * 101, 7, [MARK]])
_WORDS = """
    valid expired invalid assignedToExternalMDM duplicateLocationId revoked completed failed
    inProgress dep business education appleSchoolManager
"""
WORDS = st.sampled_from(_WORDS.split())
NUMBERS = frozenset({"lastSyncErrorCode", "syncedDeviceCount"})


def good(name: str) -> st.SearchStrategy[object]:
    if name == "id":
        return st.sampled_from(["1", "2", "5f0c8b1e-7a3d-4c1e-9b62-0d6a4f2e8c17", "!" * 100])
    if name.endswith("DateTime"):
        return st.none() | GOOD_DATES
    if name in NUMBERS:
        return st.none() | st.sampled_from([0, 3, 8]) | INT32
    return st.none() | WORDS | TEXTS


def bad(name: str) -> st.SearchStrategy[object]:
    if name == "id":
        return NO_ID
    if name in NUMBERS:
        return NO_NUMBER
    return BAD_DATES | NO_TEXT if name.endswith("DateTime") else NO_TEXT


@st.composite
def objects(draw: st.DrawFn, kind: TokenKind, *, whole: bool = False) -> tuple[Any, str]:
    """Draw an object of Graph, and the name of the property that is wrong in it, `''` for none."""
    names = SOURCES[kind].wire.__struct_encode_fields__
    given = {name for name in names if name == "id" or draw(st.booleans())}
    found = {name: draw(good(name)) for name in sorted(given)}
    found["roleScopeTagIds"] = draw(JUNK)  # a property that nobody asked for
    wrong = "" if whole or draw(st.booleans()) else draw(st.sampled_from(names))
    if wrong and wrong == "id" and draw(st.booleans()):
        del found["id"]
    elif wrong:
        found[wrong] = draw(bad(wrong))
    return found, wrong


@st.composite
def answers(draw: st.DrawFn, kind: TokenKind) -> tuple[bytes, tuple[str, ...] | None]:
    """Draw a body, and the names of which one is refused; None for what is no answer at all."""
    if SOURCES[kind].absent_is_404:
        drawn = [draw(objects(kind))]
        document = draw(st.sampled_from([drawn[0][0], {"value": drawn[0][0]}]))
    else:
        drawn = draw(st.lists(objects(kind), max_size=3))
        document = {"value": [found for found, _ in drawn], "@odata.context": MARK}
    text = json.dumps(document, ensure_ascii=draw(st.booleans()))
    body = text.encode("utf-16", "surrogatepass").decode("utf-16").encode()
    match draw(st.sampled_from(["as it is", "as it is", "as it is", "cut", "flipped", "other"])):
        case "cut":
            return body[: draw(st.integers(0, len(body) - 1))], None
        case "flipped":
            at = draw(st.integers(0, len(body) - 1))
            return body[:at] + bytes([body[at] ^ 0x80]) + body[at + 1 :], None
        case "other":
            return draw(st.binary() | JUNK.map(lambda junk: json.dumps(junk).encode())), None
        case _:
            return body, tuple(wrong for _, wrong in drawn if wrong)


@survives(Promise.CLEAR_ERROR, fault="Fuzzing: what Graph answers about {kind}")
@pytest.mark.parametrize("kind", TokenKind)
def test_what_graph_answers_is_read_or_refused_by_name(
    kind: TokenKind, happened: Callable[[str], None]
) -> None:
    decode = SOURCES[kind].decode

    def examine(answer: tuple[bytes, tuple[str, ...] | None]) -> Iterator[str]:
        body, wrong = answer
        try:
            page = decode(body)
        except NotAsDocumentedError as refused:
            text = f"{refused} {refused.__cause__!r}"
            assert MARK not in text, f"the refusal quotes the answer: {text}"
            assert len(text) < 200
            if wrong is not None:
                assert wrong, f"an answer without fault is refused: {text}"
                assert any(name in text for name in wrong), f"{text} names none of {wrong}"
            yield "refused by name" if wrong else "no answer at all"
        else:
            assert not wrong, f"a wrong {wrong} was read"
            for token in page.tokens:
                assert_is_plausible(token)
            yield "read" if page.tokens else "empty"

    must = {"read", "refused by name", "no answer at all"}
    happened(explore(answers(kind), examine, must=must))


def assert_is_plausible(token: AppleToken) -> None:
    for name in token.__struct_fields__:
        value = getattr(token, name)
        if isinstance(value, str):
            assert len(value) <= MAX_TEXT_CHARACTERS, f"{name} is longer than a row takes"
        if isinstance(value, datetime):
            assert datetime(2000, 1, 1, tzinfo=UTC) <= value <= datetime(9999, 12, 30, tzinfo=UTC)
    # What a row takes can be read from it, which a number beyond 32 bits cannot.
    assert msgspec.convert(msgspec.to_builtins(token), AppleToken) == token


FAILURES = st.sampled_from(FailureReason).map(
    lambda reason: CouldNotCheck(reason=reason, detail="It failed.", status=500, request_id="r")
)


def results(kind: TokenKind) -> st.SearchStrategy[SourceResult]:
    def read(drawn: list[tuple[Any, str]]) -> SourceResult:
        found = [found for found, _ in drawn]
        documents = found if SOURCES[kind].absent_is_404 else [{"value": found}]
        tokens = {
            token.id: token
            for document in documents
            for token in SOURCES[kind].decode(json.dumps(document).encode()).tokens
        }
        return TokensRead(tokens=tuple(tokens.values())) if tokens else NotConfigured()

    lists = st.lists(objects(kind, whole=True), max_size=3).map(read)
    return st.one_of(lists, lists, lists, FAILURES)


MONTHS = st.lists(
    st.fixed_dictionaries({kind: results(kind) for kind in TokenKind}), min_size=3, max_size=3
)


@survives(Promise.CLEAR_ERROR, fault="Fuzzing: mornings of any tokens, as far as their cards")
def test_any_tokens_make_rows_and_cards(
    caplog: pytest.LogCaptureFixture, happened: Callable[[str], None]
) -> None:
    def examine(mornings: list[dict[TokenKind, SourceResult]]) -> Iterator[str]:
        caplog.clear()
        channel = Channel()
        for now, answer in zip(MORNINGS, mornings, strict=False):
            yield from channel.morning(now, answer)
        assert not caplog.records, "a check wrote a row that it cannot read"
        assert channel.untold() == [], "what must be told was left untold"

    must = {"new", "worse", "fixed", "reminder", "welcome"}
    with caplog.filtering(OfRows()):
        happened(explore(MONTHS, examine, must=must, share=5))


@survives(Promise.CLEAR_ERROR, fault="Fuzzing: what Graph answers over HTTP about {kind}")
@pytest.mark.parametrize("kind", TokenKind)
def test_what_graph_sends_is_a_result(kind: TokenKind, happened: Callable[[str], None]) -> None:
    tenant = small_tenant()
    with asyncio.Runner() as runner:
        opened = AsyncExitStack()
        served = runner.run(opened.enter_async_context(reading(tenant)))

        def examine(answer: tuple[bytes, tuple[str, ...] | None]) -> Iterator[str]:
            body, wrong = answer
            tenant.faults[IN_GRAPH[kind]].always(faults.answer(200, body))
            result = runner.run(served.read([kind]))[kind]
            if isinstance(result, CouldNotCheck):
                assert result.reason is FailureReason.UNEXPECTED_ANSWER
                assert "defect" not in result.detail, result.detail
                assert MARK not in str(result), f"the failure quotes the answer: {result}"
                assert "://" not in result.detail
            yield "not checked" if isinstance(result, CouldNotCheck) else "checked"
            if wrong is not None:
                assert isinstance(result, CouldNotCheck) == bool(wrong), result

        seen = explore(answers(kind), examine, must={"checked", "not checked"}, share=5)
        runner.run(opened.aclose())
    happened(seen)
