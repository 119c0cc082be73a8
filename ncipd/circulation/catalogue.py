"""Items and what describes them, as messages create, change and delete them (Z39.83-1 sections 5.4.6, 5.4.9, 5.4.20).

Changes are made as the standard has it: what is to be deleted goes first, then what is to be added comes. Deleting what
is not there, or adding what is there already and may not be repeated, refuses the whole message. Told as a fact, what
is gone is gone and what is there is there; only a value in the place of another one is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ncipd.circulation import matching, meaning, review
from ncipd.circulation.model import Item, ItemStatus, Location, Record
from ncipd.circulation.rows import only_column
from ncipd.ncip import elements as el
from ncipd.ncip.codec import decode_text, encode
from ncipd.ncip.problems import Problem, ProblemType
from ncipd.ncip.schemes import (
    BibliographicItemIdentifierCode,
    CirculationStatus,
    ItemUseRestrictionType,
    LocationType,
)
from ncipd.ncip.types import Coded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ncipd.circulation.unit import Circulation

MOST_PIECES = 1_000_000
_ISBN = re.compile(r"[0-9]{9}[0-9Xx]|[0-9]{13}")
#: Where a title's description stands in the record.
_DESCRIBED = {
    "title": "title",
    "author": "author",
    "publisher": "publisher",
    "place": "place_of_publication",
    "published": "publication_date",
    "edition": "edition",
    "series": "series_title_number",
    "component_title": "title_of_component",
    "component_author": "author_of_component",
    "medium": "medium_type",
    "language": "language",
    "level": "bibliographic_level",
}
#: What else may be said of a title: kept as it came, and given back.
_FURTHER = (
    "component_id",
    "pagination",
    "publication_date_of_component",
    "sponsoring_body",
    "electronic_data_format_type",
)
#: Which status of ours a circulation status of the standard is, where a message sets one.
STATUSES = {
    CirculationStatus.AVAILABLE_ON_SHELF: ItemStatus.AVAILABLE,
    CirculationStatus.WAITING_TO_BE_RESHELVED: ItemStatus.RESHELVING,
    CirculationStatus.IN_TRANSIT_BETWEEN_LIBRARY_LOCATIONS: ItemStatus.IN_TRANSIT,
    CirculationStatus.IN_PROCESS: ItemStatus.IN_PROCESS,
    CirculationStatus.ON_ORDER: ItemStatus.ON_ORDER,
    CirculationStatus.LOST: ItemStatus.LOST,
    CirculationStatus.MISSING: ItemStatus.MISSING,
    CirculationStatus.CLAIMED_RETURNED_OR_NEVER_BORROWED: ItemStatus.CLAIMED,
    CirculationStatus.NOT_AVAILABLE: ItemStatus.NOT_AVAILABLE,
    CirculationStatus.CIRCULATION_STATUS_UNDEFINED: ItemStatus.NOT_AVAILABLE,
}


def status_named(service: str, status: Coded) -> ItemStatus:
    """Read a circulation status that a message sets.

    Raises Problem: Unknown Value From Known Scheme, and Element Rule Violated for a status that only a loan, a hold or
    a recall brings about.
    """
    named = CirculationStatus.named(status)
    if named is None:
        raise Problem(
            ProblemType.UNKNOWN_VALUE_FROM_KNOWN_SCHEME,
            element=f"{service}/CirculationStatus",
            value=status.value,
            detail=f"{status.value!r} is no circulation status; one of {', '.join(STATUSES)} can be set.",
        )
    if named not in STATUSES:
        raise Problem(
            ProblemType.ELEMENT_RULE_VIOLATED,
            element=f"{service}/CirculationStatus",
            value=status.value,
            detail=f"{named} follows from a loan, a hold or a recall and is never set by itself; send that message.",
        )
    return STATUSES[named]


# ---------------------------------------------------------------------------------------------- create


def create_record(circ: Circulation, about: el.BibliographicDescription, *, temporary: bool) -> int:
    """Make a bibliographic record of a description."""
    record = circ.add_record(temporary=temporary, **_columns(about))
    said = dict(_further(about))
    if said:
        circ.tx.run("set_record_further", id=record, further=encode(el.BibliographicDescription(**said)))
    for value, code in record_numbers(circ, about):
        circ.tx.run("insert_record_identifier", agency=circ.agency.id, value=value, code=code, record=record)
    return record


def _columns(about: el.BibliographicDescription) -> dict[str, str]:
    return {column: str(getattr(about, name) or "") for column, name in _DESCRIBED.items()}


def record_numbers(circ: Circulation, about: el.BibliographicDescription) -> list[tuple[str, str]]:
    """Give the numbers in a description as they are looked up: (value, code).

    What is called an ISBN and looks like none stays as it is told.
    """
    titles = [el.BibliographicId(bibliographic_record_id=one) for one in about.bibliographic_record_id]
    numbers = list(matching.record_numbers(tuple(titles), circ.partner))
    standard = about.bibliographic_item_id
    if standard is not None:
        ((value, code),) = matching.record_numbers((el.BibliographicId(bibliographic_item_id=standard),), circ.partner)
        told = standard.bibliographic_item_identifier.strip()
        code = str(BibliographicItemIdentifierCode.named(code) or code)
        numbers.append((value if _ISBN.fullmatch(value) else told, code))
    return numbers


def known_record(circ: Circulation, about: el.BibliographicDescription) -> int | None:
    """Find the one record that a description's numbers name; none where they name several."""
    for value, code in record_numbers(circ, about):
        found = matching.our_records(circ, value, code)
        if len(found) == 1:
            return found[0].id
    return None


def place(circ: Circulation, location: el.Location) -> Location:
    """Find the location of ours that a location names at its narrowest level; raises Problem Element Rule Violated."""
    names = sorted(location.location_name.location_name_instance, key=lambda one: -one.location_name_level)
    for name in names:
        found = circ.location(name.location_name_value)
        if found is not None:
            return found
    raise Problem(
        ProblemType.ELEMENT_RULE_VIOLATED,
        element="Location/LocationName",
        value=names[0].location_name_value if names else None,
        detail="No location here has this code; a level of LocationName must be the code of one.",
    )


# ---------------------------------------------------------------------------------------------- change


def delete_fields(circ: Circulation, item: Item, fields: el.DeleteItemFields, service: str) -> Item:
    """Take out what a message deletes; raises Problem Unable To Delete Element for what is not there."""
    where = f"{service}/DeleteItemFields"
    if fields.bibliographic_description is not None:
        _delete_description(circ, item, fields.bibliographic_description, f"{where}/BibliographicDescription")
    for type_ in fields.item_use_restriction_type:
        if not circ.tx.run("delete_item_restriction", item=item.id, type=_restriction(type_)):
            review.already_so(circ, _not_there(f"{where}/ItemUseRestrictionType", type_.value))
    if fields.bibliographic_description is not None or fields.item_use_restriction_type:
        circ.touch("item", item.id)
    changes: dict[str, Any] = {}
    for column, value, part in _values(circ, fields):
        if getattr(item, column) == value:
            changes[column] = _EMPTY.get(column, "")
        else:
            review.already_so(circ, _not_there(f"{where}/{part}", str(value)))
    return write(circ, item, changes)


def add_fields(circ: Circulation, item: Item, fields: el.AddItemFields, service: str) -> Item:
    """Put in what a message adds; raises Problem Unable To Add Element for what is there and may not be repeated."""
    where = f"{service}/AddItemFields"
    _refuse_pieces(fields, where)
    if fields.bibliographic_description is not None:
        _add_description(circ, item, fields.bibliographic_description, f"{where}/BibliographicDescription")
    for type_ in fields.item_use_restriction_type:
        if not circ.tx.run("insert_item_restriction", item=item.id, type=_restriction(type_)):
            review.already_so(circ, _there_already(f"{where}/ItemUseRestrictionType", type_.value))
    if fields.bibliographic_description is not None or fields.item_use_restriction_type:
        circ.touch("item", item.id)
    changes: dict[str, Any] = {}
    for column, value, part in _values(circ, fields):
        if getattr(item, column) not in (_EMPTY.get(column, ""), value):
            raise _there_already(f"{where}/{part}", str(value))
        changes[column] = value
    return write(circ, item, changes)


def _refuse_pieces(fields: el.AddItemFields, where: str) -> None:
    pieces = fields.item_description.number_of_pieces if fields.item_description is not None else None
    if pieces is not None and pieces > MOST_PIECES:
        raise Problem(
            ProblemType.ELEMENT_RULE_VIOLATED,
            element=f"{where}/ItemDescription/NumberOfPieces",
            value=str(pieces),
            detail=f"An item has at most {MOST_PIECES} pieces here; check the number.",
        )


#: What a column of an item holds when it holds nothing, where that is not an empty text.
_EMPTY: dict[str, object] = {
    "pieces": None,
    "permanent_location_id": None,
    "temporary_location_id": None,
    "sensitize": 0,
}


def _values(circ: Circulation, fields: el.AddItemFields | el.DeleteItemFields) -> Iterator[tuple[str, object, str]]:
    """Give the columns that a message names, with the value it names and the element that names it."""
    copy = fields.item_description
    if copy is not None:
        holdings = copy.holdings_information
        for column, value in (
            ("call_number", copy.call_number),
            ("copy_number", copy.copy_number),
            ("pieces", copy.number_of_pieces),
            ("volume", holdings.unstructured_holdings_data if holdings else None),
        ):
            if value is not None:
                yield column, value, "ItemDescription"
    for location in fields.location:
        yield _location_column(location), place(circ, location).id, "Location"
    condition = fields.physical_condition
    if condition is not None:
        yield "condition_type", condition.physical_condition_type.value, "PhysicalCondition"
        yield "condition_details", condition.physical_condition_details or "", "PhysicalCondition"
    if fields.security_marker is not None:
        yield "security_marker", fields.security_marker.value, "SecurityMarker"
    if fields.sensitization_flag:
        yield "sensitize", 1, "SensitizationFlag"


def write(circ: Circulation, item: Item, changes: dict[str, Any]) -> Item:
    """Change columns of an item that messages change; gives it as it now is."""
    if not changes:
        return item
    names = (
        "call_number", "copy_number", "volume", "pieces", "permanent_location_id", "temporary_location_id",
        "condition_type", "condition_details", "security_marker", "sensitize",
    )  # fmt: skip
    values = {name: changes.get(name, getattr(item, name)) for name in names}
    circ.change_item(item, "update_item_fields", **values)
    return circ.item(item.id)


def _restriction(type_: Coded) -> str:
    named = ItemUseRestrictionType.named(type_)
    return named.value if named is not None else type_.value.strip()


def restrict(circ: Circulation, item: Item, types: Iterable[Coded]) -> None:
    """Add use restrictions to an item; those it has already stay as they are."""
    for type_ in types:
        circ.tx.run("insert_item_restriction", item=item.id, type=_restriction(type_))


def restrictions(circ: Circulation, item: Item) -> list[str]:
    """List the use restrictions of an item."""
    return circ.tx.all("item_restrictions", only_column, item=item.id)


def _location_column(location: el.Location) -> str:
    temporary = LocationType.named(location.location_type) is LocationType.TEMPORARY_LOCATION
    return "temporary_location_id" if temporary else "permanent_location_id"


def _delete_description(circ: Circulation, item: Item, about: el.BibliographicDescription, where: str) -> None:
    record = circ.record(item.record_id)
    cleared: dict[str, str] = {}
    for column, value in _columns(about).items():
        if value and getattr(record, column) == value:
            cleared[column] = ""
        elif value:
            review.already_so(circ, _not_there(where, value))
    kept = further_of(record)
    for name, part in _further(about):
        if meaning.same(kept.get(name), part):
            del kept[name]
        else:
            review.already_so(circ, _not_there(where, _words(part)))
    for value, code in record_numbers(circ, about):
        if not circ.tx.run("delete_record_identifier", agency=circ.agency.id, value=value, code=code, record=record.id):
            review.already_so(circ, _not_there(where, value))
    _describe(circ, record, cleared, kept)


def _add_description(circ: Circulation, item: Item, about: el.BibliographicDescription, where: str) -> None:
    record = circ.record(item.record_id)
    added = {column: value for column, value in _columns(about).items() if value}
    for column, value in added.items():
        if getattr(record, column) not in ("", value):
            raise _there_already(where, value)
    kept = further_of(record)
    for name, part in _further(about):
        if not meaning.same(kept.setdefault(name, part), part):
            raise _there_already(where, _words(part))
    for value, code in record_numbers(circ, about):
        circ.tx.run("insert_record_identifier", agency=circ.agency.id, value=value, code=code, record=record.id)
    _describe(circ, record, added, kept)


def further_of(record: Record) -> dict[str, Any]:
    """Read what else has been said of a title, by the field of its description."""
    return dict(_further(decode_text(record.further, el.BibliographicDescription))) if record.further else {}


def _further(about: el.BibliographicDescription) -> list[tuple[str, Any]]:
    return [(name, part) for name in _FURTHER if (part := getattr(about, name)) is not None]


def _words(part: Any) -> str:
    if isinstance(part, el.ComponentId):
        return part.component_identifier
    return part.value if isinstance(part, Coded) else str(part)


def _describe(circ: Circulation, record: Record, changes: dict[str, str], further: dict[str, Any]) -> None:
    if further != further_of(record):
        text = encode(el.BibliographicDescription(**further)) if further else ""
        circ.tx.run("set_record_further", id=record.id, further=text)
        changes.setdefault("title", record.title)  # and read it again
    if changes:
        values = {column: changes.get(column, getattr(record, column)) for column in _DESCRIBED}
        circ.describe(record.id, **values)


def resource_of(item: Item) -> el.ElectronicResource | None:
    """Read the electronic resource that an item stands for."""
    return decode_text(item.resource, el.ElectronicResource) if item.resource else None


def resource_text(resource: el.ElectronicResource) -> str:
    """Write an electronic resource as it is kept."""
    return encode(resource)


def _not_there(where: str, value: str | None) -> Problem:
    return Problem(
        ProblemType.UNABLE_TO_DELETE_ELEMENT,
        element=where,
        value=value,
        detail="This is not what is stored, so it cannot be deleted; look it up and send it as it stands.",
    )


def _there_already(where: str, value: str | None) -> Problem:
    return Problem(
        ProblemType.UNABLE_TO_ADD_ELEMENT,
        element=where,
        value=value,
        detail="Another value is stored already and there can be only one; delete that one in the same message.",
    )
