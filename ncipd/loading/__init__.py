"""Loading agencies, users, records and items from CSV and JSON files."""

from __future__ import annotations

from ncipd.loading.columns import Mistake
from ncipd.loading.files import LoadError
from ncipd.loading.help import column_help
from ncipd.loading.load import KINDS, Progress, load_file, load_rows, read_rows
from ncipd.loading.outcome import Outcome
from ncipd.loading.progress import shown_progress
from ncipd.loading.report import LoadReport, Refusal

__all__ = [
    "KINDS",
    "LoadError",
    "LoadReport",
    "Mistake",
    "Outcome",
    "Progress",
    "Refusal",
    "column_help",
    "load_file",
    "load_rows",
    "read_rows",
    "shown_progress",
]
