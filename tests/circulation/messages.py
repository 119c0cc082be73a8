"""The messages of the field, as the text that a partner would send; every test of behaviour builds them here."""

from __future__ import annotations

from tests.services.world import item_id, request_id, user_id

IN_FEBRUARY = "2026-02-10T22:59:59Z"
IN_MARCH = "2026-03-01T22:59:59Z"
HOLD = "Hold For Pickup And Notify"
CIRCULATE = "Circulate"


def _named(name: str, value: str) -> str:
    return f"<{name}>{value}</{name}>" if value else ""


def mandated(at: str) -> str:
    """Say that what is told has happened already."""
    return f"<MandatedAction><DateEventOccurred>{at}</DateEventOccurred></MandatedAction>" if at else ""


def number(value: str, code: str = "") -> str:
    """Name a title by a record number."""
    kind = f"<BibliographicRecordIdentifierCode>{code}</BibliographicRecordIdentifierCode>" if code else ""
    agency = "" if code else "<AgencyId>ANY</AgencyId>"
    return (
        f"<BibliographicId><BibliographicRecordId><BibliographicRecordIdentifier>{value}"
        f"</BibliographicRecordIdentifier>{agency}{kind}</BibliographicRecordId></BibliographicId>"
    )


def request_item(
    request: str = "",
    *,
    user: str = "-",
    item: str = "",
    further: str = "",
    title: str = "",
    code: str = "",
    kind: str = "Hold",
    scope: str = "Item",
    pickup: str = "",
    before: str = "",
    happened: str = "",
    request_agency: str = "",
) -> str:
    return (
        f"<RequestItem>{mandated(happened)}{user_id(user)}{number(title, code) if title else ''}"
        f"{item_id(item) if item else ''}{item_id(further) if further else ''}{_request(request, request_agency)}"
        f"<RequestType>{kind}</RequestType><RequestScopeType>{scope}</RequestScopeType>"
        f"{_named('NeedBeforeDate', before)}{_named('PickupLocation', pickup)}</RequestItem>"
    )


def _request(value: str, agency: str = "") -> str:
    if not agency:
        return request_id(value) if value else ""
    return (
        f"<RequestId><AgencyId>{agency}</AgencyId><RequestIdentifierValue>{value}</RequestIdentifierValue></RequestId>"
    )


def cancel(request: str = "", *, item: str = "", user: str = "-", request_agency: str = "") -> str:
    return (
        f"<CancelRequestItem>{user_id(user)}{_request(request, request_agency)}{item_id(item) if item else ''}"
        "<RequestType>Hold</RequestType></CancelRequestItem>"
    )


def check_out(
    item: str,
    request: str = "",
    *,
    due: str = "",
    user: str = "-",
    digital: bool = False,
    happened: str = "",
    request_agency: str = "",
) -> str:
    return (
        f"<CheckOutItem>{mandated(happened)}{user_id(user)}{item_id(item)}{_request(request, request_agency)}"
        f"{'<ResourceDesired/>' if digital else ''}{_named('DesiredDateDue', due)}</CheckOutItem>"
    )


def check_in(item: str, request: str = "", *, happened: str = "", wanted: tuple[str, ...] = ()) -> str:
    types = "".join(_named("ItemElementType", name) for name in wanted)
    return (
        f"<CheckInItem>{mandated(happened)}{item_id(item)}{types}{request_id(request) if request else ''}</CheckInItem>"
    )


def accept(
    request: str,
    *,
    item: str = "",
    user: str = "",
    action: str = HOLD,
    return_by: str = "",
    pickup: str = "",
    pickup_expires: str = "",
    title: str = "",
    final: bool = False,
    no_renewal: bool = False,
    happened: str = "",
    request_agency: str = "",
) -> str:
    """Tell that an item has come; `final` = it need not be returned."""
    described = (
        f"<ItemOptionalFields><BibliographicDescription><Title>{title}</Title></BibliographicDescription>"
        "</ItemOptionalFields>"
        if title
        else ""
    )
    return (
        f"<AcceptItem>{mandated(happened)}{_request(request, request_agency)}"
        f"<RequestedActionType>{action}</RequestedActionType>"
        f"{user_id(user) if user else ''}{item_id(item) if item else ''}{_named('DateForReturn', return_by)}"
        f"{'<NonReturnableFlag/>' if final else ''}{'<RenewalNotPermitted/>' if no_renewal else ''}{described}"
        f"{_named('PickupLocation', pickup)}{_named('PickupExpiryDate', pickup_expires)}</AcceptItem>"
    )


def renew(item: str, until: str = "", *, user: str = "-", happened: str = "") -> str:
    return f"<RenewItem>{mandated(happened)}{user_id(user)}{item_id(item)}{_named('DesiredDateDue', until)}</RenewItem>"


def recall(item: str, until: str = "") -> str:
    return f"<RecallItem>{item_id(item)}{_named('DesiredDateDue', until)}</RecallItem>"


def cancel_recall(item: str) -> str:
    return f"<CancelRecallItem>{item_id(item)}</CancelRecallItem>"


def undo(item: str, request: str = "", *, user: str = "") -> str:
    return f"<UndoCheckOutItem>{item_id(item)}{user_id(user) if user else ''}{_request(request)}</UndoCheckOutItem>"


def set_status(item: str, status: str) -> str:
    return (
        f"<UpdateCirculationStatus>{item_id(item)}<CirculationStatus>{status}</CirculationStatus>"
        "</UpdateCirculationStatus>"
    )


def report(item: str, what: str, *, user: str = "-") -> str:
    """Say what the user says of an item: Lost, Missing, NeverBorrowed."""
    return (
        f"<ReportCirculationStatusChange>{item_id(item)}{user_id(user)}<ItemReported{what}/>"
        "</ReportCirculationStatusChange>"
    )


def renewed(item: str, until: str) -> str:
    return f"<ItemRenewed>{item_id(item)}<DateDue>{until}</DateDue></ItemRenewed>"


def status_updated(item: str, status: str) -> str:
    return (
        f"<CirculationStatusUpdated>{item_id(item)}<CirculationStatus>{status}</CirculationStatus>"
        "</CirculationStatusUpdated>"
    )


def lookup_user(user: str, *wanted: str, loans: bool = False, requests: bool = False) -> str:
    types = "".join(_named("UserElementType", name) for name in wanted)
    return (
        f"<LookupUser>{user_id(user)}{types}{'<LoanedItemsDesired/>' if loans else ''}"
        f"{'<RequestedItemsDesired/>' if requests else ''}</LookupUser>"
    )


def lookup_item(item: str = "", *wanted: str, request: str = "", borrower: bool = False) -> str:
    types = "".join(_named("ItemElementType", name) for name in wanted)
    named = request_id(request) if request else item_id(item)
    return f"<LookupItem>{named}{types}{'<CurrentBorrowerDesired/>' if borrower else ''}</LookupItem>"


def lookup_request(
    request: str = "",
    *wanted: str,
    item: str = "",
    user: str = "",
    about_item: tuple[str, ...] = (),
    about_user: tuple[str, ...] = (),
    request_agency: str = "",
) -> str:
    named = (
        _request(request, request_agency)
        if request
        else f"{user_id(user)}{item_id(item)}<RequestType>Hold</RequestType>"
    )
    types = "".join(_named("RequestElementType", name) for name in wanted)
    types += "".join(_named("ItemElementType", name) for name in about_item)
    types += "".join(_named("UserElementType", name) for name in about_user)
    return f"<LookupRequest>{named}{types}</LookupRequest>"


def lookup_agency(code: str, *wanted: str) -> str:
    types = "".join(_named("AgencyElementType", name) for name in wanted)
    return f"<LookupAgency><AgencyId>{code}</AgencyId>{types}</LookupAgency>"
