"""A store with one agency, and files written where the test wants them."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ncipd.loading import LoadReport, load_file

AGENCY = {
    "code": "NCIPD-LEND",
    "name": "Lakeside University",
    "time_zone": "Europe/Berlin",
    "codes": ["XX-LEND"],
    "libraries": [{"code": "MAIN", "name": "Main Library"}, {"code": "LAW", "name": "Law Library"}],
    "locations": [
        {"library": "MAIN", "code": "STACKS", "name": "Open stacks"},
        {"library": "LAW", "code": "LAWSTACKS", "name": "Law stacks"},
    ],
}


@pytest.fixture(scope="session")
def new_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the agency in it, to be copied."""
    folder = tmp_path_factory.mktemp("loading")
    path = folder / "agencies.json"
    path.write_text(json.dumps([AGENCY]), "utf-8")
    assert load_file(folder / "data", "agencies", path).added == 1
    return folder / "data"


@pytest.fixture
def folder(new_store: Path, tmp_path: Path) -> Path:
    """A data folder of the test's own."""
    return shutil.copytree(new_store, tmp_path / "data")


@pytest.fixture
def load(folder: Path, tmp_path: Path) -> Callable[..., LoadReport]:
    """Loads a text, bytes, or a list of objects as a file of the given kind."""

    def loaded(kind: str, content: str | bytes | list[Any], **options: Any) -> LoadReport:
        path = tmp_path / f"{kind}.txt"
        if isinstance(content, list):
            content = json.dumps(content, ensure_ascii=False)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load_file(folder, kind, path, **options)

    return loaded


@pytest.fixture
def why(load: Callable[..., LoadReport]) -> Callable[..., str]:
    """Loads, expects exactly one refused row, and gives the reason."""

    def reason(kind: str, content: str | bytes | list[Any], **options: Any) -> str:
        report = load(kind, content, **options)
        assert report.refused == 1, report.refusals
        return report.refusals[0].why

    return reason


@pytest.fixture
def rows(folder: Path) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """Asks the store itself."""
    with closing(sqlite3.connect(folder / "ncipd.sqlite3", isolation_level=None)) as connection:
        yield lambda sql, *params: connection.execute(sql, params).fetchall()
