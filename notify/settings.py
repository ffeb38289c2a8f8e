"""The settings of `notify`, read once per invocation and loud when they are wrong."""

import logging
from collections.abc import Mapping
from typing import Self
from zoneinfo import ZoneInfo

from msgspec import Struct

from apple_tokens.model import Cloud
from apple_tokens.settings import choice, refuse, text, time_zone
from notify.card import PayloadStyle
from notify.remediation import Language, load
from notify.voice import Presentation
from notify.webhook import SETTING, WebhookUrl

_logger = logging.getLogger(__name__)


class Settings(Struct, frozen=True, kw_only=True):
    """What `notify` needs to know beside the rows."""

    webhook: WebhookUrl
    payload_style: PayloadStyle
    languages: tuple[Language, ...]
    """One, or two of which the second is folded behind a button."""
    zone: ZoneInfo
    cloud: Cloud

    @property
    def presentation(self) -> Presentation:
        """How cards are to look, with the words they are made of."""
        return Presentation(
            catalogues=tuple(load(language) for language in self.languages),
            zone=self.zone,
            cloud=self.cloud,
        )

    @classmethod
    def from_env(cls, settings: Mapping[str, str]) -> Self:
        """Read the settings; raise SettingsError for the first one that cannot be used."""
        webhook = WebhookUrl(text(settings, SETTING))
        if not webhook.is_known_host:
            # A warning only: Microsoft moved these addresses before, and will again.
            _logger.warning(
                "%s leads to %s, which is no address of Power Automate that this version knows",
                SETTING,
                webhook.host,
            )
        return cls(
            webhook=webhook,
            payload_style=choice(settings, "TEAMS_PAYLOAD", PayloadStyle.MESSAGE),
            languages=_languages(text(settings, "LANGUAGE", Language.EN)),
            zone=time_zone(settings),
            cloud=choice(settings, "GRAPH_CLOUD", Cloud.GLOBAL),
        )


def _languages(value: str) -> tuple[Language, ...]:
    """Return one or two different languages, the first being the one shown unfolded."""
    try:
        languages = tuple(Language(part.strip().lower()) for part in value.split("+"))
    except ValueError:
        languages = ()
    if len(languages) not in {1, 2} or len(set(languages)) != len(languages):
        allowed = f"use one of {', '.join(Language)}, or two such as ja+en"
        raise refuse("LANGUAGE", value, allowed)
    return languages
