"""The few elements of Adaptive Cards 1.4 that Teams shows reliably, as plain dicts.

Two rules are built in. Words of our own stand in TextBlocks, which read markdown, and always wrap.
Text of others stands in TextRuns, which read none. https://adaptivecards.io/explorer/
"""

from collections.abc import Iterable

from notify.text import clean

Element = dict[str, object]
"""An element, action or run, as JSON will show it."""


def card(body: Iterable[Element], fallback: str, language: str) -> Element:
    """Return the card itself. 1.4 is the newest version that a workflow can post.

    https://github.com/microsoft/AdaptiveCards/issues/8965
    """
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "lang": language,
        "fallbackText": fallback,
        "msteams": {"width": "Full"},
        "body": list(body),
    }


def words(text: str, **looks: object) -> Element:
    """Return a paragraph of the catalogue's words. Nothing that others wrote belongs in here."""
    return {"type": "TextBlock", "text": text, "wrap": True, **looks}


def heading(text: str) -> Element:
    """Return the heading of a part of the card."""
    return words(text, weight="Bolder", spacing="Large")


def line(*runs: Element, spacing: str = "Small") -> Element:
    """Return runs that follow each other on one line, as long as there is room."""
    return {"type": "RichTextBlock", "spacing": spacing, "inlines": list(runs)}


def run(text: str, **looks: object) -> Element:
    """Return a run of our own words or figures."""
    return {"type": "TextRun", "text": text, **looks}


def foreign(text: str, **looks: object) -> Element:
    """Return a run of text that somebody else wrote."""
    return run(clean(text), **looks)


def container(items: Iterable[Element], **looks: object) -> Element:
    """Return a container, whose `style` says with colour what its words say too."""
    return {"type": "Container", "items": list(items), **looks}


def numbered(texts: Iterable[str]) -> list[Element]:
    """Return steps with their numbers hanging left of the text."""
    return [
        {
            "type": "ColumnSet",
            "spacing": "Small",
            "columns": [
                {"type": "Column", "width": "auto", "items": [words(str(number), weight="Bolder")]},
                {"type": "Column", "width": "stretch", "items": [words(text)]},
            ],
        }
        for number, text in enumerate(texts, 1)
    ]


def buttons(actions: Iterable[Element]) -> Element:
    """Return a row of buttons."""
    return {"type": "ActionSet", "actions": list(actions)}


def open_url(title: str, url: str) -> Element:
    """Return a button that opens a page. `url` comes from the catalogue, never from data."""
    return {"type": "Action.OpenUrl", "title": title, "url": url}


def toggle(title: str, *ids: str) -> Element:
    """Return a button that unfolds and folds elements."""
    return {"type": "Action.ToggleVisibility", "title": title, "targetElements": list(ids)}
