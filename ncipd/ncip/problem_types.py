"""The standard's problem types, the service that each belongs to, and the URIs of their lists (Z39.83-1 appendix A)."""

from __future__ import annotations

from enum import StrEnum

GENERAL_SCHEME = "http://www.niso.org/ncip/v1_0/schemes/processingerrortype/generalprocessingerror.scm"
MESSAGING_SCHEME = "http://www.niso.org/ncip/v1_0/schemes/messagingerrortype/messagingerrortype.scm"


class ProblemType(StrEnum):
    """What kind of problem it is."""

    ACCOUNT_ACCESS_DENIED = "Account Access Denied"
    AGENCY_ACCESS_DENIED = "Agency Access Denied"
    AGENCY_AUTHENTICATION_FAILED = "Agency Authentication Failed"
    CANNOT_ACCEPT_ITEM = "Cannot Accept Item"
    CANNOT_GUARANTEE_RESTRICTIONS_ON_USE = "Cannot Guarantee Restrictions On Use"
    DUPLICATE_AGENCY = "Duplicate Agency"
    DUPLICATE_FISCAL_TRANSACTION = "Duplicate Fiscal Transaction"
    DUPLICATE_ITEM = "Duplicate Item"
    DUPLICATE_REQUEST = "Duplicate Request"
    DUPLICATE_USER = "Duplicate User"
    ELEMENT_RULE_VIOLATED = "Element Rule Violated"
    INVALID_AMOUNT = "Invalid Amount"
    INVALID_DATE = "Invalid Date"
    INVALID_MESSAGE_SYNTAX_ERROR = "Invalid Message Syntax Error"
    ITEM_ACCESS_DENIED = "Item Access Denied"
    ITEM_ALREADY_CHECKED_OUT = "Item Already Checked Out"
    ITEM_CANNOT_BE_RECALLED = "Item Cannot Be Recalled"
    ITEM_DOES_NOT_CIRCULATE = "Item Does Not Circulate"
    ITEM_NOT_AVAILABLE_BY_NEED_BEFORE_DATE = "Item Not Available By Need Before Date"
    ITEM_NOT_CHECKED_OUT = "Item Not Checked Out"
    ITEM_NOT_CHECKED_OUT_TO_THIS_USER = "Item Not Checked Out To This User"
    ITEM_NOT_RENEWABLE = "Item Not Renewable"
    MAXIMUM_CHECK_OUTS_EXCEEDED = "Maximum Check Outs Exceeded"
    MAXIMUM_RENEWALS_EXCEEDED = "Maximum Renewals Exceeded"
    NEEDED_DATA_MISSING = "Needed Data Missing"
    NON_UNIQUE_ITEM = "Non-Unique Item"
    NON_UNIQUE_REQUEST = "Non-Unique Request"
    NON_UNIQUE_USER = "Non-Unique User"
    PROTOCOL_ERROR = "Protocol Error"
    RECALL_CANNOT_BE_CANCELLED_AT_THIS_TIME = "Recall Cannot Be Cancelled At This Time"
    RENEWAL_NOT_ALLOWED_ITEM_HAS_OUTSTANDING_REQUESTS = "Renewal Not Allowed - Item Has Outstanding Requests"
    REQUEST_ALREADY_PROCESSED = "Request Already Processed"
    RESOURCE_CANNOT_BE_PROVIDED = "Resource Cannot Be Provided"
    SYSTEM_AUTHENTICATION_FAILED = "System Authentication Failed"
    TEMPORARY_PROCESSING_FAILURE = "Temporary Processing Failure"
    UNABLE_TO_ADD_ELEMENT = "Unable To Add Element"
    UNABLE_TO_DELETE_ELEMENT = "Unable To Delete Element"
    UNAUTHORIZED_COMBINATION_OF_ELEMENT_VALUES_FOR_AGENCY = "Unauthorized Combination Of Element Values For Agency"
    UNAUTHORIZED_COMBINATION_OF_ELEMENT_VALUES_FOR_SYSTEM = "Unauthorized Combination Of Element Values For System"
    UNAUTHORIZED_SERVICE_FOR_AGENCY = "Unauthorized Service For Agency"
    UNAUTHORIZED_SERVICE_FOR_SYSTEM = "Unauthorized Service For System"
    UNKNOWN_AGENCY = "Unknown Agency"
    UNKNOWN_ELEMENT = "Unknown Element"
    UNKNOWN_ITEM = "Unknown Item"
    UNKNOWN_REQUEST = "Unknown Request"
    UNKNOWN_SCHEME = "Unknown Scheme"
    UNKNOWN_SERVICE = "Unknown Service"
    UNKNOWN_SYSTEM = "Unknown System"
    UNKNOWN_USER = "Unknown User"
    UNKNOWN_VALUE_FROM_KNOWN_SCHEME = "Unknown Value From Known Scheme"
    UNSUPPORTED_NOTICE = "Unsupported Notice"
    UNSUPPORTED_SERVICE = "Unsupported Service"
    UNSUPPORTED_SHIPPING_ADDRESS_TYPE = "Unsupported Shipping Address Type"
    USER_ACCESS_DENIED = "User Access Denied"
    USER_AUTHENTICATION_FAILED = "User Authentication Failed"
    USER_BLOCKED = "User Blocked"
    USER_INELIGIBLE_TO_CHECK_OUT_THIS_ITEM = "User Ineligible To Check Out This Item"
    USER_INELIGIBLE_TO_RENEW_THIS_ITEM = "User Ineligible To Renew This Item"
    USER_INELIGIBLE_TO_REQUEST_THIS_ITEM = "User Ineligible To Request This Item"


_P = ProblemType

GENERAL: frozenset[ProblemType] = frozenset(
    {
        _P.AGENCY_AUTHENTICATION_FAILED,
        _P.INVALID_AMOUNT,
        _P.INVALID_DATE,
        _P.NEEDED_DATA_MISSING,
        _P.SYSTEM_AUTHENTICATION_FAILED,
        _P.TEMPORARY_PROCESSING_FAILURE,
        _P.UNAUTHORIZED_COMBINATION_OF_ELEMENT_VALUES_FOR_AGENCY,
        _P.UNAUTHORIZED_COMBINATION_OF_ELEMENT_VALUES_FOR_SYSTEM,
        _P.UNAUTHORIZED_SERVICE_FOR_AGENCY,
        _P.UNAUTHORIZED_SERVICE_FOR_SYSTEM,
        _P.UNKNOWN_AGENCY,
        _P.UNKNOWN_SYSTEM,
        _P.UNSUPPORTED_SERVICE,
    }
)
"""Problems that any service may answer."""

MESSAGING: frozenset[ProblemType] = frozenset(
    {
        _P.INVALID_MESSAGE_SYNTAX_ERROR,
        _P.PROTOCOL_ERROR,
        _P.UNKNOWN_ELEMENT,
        _P.UNKNOWN_SCHEME,
        _P.UNKNOWN_SERVICE,
        _P.UNKNOWN_VALUE_FROM_KNOWN_SCHEME,
    }
)
"""Problems with the message itself, whatever its service."""

SERVICE_PROBLEMS: dict[str, frozenset[ProblemType]] = {
    "AcceptItem": frozenset(
        {
            _P.CANNOT_ACCEPT_ITEM,
            _P.CANNOT_GUARANTEE_RESTRICTIONS_ON_USE,
            _P.ELEMENT_RULE_VIOLATED,
            _P.UNKNOWN_ITEM,
            _P.UNKNOWN_REQUEST,
            _P.UNKNOWN_USER,
            _P.USER_INELIGIBLE_TO_CHECK_OUT_THIS_ITEM,
        }
    ),
    "CancelRecallItem": frozenset(
        {
            _P.ITEM_NOT_CHECKED_OUT,
            _P.RECALL_CANNOT_BE_CANCELLED_AT_THIS_TIME,
            _P.UNKNOWN_ITEM,
        }
    ),
    "CancelRequestItem": frozenset(
        {
            _P.ELEMENT_RULE_VIOLATED,
            _P.REQUEST_ALREADY_PROCESSED,
            _P.UNKNOWN_ITEM,
            _P.UNKNOWN_REQUEST,
            _P.UNKNOWN_USER,
            _P.USER_AUTHENTICATION_FAILED,
        }
    ),
    "CheckInItem": frozenset(
        {
            _P.ITEM_NOT_CHECKED_OUT,
            _P.UNKNOWN_ITEM,
        }
    ),
    "CheckOutItem": frozenset(
        {
            _P.ITEM_DOES_NOT_CIRCULATE,
            _P.MAXIMUM_CHECK_OUTS_EXCEEDED,
            _P.RESOURCE_CANNOT_BE_PROVIDED,
            _P.UNKNOWN_ITEM,
            _P.UNKNOWN_REQUEST,
            _P.UNKNOWN_USER,
            _P.UNSUPPORTED_SHIPPING_ADDRESS_TYPE,
            _P.USER_AUTHENTICATION_FAILED,
            _P.USER_BLOCKED,
            _P.USER_INELIGIBLE_TO_CHECK_OUT_THIS_ITEM,
        }
    ),
    "CreateAgency": frozenset(
        {
            _P.DUPLICATE_AGENCY,
            _P.ELEMENT_RULE_VIOLATED,
        }
    ),
    "CreateItem": frozenset(
        {
            _P.DUPLICATE_ITEM,
            _P.ELEMENT_RULE_VIOLATED,
        }
    ),
    "CreateUserFiscalTransaction": frozenset(
        {
            _P.ACCOUNT_ACCESS_DENIED,
            _P.DUPLICATE_FISCAL_TRANSACTION,
            _P.ELEMENT_RULE_VIOLATED,
            _P.UNABLE_TO_ADD_ELEMENT,
            _P.UNKNOWN_ITEM,
            _P.UNKNOWN_REQUEST,
            _P.UNKNOWN_USER,
            _P.USER_ACCESS_DENIED,
            _P.USER_AUTHENTICATION_FAILED,
        }
    ),
    "CreateUser": frozenset(
        {
            _P.DUPLICATE_USER,
            _P.ELEMENT_RULE_VIOLATED,
            _P.USER_AUTHENTICATION_FAILED,
        }
    ),
    "LookupAgency": frozenset(
        {
            _P.AGENCY_ACCESS_DENIED,
            _P.ELEMENT_RULE_VIOLATED,
        }
    ),
    "LookupItem": frozenset(
        {
            _P.ELEMENT_RULE_VIOLATED,
            _P.ITEM_ACCESS_DENIED,
            _P.NON_UNIQUE_ITEM,
            _P.UNKNOWN_ITEM,
        }
    ),
    "LookupRequest": frozenset(
        {
            _P.ELEMENT_RULE_VIOLATED,
            _P.NON_UNIQUE_REQUEST,
            _P.UNKNOWN_REQUEST,
        }
    ),
    "LookupUser": frozenset(
        {
            _P.ELEMENT_RULE_VIOLATED,
            _P.NON_UNIQUE_USER,
            _P.UNKNOWN_USER,
            _P.USER_ACCESS_DENIED,
            _P.USER_AUTHENTICATION_FAILED,
        }
    ),
    "RecallItem": frozenset(
        {
            _P.ITEM_CANNOT_BE_RECALLED,
            _P.ITEM_NOT_CHECKED_OUT,
            _P.UNKNOWN_ITEM,
            _P.UNSUPPORTED_SHIPPING_ADDRESS_TYPE,
        }
    ),
    "RenewItem": frozenset(
        {
            _P.ITEM_NOT_CHECKED_OUT,
            _P.ITEM_NOT_RENEWABLE,
            _P.MAXIMUM_RENEWALS_EXCEEDED,
            _P.RENEWAL_NOT_ALLOWED_ITEM_HAS_OUTSTANDING_REQUESTS,
            _P.UNKNOWN_ITEM,
            _P.UNKNOWN_USER,
            _P.USER_AUTHENTICATION_FAILED,
            _P.USER_BLOCKED,
            _P.USER_INELIGIBLE_TO_RENEW_THIS_ITEM,
        }
    ),
    "ReportCirculationStatusChange": frozenset(
        {
            _P.ELEMENT_RULE_VIOLATED,
            _P.ITEM_NOT_CHECKED_OUT_TO_THIS_USER,
            _P.UNKNOWN_ITEM,
            _P.UNKNOWN_USER,
            _P.USER_AUTHENTICATION_FAILED,
        }
    ),
    "RequestItem": frozenset(
        {
            _P.DUPLICATE_REQUEST,
            _P.ELEMENT_RULE_VIOLATED,
            _P.ITEM_DOES_NOT_CIRCULATE,
            _P.ITEM_NOT_AVAILABLE_BY_NEED_BEFORE_DATE,
            _P.UNKNOWN_ITEM,
            _P.UNKNOWN_USER,
            _P.USER_AUTHENTICATION_FAILED,
            _P.USER_BLOCKED,
            _P.USER_INELIGIBLE_TO_REQUEST_THIS_ITEM,
        }
    ),
    "SendUserNotice": frozenset(
        {
            _P.ELEMENT_RULE_VIOLATED,
            _P.ITEM_NOT_CHECKED_OUT,
            _P.UNKNOWN_ITEM,
            _P.UNKNOWN_USER,
            _P.UNSUPPORTED_NOTICE,
        }
    ),
    "UndoCheckOutItem": frozenset(
        {
            _P.UNKNOWN_ITEM,
            _P.UNKNOWN_USER,
            _P.USER_AUTHENTICATION_FAILED,
        }
    ),
    "UpdateAgency": frozenset(
        {
            _P.AGENCY_ACCESS_DENIED,
            _P.ELEMENT_RULE_VIOLATED,
            _P.UNABLE_TO_ADD_ELEMENT,
            _P.UNABLE_TO_DELETE_ELEMENT,
        }
    ),
    "UpdateCirculationStatus": frozenset(
        {
            _P.ELEMENT_RULE_VIOLATED,
            _P.ITEM_ACCESS_DENIED,
            _P.UNABLE_TO_ADD_ELEMENT,
            _P.UNABLE_TO_DELETE_ELEMENT,
            _P.UNKNOWN_ITEM,
        }
    ),
    "UpdateItem": frozenset(
        {
            _P.ELEMENT_RULE_VIOLATED,
            _P.ITEM_ACCESS_DENIED,
            _P.UNABLE_TO_ADD_ELEMENT,
            _P.UNABLE_TO_DELETE_ELEMENT,
            _P.UNKNOWN_ITEM,
        }
    ),
    "UpdateRequestItem": frozenset(
        {
            _P.ELEMENT_RULE_VIOLATED,
            _P.ITEM_ACCESS_DENIED,
            _P.UNABLE_TO_ADD_ELEMENT,
            _P.UNABLE_TO_DELETE_ELEMENT,
            _P.UNKNOWN_ITEM,
            _P.UNKNOWN_REQUEST,
            _P.UNKNOWN_USER,
            _P.USER_AUTHENTICATION_FAILED,
        }
    ),
    "UpdateUser": frozenset(
        {
            _P.ELEMENT_RULE_VIOLATED,
            _P.UNABLE_TO_ADD_ELEMENT,
            _P.UNABLE_TO_DELETE_ELEMENT,
            _P.UNKNOWN_USER,
            _P.USER_ACCESS_DENIED,
            _P.USER_AUTHENTICATION_FAILED,
        }
    ),
}
"""The problems of each service's own list, besides GENERAL and MESSAGING."""


def scheme_of(problem: str, service: str | None) -> str | None:
    """Give the URI of the list that a problem comes from: of the service, general or messaging.

    A problem on none of them is said to come from the service's own list; without a service it has no list.
    """
    if problem not in SERVICE_PROBLEMS.get(service or "", ()):
        if problem in GENERAL:
            return GENERAL_SCHEME
        if problem in MESSAGING:
            return MESSAGING_SCHEME
    if service is None:
        return None
    return f"http://www.niso.org/ncip/v1_0/schemes/processingerrortype/{service.lower()}processingerror.scm"
