"""Files of rows: CSV, a JSON array, or JSON Lines, told apart by how they begin, not by their names.

CSV and JSON Lines are read line by line, however long they are; a JSON array is held in memory while it is loaded.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec
from msgspec import Raw, Struct

from ncipd.loading.columns import Column, Mistake, columns, required
from ncipd.loading.forms import did_you_mean, shown

LONGEST_LINE = 1_000_000  # bytes
HEAD = 65_536  # bytes by which a file is told
DELIMITERS = ",;\t"
OURS = "refused_"  # columns that a file of refused rows has besides its own; read over, so that it can be loaded again
JSON_COLUMN = "refused_json"


class LoadError(Exception):
    """Nothing (more) can be loaded: the file, the store or the agency is not what was expected."""


class FileRow(NamedTuple):
    """One row of a file: its number, the line where it begins, what it says, how it stood there, and what is wrong."""

    number: int
    line: int
    raw: object
    original: tuple[str, ...] = ()
    mistake: Mistake | None = None


class RowFile(ABC):
    """An open file of rows; `position` of `size` bytes have been read, `header` names the cells of `original`."""

    header: tuple[str, ...] = (JSON_COLUMN,)

    def __init__(self, path: Path, file: BinaryIO, known: dict[str, Column]) -> None:
        self.path = path
        self.size = path.stat().st_size
        self.position = 0
        self._file = file
        self._known = known
        self._line = 0

    @abstractmethod
    def rows(self) -> Iterator[FileRow]:
        """The rows, in their order. Raises `LoadError` where no more can be read."""

    def _lines(self) -> Iterator[bytes]:
        while line := self._file.readline(LONGEST_LINE + 1):
            self._line += 1
            self.position += len(line)
            if len(line) > LONGEST_LINE:
                raise LoadError(
                    f"{self.path}, line {self._line}: longer than {LONGEST_LINE:,} bytes; expected a row. "
                    "Is a quote not closed, or a line end missing?"
                )
            yield line.removeprefix(codecs.BOM_UTF8) if self._line == 1 else line


@contextlib.contextmanager
def open_rows(path: Path, kind: type[Struct]) -> Iterator[RowFile]:
    """Open a file of rows of this kind. Raises `LoadError` where it is none."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
            file.seek(0)
            form = _form(path, head)
            rows = form(path, file, columns(kind))
            if isinstance(rows, CsvFile):
                rows.read_header(required(kind))
            yield rows
    except OSError as error:
        raise LoadError(f"{path}: cannot be read: {error.strerror or error}") from error


def _form(path: Path, head: bytes) -> type[RowFile]:
    if head.startswith(b"PK\3\4"):
        raise LoadError(f"{path}: a spreadsheet or an archive; save it as CSV (UTF-8)")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in head[:4]:
        raise LoadError(f"{path}: not UTF-8 text (UTF-16, or no text at all); save it as UTF-8")
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if not text:
        raise LoadError(f"{path}: empty; expected a header line and rows (CSV), a JSON array, or JSON Lines")
    if text.startswith(b"["):
        return JsonArrayFile
    if text.startswith(b"{"):
        return JsonLinesFile
    if b"\r" in text and b"\n" not in text:
        raise LoadError(f"{path}: its lines end with a bare carriage return; save it with usual line ends")
    return CsvFile


class CsvFile(RowFile):
    """Rows under a header line; the delimiter is the one that makes sense of the header."""

    def read_header(self, must: frozenset[str]) -> None:
        """Find the delimiter and the columns. Raises `LoadError` with all that is wrong with the header."""
        lines = (line.decode("utf-8", "surrogateescape") for line in self._lines())
        first = next((line for line in lines if line.strip()), "")
        self._text = lines
        found = max((_cells(first, delimiter) for delimiter in DELIMITERS), key=self._sense)
        self._delimiter = next(delimiter for delimiter in DELIMITERS if _cells(first, delimiter) == found)
        self._names = [_name(cell) for cell in found]
        wrong = list(self._wrong_header(must))
        if wrong:
            raise LoadError(
                f"{self.path}, line {self._line}: {'; '.join(wrong)}. The first line names the columns; they can be "
                f"{', '.join(self._known)}"
            )
        self._own = [at for at in range(len(self._names)) if not self._is_ours(at)]
        self.header = tuple(self._names[at] for at in self._own)

    def _sense(self, cells: list[str]) -> tuple[int, int]:
        names = [_name(cell) for cell in cells]
        return sum(name in self._known for name in names), len(names)

    def _wrong_header(self, must: frozenset[str]) -> Iterator[str]:
        for at, name in enumerate(self._names):
            if name in self._names[:at]:
                yield f"two columns are called {shown(name)}"
            elif name not in self._known and not name.startswith(OURS):
                yield f"unknown column {shown(name)}{did_you_mean(name, self._known)}"
        if missing := [name for name in self._known if name in must and name not in self._names]:
            yield f"no column {', '.join(missing)}"

    def rows(self) -> Iterator[FileRow]:
        """The rows under the header; blank ones are passed over."""
        reader = csv.reader(self._text, delimiter=self._delimiter, strict=True)
        number = 0
        while True:
            line = self._line + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                number += 1
                yield FileRow(number, line, None, (), self._broken(line, error))
                continue
            if any(cell.strip() for cell in cells):
                number += 1
                yield self._row(number, line, cells)

    def _row(self, number: int, line: int, cells: list[str]) -> FileRow:
        if len(cells) != len(self._names):
            expected = f"{len(self._names)}, as many as the header has; is a delimiter not in quotes?"
            original = tuple(cell for at, cell in enumerate(cells) if not self._is_ours(at))
            return FileRow(number, line, None, original, Mistake("", f"{len(cells)} cells", expected))
        raw = {self._names[at]: self._known[self._names[at]].form.cell(cells[at]) for at in self._own}
        return FileRow(number, line, raw, tuple(cells[at] for at in self._own))

    def _is_ours(self, at: int) -> bool:
        return at < len(self._names) and self._names[at].startswith(OURS)

    def _broken(self, line: int, error: csv.Error) -> Mistake:
        until = f" (lines {line} to {self._line} were read as one row)" if self._line > line else ""
        return Mistake("", f"no CSV: {error}{until}", "quotes around cells that hold a delimiter or a line end")


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return []


def _name(cell: str) -> str:
    return cell.strip().lower().replace(" ", "_").replace("-", "_")


class JsonLinesFile(RowFile):
    """One JSON object in each line."""

    def rows(self) -> Iterator[FileRow]:
        """The objects; blank lines are passed over."""
        number = 0
        for text in self._lines():
            if text.strip() == b"{" and not number:
                raise LoadError(
                    f"{self.path}, line {self._line}: an object over several lines; expected JSON Lines (one whole "
                    "object in each line) or an array [{…}, {…}]"
                )
            if text.strip():
                number += 1
                yield _json_row(number, self._line, text.strip())


class JsonArrayFile(RowFile):
    """A JSON array of objects, read whole."""

    def rows(self) -> Iterator[FileRow]:
        """The objects. Raises `LoadError` before the first one if the array is broken anywhere."""
        content = self._file.read().removeprefix(codecs.BOM_UTF8)
        try:
            elements = msgspec.json.decode(content, type=list[Raw])
        except (msgspec.DecodeError, RecursionError) as error:
            where = _place(content, str(error))
            raise LoadError(f"{self.path}{where}: no JSON: {error}; nothing was loaded") from error
        self._line = 1
        for number, element in enumerate(elements, 1):
            text = bytes(element)
            begins = content.index(text, self.position)
            self._line += content.count(b"\n", self.position, begins)
            yield _json_row(number, self._line, text)
            self._line += text.count(b"\n")
            self.position = begins + len(text)
        self.position = self.size


def _json_row(number: int, line: int, text: bytes) -> FileRow:
    original = (text.decode("utf-8", "replace"),)
    try:
        return FileRow(number, line, msgspec.json.decode(text), original)
    except UnicodeDecodeError:
        mistake = Mistake("", "not UTF-8", "UTF-8; save the file as UTF-8")
    except (msgspec.DecodeError, RecursionError) as error:
        mistake = Mistake("", f"no JSON: {error}", "one whole object")
    return FileRow(number, line, None, original, mistake)


def _place(content: bytes, error: str) -> str:
    """The line and column of the byte that msgspec names at the end of its message."""
    digits = error.rpartition("(byte ")[2].rstrip(")")
    before = content[: int(digits)] if digits.isdigit() else content  # without a byte: it ends too early
    line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
    return f", line {line}, column {column}"
