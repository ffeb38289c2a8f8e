"""The assertion that every test of the sender ends with: the webhook URL is in no text.

It looks where a secret has been found in other senders: the error's own text, everything chained
to it, the requests that HTTP libraries hang on their errors, and all log records at DEBUG.
"""

import logging
import traceback
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl, urlsplit

_LEAST_CHARACTERS = 4  # shorter parts, such as "1.0", stand in harmless texts too
# The same in every workflow's URL, and words of our own sentences.
_NO_SECRET = {"powerautomate", "automations", "direct", "workflows", "triggers", "manual", "paths"}


def assert_hidden(
    url: str, error: BaseException | None, records: Iterable[logging.LogRecord]
) -> None:
    """Fail if a part of the URL's path or query can be read anywhere."""
    texts = [*_texts_of(error), *(_text_of(record) for record in records)]
    for part in _secret_parts(url):
        for text in texts:
            assert part not in text, f"{part!r} of the webhook URL stands in {text!r}"


def _secret_parts(url: str) -> set[str]:
    parts = urlsplit(url)
    found = {url, parts.query, *parts.path.split("/"), *parts.query.split("&")}
    found |= {value for _, value in parse_qsl(parts.query)}
    return {part for part in found - _NO_SECRET if len(part) >= _LEAST_CHARACTERS}


def _texts_of(error: BaseException | None) -> Iterator[str]:
    if error is None:
        return
    yield "".join(traceback.format_exception(error, chain=True))
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        link = pending.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        # A suppressed context is not printed, but an error tracker walks it all the same.
        pending += [link.__cause__, link.__context__]
        yield f"{link!s} {link!r} {link.args!r} {vars(link)!r}"
        yield str(getattr(vars(link).get("_request"), "url", ""))


def _text_of(record: logging.LogRecord) -> str:
    return f"{record.getMessage()} {record.args!r} {record.exc_text}"
