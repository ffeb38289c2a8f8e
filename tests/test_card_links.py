"""No card leads its reader anywhere but to pages of Microsoft and Apple, whoever wrote in it."""

from urllib.parse import urlsplit

import pytest

from apple_tokens.model import Cloud
from notify.elements import Element
from notify.remediation import Language
from sandbox.specimens.alerts import Specimen
from sandbox.specimens.every import everything
from sandbox.specimens.overviews import Overview
from tests import test_card_structure, test_overview_cards
from tests.card_reading import links, nodes

LANGUAGES = ((Language.EN,), (Language.JA, Language.EN))
LEARN_AND_APPLE = {
    *("learn.microsoft.com", "business.apple.com", "school.apple.com", "identity.apple.com"),
}
PORTALS = {
    Cloud.GLOBAL: {"intune.microsoft.com", "portal.azure.com"},
    Cloud.USGOV: {"intune.microsoft.us"},
    Cloud.USGOV_DOD: {"intune.microsoft.us"},
    Cloud.CHINA: set[str](),  # no address is known that would be right there
}
HOSTILE = 'https://evil.example [Renew](https://evil.example) ","url":"https://evil.example'
SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"


def written_into(specimen: Specimen | Overview, text: str) -> Specimen | Overview:
    if isinstance(specimen, Specimen):
        return test_card_structure.planted(specimen, text)
    return test_overview_cards.planted(specimen, text)


def addresses(card: Element) -> set[str]:
    """Return every text that is an address, wherever it stands but in a run, which is no link."""
    found = set()
    for node in nodes(card):
        if node["type"] != "TextRun":
            found |= {value for value in node.values() if isinstance(value, str) and "://" in value}
    return found - {SCHEMA}


@pytest.mark.no_cover
@pytest.mark.parametrize("cloud", Cloud)
def test_every_address_of_every_card_is_a_page_of_microsoft_or_apple(cloud: Cloud) -> None:
    allowed = LEARN_AND_APPLE | PORTALS[cloud]
    seen = set()
    for name, specimen in everything().items():
        for languages in LANGUAGES:
            plain = written_into(specimen, "Plain").card(*languages, cloud=cloud)
            hostile = written_into(specimen, HOSTILE).card(*languages, cloud=cloud)
            expected = set(links(plain).values())
            assert set(links(hostile).values()) == addresses(hostile) == expected, name
            for address in map(urlsplit, expected):
                assert address.scheme == "https"
                assert address.netloc in allowed, name  # no port and nobody's name in it either
                seen.add(address.netloc)
    assert seen == allowed  # an address that no card needs any more is not allowed either
