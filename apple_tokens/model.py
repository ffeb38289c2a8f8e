"""The values of the domain: tokens, problems, findings, and what reading a source yields.

All values are frozen, all times are aware. The string value of every enum is a wire value: it
stands in rows, messages, log events and catalogue entries, and is never renamed.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct, field

Instant = Annotated[datetime, Meta(tz=True)]
"""A time with its offset. Where one is parsed, a time without is refused."""


Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
"""What Graph sends as a number, and the only kind of number that the tables are given."""


class TokenKind(StrEnum):
    """The three Apple credentials of an Intune tenant; each is read from one source."""

    ADE = "ade_token"
    VPP = "vpp_token"
    PUSH = "push_certificate"


PUSH_CERTIFICATE_ID = "apns"
"""The id under which the push certificate is kept.

A tenant has one. Keyed by Graph's own id, a certificate that was uploaded anew could look like a
removed one and a new one.
"""

SOURCE_ID = "source"
"""Stands in the place of a token's id where a problem concerns the source as a whole."""


class ApplePortal(StrEnum):
    """Where at Apple a token is administered."""

    BUSINESS = "business"
    SCHOOL = "school"
    UNKNOWN = "unknown"


class Cloud(StrEnum):
    """The national clouds of Microsoft Graph."""

    GLOBAL = "global"
    USGOV = "usgov"
    USGOV_DOD = "usgov_dod"
    CHINA = "china"


class Severity(StrEnum):
    """How bad a problem is."""

    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for a warning, 1 for critical."""
        return 1 if self is Severity.CRITICAL else 0


class Health(StrEnum):
    """What the status row of a token says at a glance.

    `UNKNOWN` is a token that looked healthy when it was last seen, while its source cannot be
    read: silence is never called health.
    """

    HEALTHY = "healthy"
    WARNING = "warning"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


class Problem(StrEnum):
    """What can be wrong. Every problem has exactly one catalogue entry per language."""

    ADE_TOKEN_EXPIRED = "ade_token_expired"
    VPP_TOKEN_EXPIRED = "vpp_token_expired"
    PUSH_CERTIFICATE_EXPIRED = "push_certificate_expired"
    ADE_TOKEN_EXPIRING = "ade_token_expiring"
    VPP_TOKEN_EXPIRING = "vpp_token_expiring"
    PUSH_CERTIFICATE_EXPIRING = "push_certificate_expiring"
    ADE_TERMS_NOT_ACCEPTED = "ade_terms_not_accepted"
    ADE_SYNC_FAILED = "ade_sync_failed"
    ADE_SYNC_STALE = "ade_sync_stale"
    VPP_SYNC_STALE = "vpp_sync_stale"
    VPP_TOKEN_INVALID = "vpp_token_invalid"
    VPP_TOKEN_IN_OTHER_MDM = "vpp_token_in_other_mdm"
    VPP_TOKEN_DUPLICATE_LOCATION = "vpp_token_duplicate_location"
    VPP_TOKEN_STATE_UNKNOWN = "vpp_token_state_unknown"
    VPP_SYNC_FAILED = "vpp_sync_failed"
    PUSH_CERTIFICATE_REPLACED = "push_certificate_replaced"
    PUSH_CERTIFICATE_UPLOAD_FAILED = "push_certificate_upload_failed"
    PUSH_CERTIFICATE_MISSING = "push_certificate_missing"
    TOKEN_REMOVED = "token_removed"
    EXPIRY_UNKNOWN = "expiry_unknown"
    COULD_NOT_CHECK = "could_not_check"


EXPIRED = {
    TokenKind.ADE: Problem.ADE_TOKEN_EXPIRED,
    TokenKind.VPP: Problem.VPP_TOKEN_EXPIRED,
    TokenKind.PUSH: Problem.PUSH_CERTIFICATE_EXPIRED,
}
EXPIRING = {
    TokenKind.ADE: Problem.ADE_TOKEN_EXPIRING,
    TokenKind.VPP: Problem.VPP_TOKEN_EXPIRING,
    TokenKind.PUSH: Problem.PUSH_CERTIFICATE_EXPIRING,
}


class Reason(StrEnum):
    """Why somebody must be told about a problem."""

    NEW = "new"
    WORSE = "worse"
    AGAIN = "again"
    REMINDER = "reminder"
    FIXED = "fixed"
    ACCEPTED = "accepted"


class FailureReason(StrEnum):
    """Why a source could not be checked."""

    PERMISSION = "permission"
    NOT_LICENSED = "not_licensed"
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    UNEXPECTED_ANSWER = "unexpected_answer"
    TIMED_OUT = "timed_out"

    @property
    def is_permanent(self) -> bool:
        """Whether trying again on the same day is pointless: only an administrator can help."""
        return self in {FailureReason.PERMISSION, FailureReason.NOT_LICENSED}


class Tenant(Struct, frozen=True, kw_only=True):
    """The Entra tenant that a check, a row, a message or a card is about."""

    id: str
    name: str = ""

    @property
    def label(self) -> str:
        """The name for people, or the id where no name was set."""
        return self.name or self.id


class AppleToken(Struct, frozen=True, kw_only=True, rename="pascal"):
    """One Apple credential as Intune last described it.

    Text that Graph leaves out is `''`. Times that it leaves out are None, and so are times in the
    year 1, by which Graph means "never". `sync_status` and `state` keep Graph's own spelling, also
    of values that this program does not know.
    """

    kind: TokenKind
    id: str = field(name="TokenId")
    """Graph's id; `PUSH_CERTIFICATE_ID` for the push certificate. Names are not unique."""
    name: str = ""
    portal: ApplePortal = ApplePortal.UNKNOWN
    apple_account: str = ""
    """What somebody typed at the last renewal: a memo, not an identity that Apple confirmed."""
    organization: str = ""
    location: str = ""
    country: str = ""
    expires_on: Instant | None = None
    last_modified_at: Instant | None = None
    last_synced_at: Instant | None = None
    """The last sync that succeeded (ADE), or the last one (VPP: Graph does not tell them apart)."""
    sync_error_code: Int32 = 0
    """ADE only: 0 is no error, 3 is "terms not accepted", others are undocumented."""
    sync_status: str = ""
    """VPP only: none, inProgress, completed, failed, or a value that Graph added since."""
    state: str = ""
    """VPP only: valid, expired, invalid, … or a value that Graph added since."""
    device_count: Int32 | None = None
    topic: str = ""
    serial_number: str = ""
    upload_failure: str = ""


class TokensRead(Struct, frozen=True, kw_only=True):
    """A source was read to its last page and holds at least one token; each id stands once."""

    tokens: tuple[AppleToken, ...]


class NotConfigured(Struct, frozen=True, kw_only=True):
    """The source answered that the tenant has nothing of this kind."""


class CouldNotCheck(Struct, frozen=True, kw_only=True):
    """The source could not be read. Never to be taken for "nothing there" or for "healthy"."""

    reason: FailureReason
    detail: str
    """A sentence for the administrator: no URL, no token, nothing of the answer's body."""
    status: int | None = None
    request_id: str = ""


SourceResult = TokensRead | NotConfigured | CouldNotCheck


class Facts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a card says about one alert that the token's present row cannot say, as JSON.

    It holds the past (the old date, the old topic) and what was found when the alert was due, so
    that a message that was lost is made again with the same content.
    """

    as_of: Instant | None = None
    """When the token was last read, where its source cannot be read now."""
    old_expires_on: Instant | None = None
    new_expires_on: Instant | None = None
    old_topic: str = ""
    old_serial_number: str = ""
    new_serial_number: str = ""
    old_apple_account: str = ""
    new_apple_account: str = ""
    old_topic_expires_on: Instant | None = None
    sync_error_code: int = 0
    sync_error_row: Annotated[int, Meta(ge=0, le=11)] = 0
    """The row of Microsoft's table (1–11) that the code is known to mean, 0 when unknown."""
    looks_like_one_cause: bool = False
    """Whether the same new error stands on more than half of the tokens of its kind."""
    last_synced_at: Instant | None = None
    synced_since: bool | None = None
    """Whether a sync succeeded after the renewal; None where that does not apply."""
    cause: FailureReason | None = None
    status: int | None = None
    request_id: str = ""
    detail: str = ""
    accepted_by: str = ""
    accepted_reason: str = ""
