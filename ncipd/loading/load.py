"""Loading: rows in, each whole or refused, in chunks so short that a running ncipd goes on answering meanwhile.

Loading again changes nothing, so an interrupted load is simply repeated: users are known by primary id, records by
their own number, items by barcode, agencies by code.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from ncipd.circulation.model import Agency
from ncipd.loading.agencies import store_agency
from ncipd.loading.columns import Mistake, RowRefused, read_row
from ncipd.loading.files import FileRow, LoadError, open_rows
from ncipd.loading.forms import did_you_mean
from ncipd.loading.items import store_item
from ncipd.loading.outcome import Outcome
from ncipd.loading.records import store_record
from ncipd.loading.report import LoadReport, Refusal, RefusedRows
from ncipd.loading.rows import AgencyRow, ItemRow, RecordRow, Row, UserRow
from ncipd.loading.secrets import has_secrets, hashing
from ncipd.loading.users import store_user
from ncipd.store.bulk import BulkConnection
from ncipd.store.connection import STORE_FILE
from ncipd.store.lock import is_served
from ncipd.store.port import ConstraintViolated, Transaction

AHEAD = 256  # rows that are read and checked before a chunk begins
SERVED = 0.002  # seconds of writing in a chunk beside a running ncipd; the commit comes on top
ALONE = 0.05  # … and where nobody waits


@dataclass(frozen=True)
class Kind:
    """What can be loaded: the shape of its rows, the column that names one, and how it is written.

    `ahead` is for rows (`is_slow` says which) with which something takes too long within a transaction: it looks things
    up in one, and what it gives makes the rows that are written from those that were read.
    """

    name: str
    row: type[Row]
    key: str
    store: Callable[[Transaction, Agency, Any], Outcome]
    of_agency: bool = True
    ahead: Callable[[Transaction, Agency, Sequence[Any]], Callable[[], Sequence[Row]]] | None = None
    is_slow: Callable[[Any], bool] = lambda _: False


KINDS = {
    kind.name: kind
    for kind in (
        Kind("agencies", AgencyRow, "code", lambda tx, _, row: store_agency(tx, row), of_agency=False),
        Kind("users", UserRow, "primary_id", store_user, ahead=hashing, is_slow=has_secrets),
        Kind("records", RecordRow, "id", store_record),
        Kind("items", ItemRow, "barcode", store_item),
    )
}

_NO_AGENCY = Agency(0, "", "", "UTC", "")


class Progress(NamedTuple):
    """How far a load has come: bytes read of all, rows done, rows refused."""

    position: int
    size: int
    rows: int
    refused: int


class _Checked(NamedTuple):
    """A row of a file, read into its struct, or what is wrong with it."""

    source: FileRow
    row: Row | None
    mistakes: tuple[Mistake, ...] = ()


def kind_named(name: str) -> Kind:
    """Find what can be loaded by its name. Raises `LoadError`."""
    if name not in KINDS:
        raise LoadError(f"{name!r} cannot be loaded{did_you_mean(name, KINDS)}; expected one of {', '.join(KINDS)}")
    return KINDS[name]


def load_file(
    store_folder: Path,
    kind: str,
    path: Path,
    *,
    agency: str = "",
    refused: Path | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> LoadReport:
    """Load a file into a store, also while an ncipd serves it.

    `agency`: any of its codes; may be left out where the store has only one. `refused`: where the refused rows go.
    `progress` is told after each chunk. Raises `LoadError` where the file, the agency or the store is none, and
    `StoreError`; what was loaded before stays, and the load can be repeated.
    """
    what = kind_named(kind)
    report = LoadReport(kind, path.name)
    waiting: deque[_Checked] = deque()
    if what.of_agency and not (store_folder / STORE_FILE).is_file():
        raise LoadError(f"{store_folder}: there is no store here; check the data folder, or load agencies first")
    with open_rows(path, what.row) as file, BulkConnection(store_folder) as bulk:
        with bulk.chunk() as tx:
            home = _home(tx, what, agency)
        with RefusedRows(refused, path, file.header) as refusals:
            rows = _checked(what, file.rows(), home.time_zone)
            while waiting := _more(waiting, rows, lambda new: _ahead(bulk, what, home, new)):
                _settle(what, report, refusals, _chunk(bulk, store_folder, what, home, waiting))
                if progress is not None:
                    progress(Progress(file.position, file.size, report.rows, report.refused))
    return report


def load_rows(
    tx: Transaction, kind: str, rows: Iterable[Mapping[str, object]], *, agency: str = "", source: str = "rows"
) -> LoadReport:
    """Load rows (as JSON would have them) within a transaction; a row that is refused leaves nothing in it."""
    what = kind_named(kind)
    home = _home(tx, what, agency)
    report = LoadReport(kind, source)
    numbered = (FileRow(number, number, row) for number, row in enumerate(rows, 1))
    read = list(_checked(what, numbered, home.time_zone))
    if what.ahead is not None:
        read = _replaced(read, what.ahead(tx, home, _rows(read))())
    done = [(checked, _store(tx, what, home, checked, nullcontext)) for checked in read]
    with RefusedRows(None, Path(), ()) as nowhere:
        _settle(what, report, nowhere, done)
    return report


def read_rows(path: Path, kind: str) -> Iterator[Mapping[str, object]]:
    """The rows of a file as `load_rows` takes them. Raises `LoadError` where one cannot be read."""
    with open_rows(path, kind_named(kind).row) as file:
        for row in file.rows():
            if row.mistake is not None or not isinstance(row.raw, Mapping):
                raise LoadError(f"{path}, line {row.line}: {row.mistake or 'no object'}")
            yield row.raw


def _home(tx: Transaction, kind: Kind, code: str) -> Agency:
    """The agency that rows belong to. Raises `LoadError` with those that there are."""
    if not kind.of_agency:
        return _NO_AGENCY
    known = tx.all("agencies", Agency._make)
    if not code and len(known) == 1:
        return known[0]
    found = tx.one("agency_by_code", Agency._make, folded=code.strip().upper())
    if found is None:
        wrong = f"no agency here is called {code!r}" if code else f"{kind.name} belong to an agency; name it"
        codes = ", ".join(one.code for one in known)
        raise LoadError(f"{wrong}; {f'expected one of {codes}' if known else 'there is none yet, load agencies first'}")
    return found


def _more(
    waiting: deque[_Checked], rows: Iterator[_Checked], ahead: Callable[[list[_Checked]], list[_Checked]]
) -> deque[_Checked]:
    waiting.extend(ahead(list(islice(rows, AHEAD - len(waiting)))))
    return waiting


def _ahead(bulk: BulkConnection, kind: Kind, home: Agency, new: list[_Checked]) -> list[_Checked]:
    """Do with new rows what takes too long within a chunk."""
    rows = _rows(new)
    if kind.ahead is None or not any(map(kind.is_slow, rows)):
        return new
    with bulk.chunk() as tx:
        make = kind.ahead(tx, home, rows)
    return _replaced(new, make())


def _rows(checked: Iterable[_Checked]) -> list[Row]:
    return [one.row for one in checked if one.row is not None]


def _replaced(checked: list[_Checked], rows: Sequence[Row]) -> list[_Checked]:
    """Put other rows in the place of those that were read; what was refused stays so."""
    others = iter(rows)
    return [one if one.row is None else one._replace(row=next(others)) for one in checked]


def _checked(kind: Kind, rows: Iterable[FileRow], zone: str) -> Iterator[_Checked]:
    for source in rows:
        if source.mistake is not None:
            yield _Checked(source, None, (source.mistake,))
            continue
        try:
            yield _Checked(source, read_row(kind.row, source.raw, zone))
        except RowRefused as error:
            yield _Checked(source, None, error.mistakes)


def _chunk(
    bulk: BulkConnection, folder: Path, kind: Kind, home: Agency, waiting: deque[_Checked]
) -> list[tuple[_Checked, Outcome | tuple[Mistake, ...]]]:
    """Write as many rows as a chunk has time for, at least one; they have been read before it begins."""
    done = []
    seconds = SERVED if is_served(folder) else ALONE
    with bulk.chunk() as tx:
        until = monotonic() + seconds
        while waiting:
            checked = waiting.popleft()
            done.append((checked, _store(tx, kind, home, checked, bulk.part)))
            if monotonic() >= until:
                break
    return done


def _store(
    tx: Transaction, kind: Kind, home: Agency, checked: _Checked, part: Callable[[], AbstractContextManager[None]]
) -> Outcome | tuple[Mistake, ...]:
    if checked.row is None:
        return checked.mistakes
    try:
        with part():
            return kind.store(tx, home, checked.row)
    except RowRefused as error:
        return error.mistakes
    except ConstraintViolated as error:
        if part is nullcontext:
            raise  # half a row may stand; only its transaction can be undone
        return (Mistake("", f"the store does not take this row ({error})", ""),)


def _settle(
    kind: Kind,
    report: LoadReport,
    refusals: RefusedRows,
    done: Iterable[tuple[_Checked, Outcome | tuple[Mistake, ...]]],
) -> None:
    """Count what has become durable."""
    for checked, ended in done:
        if isinstance(ended, Outcome):
            report.count(ended)
            continue
        raw = checked.source.raw
        key = raw.get(kind.key) if isinstance(raw, Mapping) else None
        refusal = Refusal(report.source, checked.source.number, checked.source.line, str(key or ""), ended)
        report.refuse(refusal)
        refusals.write(refusal, checked.source)
