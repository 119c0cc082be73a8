"""What a user has on loan and has asked for, and where a returned item goes."""

from __future__ import annotations

from datetime import datetime

from ncipd.ncip.elements.addresses import ShippingInformation
from ncipd.ncip.elements.fiscal import AcknowledgedFeeAmount, Amount, PaidFeeAmount
from ncipd.ncip.elements.ids import BibliographicId, ItemId, RequestId, UserId
from ncipd.ncip.elements.items import Location
from ncipd.ncip.elements.names import NameInformation
from ncipd.ncip.types import Coded, Count, Element, Ext, Ordinal, element


@element
class LoanedItem(Element):
    """A loan of a user: the item, when it is due, reminders sent and any fine so far."""

    choice = "DateDue | IndeterminateLoanPeriodFlag"

    item_id: ItemId
    bibliographic_id: tuple[BibliographicId, ...] = ()
    reminder_level: Count | None = None
    date_due: datetime | None = None
    indeterminate_loan_period_flag: bool = False
    amount: Amount | None = None
    title: str | None = None
    medium_type: Coded | None = None
    ext: Ext | None = None


@element
class LoanedItemsCount(Element):
    """How many loans a user has of one circulation status or use restriction."""

    choice = "CirculationStatus | ItemUseRestrictionType"

    circulation_status: Coded | None = None
    item_use_restriction_type: Coded | None = None
    loaned_item_count_value: Count
    ext: Ext | None = None


@element
class RequestedItem(Element):
    """A request of a user: the item or title, kind, status, place in the queue and pickup dates."""

    choice = "ItemId | (RequestId, ItemId?)"

    request_id: RequestId | None = None
    item_id: ItemId | None = None
    bibliographic_id: tuple[BibliographicId, ...] = ()
    request_type: Coded
    request_status_type: Coded
    date_placed: datetime
    pickup_date: datetime | None = None
    pickup_location: Coded | None = None
    pickup_expiry_date: datetime | None = None
    reminder_level: Count | None = None
    hold_queue_position: Ordinal | None = None
    title: str | None = None
    medium_type: Coded | None = None
    ext: Ext | None = None


@element
class RequestedItemsCount(Element):
    """How many requests a user has of one type, status or use restriction."""

    choice = "RequestType | CirculationStatus | ItemUseRestrictionType"

    request_type: Coded | None = None
    circulation_status: Coded | None = None
    item_use_restriction_type: Coded | None = None
    requested_item_count_value: Count
    ext: Ext | None = None


@element
class AddRequestFields(Element):
    """Data to add to a request."""

    user_id: UserId | None = None
    item_id: ItemId | None = None
    request_type: Coded | None = None
    request_scope_type: Coded | None = None
    request_status_type: Coded | None = None
    shipping_information: ShippingInformation | None = None
    earliest_date_needed: datetime | None = None
    need_before_date: datetime | None = None
    pickup_location: Coded | None = None
    pickup_expiry_date: datetime | None = None
    date_of_user_request: datetime | None = None
    date_available: datetime | None = None
    acknowledged_fee_amount: AcknowledgedFeeAmount | None = None
    paid_fee_amount: PaidFeeAmount | None = None
    ext: Ext | None = None


@element
class DeleteRequestFields(Element):
    """Data to take out of a request, before any are added."""

    user_id: UserId | None = None
    item_id: ItemId | None = None
    request_type: Coded | None = None
    request_scope_type: Coded | None = None
    request_status_type: Coded | None = None
    shipping_information: ShippingInformation | None = None
    earliest_date_needed: datetime | None = None
    need_before_date: datetime | None = None
    pickup_location: Coded | None = None
    pickup_expiry_date: datetime | None = None
    date_of_user_request: datetime | None = None
    date_available: datetime | None = None
    acknowledged_fee_amount: AcknowledgedFeeAmount | None = None
    paid_fee_amount: PaidFeeAmount | None = None
    ext: Ext | None = None


@element
class Destination(Element):
    """The bin or place that an item goes to next."""

    choice = "Location | (BinNumber, Location?)"

    bin_number: str | None = None
    location: Location | None = None
    ext: Ext | None = None


@element
class RoutingInformation(Element):
    """Where to put an item that was just checked in, and for whom."""

    routing_instructions: str
    destination: Destination
    request_type: Coded | None = None
    user_id: UserId | None = None
    name_information: NameInformation | None = None
    ext: Ext | None = None
