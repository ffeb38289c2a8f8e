"""Graph's three objects as they come over the wire, and how each becomes an `AppleToken`.

A wire type has exactly the properties that are asked for with `$select`. The secrets (`token`,
`certificate`) are not among them: a server that sends them regardless finds no place to put them.
Camel case and Graph's oddities end here. Sources of the properties:
https://learn.microsoft.com/graph/api/resources/intune-enrollment-deponboardingsetting,
.../intune-onboarding-vpptoken and .../intune-devices-applepushnotificationcertificate.
"""

from datetime import UTC, datetime
from typing import Annotated, Protocol

from msgspec import Meta, Struct

from apple_tokens.model import PUSH_CERTIFICATE_ID, ApplePortal, AppleToken, Int32, TokenKind

# Ids become keys of rows, which hold 512 characters once they are encoded. Graph's are GUIDs.
GraphId = Annotated[str, Meta(pattern=r"^[!-~]{1,100}\Z")]
Text = str | None
Date = str | None

# A transaction of 100 rows has to stay below 4 MiB; a row has ten texts, and a character takes up
# to 12 bytes in it.
MAX_TEXT_CHARACTERS = 300

# "Never" is the year 1 in Graph. Nothing that Apple issues to a device management is this old, so
# that the zeros of other clocks (1601, 1970) are not taken for dates either.
_OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
# A day before the calendar ends, so that no time zone and no rounding leads past its end.
_LATEST = datetime(9999, 12, 30, tzinfo=UTC)

_PORTALS = {
    "dep": ApplePortal.BUSINESS,
    "business": ApplePortal.BUSINESS,
    "appleSchoolManager": ApplePortal.SCHOOL,
    "education": ApplePortal.SCHOOL,
}


class NotAsDocumentedError(ValueError):
    """A body that is not what Graph documents. Names the property, and never its value."""


class WireToken(Protocol):
    """A token in Graph's words."""

    def to_token(self) -> AppleToken:
        """Return the token in this program's words. Raise NotAsDocumentedError."""


class DepOnboardingSetting(Struct, rename="camel"):
    """An ADE token."""

    id: GraphId
    token_name: Text = None
    token_type: Text = None
    apple_identifier: Text = None
    token_expiration_date_time: Date = None
    last_modified_date_time: Date = None
    last_successful_sync_date_time: Date = None
    last_sync_error_code: Int32 | None = None
    synced_device_count: Int32 | None = None

    def to_token(self) -> AppleToken:
        """Return the token in this program's words. Raise NotAsDocumentedError."""
        return AppleToken(
            kind=TokenKind.ADE,
            id=self.id,
            name=_text(self.token_name),
            portal=_PORTALS.get(self.token_type or "", ApplePortal.UNKNOWN),
            apple_account=_text(self.apple_identifier),
            expires_on=_date(self.token_expiration_date_time, "tokenExpirationDateTime"),
            last_modified_at=_date(self.last_modified_date_time, "lastModifiedDateTime"),
            last_synced_at=_date(self.last_successful_sync_date_time, "lastSuccessfulSyncDateTime"),
            sync_error_code=self.last_sync_error_code or 0,
            device_count=self.synced_device_count,
        )


class VppToken(Struct, rename="camel"):
    """A VPP token."""

    id: GraphId
    display_name: Text = None
    organization_name: Text = None
    location_name: Text = None
    vpp_token_account_type: Text = None
    apple_id: Text = None
    country_or_region: Text = None
    expiration_date_time: Date = None
    last_modified_date_time: Date = None
    last_sync_date_time: Date = None
    last_sync_status: Text = None
    state: Text = None

    def to_token(self) -> AppleToken:
        """Return the token in this program's words. Raise NotAsDocumentedError."""
        organization, location = _text(self.organization_name), _text(self.location_name)
        return AppleToken(
            kind=TokenKind.VPP,
            id=self.id,
            # Where nobody named the token in Intune, it goes by the names that it has at Apple.
            name=_text(self.display_name)
            or _text(" / ".join(filter(None, (organization, location)))),
            portal=_PORTALS.get(self.vpp_token_account_type or "", ApplePortal.UNKNOWN),
            apple_account=_text(self.apple_id),
            organization=organization,
            location=location,
            country=_text(self.country_or_region),
            expires_on=_date(self.expiration_date_time, "expirationDateTime"),
            last_modified_at=_date(self.last_modified_date_time, "lastModifiedDateTime"),
            last_synced_at=_date(self.last_sync_date_time, "lastSyncDateTime"),
            sync_status=_text(self.last_sync_status),
            state=_text(self.state),
        )


class ApplePushNotificationCertificate(Struct, rename="camel"):
    """The MDM push certificate. Its id is asked for to tell a certificate from any other object."""

    id: GraphId
    apple_identifier: Text = None
    topic_identifier: Text = None
    expiration_date_time: Date = None
    last_modified_date_time: Date = None
    certificate_serial_number: Text = None
    certificate_upload_failure_reason: Text = None

    def to_token(self) -> AppleToken:
        """Return the token in this program's words. Raise NotAsDocumentedError."""
        return AppleToken(
            kind=TokenKind.PUSH,
            id=PUSH_CERTIFICATE_ID,
            apple_account=_text(self.apple_identifier),
            expires_on=_date(self.expiration_date_time, "expirationDateTime"),
            last_modified_at=_date(self.last_modified_date_time, "lastModifiedDateTime"),
            topic=_text(self.topic_identifier),
            serial_number=_text(self.certificate_serial_number),
            upload_failure=_text(self.certificate_upload_failure_reason),
        )


def _text(value: Text) -> str:
    if value is None:
        return ""
    if len(value) <= MAX_TEXT_CHARACTERS:
        return value
    return f"{value[: MAX_TEXT_CHARACTERS - 1]}…"


def _date(value: Date, name: str) -> datetime | None:
    if value is None:
        return None
    try:
        # Unlike stricter parsers it takes all of Graph's seven decimals, and cuts them to six:
        # rounding .NET's last instant, 9999-12-31T23:59:59.9999999Z, would leave the calendar.
        date = datetime.fromisoformat(value)
    except ValueError:
        raise NotAsDocumentedError(f"{name} is not a date") from None
    if date.tzinfo is None:
        raise NotAsDocumentedError(f"{name} has no time zone")
    if date < _OLDEST:
        return None
    return min(date, _LATEST).astimezone(UTC)
