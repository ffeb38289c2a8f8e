"""How both functions read their settings: one error type, and a parser for each form of value.

An empty value means "not set", since a template can set a variable to nothing but not leave it out.
"""

import ipaddress
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

CONNECTION = "AzureWebJobsStorage"
"""The storage account's, as Functions names it."""

Choice = TypeVar("Choice", bound=StrEnum)

_SHOWN_CHARACTERS = 80


class SettingsError(ValueError):
    """A setting that is missing or cannot be used. Names the setting and what is allowed."""

    def __init__(self, setting: str, problem: str) -> None:
        super().__init__(f"{setting} {problem}")
        self.setting = setting


def refuse(setting: str, value: str, allowed: str) -> SettingsError:
    """Return the error for a value that is no secret: it is quoted, so that a typo is seen."""
    shown = value if len(value) <= _SHOWN_CHARACTERS else f"{value[:_SHOWN_CHARACTERS]}…"
    return SettingsError(setting, f"is {shown!r}: {allowed}")


def text(settings: Mapping[str, str], name: str, default: str = "") -> str:
    """Return a setting without the space around it."""
    return settings.get(name, "").strip() or default


def choice(settings: Mapping[str, str], name: str, default: Choice) -> Choice:
    """Return the member that a setting names, in any case of letters."""
    members = type(default)
    value = text(settings, name, default)
    try:
        return members(value.lower())
    except ValueError:
        raise refuse(name, value, f"use one of {', '.join(members)}") from None


def integer(settings: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    """Return a whole number between two limits, both included."""
    value = text(settings, name, str(default))
    allowed = f"use a whole number from {least} to {most}"
    try:
        number = int(value)
    except ValueError:
        raise refuse(name, value, allowed) from None
    if not least <= number <= most:
        raise refuse(name, value, allowed)
    return number


def time_zone(settings: Mapping[str, str], name: str = "TIME_ZONE") -> ZoneInfo:
    """Return the zone that an IANA name stands for, UTC where none is set."""
    value = text(settings, name, "UTC")
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # OSError: "Europe" is a folder of zones, and reading a folder fails in its own way.
        allowed = "use an IANA time zone such as Europe/Berlin or Asia/Tokyo"
        raise refuse(name, value, allowed) from None


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
