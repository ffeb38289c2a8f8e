"""The settings of `check_tokens`, read and checked once per run."""

import re
from collections.abc import Mapping
from datetime import time
from enum import StrEnum

from msgspec import Struct

from apple_tokens.model import Cloud, Tenant
from apple_tokens.settings import SettingsError, choice, integer, refuse, text, time_zone
from check_tokens.clouds import graph_endpoint
from check_tokens.policy import TERMS_ROW, Policy

_TABLE_ROWS = range(1, 12)
"""Microsoft's table of ADE sync errors has eleven rows."""
_LONGEST_REMINDER_DAYS = 180
_LONGEST_NAME = 100
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")  # `\d` takes digits of every script


class Weekday(StrEnum):
    """The day of the weekly digest, Monday first."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class Settings(Struct, frozen=True, kw_only=True):
    """What a check of the home tenant needs to know."""

    tenant: Tenant
    cloud: Cloud
    graph_endpoint: str
    """Empty for the cloud's own; else a simulated Graph on this machine."""
    client_id: str
    """Of the user-assigned identity; empty for the system-assigned one."""
    policy: Policy

    @classmethod
    def from_env(cls, settings: Mapping[str, str]) -> "Settings":
        """Read the settings. Raise SettingsError, naming the setting and what is allowed."""
        return cls(
            tenant=Tenant(id=_tenant_id(settings), name=_tenant_name(settings)),
            cloud=choice(settings, "GRAPH_CLOUD", Cloud.GLOBAL),
            graph_endpoint=_graph_endpoint(settings),
            client_id=text(settings, "AZURE_CLIENT_ID"),
            policy=read_policy(settings),
        )


def read_policy(settings: Mapping[str, str]) -> Policy:
    """Read the limits. Raise SettingsError, naming the setting and what is allowed."""
    return Policy(
        check_at=_clock(settings),
        time_zone=time_zone(settings),
        remind_days=_remind_days(settings),
        repeat_critical_days=integer(settings, "REPEAT_CRITICAL_DAYS", 14, least=1, most=365),
        stale_sync_h_ade=integer(settings, "STALE_SYNC_HOURS_ADE", 36, least=13, most=720),
        stale_sync_h_vpp=integer(settings, "STALE_SYNC_HOURS_VPP", 48, least=25, most=720),
        digest_weekday=list(Weekday).index(choice(settings, "DIGEST_WEEKDAY", Weekday.MONDAY)),
        escalate_days=integer(settings, "ESCALATE_DAYS", 3, least=1, most=90),
        ade_sync_errors=_ade_sync_errors(settings),
    )


def _tenant_id(settings: Mapping[str, str]) -> str:
    tenant_id = text(settings, "TENANT_ID")
    if not tenant_id:
        raise SettingsError("TENANT_ID", "is not set: set it to the id of the Entra tenant")
    return tenant_id


def _tenant_name(settings: Mapping[str, str]) -> str:
    name = text(settings, "TENANT_NAME")
    if len(name) > _LONGEST_NAME:
        # It stands in each queue message, which has little room.
        raise refuse("TENANT_NAME", name, f"use at most {_LONGEST_NAME} characters")
    return name


def _graph_endpoint(settings: Mapping[str, str]) -> str:
    value = text(settings, "GRAPH_ENDPOINT")
    try:
        return graph_endpoint(Cloud.GLOBAL, value) if value else ""
    except ValueError as error:
        raise refuse("GRAPH_ENDPOINT", value, str(error)) from None


def _clock(settings: Mapping[str, str]) -> time:
    value = text(settings, "CHECK_AT", "08:00")
    if not _CLOCK.fullmatch(value):
        raise refuse("CHECK_AT", value, "use a time of day such as 08:00")
    return time.fromisoformat(value)


def _remind_days(settings: Mapping[str, str]) -> tuple[int, ...]:
    value = text(settings, "REMIND_DAYS", "30,14,7,3,1")
    allowed = f"use days from 1 to {_LONGEST_REMINDER_DAYS} between commas, such as 30,14,7,3,1"
    try:
        days = {int(part) for part in value.split(",")}
    except ValueError:
        raise refuse("REMIND_DAYS", value, allowed) from None
    if not days <= set(range(1, _LONGEST_REMINDER_DAYS + 1)):
        raise refuse("REMIND_DAYS", value, allowed)
    return tuple(sorted(days, reverse=True))


def _ade_sync_errors(settings: Mapping[str, str]) -> dict[int, int]:
    value = text(settings, "ADE_SYNC_ERRORS")
    allowed = (
        "use pairs of error code and row of Microsoft's table (1 to 11) between commas, such as "
        "7=5,8=6"
    )
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    try:
        rows = {int(code): int(row) for code, _, row in pairs}
    except ValueError:
        raise refuse("ADE_SYNC_ERRORS", value, allowed) from None
    if 0 in rows or any(row not in _TABLE_ROWS for row in rows.values()):
        raise refuse("ADE_SYNC_ERRORS", value, allowed)
    if rows.get(TERMS_ROW, TERMS_ROW) != TERMS_ROW:
        # Terms that wait for somebody would then be told late and as something else.
        raise refuse("ADE_SYNC_ERRORS", value, "3 always means row 3; leave it out")
    return rows
