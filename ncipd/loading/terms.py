"""Writing on what terms an item is lent: limits on its use, fee and price, the electronic resource it stands for."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from ncipd.circulation.catalogue import resource_text
from ncipd.circulation.model import Item
from ncipd.loading.rows import ItemRow
from ncipd.ncip.elements import ElectronicResource
from ncipd.store.port import Transaction


def write_terms(tx: Transaction, number: int, known: Item | None, row: ItemRow) -> bool:
    """Write what a row says of an item's terms, and say whether that was anything new; what it leaves out stays."""
    changes = [
        _restrictions(tx, number, row),
        _fee(tx, number, known, row),
        _price(tx, number, known, row),
        _resource(tx, number, known, row),
    ]
    return any(changes)


def _restrictions(tx: Transaction, number: int, row: ItemRow) -> bool:
    if row.restrictions is UNSET:
        return False
    named = {part.strip() for part in (row.restrictions or "").split(";") if part.strip()}
    wanted = {name.rstrip("! "): name.endswith("!") for name in named}
    present = {type_ for (type_,) in tx.all("item_restrictions", item=number)}
    agreed = {type_ for (type_,) in tx.all("restrictions_to_acknowledge", item=number)}
    if wanted == {type_: type_ in agreed for type_ in present}:
        return False
    for type_ in present:
        tx.run("delete_item_restriction", item=number, type=type_)
    for type_, asked in wanted.items():
        tx.run("require_acknowledgement" if asked else "insert_item_restriction", item=number, type=type_)
    return True


def _fee(tx: Transaction, number: int, known: Item | None, row: ItemRow) -> bool:
    before = (known.fee_amount, known.fee_currency) if known else _NOTHING
    return _money(tx, "set_item_fee", number, before, row.fee_amount, row.fee_currency)


def _price(tx: Transaction, number: int, known: Item | None, row: ItemRow) -> bool:
    before = (known.price_amount, known.price_currency) if known else _NOTHING
    return _money(tx, "set_item_price", number, before, row.price_amount, row.price_currency)


_NOTHING: tuple[int | None, str] = (None, "")


def _money(
    tx: Transaction,
    query: str,
    number: int,
    before: tuple[int | None, str],
    amount: int | UnsetType | None,
    currency: str | UnsetType,
) -> bool:
    """Write an amount; its currency stays where the row names none."""
    if amount is UNSET:
        return False
    now = (amount, currency or before[1]) if amount else (amount, "")
    if now == before:
        return False
    tx.run(query, id=number, amount=now[0], currency=now[1])
    return True


def _resource(tx: Transaction, number: int, known: Item | None, row: ItemRow) -> bool:
    if row.resource_url is UNSET:
        return False
    text = resource_text(ElectronicResource(reference_to_resource=row.resource_url)) if row.resource_url else ""
    if text == (known.resource if known else ""):
        return False
    tx.run("set_item_resource", id=number, resource=text)
    return True
