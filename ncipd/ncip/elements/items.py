"""What is known and changed about an item."""

from __future__ import annotations

from datetime import datetime

from ncipd.ncip.elements.holdings import HoldingsInformation
from ncipd.ncip.elements.ids import BibliographicItemId, BibliographicRecordId, ComponentId, ItemId, UserId
from ncipd.ncip.types import Coded, Count, Element, Ext, Ordinal, element


@element
class BibliographicDescription(Element):
    """What a publication is: author, title, edition, numbers, language, medium and so on."""

    author: str | None = None
    author_of_component: str | None = None
    bibliographic_item_id: BibliographicItemId | None = None
    bibliographic_record_id: tuple[BibliographicRecordId, ...] = ()
    component_id: ComponentId | None = None
    edition: str | None = None
    pagination: str | None = None
    place_of_publication: str | None = None
    publication_date: str | None = None
    publication_date_of_component: str | None = None
    publisher: str | None = None
    series_title_number: str | None = None
    title: str | None = None
    title_of_component: str | None = None
    bibliographic_level: Coded | None = None
    sponsoring_body: str | None = None
    electronic_data_format_type: Coded | None = None
    language: Coded | None = None
    medium_type: Coded | None = None
    ext: Ext | None = None


@element
class ItemDescription(Element):
    """How one copy differs from others: call number, copy number, volume, number of pieces."""

    call_number: str | None = None
    copy_number: str | None = None
    item_description_level: Coded | None = None
    holdings_information: HoldingsInformation | None = None
    number_of_pieces: Ordinal | None = None
    ext: Ext | None = None


@element
class LocationNameInstance(Element):
    """One level of the name of a place, for example the library, the floor or the shelf."""

    location_name_level: Ordinal
    location_name_value: str
    ext: Ext | None = None


@element
class LocationName(Element):
    """The name of a place, as a list of levels from the widest to the narrowest."""

    location_name_instance: tuple[LocationNameInstance, ...]
    ext: Ext | None = None


@element
class Location(Element):
    """A place where an item belongs or is now, with the time this holds."""

    location_type: Coded
    location_name: LocationName
    valid_from_date: datetime | None = None
    valid_to_date: datetime | None = None
    ext: Ext | None = None


@element
class PhysicalCondition(Element):
    """The state of preservation of an item, with details."""

    physical_condition_type: Coded
    physical_condition_details: str | None = None
    ext: Ext | None = None


@element
class ElectronicResource(Element):
    """An electronic resource, either the content itself or a pointer to it."""

    choice = "(ElectronicDataFormatType, ActualResource) | ReferenceToResource"

    electronic_data_format_type: Coded | None = None
    actual_resource: str | None = None
    reference_to_resource: str | None = None
    ext: Ext | None = None


@element
class CurrentBorrower(Element):
    """The user who has the item on loan."""

    user_id: UserId
    ext: Ext | None = None


@element
class CurrentRequester(Element):
    """A user who is waiting for the item."""

    user_id: UserId
    ext: Ext | None = None


@element
class ItemTransaction(Element):
    """Who has an item now and who is waiting for it."""

    current_borrower: CurrentBorrower | None = None
    current_requester: tuple[CurrentRequester, ...] = ()
    ext: Ext | None = None


@element
class ItemDetails(Element):
    """An item with its title, loan dates and due date, as shown in a notice or on a bill."""

    choice = "(DateDue | IndeterminateLoanPeriodFlag | NonReturnableFlag)?"

    item_id: ItemId
    bibliographic_description: BibliographicDescription
    date_checked_out: datetime | None = None
    date_renewed: tuple[datetime, ...] = ()
    date_due: datetime | None = None
    indeterminate_loan_period_flag: bool = False
    non_returnable_flag: bool = False
    date_returned: datetime | None = None
    ext: Ext | None = None


@element
class ItemOptionalFields(Element):
    """Data on an item that were asked for, or sent along: title, status, location and so on."""

    bibliographic_description: BibliographicDescription | None = None
    item_use_restriction_type: tuple[Coded, ...] = ()
    circulation_status: Coded | None = None
    hold_queue_length: Count | None = None
    item_description: ItemDescription | None = None
    location: tuple[Location, ...] = ()
    physical_condition: PhysicalCondition | None = None
    electronic_resource: ElectronicResource | None = None
    security_marker: Coded | None = None
    sensitization_flag: bool = False
    date_due: datetime | None = None
    ext: Ext | None = None


@element
class AddItemFields(Element):
    """Data to add to an item's record."""

    bibliographic_description: BibliographicDescription | None = None
    item_use_restriction_type: tuple[Coded, ...] = ()
    item_description: ItemDescription | None = None
    location: tuple[Location, ...] = ()
    physical_condition: PhysicalCondition | None = None
    security_marker: Coded | None = None
    sensitization_flag: bool = False
    ext: Ext | None = None


@element
class DeleteItemFields(Element):
    """Data to take out of an item's record, before any are added."""

    bibliographic_description: BibliographicDescription | None = None
    item_use_restriction_type: tuple[Coded, ...] = ()
    item_description: ItemDescription | None = None
    location: tuple[Location, ...] = ()
    physical_condition: PhysicalCondition | None = None
    security_marker: Coded | None = None
    sensitization_flag: bool = False
    ext: Ext | None = None


@element
class ItemReportedReturned(Element):
    """Says that the user claims to have returned the item, and when."""

    date_reported_returned: datetime
    ext: Ext | None = None
