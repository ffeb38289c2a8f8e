"""Graph's oddities end at the decoder: dates, names, nulls, new values, and what is no answer."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apple_tokens.model import ApplePortal, AppleToken
from check_tokens.decoding import (
    decode_ade_tokens,
    decode_push_certificate,
    decode_vpp_tokens,
)
from check_tokens.sources import SOURCES, Source
from check_tokens.wire import MAX_TEXT_CHARACTERS, NotAsDocumentedError

Properties = dict[str, object]


def ade(**properties: object) -> AppleToken:
    body = json.dumps({"value": [{"id": "1", **properties}]}).encode()
    return decode_ade_tokens(body).tokens[0]


def vpp(**properties: object) -> AppleToken:
    body = json.dumps({"value": [{"id": "1", **properties}]}).encode()
    return decode_vpp_tokens(body).tokens[0]


def push(answer: object) -> AppleToken:
    return decode_push_certificate(json.dumps(answer).encode()).tokens[0]


@pytest.mark.parametrize(
    "written,meant",
    [
        ("2026-03-01T00:00:00Z", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T00:00:00.5Z", datetime(2026, 3, 1, 0, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-03-01T00:00:00.1234567Z", datetime(2026, 3, 1, 0, 0, 0, 123_456, tzinfo=UTC)),
        ("2026-03-01T00:00:00-08:00", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ("2026-03-01T00:00:00.0000001+09:00", datetime(2026, 2, 28, 15, tzinfo=UTC)),
        (None, None),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+09:00", None),
        ("1601-01-01T00:00:00Z", None),
        ("1970-01-01T00:00:00Z", None),
        ("1999-12-31T23:59:59Z", None),
        ("2000-01-01T00:00:00Z", datetime(2000, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.9999999Z", datetime(9999, 12, 30, tzinfo=UTC)),
        ("9999-12-31T23:59:59-08:00", datetime(9999, 12, 30, tzinfo=UTC)),
    ],
)
def test_a_date_is_read_as_it_was_meant(written: str | None, meant: datetime | None) -> None:
    token = ade(tokenExpirationDateTime=written)

    assert token.expires_on == meant
    assert meant is None or (token.expires_on and token.expires_on.tzinfo is UTC)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "soon",
        "2026-03-01",
        "2026-03-01T00:00:00",
        "2026-02-30T00:00:00Z",
        "2026-03-01T25:00:00Z",
    ],
)
@pytest.mark.parametrize(
    "name", ["tokenExpirationDateTime", "lastModifiedDateTime", "lastSuccessfulSyncDateTime"]
)
def test_what_is_no_date_is_refused_by_the_name_of_its_property(name: str, written: str) -> None:
    with pytest.raises(NotAsDocumentedError, match=f"^{name} ") as refusal:
        ade(**{name: written})

    assert not written or written not in str(refusal.value)


@pytest.mark.parametrize(
    "names,expected",
    [
        ({"displayName": "Books", "organizationName": "O", "locationName": "L"}, "Books"),
        ({"displayName": "", "organizationName": "O", "locationName": "L"}, "O / L"),
        ({"displayName": None, "organizationName": "O", "locationName": None}, "O"),
        ({"locationName": "L"}, "L"),
        ({}, ""),
    ],
)
def test_a_vpp_token_goes_by_the_best_name_it_has(names: Properties, expected: str) -> None:
    assert vpp(**names).name == expected


@pytest.mark.parametrize(
    "type_in_graph,portal",
    [
        ("dep", ApplePortal.BUSINESS),
        ("appleSchoolManager", ApplePortal.SCHOOL),
        ("none", ApplePortal.UNKNOWN),
        ("appleGovernmentManager", ApplePortal.UNKNOWN),
        (None, ApplePortal.UNKNOWN),
    ],
)
def test_the_type_of_an_ade_token_says_which_portal(
    type_in_graph: str | None, portal: ApplePortal
) -> None:
    assert ade(tokenType=type_in_graph).portal is portal


@pytest.mark.parametrize(
    "type_in_graph,portal",
    [
        ("business", ApplePortal.BUSINESS),
        ("education", ApplePortal.SCHOOL),
        ("government", ApplePortal.UNKNOWN),
    ],
)
def test_the_account_type_of_a_vpp_token_says_which_portal(
    type_in_graph: str, portal: ApplePortal
) -> None:
    assert vpp(vppTokenAccountType=type_in_graph).portal is portal


def test_values_that_graph_adds_one_day_are_kept_as_they_are() -> None:
    token = vpp(state="revokedByApple", lastSyncStatus="paused")

    assert (token.state, token.sync_status) == ("revokedByApple", "paused")


@pytest.mark.parametrize("source", SOURCES.values(), ids=lambda source: source.path)
def test_a_token_of_which_only_the_id_is_known_is_still_a_token(source: Source) -> None:
    nulls: Properties = {**dict.fromkeys(source.wire.__struct_encode_fields__), "id": "1"}
    answer = nulls if source.absent_is_404 else {"value": [nulls]}
    page = source.decode(json.dumps(answer).encode())

    (token,) = page.tokens
    assert token.expires_on is None
    assert token.sync_error_code == 0
    assert (token.name, token.apple_account, token.state) == ("", "", "")


@pytest.mark.parametrize("code", [0, 3, -1, 2**31 - 1, -(2**31)])
def test_any_error_code_that_fits_its_type_is_kept(code: int) -> None:
    assert ade(lastSyncErrorCode=code).sync_error_code == code


@pytest.mark.parametrize(
    "name,value",
    [
        ("id", None),
        ("id", 7),
        ("id", ""),
        ("id", "x" * 101),
        ("id", "a\n"),
        ("id", "あ"),
        ("tokenName", 7),
        ("tokenName", ["x"]),
        ("tokenExpirationDateTime", 1_767_225_600),
        ("lastSyncErrorCode", "3"),
        ("lastSyncErrorCode", 2**31),
        ("lastSyncErrorCode", 0.5),
        ("syncedDeviceCount", "many"),
        ("syncedDeviceCount", True),
    ],
)
def test_a_property_of_a_wrong_type_is_refused_by_its_name(name: str, value: object) -> None:
    with pytest.raises(NotAsDocumentedError, match=rf"\.{name}`$"):
        ade(**{name: value})


def test_a_missing_id_is_refused_by_its_name() -> None:
    with pytest.raises(NotAsDocumentedError, match="`id`"):
        decode_ade_tokens(b'{"value": [{"tokenName": "nameless"}]}')


@pytest.mark.parametrize(
    "name",
    [
        "x" * 10_000,
        "\u202eevil\u202c",
        "zero\u200bwidth",
        "=HYPERLINK(1)",
        "tab\tand\x00nul",
        "日本語🎉",
    ],
)
def test_text_stays_as_it_is_but_for_its_length(name: str) -> None:
    read = ade(tokenName=name).name

    assert len(read) <= MAX_TEXT_CHARACTERS
    assert read == name or (read[:-1] == name[: len(read) - 1] and read.endswith("…"))


@pytest.mark.parametrize("surplus,is_cut", [(-1, False), (0, False), (1, True)])
def test_text_is_cut_from_one_character_too_many(surplus: int, *, is_cut: bool) -> None:
    name = "x" * (MAX_TEXT_CHARACTERS + surplus)

    assert (ade(tokenName=name).name != name) is is_cut


def test_the_push_certificate_is_read_bare_and_wrapped() -> None:
    certificate = {"id": "1", "topicIdentifier": "com.apple.mgmt.External.1"}

    assert push(certificate) == push({"value": certificate})
    assert push(certificate).topic == "com.apple.mgmt.External.1"


@pytest.mark.parametrize("answer", [{}, {"value": None}, {"value": []}, {"value": {}}, [], None, 7])
def test_an_answer_without_a_certificate_is_no_certificate(answer: object) -> None:
    with pytest.raises(NotAsDocumentedError):
        push(answer)


@pytest.mark.parametrize("surplus,is_read", [(0, True), (1, False)])
def test_a_page_with_more_objects_than_any_list_is_refused_before_it_takes_memory(
    surplus: int, *, is_read: bool
) -> None:
    others = ",".join(["{}"] * (20_000 - 2 + surplus))
    body = f'{{"value": [{{"id": "1", "roleScopeTagIds": [{others}]}}]}}'.encode()
    if is_read:
        assert len(decode_ade_tokens(body).tokens) == 1
    else:
        with pytest.raises(NotAsDocumentedError, match="objects"):
            decode_ade_tokens(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(str),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=10,
)
property_names = st.sampled_from(
    sorted({field for source in SOURCES.values() for field in source.wire.__struct_encode_fields__})
)
tokens = st.dictionaries(property_names, json_values) | json_values
answers = st.fixed_dictionaries({"value": tokens | st.lists(tokens)}) | tokens


@given(st.binary() | answers.map(lambda answer: json.dumps(answer).encode()))
def test_whatever_comes_is_a_page_or_a_refusal(body: bytes) -> None:
    for source in SOURCES.values():
        try:
            page = source.decode(body)
        except NotAsDocumentedError:
            continue
        assert all(isinstance(token, AppleToken) for token in page.tokens)
