"""What became of a file: how many rows, which were refused, and why."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from ncipd.loading.columns import Mistake
from ncipd.loading.files import OURS, FileRow, LoadError
from ncipd.loading.outcome import Outcome

_COUNTED = ("added", "changed", "unchanged", "refused")

KEPT = 100  # refusals that a report holds; a file of refused rows holds all


@dataclass(frozen=True)
class Refusal:
    """A row that was not loaded: where it stands, and everything that is wrong with it."""

    source: str
    row: int
    line: int
    key: str
    mistakes: tuple[Mistake, ...]

    @property
    def why(self) -> str:
        """All mistakes, in words."""
        return "; ".join(map(str, self.mistakes))

    def __str__(self) -> str:
        key = f", {self.key}" if self.key else ""
        return f"{self.source}, line {self.line} (row {self.row}{key}): {self.why}"


@dataclass
class LoadReport:
    """What became of the rows so far; only what is durable is counted."""

    kind: str
    source: str
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    refusals: list[Refusal] = field(default_factory=list)  # the first ones

    @property
    def rows(self) -> int:
        """How many rows have been dealt with."""
        return self.added + self.changed + self.unchanged + self.refused

    @property
    def exit_code(self) -> int:
        """0: all loaded; 1: some refused."""
        return int(self.refused > 0)

    def count(self, outcome: Outcome) -> None:
        """Count a row that was loaded."""
        setattr(self, outcome.value, getattr(self, outcome.value) + 1)

    def refuse(self, refusal: Refusal) -> None:
        """Count a row that was refused; the first ones are kept."""
        self.refused += 1
        if len(self.refusals) < KEPT:
            self.refusals.append(refusal)

    def __str__(self) -> str:
        counts = [f"{count:,} {word}" for word in _COUNTED if (count := getattr(self, word)) or word == "added"]
        return f"{self.kind} from {self.source}: {self.rows:,} rows, {', '.join(counts)}"


class RefusedRows:
    """A CSV file of refused rows, each as it stood, behind why it was refused. Correct it, and load it as it is.

    The file holds the refused rows of this load alone: it is written anew, with a header only if nothing is refused.
    Nothing is written where the path is None. Raises `LoadError` where it cannot be written.
    """

    def __init__(self, path: Path | None, source: Path, header: Iterable[str]) -> None:
        self._path = path
        self._header = [*(f"{OURS}{name}" for name in ("file", "row", "line", "columns", "because")), *header]
        self._file: TextIO | None = None
        if path is not None and path.exists() and path.samefile(source):
            raise LoadError(f"{path}: the file that is being loaded cannot take the refused rows; name another")

    def __enter__(self) -> Self:
        if self._path is not None:
            try:
                self._path.touch(0o600)  # rows of users may hold their secrets
                self._file = self._path.open("w", encoding="utf-8-sig", errors="replace", newline="")
            except OSError as error:
                raise LoadError(f"{self._path}: the refused rows cannot be written: {error.strerror}") from error
            self._rows = csv.writer(self._file)
            self._rows.writerow(self._header)
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, refusal: Refusal, row: FileRow) -> None:
        """Add a row."""
        if self._file is not None:
            wrong = ", ".join(dict.fromkeys(mistake.column for mistake in refusal.mistakes if mistake.column))
            self._rows.writerow([refusal.source, refusal.row, refusal.line, wrong, refusal.why, *row.original])
