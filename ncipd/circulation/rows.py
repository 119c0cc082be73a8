"""Rows as the store gives and takes them: built into the rows of the model, and what a new one has that is not told."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, TypeVar

from msgspec.json import Decoder

from ncipd.circulation.model import Hold, HoldState, Item, Loan, Record, Request, RequestItem, Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from ncipd.store.port import Row

T = TypeVar("T")

NEW_ITEM: Final[dict[str, Any]] = {
    "temporary": 0, "partner": "", "partner_item": "", "circulates": 1, "policy": "", "call_number": "",
    "copy_number": "", "volume": "", "permanent_location": None, "temporary_location": None, "note": "",
}  # fmt: skip
"""The columns of a new item of which nothing is told."""

NEW_REQUEST: Final[dict[str, Any]] = {
    "identifier_agency": "", "digital": 0, "request_type": "", "request_scope": "", "user": None, "user_as_sent": "",
    "item_as_sent": "", "record": None, "title": "", "author": "", "pickup_library": None, "due_at": None,
    "need_before": None, "renewal_forbidden": 0, "note": "", "version": 1, "earliest_needed": None,
    "pickup_expires": None, "available_at": None, "shipping": "", "fee_acknowledged": None, "fee_paid": None,
    "fee_currency": "",
}  # fmt: skip
"""The columns of a new request of which nothing is told; some are never told at once."""

NEW_HOLD: Final[dict[str, Any]] = {
    "record": None, "item": None, "request": None, "pickup_library": None, "state": HoldState.WAITING,
    "expires_at": None, "partner": "", "identifier": "",
}  # fmt: skip
"""The columns of a new hold of which nothing is told."""


def _maker(kind: type[T]) -> Callable[[Row], T]:
    """Give what builds a row type from the one column in which the store gives it, a JSON array of its fields."""
    decode = Decoder(kind).decode

    def make(row: Row) -> T:
        return decode(row[0])

    return make


record_row = _maker(Record)
"""Build a record from its columns."""

item_row = _maker(Item)
"""Build an item from its columns."""

request_row = _maker(Request)
"""Build a request from its columns."""

loan_row = _maker(Loan)
"""Build a loan from its columns."""

request_item_row = _maker(RequestItem)
"""Build an item's place in a request from its columns."""

request_items_row = _maker(list[RequestItem])
"""Build the places of all items of a request from an array of them."""

hold_row = _maker(Hold)
"""Build a hold from its columns."""

task_row = _maker(Task)
"""Build a task from its columns."""


def only_column(row: Row) -> Any:
    """Give the value of a one-column row."""
    return row[0]


_in_order = itemgetter(*(field.removesuffix("_id") for field in Request._fields))


def request_as_written(written: dict[str, Any]) -> Request:
    """Give a new request as a read would, from what was written and its id."""
    return Request._make(_in_order(written))
