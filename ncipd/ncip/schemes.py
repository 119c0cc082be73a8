"""The value lists of the standard and the URIs that name them (Z39.83-1 section 6.1 and appendix A).

The lists are open: partners may agree on more values, so a received value is compared with ``Coded.matches`` or looked
up with ``SchemeValue.named``, and one that is on no list is no error. What version 2.02 added stands last in its list.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Self

from ncipd.ncip.types import Coded


def _v1(name: str) -> str:
    return f"http://www.niso.org/ncip/v1_0/schemes/{name}/{name}.scm"


def _imp1(name: str) -> str:
    return f"http://www.niso.org/ncip/v1_0/imp1/schemes/{name}/{name}.scm"


def _v2_imp1(name: str) -> str:
    return f"http://www.niso.org/ncip/v2_0/imp1/schemes/{name}/{name}.scm"


AGENCY_ID = _v1("agencyidtype")
AGENCY_USER_PRIVILEGE_TYPE = _imp1("agencyuserprivilegetype")
APPLICATION_PROFILE_TYPE = _v1("applicationprofiletype")
CURRENCY_CODE = "http://www.bsi-global.com/Technical+Information/Publications/_Publications/tig90x.doc"
ELECTRONIC_ADDRESS_TYPE = "http://www.iana.org/assignments/uri-schemes"
LANGUAGE = "http://lcweb.loc.gov/standards/iso639-2/bibcodes.html"
MEDIA_TYPE = "http://www.iana.org/assignments/media-types"
NOTICE_TYPE = _imp1("noticetype")
REQUEST_IDENTIFIER_TYPE = _imp1("requestidentifiertype")
USER_PRIVILEGE_STATUS_TYPE = _imp1("userprivilegestatustype")
"""Schemes whose values are local, or are the codes of another standard."""


class SchemeValue(StrEnum):
    """A value of one of the standard's lists; the class knows the URI of its list."""

    scheme: ClassVar[str]

    def __init_subclass__(cls, *, scheme: str) -> None:
        """Give the list its URI."""
        super().__init_subclass__()
        cls.scheme = scheme

    def coded(self) -> Coded:
        """Give the value with the URI of its list, as it stands in a message."""
        return Coded(self.value, type(self).scheme)

    @classmethod
    def named(cls, text: Coded | str | None) -> Self | None:
        """Find the value that a message means, whatever its letter case; None where it is not on the list."""
        wanted = str(text).strip().casefold()
        return next((value for value in cls if value.casefold() == wanted), None)


class AgencyAddressRoleType(SchemeValue, scheme=_imp1("agencyaddressroletype")):
    """What an address of an agency is for."""

    BILL_TO = "Bill To"
    MULTI_PURPOSE = "Multi-Purpose"
    OFFICIAL = "Official"
    SHIP_FROM = "Ship From"
    SHIP_TO = "Ship To"


class AgencyElementType(SchemeValue, scheme=_v1("agencyelementtype")):
    """Which data about an agency are asked for."""

    AGENCY_ADDRESS_INFORMATION = "Agency Address Information"
    AGENCY_USER_PRIVILEGE_TYPE = "Agency User Privilege Type"
    APPLICATION_PROFILE_SUPPORTED_TYPE = "Application Profile Supported Type"
    AUTHENTICATION_PROMPT = "Authentication Prompt"
    CONSORTIUM_AGREEMENT = "Consortium Agreement"
    ORGANIZATION_NAME_INFORMATION = "Organization Name Information"


class AuthenticationInputType(SchemeValue, scheme=_imp1("authenticationinputtype")):
    """What a user typed to prove who they are."""

    BARCODE_ID = "Barcode Id"
    MD5_MESSAGE_DIGEST_ALGORITHM = "MD5 Message Digest Algorithm"
    PASSWORD = "Password"  # noqa: S105 - the name of a kind of input
    PIN = "PIN"
    SECONDARY_CONFIRMATION_STRING = "Secondary Confirmation String"
    USER_ID = "User Id"
    X_509_CERTIFICATE = "X.509 Certificate"


class BibliographicItemIdentifierCode(SchemeValue, scheme=_imp1("bibliographicitemidentifiercode")):
    """Which numbering an identifier of a publication belongs to."""

    BICI = "BICI"
    CODEN = "CODEN"
    DOI = "DOI"
    GOVERNMENT_PUBLICATION_NUMBER = "Government Publication Number"
    ISBN = "ISBN"
    ISMN = "ISMN"
    ISRC = "ISRC"
    ISSN = "ISSN"
    LEGAL_DEPOSIT_NUMBER = "Legal Deposit Number"
    PURL = "PURL"
    REPORT_NUMBER = "Report Number"
    SICI = "SICI"
    URI = "URI"
    UPC = "UPC"
    GTIN = "GTIN"


class BibliographicLevel(SchemeValue, scheme=_imp1("bibliographiclevel")):
    """Whether a title is whole, a part, or a series."""

    COLLECTION = "Collection"
    MONOGRAPH = "Monograph"
    MONOGRAPHIC_COMPONENT_PART = "Monographic Component Part"
    SERIAL = "Serial"
    SERIAL_COMPONENT_PART = "Serial Component Part"


class BibliographicRecordIdentifierCode(SchemeValue, scheme=_imp1("bibliographicrecordidentifiercode")):
    """Which catalogue a record number belongs to."""

    ACCESSION_NUMBER = "Accession Number"
    ANBN = "ANBN"
    BNBN = "BNBN"
    CN = "CN"
    LCCN = "LCCN"
    NLM_TCN = "NLM TCN"
    OCLC = "OCLC"
    RLIN = "RLIN"


class CirculationStatus(SchemeValue, scheme=_imp1("circulationstatus")):
    """Where an item stands in circulation."""

    AVAILABLE_FOR_PICKUP = "Available For Pickup"
    AVAILABLE_ON_SHELF = "Available On Shelf"
    CIRCULATION_STATUS_UNDEFINED = "Circulation Status Undefined"
    CLAIMED_RETURNED_OR_NEVER_BORROWED = "Claimed Returned Or Never Borrowed"
    IN_PROCESS = "In Process"
    IN_TRANSIT_BETWEEN_LIBRARY_LOCATIONS = "In Transit Between Library Locations"
    LOST = "Lost"
    MISSING = "Missing"
    NOT_AVAILABLE = "Not Available"
    ON_LOAN = "On Loan"
    ON_ORDER = "On Order"
    PENDING_TRANSFER = "Pending Transfer"
    RECALLED = "Recalled"
    WAITING_TO_BE_RESHELVED = "Waiting To Be Reshelved"
    RENEW_STILL_PENDING = "Renew Still Pending"
    ITEM_NOT_RENEWED = "Item Not Renewed"
    ITEM_OVERDUE = "Item Overdue"


class ComponentIdentifierType(SchemeValue, scheme=_imp1("componentidentifiertype")):
    """Which numbering an identifier of a component belongs to."""

    BICI = "BICI"
    SICI = "SICI"


class FiscalActionType(SchemeValue, scheme=_imp1("fiscalactiontype")):
    """What is done to an account."""

    ASSESS = "Assess"
    CANCEL = "Cancel"
    FORGIVE = "Forgive"
    PAYMENT = "Payment"
    PENALTY = "Penalty"
    WAIVE = "Waive"
    WRITE_OFF = "Write Off"


class FiscalTransactionType(SchemeValue, scheme=_imp1("fiscaltransactiontype")):
    """What money is charged or paid for."""

    BOOK_REPLACEMENT_CHARGE = "Book Replacement Charge"
    CARD_REPLACEMENT_CHARGE = "Card Replacement Charge"
    CATALOG_SEARCH = "Catalog Search"
    DAY_PASS = "Day Pass"  # noqa: S105 - a ticket for a day
    FINE = "Fine"
    INTERLIBRARY_LOAN_FEE = "Interlibrary Loan Fee"
    PURCHASE = "Purchase"
    REMINDER_CHARGE = "Reminder Charge"
    RENEWAL_FEE = "Renewal Fee"
    RENTAL = "Rental"
    RESERVATION_CHARGE = "Reservation Charge"
    SERVICE_CHARGE = "Service Charge"


class ItemDescriptionLevel(SchemeValue, scheme=_imp1("itemdescriptionlevel")):
    """Whether a description is of the title or of the item."""

    BIBLIOGRAPHIC_ITEM = "Bibliographic Item"
    ITEM = "Item"


class ItemElementType(SchemeValue, scheme=_v1("itemelementtype")):
    """Which data about an item are asked for."""

    BIBLIOGRAPHIC_DESCRIPTION = "Bibliographic Description"
    CIRCULATION_STATUS = "Circulation Status"
    ELECTRONIC_RESOURCE = "Electronic Resource"
    HOLD_QUEUE_LENGTH = "Hold Queue Length"
    ITEM_DESCRIPTION = "Item Description"
    ITEM_USE_RESTRICTION_TYPE = "Item Use Restriction Type"
    LOCATION = "Location"
    PHYSICAL_CONDITION = "Physical Condition"
    SECURITY_MARKER = "Security Marker"
    SENSITIZATION_FLAG = "Sensitization Flag"
    DATE_DUE = "Date Due"


class ItemIdentifierType(SchemeValue, scheme=_imp1("visibleitemidentifiertype")):
    """What kind of number names an item."""

    ACCESSION_NUMBER = "Accession Number"
    BARCODE = "Barcode"


class ItemUseRestrictionType(SchemeValue, scheme=_imp1("itemuserestrictiontype")):
    """What limits the use of an item."""

    AVAILABLE_FOR_SUPPLY_WITHOUT_RETURN = "Available For Supply Without Return"
    IN_LIBRARY_USE_ONLY = "In Library Use Only"
    LIMITED_CIRCULATION_LONG_LOAN_PERIOD = "Limited Circulation, Long Loan Period"
    LIMITED_CIRCULATION_NORMAL_LOAN_PERIOD = "Limited Circulation, Normal Loan Period"
    LIMITED_CIRCULATION_SHORT_LOAN_PERIOD = "Limited Circulation, Short Loan Period"
    NO_REPRODUCTION = "No Reproduction"
    NOT_FOR_LOAN = "Not For Loan"
    OVERNIGHT_ONLY = "Overnight Only"
    RENEWALS_NOT_PERMITTED = "Renewals Not Permitted"
    SUPERVISION_REQUIRED = "Supervision Required"
    TERM_LOAN = "Term Loan"
    USE_ONLY_IN_CONTROLLED_ACCESS = "Use Only In Controlled Access"
    USER_SIGNATURE_REQUIRED = "User Signature Required"


class LocationType(SchemeValue, scheme=_imp1("locationtype")):
    """Which of its locations an item is said to have."""

    CURRENT_LOCATION = "Current Location"
    PERMANENT_LOCATION = "Permanent Location"
    TEMPORARY_LOCATION = "Temporary Location"


class MediumType(SchemeValue, scheme=_imp1("mediumtype")):
    """What an item physically is."""

    AUDIO_TAPE = "Audio Tape"
    BOOK = "Book"
    BOOK_WITH_AUDIO_TAPE = "Book With Audio Tape"
    BOOK_WITH_COMPACT_DISC = "Book With Compact Disc"
    BOOK_WITH_DISKETTE = "Book With Diskette"
    BOUND_JOURNAL = "Bound Journal"
    CD_ROM = "CD-ROM"
    COMPACT_DISC = "Compact Disc (CD)"
    DISKETTE = "Diskette"
    MAGAZINE = "Magazine"
    MICROFORM = "Microform"
    VIDEO_TAPE = "Video Tape"
    DVD = "DVD"
    BLU_RAY = "Blu-Ray"


class OrganizationNameType(SchemeValue, scheme=_imp1("organizationnametype")):
    """What kind of name an organization is given."""

    ABBREVIATION_OR_ACRONYM = "Abbreviation Or Acronym"
    ALTERNATIVE_NAME = "Alternative Name"
    CONVERTED_NAME = "Converted Name"
    DISTINGUISHED_NAME = "Distinguished Name"
    OFFICIAL_NAME = "Official Name"
    TRANSLATED_NAME = "Translated Name"
    TRANSLITERATED_NAME = "Transliterated Name"


class PaymentMethodType(SchemeValue, scheme=_imp1("paymentmethodtype")):
    """How a payment is made."""

    BANK_DRAFT = "Bank Draft"
    CASH = "Cash"
    CHECK = "Check"
    CREDIT_CARD = "Credit Card"
    DEBIT_CARD = "Debit Card"
    DEPOSIT_ACCOUNT = "Deposit Account"
    DIRECT_DEBIT = "Direct Debit"
    FUNDS_TRANSFER = "Funds Transfer"
    MONEY_ORDER = "Money Order"
    TRAVELERS_CHECK = "Traveler's Check"


class PhysicalAddressType(SchemeValue, scheme=_imp1("physicaladdresstype")):
    """What a physical address is: for post or for visits."""

    POSTAL_ADDRESS = "Postal Address"
    STREET_ADDRESS = "Street Address"


class PhysicalConditionType(SchemeValue, scheme=_imp1("physicalconditiontype")):
    """What is wrong with an item."""

    BAD_URL = "Bad URL"
    BINDING_WEAK = "Binding Weak"
    COLOR_PLATES_MISSING = "Color Plates Missing"
    CORRUPT_OR_UNREADABLE_FILE = "Corrupt Or Unreadable File"
    DISCOLORED = "Discolored"
    FADED = "Faded"
    MARKINGS = "Markings"
    PAGES_MISSING = "Pages Missing"
    PHOTOCOPY_ILLEGIBLE = "Photocopy Illegible"
    SPECIAL_BINDING = "Special Binding"
    WATER_DAMAGE = "Water Damage"


class RequestElementType(SchemeValue, scheme=_v1("requestelementtype")):
    """Which data about a request are asked for."""

    USER_ID = "User Id"
    REQUEST_TYPE = "Request Type"
    REQUEST_SCOPE_TYPE = "Request Scope Type"
    REQUEST_STATUS_TYPE = "Request Status Type"
    HOLD_QUEUE_POSITION = "Hold Queue Position"
    SHIPPING_INFORMATION = "Shipping Information"
    EARLIEST_DATE_NEEDED = "Earliest Date Needed"
    NEED_BEFORE_DATE = "Need Before Date"
    PICKUP_DATE = "Pickup Date"
    PICKUP_LOCATION = "Pickup Location"
    PICKUP_EXPIRY_DATE = "Pickup Expiry Date"
    DATE_OF_USER_REQUEST = "Date Of User Request"
    DATE_AVAILABLE = "Date Available"
    ACKNOWLEDGED_FEE_AMOUNT = "Acknowledged Fee Amount"
    PAID_FEE_AMOUNT = "Paid Fee Amount"


class RequestScopeType(SchemeValue, scheme=_imp1("requestscopetype")):
    """Whether a request is for any copy of a title or for one item."""

    BIBLIOGRAPHIC_ITEM = "Bibliographic Item"
    ITEM = "Item"


class RequestStatusType(SchemeValue, scheme=_imp1("requeststatustype")):
    """Where a request stands."""

    AVAILABLE_FOR_PICKUP = "Available For Pickup"
    CANNOT_FULFILL_REQUEST = "Cannot Fulfill Request"
    EXPIRED = "Expired"
    IN_PROCESS = "In Process"
    NEED_TO_ACCEPT_CONDITIONS = "Need to Accept Conditions"
    REQUESTED_VIA_ILL = "Requested Via ILL"


class RequestType(SchemeValue, scheme=_imp1("requesttype")):
    """What a request is for."""

    ESTIMATE = "Estimate"
    HOLD = "Hold"
    LOAN = "Loan"
    NON_RETURNABLE_COPY = "Non-returnable Copy"
    STACK_RETRIEVAL = "Stack Retrieval"


class RequestedActionType(SchemeValue, scheme=_imp1("requestedactiontype")):
    """What the borrowing library shall do with an item that it accepts."""

    CIRCULATE = "Circulate"
    CIRCULATE_AND_NOTIFY = "Circulate And Notify"
    HOLD_FOR_PICKUP = "Hold For Pickup"
    HOLD_FOR_PICKUP_AND_NOTIFY = "Hold For Pickup And Notify"


class SecurityMarker(SchemeValue, scheme=_imp1("securitymarker")):
    """How an item is protected against theft."""

    CHECKPOINT_EMAG = "Checkpoint emag"
    CHECKPOINT_RFID = "Checkpoint RFID"
    GEMPLUS_RFID = "Gemplus RFID"
    GUARDIAN_EMAG = "Guardian emag"
    KETEC_RFID = "Ketec RFID"
    KNOGO_EMAG = "Knogo emag"
    LIB_CHIP = "Lib-Chip"
    NONE = "None"
    PGP = "PGP"
    PROTEXIT_EMAG = "Protexit emag"
    SENSORMATIC_EMAG = "Sensormatic emag"
    TAG_IT = "Tag-It"
    TATTLE_TAPE_SECURITY_STRIP = "Tattle-Tape Security Strip"
    ULTRA_MAX = "Ultra-Max"


class UnstructuredAddressType(SchemeValue, scheme=_imp1("unstructuredaddresstype")):
    """How the lines of an address text are separated."""

    CARRIAGE_RETURN_NEWLINE_DELIMITED_TEXT = "Carriage-Return, Newline-Delimited Text"
    HTML = "HTML"
    NEWLINE_DELIMITED_TEXT = "Newline-Delimited Text"
    XML = "XML"


class UserAddressRoleType(SchemeValue, scheme=_v2_imp1("useraddressroletype")):
    """What an address of a user is for."""

    BILL_TO = "Bill To"
    HOME = "Home"
    MULTI_PURPOSE = "Multi-Purpose"
    NOTICE = "Notice"
    SHIP_TO = "Ship To"
    WORK = "Work"


class UserElementType(SchemeValue, scheme=_v1("userelementtype")):
    """Which data about a user are asked for."""

    AUTHENTICATION_INPUT = "Authentication Input"
    BLOCK_OR_TRAP = "Block Or Trap"
    DATE_OF_BIRTH = "Date Of Birth"
    NAME_INFORMATION = "Name Information"
    USER_ADDRESS_INFORMATION = "User Address Information"
    USER_LANGUAGE = "User Language"
    USER_PRIVILEGE = "User Privilege"
    USER_ID = "User Id"
    PREVIOUS_USER_ID = "Previous User Id"


class UserIdentifierType(SchemeValue, scheme=_imp1("visibleuseridentifiertype")):
    """What kind of number names a user."""

    BARCODE = "Barcode"
    INSTITUTION_ID_NUMBER = "Institution Id Number"


class BlockOrTrapType(SchemeValue, scheme=_imp1("blockortraptype")):
    """What a user is kept from, or what staff shall see when the user comes."""

    BLOCK_CHECK_OUT = "Block Check Out"
    BLOCK_ELECTRONIC_RESOURCE_ACCESS = "Block Electronic Resource Access"
    BLOCK_HOLD = "Block Hold"
    BLOCK_RECALL = "Block Recall"
    BLOCK_RENEWAL = "Block Renewal"
    BLOCK_REQUEST_ITEM = "Block Request Item"
    TRAP_FOR_LOST_CARD = "Trap For Lost Card"
    TRAP_FOR_MESSAGE = "Trap For Message"
    TRAP_FOR_PICKUP = "Trap For Pickup"
