"""The address of the Teams workflow: a secret as a whole, so it is checked without being shown.

Whoever holds the URL can post to the channel. It is taken verbatim: its form has changed several
times, and every sender that rebuilt it or matched its path broke with each change.
https://support.microsoft.com/office/create-incoming-webhooks-with-workflows-for-microsoft-teams-8ae491c7-0394-4861-ba59-055e33f75498
"""

import html
import re
from typing import Final
from urllib.parse import SplitResult, parse_qs, urlsplit

from apple_tokens.settings import SettingsError, is_loopback

SETTING: Final = "TEAMS_WEBHOOK_URL"

# Where Power Automate answers, by cloud: commercial, GCC, GCC High, DoD, China.
_KNOWN_HOSTS = (
    ".api.powerplatform.com",
    ".api.gov.powerplatform.microsoft.us",
    ".api.high.powerplatform.microsoft.us",
    ".api.appsplatform.us",
    ".api.powerplatform.partner.microsoftonline.cn",
)
_RETIRED_HOSTS = (".webhook.office.com", ".outlook.office.com", ".outlook.office365.com")
_ENTITY = re.compile(r"&(?:[A-Za-z]+|#\d+|#[xX][0-9A-Fa-f]+);")
_HOST = re.compile(r"[A-Za-z0-9.-]+|[0-9A-Fa-f:]+")
# What RFC 3986 allows in a URL: the HTTP client passes these on as they are, and escapes others.
_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
_COPY = (
    "in Teams, open the workflow 'When a Teams webhook request is received' and copy the whole URL "
    "of its trigger"
)


class WebhookUrl:
    """A checked webhook URL that no log line, exception or repr can show."""

    __slots__ = ("_parts", "_url")

    def __init__(self, value: str) -> None:
        """Check a URL as it stands in the setting; raise SettingsError, which never quotes it."""
        self._url = _ENTITY.sub(lambda entity: html.unescape(entity.group()), value.strip())
        self._parts = _split(self._url)
        _check(self._parts)

    def __repr__(self) -> str:
        return "WebhookUrl(hidden)"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a webhook URL is not copied and not written anywhere")

    def reveal(self) -> str:
        """Return the URL itself, for the one place that opens the connection."""
        return self._url

    @property
    def host(self) -> str:
        """The host alone, which is no secret."""
        return self._parts.hostname or ""

    @property
    def is_local(self) -> bool:
        """Whether it leads to this machine: the sandbox's channel."""
        return is_loopback(self.host)

    @property
    def is_known_host(self) -> bool:
        """Whether Power Automate is known to answer there."""
        return self.is_local or self.host.endswith(_KNOWN_HOSTS)


def _split(url: str) -> SplitResult:
    """Return the parts of a URL that a request can be made from."""
    if not url:
        raise SettingsError(SETTING, f"is not set: {_COPY}")
    if url.startswith("@Microsoft.KeyVault("):
        raise SettingsError(
            SETTING,
            "is a Key Vault reference that was not resolved: check that the secret exists, that "
            "the app's managed identity has the role Key Vault Secrets User on the vault, and that "
            "keyVaultReferenceIdentity names that identity; then restart the app",
        )
    if not _CHARACTERS.fullmatch(url):
        raise SettingsError(SETTING, f"holds a space or a character that no URL has: {_COPY}")
    parts = _parse(url)
    if parts is None or parts.scheme not in {"http", "https"}:
        raise SettingsError(SETTING, f"is not a URL that starts with https://: {_COPY}")
    return parts


def _parse(url: str) -> SplitResult | None:
    """Return the parts, or None: the parser's own error quotes the URL and must not be chained."""
    try:
        parts = urlsplit(url)
        has_address = _HOST.fullmatch(parts.hostname or "") and parts.port != 0
    except ValueError:
        return None
    return parts if has_address and parts.username is None else None


def _check(parts: SplitResult) -> None:
    """Refuse an address that cannot work, each with its own remedy."""
    host = parts.hostname or ""
    if f".{host}".endswith(_RETIRED_HOSTS):
        raise SettingsError(
            SETTING,
            "is the address of an Office 365 connector, which Microsoft retired in May 2026: make "
            "a workflow that starts 'When a Teams webhook request is received', and use the URL of "
            "its trigger",
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise SettingsError(SETTING, f"must start with https://: {_COPY}")
    if not any(parse_qs(parts.query).get("sig", ())):
        raise SettingsError(
            SETTING,
            "has no signature (sig=…), so the workflow would ask for a sign-in: let anyone trigger "
            f"the workflow; then, {_COPY}",
        )
