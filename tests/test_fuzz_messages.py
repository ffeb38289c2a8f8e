"""Whatever lies in the queue is a message, or refused by the name of what is wrong with it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import strategies as st

from apple_tokens.messages import MalformedMessageError, decode, encode
from notify.delivery import deliver
from notify.settings import Settings
from tests.fake_tables import FakeTables
from tests.fuzzing import JUNK, MARK, explore
from tests.policy_world import run
from tests.survival import Promise, survives
from tests.test_messages import SENT

WRONG: dict[str, st.SearchStrategy[object]] = {
    "version": st.sampled_from(["1", True, None, -1, 0.5, [MARK]]),
    "kind": st.sampled_from([MARK, "", None, 5]),
    "tenant": st.sampled_from([MARK, None, {}, {"id": None}, {"name": MARK}, [MARK]]),
    "checkedAt": st.sampled_from([MARK, "2026-03-01T08:00:00", "2026-03-01", 5, None]),
    "checkDate": st.sampled_from([MARK, "2026-03-01T08:00:00Z", "2026-02-30", 5, None]),
    "batch": st.sampled_from([5, None, [MARK]]),
    "problem": st.sampled_from([MARK, "", "ade_token_lost", 5]),
    "reason": st.sampled_from([MARK, "", 5]),
    "stage": st.sampled_from([7, None, {MARK: MARK}]),
    "severity": st.sampled_from([MARK, "CRITICAL", 1]),
    "count": st.sampled_from(["3", 1.5, None, MARK, True]),
}
NEEDED = ("version", "kind", "tenant", "checkedAt", "checkDate")


@st.composite
def bodies(draw: st.DrawFn) -> tuple[bytes, str]:
    """Draw a body, and the name of which it is refused: `''` for none, `?` for no message."""
    message: dict[str, Any] = json.loads(encode(draw(st.sampled_from(sorted(SENT.items())))[1]))
    message |= {
        f"later{name}": part for name, part in draw(st.dictionaries(st.text(), JUNK)).items()
    }
    wrong = ""
    match draw(st.sampled_from(["whole", "whole", "wrong", "wrong", "gone", "version", "bytes"])):
        case "wrong":
            wrong = draw(st.sampled_from(sorted(WRONG)))
            message[wrong] = draw(WRONG[wrong])
        case "gone":
            wrong = draw(st.sampled_from(NEEDED))
            del message[wrong]
        case "version":
            wrong, message["version"] = "version", draw(st.integers(2, 2**31))
        case "bytes":
            body = json.dumps(message).encode()
            cut = body[: draw(st.integers(0, len(body) - 1))]
            return draw(st.sampled_from([cut, b"\xff" + body, body + b"}"]) | st.binary()), "?"
        case _:
            pass
    text = json.dumps(message)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode(), wrong


@survives(Promise.CLEAR_ERROR, fault="Fuzzing: messages in the queue")
def test_a_message_is_read_or_refused_by_name(happened: Callable[[str], None]) -> None:
    def settings() -> Settings:
        raise AssertionError("a message that cannot be read got as far as the settings")

    def examine(drawn: tuple[bytes, str]) -> Iterator[str]:
        body, wrong = drawn
        try:
            message = decode(body)
        except MalformedMessageError as refused:
            text = f"{refused} {refused.__cause__!r} {refused.__context__!r}"
            assert MARK not in text, f"the refusal quotes the message: {text}"
            assert wrong, f"a message without fault is refused: {text}"
            assert wrong == "?" or wrong in text, f"{text} does not name {wrong}"
            with pytest.raises(MalformedMessageError):
                run(deliver(body, 1, settings=settings, tables=FakeTables, now=SENT_AT))
            yield "no message" if wrong == "?" else "refused by name"
        else:
            assert not wrong, f"a wrong {wrong} was read"
            assert decode(encode(message)) == message, "what is sent is not what is read"
            yield "read"

    happened(explore(bodies(), examine, must={"read", "refused by name", "no message"}))


SENT_AT = SENT["v1-test"].checked_at
