"""Rows to table entities and back (pure): column names, keys, and tolerance for edited rows.

Times are ISO 8601 text and an empty column is `''`: MERGE keeps a property that is omitted or
null, so every writer writes each of its columns every time.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar
from urllib.parse import quote, unquote

import msgspec
from msgspec import Struct

from apple_tokens.model import AppleToken

Entity = dict[str, str | int | bool]
"""The columns of one row, without its keys."""

_Row = TypeVar("_Row", bound=Struct)

_MAX_KEY = 500
"""Table Storage takes keys of up to 1 KiB, and its emulator counts two bytes a character."""
_SHORTENED = "!"
"""Stands in keys that were shortened and in no other: encoding leaves none."""
_MAX_TEXT = 16_000
"""Table Storage takes text of up to 32,768 UTF-16 units; a character may need two of them."""
_JSON_COLUMNS = frozenset({"Facts", "Before", "After"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class UnreadableRowError(ValueError):
    """A row does not even say which token and problem it is about."""


def encode_key(key: str) -> str:
    r"""Return `key` as Table Storage takes it: without `/ \ # ?` and control characters.

    A key that would be too long ends in a digest of the whole, so that it stays the only one.
    """
    encoded = quote(key, safe=" ", errors="surrogatepass")
    if len(encoded) <= _MAX_KEY:
        return encoded
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{encoded[: _MAX_KEY - len(digest) - 1]}{_SHORTENED}{digest}"


def decode_key(encoded: str) -> str:
    """Return the key that `encode_key` was given, if it was not too long."""
    try:
        return unquote(encoded, errors="surrogatepass")
    except UnicodeDecodeError:
        return encoded  # somebody's own key, which is that of no token


def encode(row: Struct, columns: frozenset[str]) -> Entity:
    """Return the named columns of a row; empty ones are `''`."""
    values: dict[str, Any] = msgspec.to_builtins(row)
    values |= values.pop("Token", {})
    return {name: _cell(values[name]) for name in columns}


@cache
def columns_of(row_type: type[Struct]) -> frozenset[str]:
    """Return the names of all columns of a row type."""
    names = _field_names(row_type)
    if "Token" in names:
        names = (names - {"Token"}) | columns_of(AppleToken)
    return names


def decode(row_type: type[_Row], entity: Mapping[str, Any]) -> tuple[_Row, tuple[str, ...]]:
    """Return the row that an entity holds, and the columns that held nonsense.

    Such a column counts as empty. What an alert or a status row is about is read from its key:
    left out for an edited cell, it would be made anew without what its other writers know. Raise
    UnreadableRowError when the row does not say what it is about, or names a problem of a later
    version.
    """
    cells = {name: value for name, value in entity.items() if value != ""}
    cells |= _identity(row_type, cells)
    shaped = _shape(row_type, cells)
    try:
        return msgspec.convert(shaped, row_type, strict=False), ()
    except msgspec.ValidationError:
        return _decode_leniently(row_type, cells)


def _decode_leniently(row_type: type[_Row], cells: dict[str, Any]) -> tuple[_Row, tuple[str, ...]]:
    kept, bad = dict[str, Any](), list[str]()
    for field in _flat_fields(row_type):
        name = field.encode_name
        if name in cells:
            cell = cells[name]
            value = _json(cell) if name in _JSON_COLUMNS else cell
            try:
                msgspec.convert(value, field.type, strict=False)
            except msgspec.ValidationError:
                bad.append(name)
            else:
                kept[name] = value
                continue
        if name in {"Since", "SeenAt"}:
            # Without them the row would be unreadable, its ToldStep with it, and an alert that
            # starts at step 1 over a ToldStep of 5 would never be told.
            kept[name] = cells.get("Timestamp") or _EPOCH
    try:
        return msgspec.convert(_shape(row_type, kept), row_type, strict=False), tuple(bad)
    except msgspec.ValidationError as error:
        raise UnreadableRowError(f"the row does not say what it is about: {error}") from error


def _identity(row_type: type[Struct], cells: Mapping[str, Any]) -> dict[str, str]:
    """Return the columns that the key stands for; none where the key was shortened."""
    names = getattr(row_type, "KEY_COLUMNS", ())
    key = cells.get("RowKey", _SHORTENED)
    if not names or _SHORTENED in key:
        return {}
    kind, _, rest = decode_key(key).partition(".")
    token_id, _, problem = rest.rpartition(".")
    values = (kind, rest) if len(names) == 2 else (kind, token_id, problem)  # noqa: PLR2004
    return dict(zip(names, values, strict=True))


def _flat_fields(row_type: type[Struct]) -> list[msgspec.structs.FieldInfo]:
    fields = list[msgspec.structs.FieldInfo]()
    for field in msgspec.structs.fields(row_type):
        fields += msgspec.structs.fields(AppleToken) if field.type is AppleToken else [field]
    return fields


@cache
def _field_names(row_type: type[Struct]) -> frozenset[str]:
    # Asked for each row: looked up anew, they take several times as long as the row itself.
    return frozenset(field.encode_name for field in msgspec.structs.fields(row_type))


def _shape(row_type: type[Struct], cells: dict[str, Any]) -> dict[str, Any]:
    names = _field_names(row_type)
    if "Token" in names:
        return cells | {"Token": cells}
    return cells | {name: _json(cells[name]) for name in names & _JSON_COLUMNS & cells.keys()}


def _json(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    try:
        return msgspec.json.decode(cell)
    except (msgspec.DecodeError, RecursionError):
        return cell


def _cell(value: object) -> str | int | bool:
    # By exact type: half a million cells a check, and a match over classes takes thrice as long.
    if type(value) is str:
        return value if len(value) <= _MAX_TEXT else value[:_MAX_TEXT]
    if value is None:
        return ""
    if type(value) is int or type(value) is bool:
        return value
    return msgspec.json.encode(value).decode()
