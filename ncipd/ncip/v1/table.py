"""How version 1 differs from version 2: the one table by which messages are read and written.

=====================================  ================================================================================
in version 1                           in version 2
=====================================  ================================================================================
UniqueUserId, UniqueItemId …           UserId, ItemId … (RENAMED)
Scheme and Value as child elements     text with an attribute Scheme; an empty Scheme is none;
                                       one that is no URI is percent-encoded
VisibleUserId, VisibleItemId           UserId, ItemId with their type, in their place or in Ext (VISIBLE)
UserTransaction                        its RequestedItem and LoanedItem stand in LookupUserResponse itself
Problem holds errors                   one Problem for each error; a path of elements is a text with slashes
MessagingError in an acknowledgement   Problem
AuthenticateUser                       LookupUser that asks for nothing but who it is
UserElementType Visible User Id        User Id (VALUES)
a header, agencies, schemes always     may be left out; when writing they are supplied, empty where nothing is known
=====================================  ================================================================================

What only version 2 has is dropped when writing (LACKING, SINGLE): among it PickupLocation, Ext, and ProblemDetail,
which stands in the place of the value where a problem has none. What only version 1 requires is supplied: the kinds of
data asked for (ASKED_AT_LEAST), and of a loan that tells of neither, one reminder and an amount of nothing.
"""

from __future__ import annotations

DTD = "http://www.niso.org/ncip/v1_0/imp1/dtd/ncip_v1_0.dtd"
"""The value of the version attribute for NCIP 1.0, and the address of its DTD."""

RENAMED = {
    "UniqueAgencyId": "AgencyId",
    "UniqueBibliographicId": "BibliographicId",
    "UniqueItemId": "ItemId",
    "UniqueRequestId": "RequestId",
    "UniqueUserId": "UserId",
    "VisibleItemId": "ItemId",
    "VisibleItemIdentifier": "ItemIdentifierValue",
    "VisibleItemIdentifierType": "ItemIdentifierType",
    "VisibleUserId": "UserId",
    "VisibleUserIdentifier": "UserIdentifierValue",
    "VisibleUserIdentifierType": "UserIdentifierType",
}
"""What an element of version 1 is called in version 2."""

UNIQUE = {new: old for old, new in RENAMED.items() if old.startswith("Unique")}
"""What an element of version 2 is called in version 1, unless it is an id that people see."""

VISIBLE = {
    "LookupItem": ("VisibleItemId", "place"),
    "LookupUser": ("VisibleUserId", "place"),
    "UserOptionalFields": ("VisibleUserId", "end"),
    "AddUserFields": ("VisibleUserId", "ext"),
    "CreateUser": ("VisibleUserId", "ext"),
    "DeleteUserFields": ("VisibleUserId", "ext"),
    "ItemDescription": ("VisibleItemId", "ext"),
    "UserCreated": ("VisibleUserId", "ext"),
}
"""Which id that people see an element holds, and where version 2 has it.

In its place: in that of the unique id, where a type tells it from one; at the end, where only such ids stand; or in the
Ext, because version 2 has no place for it.
"""

BEFORE_VISIBLE = {"InitiationHeader", "MandatedAction", "UniqueUserId", "AuthenticationInput"}
"""What stands before the VisibleUserId of CreateUser and UserCreated; elsewhere it comes first."""

VALUES = {"UserElementType": {"Visible User Id": "User Id"}}
"""Coded values that are spelled otherwise in version 2."""

AUTHENTICATE = {"AuthenticateUser": "LookupUser", "AuthenticateUserResponse": "LookupUserResponse"}
"""The service of version 1 alone, and the one that version 2 has for it."""

LATER = frozenset({"LookupRequest", "LookupRequestResponse"})
"""Messages that version 1.01 added; what else it changed is not known, so it is read as 1.0."""

_FIELDS = ("PickupLocation", "PaidFeeAmount")
LACKING: dict[str, tuple[str, ...]] = {
    "AcceptItem": ("PickupLocation", "PickupExpiryDate"),
    "AddRequestFields": _FIELDS,
    "CancelRequestItem": ("AcknowledgedFeeAmount", "PaidFeeAmount"),
    "CheckOutItem": ("PaidFeeAmount",),
    "DeleteRequestFields": _FIELDS,
    "ItemDescription": ("NumberOfPieces",),
    "ItemOptionalFields": ("DateDue",),
    "ItemRequested": ("PickupLocation",),
    "LoanedItem": ("BibliographicId", "Title", "MediumType"),
    "LookupRequest": ("RequestElementType",),
    "LookupRequestResponse": _FIELDS,
    "RenewItem": ("PaidFeeAmount",),
    "RequestItem": ("ItemOptionalFields", *_FIELDS),
    "RequestedItem": ("BibliographicId", "PickupLocation", "Title", "MediumType"),
    "RoutingInformation": ("NameInformation",),
    "UpdateRequestItemResponse": ("RequiredItemUseRestrictionType",),
    "UserOptionalFields": ("PreviousUserId",),
}
"""Children that an element has in version 2 only; Ext goes from all of them."""

UNTYPED = {
    "ItemId": "ItemIdentifierType",
    "RequestId": "RequestIdentifierType",
    "UserId": "UserIdentifierType",
}
"""The types of ids, which unique ids do not tell and visible ones do."""

SINGLE = {
    "BibliographicDescription": ("BibliographicRecordId",),
    "RequestItem": ("ItemId", "BibliographicId"),
}
"""Children that an element may have only once in version 1: the first stays. Of RequestItem's, the item goes before."""

ASKED_AT_LEAST = {
    "LookupItem": ("ItemElementType", "Bibliographic Description"),
    "LookupUser": ("UserElementType", "Visible User Id"),
}
"""What a lookup asks for that asks for nothing in particular, because version 1 wants one kind of data at least."""

DATATYPES = {
    "str": "string",
    "datetime": "dateTime",
    "Count": "nonNegativeInteger",
    "Ordinal": "positiveInteger",
    "Minor": "integer",
}
"""What the attribute datatype says of the types of our classes; ReminderLevel became a Count in version 2.02."""

REPAIRS = {
    "v1-scheme": "Reads a coded value of version 1 that is not a pair of Scheme and Value.",
    "v1-agency": "Reads an identifier of version 1 without its agency.",
    "v1-element-type": "Reads a lookup of version 1 that does not say which data are wanted.",
    "v1-header": "Reads a message of version 1 without a header.",
    "v1-datatype": "Ignores an attribute datatype that is not the one of its element.",
    "v1-request-type": "Reads an ItemRequestCancelled of version 1 that does not say which type of request it was.",
    "v1-later-service": "Reads LookupRequest, which version 1.01 added, as version 2 has it.",
    "v1-later-element": "Reads elements in a message of version 1 that only version 2 has.",
    "v1-two-user-ids": "Keeps the unique one of two user identifiers in LookupUser, and the visible one in the Ext.",
    "v1-loose": "Reads by the grammar of version 2 what the grammar of version 1 does not allow.",
}
"""The named repairs that are only made on messages of version 1, each in a sentence."""
