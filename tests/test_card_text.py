"""Text of others: shown as it is where that is harmless, and harmless in every case."""

import json
import unicodedata

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apple_tokens.model import AppleToken, Problem, Severity, Tenant, TokenKind
from notify.card import LIMIT_BYTES, size_bytes
from notify.elements import Element
from notify.remediation import Language
from notify.text import MOST_CHARACTERS, clean
from sandbox.specimens.alerts import Specimen, batch
from tests.card_reading import links, of_type

HOSTILE = (
    "<at>Everyone</at>",
    "</at >",
    "<a href=https://evil.example>x</a>",
    "{{DATE(2026-12-01T00:00:00Z,SHORT)}}",
    "${evil}",
    "[Renew here](https://evil.example)",
    "https://evil.example www.evil.example evil.example someone@evil.example",
    "**bold** _slanted_ `code` ~~gone~~",
    "- item\n1. item\n# heading\n> quote",
    '","type":"Action.OpenUrl","url":"https://evil.example',
    "\u202egnp.exe\u202c \u2066x\u2069 \u200f",
    "zero\u200bwidth\ufeff\u00ad\u2060",
    "\x00\x1b[31m\x7f\u0085",
    "one\r\ntwo\u2028three\u2029four\tfive",
    "Z\u0351\u0352\u0353\u0354\u0355\u0356\u0357a",
    "\ud800\udfff",
    "\U000e0041\U000f0000",
    "東京店舗 " * 100,
    "🧑‍💻" * 300,
)
FOREIGN = st.lists(
    st.one_of(st.text(st.characters(exclude_categories=())), st.sampled_from(HOSTILE)), max_size=4
).map("".join)


@pytest.mark.parametrize(
    "name",
    [
        "Berlin warehouse",
        "O'Brien & Söhne GmbH",
        "東京店舗(本店)・1F",
        "قسم المبيعات",
        "a_b*c [x] \\ #1 ~2 `d` | e",
        "5 < 6 > 4",
        "price: $5 {new}",
        "mdm@contoso.example",
        "émoji 📱",
        "ในกรุงเทพฯ",
    ],
)
def test_an_ordinary_name_is_shown_as_it_is(name: str) -> None:
    assert clean(name) == name


@pytest.mark.parametrize(
    "hostile,shown",
    [
        ("<at>Everyone</at>", "< at>Everyone< /at>"),
        ("<\u200bat>x", "< at>x"),
        ("< at>x", "< at>x"),
        ("<!--x-->", "< !--x-->"),
        ("{{DATE(x)}}", "{ {DATE(x)}}"),
        ("{\u2060{TIME(x)}}", "{ {TIME(x)}}"),
        ("{{{x", "{ { {x"),
        ("${x}", "$ {x}"),
        ("\u202eevil\u202c", "evil"),
        ("one\r\n\ttwo\u2028\u2029three\x00four", "one two three four"),
        ("  padded\u3000\u3164 ", "padded"),
        ("e\u0301\u0301\u0301\u0301\u0301e\u0301", "e\u0301\u0301\u0301e\u0301"),
        ("\ud83d", ""),
        ("\u200b\u2060", ""),
        ("", ""),
    ],
)
def test_what_could_reorder_hide_or_be_evaluated_is_gone(hostile: str, shown: str) -> None:
    assert clean(hostile) == shown


@pytest.mark.parametrize("length", [MOST_CHARACTERS - 1, MOST_CHARACTERS])
def test_text_up_to_the_limit_is_whole(length: int) -> None:
    assert clean("x" * length) == "x" * length


def test_longer_text_is_cut_and_says_so() -> None:
    assert clean("x" * (MOST_CHARACTERS + 1)) == "x" * (MOST_CHARACTERS - 1) + "…"
    assert len(clean("{" * 1_000)) == MOST_CHARACTERS


@given(FOREIGN)
def test_cleaned_text_is_one_short_visible_line(text: str) -> None:
    shown = clean(text)

    assert len(shown) <= MOST_CHARACTERS
    assert shown == shown.strip()
    assert not {unicodedata.category(character) for character in shown} & {
        "Cc",
        "Cf",
        "Cn",
        "Co",
        "Cs",
        "Zl",
        "Zp",
    }
    assert "{{" not in shown
    assert "<at" not in shown.lower()
    assert clean(shown) == shown


@given(FOREIGN, FOREIGN, FOREIGN, FOREIGN)
@example("", "", "", "")
@example(*("\U0001f4f1" * 400 for _ in range(4)))
@example(*('"\\' * 400 for _ in range(4)))
def test_no_text_of_others_changes_what_the_card_is(
    name: str, account: str, place: str, tenant: str
) -> None:
    for kind, problem in (
        (TokenKind.VPP, Problem.VPP_TOKEN_EXPIRED),
        (TokenKind.ADE, Problem.ADE_SYNC_FAILED),
    ):
        ordinary = batch(problem, Severity.WARNING, kinds=[kind])
        hostile = rewritten(ordinary, name, account, place, tenant)

        expected = ordinary.card(Language.JA, Language.EN)
        card = hostile.card(Language.JA, Language.EN)

        assert [block["text"] for block in of_type(card, "TextBlock")] == [
            block["text"] for block in of_type(expected, "TextBlock")
        ]
        assert links(card) == links(expected)
        assert of_type(card, "Action.ToggleVisibility") == of_type(
            expected, "Action.ToggleVisibility"
        )
        assert_sendable(card)


def assert_sendable(card: Element) -> None:
    """Fail if a card is no JSON in UTF-8, or too large, or evaluated on its way."""
    body = json.dumps(card, ensure_ascii=False).encode()
    assert json.loads(body) == card
    assert size_bytes(card) <= LIMIT_BYTES
    for evaluated in (b"{{", b"${", b"<at", b"</at"):
        assert evaluated not in body.lower()


def rewritten(specimen: Specimen, name: str, account: str, place: str, tenant: str) -> Specimen:
    def rewrite(token: AppleToken) -> AppleToken:
        return msgspec.structs.replace(
            token,
            name=name,
            apple_account=account,
            location=place,
            country=place,
            organization=place,
            upload_failure=place,
            state="expired" if token.state else "",
        )

    return Specimen(
        message=msgspec.structs.replace(
            specimen.message,
            tenant=Tenant(id="00000000-0000-0000-0000-00000000fa4e", name=tenant),
        ),
        alerts=specimen.alerts,
        tokens={
            key: msgspec.structs.replace(row, token=rewrite(row.token))
            for key, row in specimen.tokens.items()
        },
    )
