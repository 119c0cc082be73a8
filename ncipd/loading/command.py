"""`ncipd load` on the command line."""

from __future__ import annotations

import sys
from pathlib import Path

from ncipd.loading.files import LoadError
from ncipd.loading.help import column_help
from ncipd.loading.load import load_file
from ncipd.loading.progress import shown_progress
from ncipd.store.port import StoreError

ALL, SOME, NONE = 0, 1, 2


def load_command(folder: Path, kind: str, file: Path, *, agency: str, refused: Path | None) -> int:
    """Load a file and say what became of it: 0 all rows loaded, 1 some refused, 2 nothing could be done."""
    try:
        with shown_progress(f"loading {file.name}") as progress:
            report = load_file(folder, kind, file, agency=agency, refused=refused, progress=progress)
    except (LoadError, StoreError) as error:
        print(f"ncipd: {error}", file=sys.stderr)
        return NONE
    print(report, file=sys.stderr)
    for refusal in report.refusals:
        print(f"  refused: {refusal}", file=sys.stderr)
    if report.refused > len(report.refusals):
        print(
            f"  … and {report.refused - len(report.refusals):,} more; --refused FILE writes all of them",
            file=sys.stderr,
        )
    return SOME if report.refused else ALL


def show_columns(kind: str) -> int:
    """Print what the columns of a kind of file are, or of every kind; 2 for a kind that is none."""
    try:
        print(column_help(kind), end="")
    except LoadError as error:
        print(f"ncipd: {error}", file=sys.stderr)
        return NONE
    return ALL
