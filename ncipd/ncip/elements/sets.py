"""Availability of many titles and items at once."""

from __future__ import annotations

from datetime import datetime

from ncipd.ncip.elements.headers import Problem
from ncipd.ncip.elements.holdings import SummaryHoldingsInformation
from ncipd.ncip.elements.ids import BibliographicId, ItemId, RequestId
from ncipd.ncip.elements.items import (
    BibliographicDescription,
    CurrentBorrower,
    CurrentRequester,
    ElectronicResource,
    ItemOptionalFields,
    ItemTransaction,
    Location,
)
from ncipd.ncip.types import Count, Element, Ext, element


@element
class ItemInformation(Element):
    """What an item-set lookup found for one item, or why it cannot be shown."""

    choice = (
        "(RequestId*, CurrentBorrower?, CurrentRequester*, DateDue?, DateRecalled?, HoldPickupDate?, "
        "ItemTransaction?, ItemOptionalFields?, ItemNote?, Ext?) | Problem+"
    )

    item_id: ItemId | None = None
    request_id: tuple[RequestId, ...] = ()
    current_borrower: CurrentBorrower | None = None
    current_requester: tuple[CurrentRequester, ...] = ()
    date_due: datetime | None = None
    date_recalled: datetime | None = None
    hold_pickup_date: datetime | None = None
    item_transaction: ItemTransaction | None = None
    item_optional_fields: ItemOptionalFields | None = None
    item_note: str | None = None
    ext: Ext | None = None
    problem: tuple[Problem, ...] = ()


@element
class HoldingsSet(Element):
    """Items of one title that are kept together, or why they cannot be shown."""

    choice = (
        "(BibliographicDescription?, Location?, CallNumber?, SummaryHoldingsInformation?, ElectronicResource?, "
        "ItemInformation+, Ext?) | Problem+"
    )

    holdings_set_id: str | None = None
    bibliographic_description: BibliographicDescription | None = None
    location: Location | None = None
    call_number: str | None = None
    summary_holdings_information: SummaryHoldingsInformation | None = None
    electronic_resource: ElectronicResource | None = None
    item_information: tuple[ItemInformation, ...] = ()
    ext: Ext | None = None
    problem: tuple[Problem, ...] = ()


@element
class BibInformation(Element):
    """What an item-set lookup found for one title: its holdings sets, or why there are none."""

    choice = "(BibliographicDescription?, TitleHoldQueueLength?, CurrentRequester*, HoldingsSet+) | Problem+"

    bibliographic_id: BibliographicId | None = None
    bibliographic_description: BibliographicDescription | None = None
    title_hold_queue_length: Count | None = None
    current_requester: tuple[CurrentRequester, ...] = ()
    holdings_set: tuple[HoldingsSet, ...] = ()
    problem: tuple[Problem, ...] = ()
