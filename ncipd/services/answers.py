"""What answers say of items, users and requests, in the elements of the standard."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ncipd.circulation import persons
from ncipd.circulation.catalogue import further_of, resource_of, restrictions
from ncipd.circulation.clock import as_told, optional_date
from ncipd.circulation.model import HoldState, Item, ItemStatus, RecordIdentifier, Request, RequestStatus, User
from ncipd.ncip import elements as el
from ncipd.ncip.schemes import (
    BibliographicItemIdentifierCode,
    CirculationStatus,
    ItemDescriptionLevel,
    ItemElementType,
    ItemIdentifierType,
    ItemUseRestrictionType,
    LocationType,
    MediumType,
    RequestStatusType,
    UserElementType,
)
from ncipd.ncip.types import Coded

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ncipd.circulation.unit import Circulation

_STATUS = {
    ItemStatus.AVAILABLE: CirculationStatus.AVAILABLE_ON_SHELF,
    ItemStatus.REQUESTED: CirculationStatus.PENDING_TRANSFER,
    ItemStatus.PICKED: CirculationStatus.PENDING_TRANSFER,
    ItemStatus.ON_LOAN: CirculationStatus.ON_LOAN,
    ItemStatus.ON_HOLD_SHELF: CirculationStatus.AVAILABLE_FOR_PICKUP,
    ItemStatus.IN_TRANSIT: CirculationStatus.IN_TRANSIT_BETWEEN_LIBRARY_LOCATIONS,
    ItemStatus.EXPECTED: CirculationStatus.IN_PROCESS,
    ItemStatus.RECEIVED: CirculationStatus.IN_PROCESS,
    ItemStatus.RETURNED: CirculationStatus.PENDING_TRANSFER,
    ItemStatus.RESHELVING: CirculationStatus.WAITING_TO_BE_RESHELVED,
    ItemStatus.IN_PROCESS: CirculationStatus.IN_PROCESS,
    ItemStatus.ON_ORDER: CirculationStatus.ON_ORDER,
    ItemStatus.LOST: CirculationStatus.LOST,
    ItemStatus.MISSING: CirculationStatus.MISSING,
    ItemStatus.CLAIMED: CirculationStatus.CLAIMED_RETURNED_OR_NEVER_BORROWED,
    ItemStatus.NOT_AVAILABLE: CirculationStatus.NOT_AVAILABLE,
    ItemStatus.WITHDRAWN: CirculationStatus.NOT_AVAILABLE,
}

_OF_ITEMS = frozenset(type_.value.casefold() for type_ in ItemElementType)
_OF_USERS = frozenset(type_.value.casefold() for type_ in UserElementType)

_READY = frozenset({RequestStatus.RECEIVED_PHYSICALLY, RequestStatus.RECEIVED_DIGITALLY})
_IN_WORK = frozenset(
    {
        RequestStatus.CREATED_LENDING,
        RequestStatus.BEING_PROCESSED,
        RequestStatus.LOCATE_FAILED,
        RequestStatus.SHIPPED_PHYSICALLY,
    }
)


def asked(circ: Circulation, types: Iterable[Coded]) -> frozenset[str]:
    """Say which element types an answer carries: those asked for, and those the partner always wants."""
    return frozenset(
        value.strip().casefold() for value in (*(str(type_) for type_ in types), *circ.partner.always_include)
    )


def wants_user(circ: Circulation, types: Iterable[Coded]) -> bool:
    """Say whether an answer carries anything of a user."""
    return circ.partner.user_data and not asked(circ, types).isdisjoint(_OF_USERS)


def _wants(wanted: frozenset[str], type_: ItemElementType | UserElementType) -> bool:
    return type_.value.casefold() in wanted


# ---------------------------------------------------------------------------------------------- items


def item_id(item: Item, sent: el.ItemId | None = None) -> el.ItemId:
    """Name an item by its barcode: as just `sent` where that is it, and with its type."""
    named = el.ItemId(item_identifier_type=ItemIdentifierType.BARCODE.coded(), item_identifier_value=item.barcode)
    if sent is None or sent.item_identifier_value.strip() != item.barcode:
        return named
    type_ = sent.item_identifier_type or named.item_identifier_type
    return replace(named, agency_id=sent.agency_id, item_identifier_type=type_)


def request_id(request: Request, sent: el.RequestId | None = None) -> el.RequestId:
    """Name a request as its partner did: as just `sent` where that is still its name, else when it was made."""
    if sent is not None and sent.request_identifier_value.strip() == request.identifier:
        return replace(sent, request_identifier_value=request.identifier)
    agency = Coded(request.identifier_agency) if request.identifier_agency else None
    return el.RequestId(agency_id=agency, request_identifier_value=request.identifier)


def circulation_status(circ: Circulation, item: Item) -> CirculationStatus:
    """Say in the standard's words where an item stands; a loan that was recalled is *Recalled*."""
    if item.status is ItemStatus.ON_LOAN:
        loan = circ.loan_of(item)
        if loan is not None and loan.recalled_at is not None:
            return CirculationStatus.RECALLED
    return _STATUS[item.status]


class StatusDates(NamedTuple):
    """What the status of an item is about: since when it is recalled, until when it waits for its user."""

    recalled: datetime | None = None
    pickup: datetime | None = None


def dates_of_status(circ: Circulation, item: Item, types: Iterable[Coded]) -> StatusDates:
    """Give since when an item is recalled and until when it waits for its user, to who asked for its status.

    The standard has no element type for DateRecalled and HoldPickupDate: they are what the status is about.
    """
    if not _wants(asked(circ, types), ItemElementType.CIRCULATION_STATUS):
        return StatusDates()
    loan = circ.loan_of(item)
    ready = next((hold for hold in circ.holds_on(item) if hold.state is HoldState.READY), None)
    return StatusDates(
        as_told(loan.recalled_at) if loan and loan.recalled_at is not None else None,
        optional_date(ready.expires_at) if ready else None,
    )


def status_on_loan(status: ItemStatus, *, recalled: bool) -> CirculationStatus:
    """Say where something that is on loan stands: recalled, lost, or simply on loan."""
    return CirculationStatus.RECALLED if recalled and status is ItemStatus.ON_LOAN else _STATUS[status]


def item_fields(circ: Circulation, item: Item, types: Iterable[Coded]) -> el.ItemOptionalFields | None:
    """Give what was asked about an item, as it now is; None where nothing was."""
    wanted = asked(circ, types)
    if wanted.isdisjoint(_OF_ITEMS):
        return None
    item = circ.item(item.id)
    loan = circ.loan_of(item) if _wants(wanted, ItemElementType.DATE_DUE) else None
    return el.ItemOptionalFields(
        bibliographic_description=description(circ, item)
        if _wants(wanted, ItemElementType.BIBLIOGRAPHIC_DESCRIPTION)
        else None,
        item_use_restriction_type=_restrictions(circ, item)
        if _wants(wanted, ItemElementType.ITEM_USE_RESTRICTION_TYPE)
        else (),
        circulation_status=circulation_status(circ, item).coded()
        if _wants(wanted, ItemElementType.CIRCULATION_STATUS)
        else None,
        hold_queue_length=_queue_length(circ, item) if _wants(wanted, ItemElementType.HOLD_QUEUE_LENGTH) else None,
        item_description=_copy(item) if _wants(wanted, ItemElementType.ITEM_DESCRIPTION) else None,
        location=locations(circ, item) if _wants(wanted, ItemElementType.LOCATION) else (),
        physical_condition=_condition(item) if _wants(wanted, ItemElementType.PHYSICAL_CONDITION) else None,
        electronic_resource=resource_of(item) if _wants(wanted, ItemElementType.ELECTRONIC_RESOURCE) else None,
        security_marker=_coded(item.security_marker) if _wants(wanted, ItemElementType.SECURITY_MARKER) else None,
        sensitization_flag=bool(item.sensitize) and _wants(wanted, ItemElementType.SENSITIZATION_FLAG),
        date_due=optional_date(loan.due_at) if loan else None,
    )


def located(circ: Circulation, item: Item) -> el.ItemOptionalFields:
    """Tell a borrower which copy fills a request: title, call number, place."""
    return el.ItemOptionalFields(
        bibliographic_description=description(circ, item),
        circulation_status=circulation_status(circ, item).coded(),
        item_description=_copy(item),
        location=locations(circ, item),
    )


def _queue_length(circ: Circulation, item: Item) -> int:
    return sum(hold.state is HoldState.WAITING for hold in circ.holds_on(item))


def _restrictions(circ: Circulation, item: Item) -> tuple[Coded, ...]:
    types = restrictions(circ, item)
    if not item.circulates and ItemUseRestrictionType.IN_LIBRARY_USE_ONLY not in types:
        types = [ItemUseRestrictionType.IN_LIBRARY_USE_ONLY, *types]
    return tuple(named.coded() if (named := ItemUseRestrictionType.named(one)) else Coded(one) for one in types)


def _condition(item: Item) -> el.PhysicalCondition | None:
    if not item.condition_type:
        return None
    return el.PhysicalCondition(
        physical_condition_type=Coded(item.condition_type), physical_condition_details=item.condition_details or None
    )


def _coded(value: str) -> Coded | None:
    return Coded(value) if value else None


def _copy(item: Item) -> el.ItemDescription | None:
    if not (item.call_number or item.copy_number or item.volume or item.pieces):
        return None
    holdings = el.HoldingsInformation(unstructured_holdings_data=item.volume) if item.volume else None
    return el.ItemDescription(
        call_number=item.call_number or None,
        copy_number=item.copy_number or None,
        item_description_level=ItemDescriptionLevel.ITEM.coded(),
        holdings_information=holdings,
        number_of_pieces=item.pieces,
    )


def description(circ: Circulation, item: Item) -> el.BibliographicDescription:
    """Describe the title of an item."""
    record = circ.record(item.record_id)
    numbers = circ.tx.all("record_identifiers", RecordIdentifier._make, record=record.id)
    standard = next(((n, code) for n in numbers if (code := BibliographicItemIdentifierCode.named(n.code))), None)
    item_number = (
        el.BibliographicItemId(
            bibliographic_item_identifier=standard[0].value, bibliographic_item_identifier_code=standard[1].coded()
        )
        if standard
        else None
    )
    records = tuple(
        el.BibliographicRecordId(
            bibliographic_record_identifier=number.value,
            bibliographic_record_identifier_code=Coded(number.code) if number.code else None,
            agency_id=None if number.code else Coded(circ.agency.code),
        )
        for number in numbers
        if BibliographicItemIdentifierCode.named(number.code) is None
    )
    return el.BibliographicDescription(
        author=record.author or None,
        author_of_component=record.component_author or None,
        bibliographic_item_id=item_number,
        bibliographic_record_id=records,
        edition=record.edition or None,
        place_of_publication=record.place or None,
        publication_date=record.published or None,
        publisher=record.publisher or None,
        series_title_number=record.series or None,
        title=record.title or None,
        title_of_component=record.component_title or None,
        bibliographic_level=Coded(record.level) if record.level else None,
        language=Coded(record.language) if record.language else None,
        medium_type=medium(record.medium),
        **further_of(record),
    )


def medium(name: str) -> Coded | None:
    """Say what kind of carrier something is on, as the standard spells it where it does."""
    known = MediumType.named(name) if name else None
    return known.coded() if known else (Coded(name) if name else None)


def bibliographic_ids(circ: Circulation, record: int) -> tuple[el.BibliographicId, ...]:
    """Give every number of a title."""
    return tuple(
        _bibliographic_id(circ, number)
        for number in circ.tx.all("record_identifiers", RecordIdentifier._make, record=record)
    )


def _bibliographic_id(circ: Circulation, number: RecordIdentifier) -> el.BibliographicId:
    standard = BibliographicItemIdentifierCode.named(number.code)
    if standard is not None:
        return el.BibliographicId(
            bibliographic_item_id=el.BibliographicItemId(
                bibliographic_item_identifier=number.value, bibliographic_item_identifier_code=standard.coded()
            )
        )
    return el.BibliographicId(
        bibliographic_record_id=el.BibliographicRecordId(
            bibliographic_record_identifier=number.value,
            bibliographic_record_identifier_code=Coded(number.code) if number.code else None,
            agency_id=None if number.code else Coded(circ.agency.code),
        )
    )


def locations(circ: Circulation, item: Item) -> tuple[el.Location, ...]:
    """Say where an item belongs, and where it stands for the time being."""
    found = []
    for type_, number in (
        (LocationType.PERMANENT_LOCATION, item.permanent_location_id),
        (LocationType.TEMPORARY_LOCATION, item.temporary_location_id),
    ):
        place = circ.location_by_id(number)
        library = circ.library_by_id(place.library_id if place else item.home_library_id)
        if place is None and (type_ is LocationType.TEMPORARY_LOCATION or library is None):
            continue
        names = [circ.agency.name, library.name if library else "", place.name if place else ""]
        instances = tuple(
            el.LocationNameInstance(location_name_level=level, location_name_value=name)
            for level, name in enumerate((name for name in names if name), 1)
        )
        found.append(
            el.Location(location_type=type_.coded(), location_name=el.LocationName(location_name_instance=instances))
        )
    return tuple(found)


# ---------------------------------------------------------------------------------------------- users


def user_id(circ: Circulation, user: User) -> el.UserId:
    """Name a user by the number under which the agency knows them."""
    return el.UserId(agency_id=Coded(circ.our_code), user_identifier_value=user.primary_id)


def user_fields(circ: Circulation, user: User, types: Iterable[Coded]) -> el.UserOptionalFields | None:
    """Give what was asked about a user; None where nothing was, or where the partner may not see it.

    AuthenticationInput is never given, whoever asks.
    """
    if not wants_user(circ, types):
        return None
    wanted = asked(circ, types)
    return el.UserOptionalFields(
        name_information=persons.name(user) if _wants(wanted, UserElementType.NAME_INFORMATION) else None,
        user_address_information=persons.addresses(circ, user)
        if _wants(wanted, UserElementType.USER_ADDRESS_INFORMATION)
        else (),
        date_of_birth=optional_date(user.born_at) if _wants(wanted, UserElementType.DATE_OF_BIRTH) else None,
        user_language=persons.languages(user) if _wants(wanted, UserElementType.USER_LANGUAGE) else (),
        user_privilege=persons.privileges(circ, user) if _wants(wanted, UserElementType.USER_PRIVILEGE) else (),
        block_or_trap=persons.blocks(circ, user) if _wants(wanted, UserElementType.BLOCK_OR_TRAP) else (),
        user_id=persons.identifiers(circ, user) if _wants(wanted, UserElementType.USER_ID) else (),
        previous_user_id=persons.previous(circ, user) if _wants(wanted, UserElementType.PREVIOUS_USER_ID) else (),
    )


# ---------------------------------------------------------------------------------------------- requests


def request_status(request: Request) -> Coded:
    """Say in the standard's words where a request stands."""
    if request.status is RequestStatus.CANCELLED:
        return RequestStatusType.CANNOT_FULFILL_REQUEST.coded()
    if request.status in _READY:
        return RequestStatusType.AVAILABLE_FOR_PICKUP.coded()
    if request.status in _IN_WORK:
        return RequestStatusType.IN_PROCESS.coded()
    if request.status is RequestStatus.CREATED_BORROWING:
        return RequestStatusType.REQUESTED_VIA_ILL.coded()
    return Coded(request.status.value.replace("-", " ").title())
