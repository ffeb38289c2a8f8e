"""The queue contract: what stands in the golden files is what is sent and what can be read.

The files of version 1 stay as they are: a message of the app's previous deployment may still wait
in the queue. A field may be added with a default, in a file of its own; anything else is version 2.
"""

import datetime as dt
import json
import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apple_tokens.messages import (
    VERSION,
    MalformedMessageError,
    MessageKind,
    RemediationMessage,
    decode,
    encode,
)
from apple_tokens.model import Problem, Reason, Severity, Tenant

GOLDEN = Path(__file__).parent / "golden" / "messages"
CHECKED_AT = dt.datetime(2026, 3, 1, 8, 0, 0, 123456, tzinfo=dt.UTC)
TENANT = Tenant(id="5f0c8b1e-7a3d-4c1e-9b62-0d6a4f2e8c17", name="コントソ Schools")
MAX_QUEUE_BYTES = 48 * 1024
"""A queue takes 64 KiB, and the host writes base64."""
SECRET = "FAKE-signature_for~tests-0001"


def ticket(kind: MessageKind, batch: str = "", **fields: object) -> RemediationMessage:
    bare = RemediationMessage(
        version=VERSION,
        kind=kind,
        tenant=TENANT,
        checked_at=CHECKED_AT,
        check_date=dt.date(2026, 3, 1),
        batch=batch,
    )
    return msgspec.structs.replace(bare, **fields)


SENT = {
    "v1-alerts": ticket(
        MessageKind.ALERTS,
        "20260301T080000.123456Z ade_token_expiring 7 worse",
        problem=Problem.ADE_TOKEN_EXPIRING,
        reason=Reason.WORSE,
        stage="7",
        severity=Severity.CRITICAL,
        count=40,
    ),
    "v1-fixed": ticket(
        MessageKind.ALERTS, "20260301T080000.123456Z fixed", reason=Reason.FIXED, count=3
    ),
    "v1-welcome": ticket(MessageKind.WELCOME, "welcome"),
    "v1-digest": ticket(MessageKind.DIGEST, "digest 12"),
    "v1-test": msgspec.structs.replace(
        ticket(MessageKind.TEST), tenant=Tenant(id="5f0c8b1e-7a3d-4c1e-9b62-0d6a4f2e8c17")
    ),
}
"""One message of each kind; the test message has no more than it must have."""


class TestTheGoldenFiles:
    def test_are_of_every_kind_of_message(self) -> None:
        assert {message.kind for message in SENT.values()} == set(MessageKind)
        assert {path.stem for path in GOLDEN.glob("v1-*.json")} == SENT.keys()

    @pytest.mark.parametrize("name", SENT)
    def test_are_what_is_sent(self, name: str) -> None:
        golden = GOLDEN / f"{name}.json"
        if os.environ.get("UPDATE_GOLDEN"):
            golden.write_text(f"{encode(SENT[name])}\n", encoding="utf-8")

        assert golden.read_text(encoding="utf-8") == f"{encode(SENT[name])}\n"

    @pytest.mark.parametrize("name", SENT)
    def test_can_be_read(self, name: str) -> None:
        assert decode((GOLDEN / f"{name}.json").read_bytes()) == SENT[name]


class TestReading:
    @given(
        st.builds(
            RemediationMessage,
            version=st.just(VERSION),
            kind=st.sampled_from(MessageKind),
            tenant=st.builds(Tenant, id=st.text(), name=st.text()),
            checked_at=st.datetimes(timezones=st.just(dt.UTC)),
            check_date=st.dates(),
            batch=st.text(),
            problem=st.none() | st.sampled_from(Problem),
            reason=st.none() | st.sampled_from(Reason),
            stage=st.text(),
            severity=st.none() | st.sampled_from(Severity),
            count=st.integers(0, 2**31),
        )
    )
    def test_gives_back_what_was_sent_as_text_and_as_bytes(
        self, message: RemediationMessage
    ) -> None:
        assert decode(encode(message)) == message
        assert decode(encode(message).encode()) == message

    def test_passes_over_fields_that_a_later_version_added(self) -> None:
        body = json.loads(encode(SENT["v1-alerts"]))
        body["addedLater"] = {"deep": [1, None, "x"]}
        body["tenant"]["addedLater"] = True

        assert decode(json.dumps(body)) == SENT["v1-alerts"]

    @pytest.mark.parametrize("version", [0, 2, 10**6])
    def test_refuses_another_version_and_says_what_to_do(self, version: int) -> None:
        # Nothing else of such a message is looked at: all of it may mean something else.
        body = json.dumps({"version": version, "kind": 5})

        with pytest.raises(MalformedMessageError, match=rf"version {version}, .* reads version 1"):
            decode(body)

    @pytest.mark.parametrize("field", ["version", "kind", "tenant", "checkedAt", "checkDate"])
    def test_refuses_a_message_that_is_not_whole_and_names_what_is_missing(
        self, field: str
    ) -> None:
        body = json.loads(encode(SENT["v1-alerts"]))
        del body[field]

        with pytest.raises(MalformedMessageError, match=f"`{field}`"):
            decode(json.dumps(body))

    @pytest.mark.parametrize(
        "field, value",
        [
            ("version", "1"),
            ("version", True),
            ("kind", "alarm"),
            ("tenant", "5f0c8b1e"),
            ("tenant", {"id": None}),
            ("checkedAt", "2026-03-01T08:00:00"),
            ("checkedAt", "today"),
            ("checkDate", "2026-03-01T08:00:00Z"),
            ("batch", 5),
            ("problem", "ade_token_lost"),
            ("reason", ""),
            ("severity", "CRITICAL"),
            ("count", "3"),
            ("count", 1.5),
        ],
    )
    def test_refuses_a_field_that_says_something_else_and_names_it(
        self, field: str, value: object
    ) -> None:
        body = json.loads(encode(SENT["v1-alerts"])) | {field: value}

        with pytest.raises(MalformedMessageError, match=rf"`\$\.{field}"):
            decode(json.dumps(body))

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"null",
            b"[]",
            b"5",
            b'"text"',
            b"{",
            encode(SENT["v1-alerts"]).encode()[:-1],
            encode(SENT["v1-alerts"]).encode() + b"}",
            encode(SENT["v1-alerts"]).encode("utf-16"),
            b"\xef\xbb\xbf" + encode(SENT["v1-alerts"]).encode(),
            b'{"version":1,"kind":"\xff"}',
            b"\xff" * 100,
            b'{"version":1,"x":' + b"[" * 40_000,
            b'{"version":' + b"9" * 40_000 + b"}",
        ],
        ids=lambda body: repr(body[:20]),
    )
    def test_refuses_what_is_no_message_at_all(self, body: bytes) -> None:
        with pytest.raises(MalformedMessageError, match="the queue message is no") as bad:
            decode(body)

        assert len(str(bad.value)) < 200

    @pytest.mark.parametrize("field", ["kind", "problem", "reason", "severity"])
    @pytest.mark.parametrize("value", [SECRET, f"it's '{SECRET}'", f"{SECRET}\n{SECRET}"])
    def test_quotes_nothing_of_a_body_that_it_refuses(self, field: str, value: str) -> None:
        # A queue can hold anything, such as the webhook URL that somebody pasted into it.
        body = json.loads(encode(SENT["v1-alerts"])) | {field: value}

        with pytest.raises(MalformedMessageError, match=rf"`\$\.{field}`") as refused:
            decode(json.dumps(body))

        assert SECRET not in f"{refused.value!s} {refused.value.__context__!r}"
        assert refused.value.__cause__ is None

    @given(st.binary())
    def test_of_anything_fails_in_this_one_way(self, body: bytes) -> None:
        with pytest.raises(MalformedMessageError):
            decode(body)


def test_the_same_message_is_the_same_text() -> None:
    for message in SENT.values():
        assert encode(decode(encode(message))) == encode(message)


def test_a_message_has_room_in_the_queue_however_many_alerts_it_stands_for() -> None:
    longest = msgspec.structs.replace(
        SENT["v1-alerts"],
        tenant=Tenant(id="t" * 1_000, name="📱" * 1_000),
        problem=max(Problem, key=len),
        batch="b" * 1_000,
        count=2**31,
    )

    assert len(encode(longest).encode()) < MAX_QUEUE_BYTES // 4
