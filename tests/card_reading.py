"""Read a card back: its elements, the lines that a person sees, its buttons."""

from collections.abc import Iterator
from typing import Any

Node = dict[str, Any]


def nodes(value: object) -> Iterator[Node]:
    """Return every element, run and action of a card, each before what it holds."""
    if isinstance(value, dict):
        if "type" in value:
            yield value
        for part in value.values():
            yield from nodes(part)
    if isinstance(value, list):
        for part in value:
            yield from nodes(part)


def of_type(card: object, *types: str) -> list[Node]:
    """Return the elements of some types."""
    return [node for node in nodes(card) if node["type"] in types]


def lines(card: object) -> list[str]:
    """Return the paragraphs of a card in order, what is folded away included."""
    found = []
    for node in of_type(card, "TextBlock", "RichTextBlock"):
        runs = node.get("inlines")
        found.append(node["text"] if runs is None else "".join(run["text"] for run in runs))
    return found


def visible_nodes(value: object, *, is_unfolded: bool = False) -> Iterator[Node]:
    """Return the elements and actions of a card that can be seen, in their order."""
    if isinstance(value, list):
        for part in value:
            yield from visible_nodes(part, is_unfolded=is_unfolded)
    if isinstance(value, dict) and (is_unfolded or value.get("isVisible", True)):
        yield value
        for key in ("body", "items", "columns", "actions"):
            yield from visible_nodes(value.get(key), is_unfolded=is_unfolded)


def visible_lines(card: object, *, is_unfolded: bool = False) -> list[str]:
    """Return the paragraphs and the labels of buttons that can be seen."""
    found = []
    for node in visible_nodes(card, is_unfolded=is_unfolded):
        if "inlines" in node:
            found.append("".join(run["text"] for run in node["inlines"]))
        elif label := node.get("text") or node.get("title"):
            found.append(label)
    return found


def text(card: object) -> str:
    """Return the whole text of a card, a paragraph a line."""
    return "\n".join(lines(card))


def steps(card: object) -> list[str]:
    """Return the numbered steps."""
    return [
        item["columns"][1]["items"][0]["text"]
        for item in of_type(card, "ColumnSet")
        if item["columns"][0]["items"][0]["text"].isdecimal()
    ]


def links(card: object) -> dict[str, str]:
    """Return the buttons that open a page: their addresses by their labels."""
    return {node["title"]: node["url"] for node in of_type(card, "Action.OpenUrl")}


def styles(card: object) -> list[str]:
    """Return the styles of the containers, the head's first."""
    return [node["style"] for node in of_type(card, "Container") if "style" in node]
