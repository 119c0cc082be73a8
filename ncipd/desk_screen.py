"""What a person at a terminal sees of the desk's answers: a sentence, a list as a table, one thing as a sheet.

Moments are shown in the time zone of the machine that `ncipd desk` runs on. A column in which nothing stands is left
out, and what is scanned or copied (numbers, barcodes, moments) is not broken over lines.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ncipd.terminal import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Row = dict[str, Any]


class Column(NamedTuple):
    """A column: its heading, and the fields of a row that are shown in it, written one after the other."""

    heading: str
    fields: tuple[str, ...]
    between: str = " "


def _plainly(*names: str) -> tuple[Column, ...]:
    return tuple(Column(_label(name), (name,)) for name in names)


_CALLED: Final = {
    "expires": "until",
    "identifier": "request",
    "item_status": "status",
    "primary_id": "user",
    "status_name": "status",
}
_INSTEAD: Final = {"status": "status_name"}  # a word for programs, left out where the one for people stands beside it
_WHOLE: Final = frozenset({"id", "item", "barcode", "request", "identifier", "partner_item_id", "task"})
_EMPTY: Final = {"tasks": "nothing to do"}


def _label(name: str) -> str:
    return _CALLED.get(name, name.replace("_", " "))


_JOURNAL: Final = (
    *_plainly("id", "at"),
    Column("by", ("direction", "partner", "operator")),
    Column("what", ("service", "verdict", "note"), ": "),
    *_plainly("repairs"),
)
_REQUESTS: Final = _plainly("id", "role", "partner", "identifier", "status_name", "title", "due_date")
_LISTS: Final = {
    "tasks": (
        *_plainly("id"),
        Column("task", ("kind",)),
        *_plainly("role", "request", "item"),
        Column("title, where", ("title", "location", "call_number"), ", "),
        *_plainly("note"),
    ),
    "requests": _REQUESTS,
    "messages": (
        *_plainly("id"),
        Column("message", ("service", "partner"), " to "),
        Column("state", ("state", "error"), ": "),
        *_plainly("attempts"),
        Column("next try", ("next_at",)),
        Column("settled", ("settled_at",)),
    ),
    "journal": _JOURNAL,
    "items": (
        *_plainly("barcode", "title", "author", "call_number", "copy", "volume", "library", "location"),
        *_plainly("partner_item_id", "state", "item_status", "due_date", "renewals", "desired_due_date"),
    ),
    "history": _plainly("at", "status_name", "event", "note"),
    "loans": _plainly("barcode", "out", "due_date", "renewals", "recalled"),
}


def show(what: str, answer: Mapping[str, Any]) -> None:
    """Print an answer for people; `what` is the action or the view that it is of."""
    console = Console(highlight=False)
    listed = "messages" if what == "outbox" else what
    if answer.get("done"):
        console.print(f"[green]✓[/] {escape(plain(answer['message']))}")
    elif listed in answer:
        rows = answer[listed]
        console.print(_table(listed, rows) if rows else _EMPTY.get(listed, f"no {listed}"))
    else:
        _sheet(console, answer)


def _sheet(console: Console, thing: Mapping[str, Any], indent: int = 0) -> None:
    """Print one thing: what is said of it line by line, then the lists and the things that belong to it."""
    lines = Table.grid(padding=(0, 2, 0, 0))
    lines.add_column(no_wrap=True, style="bold")
    lines.add_column(overflow="fold")
    within = {name: value for name, value in thing.items() if value and isinstance(value, dict | list)}
    for name, value in thing.items():
        if name not in within and (cell := _cell(value)) and _INSTEAD.get(name) not in thing:
            lines.add_row(_label(name), cell)
    console.print(Padding(lines, (0, 0, 0, indent), expand=False))
    for name, value in within.items():
        console.print(Padding(Text(_label(name), style="bold"), (1, 0, 0, indent), expand=False))
        if isinstance(value, dict):
            _sheet(console, value, indent + 2)
        else:
            console.print(Padding(_table(name, value), (0, 0, 0, indent), expand=False))


def _table(name: str, rows: Sequence[Row]) -> Table:
    table = Table()
    columns = _LISTS.get(name) or _plainly(*rows[0])
    shown = [column for column in columns if any(_text(row, column) for row in rows)]
    for column in shown:
        first = column.fields[0]
        whole = first in _WHOLE or any(_moment(row.get(first)) for row in rows)
        table.add_column(column.heading, overflow="fold", no_wrap=whole)
    for row in rows:
        table.add_row(*(_text(row, column) for column in shown))
    return table


def _text(row: Row, column: Column) -> str:
    """Write what a row says in a column; when a message is tried next is of no interest once it is settled."""
    if column.fields == ("next_at",) and row.get("settled_at"):
        return ""
    return column.between.join(filter(None, (_cell(row.get(field)) for field in column.fields)))


def _cell(value: object) -> str:
    if value is None or value is False or value == []:
        return ""
    moment = _moment(value)
    if moment is not None:
        return f"{moment:%Y-%m-%d %H:%M}"
    return "yes" if value is True else escape(plain(value))


def _moment(value: object) -> datetime | None:
    """Read a moment as the desk writes it, `2026-03-01T22:59:59Z`, in the time zone of this machine."""
    if not isinstance(value, str) or len(value) != len("2026-03-01T22:59:59Z") or not value.endswith("Z"):
        return None
    try:
        return datetime.fromisoformat(value).astimezone()
    except (ValueError, OverflowError, OSError):
        return None
