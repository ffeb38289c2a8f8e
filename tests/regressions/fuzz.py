"""Mistakes in the reading of what others wrote."""

from tests.regressions import Regression

REGRESSIONS = (
    Regression(
        name="a date that Graph leaves out is refused",
        file="check_tokens/wire.py",
        old=(
            "def _date(value: Date, name: str) -> datetime | None:\n    if value is None:\n"
            "        return None"
        ),
        new=(
            "def _date(value: Date, name: str) -> datetime | None:\n    if value is None:\n"
            '        raise NotAsDocumentedError(f"{name} is missing")'
        ),
        rows="test_fuzz_graph",
        says="an answer without fault is refused|DateTime is missing",
    ),
    Regression(
        name="a refusal that quotes Graph's answer",
        file="check_tokens/decoding.py",
        old="raise NotAsDocumentedError(str(error)) from None",
        new='raise NotAsDocumentedError(f"{error}: {body!r}") from None',
        rows="test_what_graph_answers_is_read_or_refused",
        says="the refusal quotes the answer",
    ),
    Regression(
        name="one cell of nonsense makes a row unreadable",
        file="apple_tokens/codec.py",
        old=(
            "    except msgspec.ValidationError:\n        return _decode_leniently(row_type, cells)"
        ),
        new=(
            "    except msgspec.ValidationError as error:\n"
            '        raise UnreadableRowError("it is not said what it is about") from error'
        ),
        rows="test_fuzz_rows",
        says="this never occurred|a problem that is there was never told",
    ),
    Regression(
        name="a refusal that quotes the message",
        file="apple_tokens/messages.py",
        old='why = _QUOTED.sub("…", str(error))',
        new="why = str(error)",
        rows="test_fuzz_messages",
        says="the refusal quotes the message",
    ),
    Regression(
        name="a refusal that does not say what was set",
        file="apple_tokens/settings.py",
        old='f"is {shown!r}: {allowed}"',
        new="allowed",
        rows="test_settings_are_used_or_refused",
        says=r"what is wrong\?",
    ),
    Regression(
        name="a refusal that shows the webhook URL",
        file="notify/webhook.py",
        old='f"is not a URL that starts with https://: {_COPY}"',
        new='f"is {url}, not a URL that starts with https://: {_COPY}"',
        rows="test_settings_are_used_or_refused_by_name.notify",
        says="the error shows the webhook URL",
    ),
    Regression(
        name="a date that was typed wrong is an exception",
        file="admin/tokens.py",
        old="        day = date.fromisoformat(typed)\n    except ValueError:",
        new="        day = date.fromisoformat(typed)\n    except TypeError:",
        rows="test_a_date_that_an_operator_types",
        says="ValueError",
    ),
)
