"""How users, items, titles, requests and fiscal transactions are named."""

from __future__ import annotations

from datetime import datetime

from ncipd.ncip.types import Coded, Element, Ext, element


@element
class UserId(Element):
    """The number or name by which an agency knows a user."""

    agency_id: Coded | None = None
    user_identifier_type: Coded | None = None
    user_identifier_value: str
    ext: Ext | None = None


@element
class PreviousUserId(Element):
    """An identifier that the user had before, with the time it was in force."""

    agency_id: Coded
    user_identifier_value: str
    valid_from_date: datetime | None = None
    valid_to_date: datetime | None = None
    ext: Ext | None = None


@element
class ItemId(Element):
    """The number, mostly a barcode, by which an agency knows one physical or electronic item."""

    agency_id: Coded | None = None
    item_identifier_type: Coded | None = None
    item_identifier_value: str
    ext: Ext | None = None


@element
class RequestId(Element):
    """The number by which an agency or broker knows a request."""

    agency_id: Coded | None = None
    request_identifier_type: Coded | None = None
    request_identifier_value: str
    ext: Ext | None = None


@element
class BibliographicItemId(Element):
    """A standard number of a publication, and which kind of number it is."""

    bibliographic_item_identifier: str
    bibliographic_item_identifier_code: Coded | None = None
    ext: Ext | None = None


@element
class BibliographicRecordId(Element):
    """The number of a catalogue record, and the agency or system whose catalogue it is."""

    choice = "AgencyId | BibliographicRecordIdentifierCode"

    bibliographic_record_identifier: str
    agency_id: Coded | None = None
    bibliographic_record_identifier_code: Coded | None = None
    ext: Ext | None = None


@element
class BibliographicId(Element):
    """Names a title, by a standard number such as an ISBN or by the number of a catalogue record."""

    choice = "BibliographicItemId | BibliographicRecordId"

    bibliographic_item_id: BibliographicItemId | None = None
    bibliographic_record_id: BibliographicRecordId | None = None
    ext: Ext | None = None


@element
class ComponentId(Element):
    """A standard number of a part of a publication, such as an article."""

    component_identifier_type: Coded
    component_identifier: str
    ext: Ext | None = None


@element
class FiscalTransactionReferenceId(Element):
    """The number by which an agency knows a charge, payment or waiver."""

    agency_id: Coded
    fiscal_transaction_identifier_value: str
    ext: Ext | None = None


@element
class RelatedFiscalTransactionReferenceId(Element):
    """An earlier fiscal transaction that this one settles, corrects or follows."""

    agency_id: Coded
    fiscal_transaction_identifier_value: str
    ext: Ext | None = None
