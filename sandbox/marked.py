"""Put what a command makes between two marks of a document."""


def between_marks(document: str, mark: str, text: str) -> str:
    """Return the document with the text between `<!-- mark -->` and `<!-- /mark -->`.

    Raise ValueError when one of them is missing.
    """
    begin, end = f"<!-- {mark} -->\n", f"<!-- /{mark} -->"
    before, found, rest = document.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        raise ValueError(f"the document lacks {begin.strip()} or {end}")
    return f"{before}{begin}{text}\n{end}{after}"
