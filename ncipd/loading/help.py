"""The columns of each kind of file, in words, for `ncipd load --help` and the documentation."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from ncipd.loading.columns import columns, required
from ncipd.loading.load import KINDS, kind_named

WIDTH = 100


def column_help(kind: str = "", *, width: int = WIDTH) -> str:
    """What the columns of a file of this kind are, or of every kind. Raises `LoadError` for a kind that is none."""
    kinds = [kind_named(kind)] if kind else list(KINDS.values())
    return "\n\n".join("\n".join(_lines(one.name, width)) for one in kinds) + "\n\n" + _notes(width) + "\n"


def _lines(kind: str, width: int) -> Iterator[str]:
    row = KINDS[kind].row
    must = required(row)
    known = columns(row)
    broad = max(len(name) for name in known) + 1
    yield f"{kind} (* = necessary)"
    for name, column in known.items():
        example = f", such as {column.example}" if column.example else ""
        text = wrap(f"{column.says} ({column.form.name}{example})", width - broad - 4, break_on_hyphens=False)
        yield f"  {name + ('*' if name in must else ''):<{broad}}  {text[0]}"
        yield from (f"  {'':<{broad}}  {more}" for more in text[1:])


def _notes(width: int) -> str:
    said = (
        "Files are CSV (header line; comma, semicolon or tab), JSON Lines or a JSON array of objects, in UTF-8. "
        "A list in a CSV cell is separated by | (write \\| for a bar that is meant); in JSON it is a list of objects. "
        "Dates are ISO 8601; a bare date means 23:59:59 in the agency's time zone (valid_from: 00:00:00). "
        "A column that a file does not have leaves alone what is stored; an empty cell (JSON: null) empties it. "
        "Loading the same file again changes nothing."
    )
    return "\n".join(wrap(said, width, break_on_hyphens=False))
