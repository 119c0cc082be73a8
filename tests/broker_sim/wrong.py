"""Responders that are wrong on purpose, each in one way: the suite must not be taken in by any of them.

Like the small library they are written with plain lxml and share no code with broker_sim. They remember nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from aiohttp import web
from lxml import etree

from tests.broker_sim.library import NS, element

Node = etree._Element
Part = Callable[[Node], Node]


class Wrong:
    """Answers every message by the same rule, in a valid response under a proper header."""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/ncip", self.ncip)
        app.router.add_route("*", "/api/v1/demo/clock", self.clock)
        app.router.add_route("*", "/api/{rest:.*}", self.desk)
        return app

    async def clock(self, request: web.Request) -> web.Response:
        return web.json_response({"now": datetime.now(UTC).isoformat()})

    async def desk(self, request: web.Request) -> web.Response:
        return web.json_response({"done": True, "message": "done", "notices": [], "history": [], "tasks": []})

    async def ncip(self, request: web.Request) -> web.Response:
        try:
            root = etree.fromstring(await request.read(), etree.XMLParser(remove_comments=True, remove_pis=True))
            body = root[0]
        except (etree.XMLSyntaxError, IndexError, ValueError):
            return send(problem("Invalid Message Syntax Error"))
        service = etree.QName(body).localname
        if service not in SUCCESS and not service.endswith(TOLD):
            return send(problem("Unsupported Service", service))
        return send(element(f"{service}Response", *header(body), *self.answer(service, body)))

    def answer(self, service: str, body: Node) -> list[Node]:
        raise NotImplementedError


class AlwaysProblem(Wrong):
    """Says no to everything, by the same well-formed Problem, about the first thing that the message names."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def answer(self, service: str, body: Node) -> list[Node]:
        names = ("ItemIdentifierValue", "UserIdentifierValue", "RequestIdentifierValue", "AgencyId")
        named = next((node for name in names for node in body.iter(f"{{{NS}}}{name}")), body)
        return [
            problem(
                self.kind,
                "/".join(local(node) for node in (*reversed([*named.iterancestors()]), named)),
                named.text or "",
            )
        ]


class NoEffect(Wrong):
    """Says yes to everything and does nothing; every item that is asked about has the same status."""

    def __init__(self, status: str) -> None:
        self.status = status

    def answer(self, service: str, body: Node) -> list[Node]:
        if service not in SUCCESS:
            return []  # a notification was understood
        asked = {node.text for node in body.iter(f"{{{NS}}}ItemElementType")}
        item = [
            element("BibliographicDescription", element("Title", "A Book"))
            if "Bibliographic Description" in asked
            else None,
            element("CirculationStatus", self.status) if "Circulation Status" in asked else None,
            element("HoldQueueLength", "0") if "Hold Queue Length" in asked else None,
            element("DateDue", days_ahead(28)) if "Date Due" in asked else None,
        ]
        known = (
            [element("ItemOptionalFields", *item)] if asked and service not in {"LookupItemSet", "LookupAgency"} else []
        )
        user = element("PersonalNameInformation", element("UnstructuredPersonalUserName", "Ada Lovelace"))
        named = (
            [element("UserOptionalFields", element("NameInformation", user))]
            if child(body, "UserElementType") is not None
            else []
        )
        return [*(part(body) for part in SUCCESS[service]), *known, *named]


def send(inside: Node) -> web.Response:
    raw = etree.tostring(element("NCIPMessage", inside, version="2.02"), xml_declaration=True, encoding="UTF-8")
    return web.Response(body=raw, content_type="application/xml", charset="utf-8")


def problem(kind: str, where: str = "", value: str = "") -> Node:
    parts = {"ProblemType": kind, "ProblemDetail": "It is so, line 1.", "ProblemElement": where, "ProblemValue": value}
    return element("Problem", *(element(name, text) for name, text in parts.items() if text))


def header(body: Node) -> list[Node]:
    ids = [
        body.findtext(f"{{{NS}}}InitiationHeader/{{{NS}}}{part}/{{{NS}}}AgencyId")
        for part in ("ToAgencyId", "FromAgencyId")
    ]
    turned = zip(("FromAgencyId", "ToAgencyId"), ids, strict=True)
    return (
        [element("ResponseHeader", *(element(name, element("AgencyId", one)) for name, one in turned))]
        if all(ids)
        else []
    )


def local(node: Node) -> str:
    return etree.QName(node).localname


def child(body: Node, name: str) -> Node | None:
    return body.find(f"{{{NS}}}{name}")


def days_ahead(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


# --- what a success looks like ---------------------------------------------------------------------------------------


def echo(name: str, value: str) -> Part:
    """An id as the message has it, or one made up."""

    def part(body: Node) -> Node:
        given = body.findtext(f"{{{NS}}}{name}/{{{NS}}}{value}")
        return element(name, element(value, given or "MADE-UP-1"))

    return part


def text(name: str, otherwise: str, source: str = "") -> Part:
    """A text as the message has it, there perhaps under another name, or another one."""

    def part(body: Node) -> Node:
        return element(name, body.findtext(f"{{{NS}}}{source or name}") or otherwise)

    return part


def availability(body: Node) -> Node:
    items = [
        element("ItemInformation", element("ItemId", element("ItemIdentifierValue", one.text or "")))
        for one in body.iter(f"{{{NS}}}ItemIdentifierValue")
    ]
    return element("BibInformation", element("HoldingsSet", *(items or [element("ItemInformation")])))


ITEM, USER = echo("ItemId", "ItemIdentifierValue"), echo("UserId", "UserIdentifierValue")
REQUEST, AGENCY = echo("RequestId", "RequestIdentifierValue"), text("AgencyId", "MADE-UP-1")
DUE, TYPE, SCOPE = (
    text("DateDue", days_ahead(28), "DesiredDateDue"),
    text("RequestType", "Hold"),
    text("RequestScopeType", "Item"),
)
ENTRY: Part = lambda _: element(
    "FiscalTransactionReferenceId", element("AgencyId", "X"), element("FiscalTransactionIdentifierValue", "1")
)  # noqa: E731
SUCCESS: dict[str, tuple[Part, ...]] = {
    "LookupAgency": (AGENCY,),
    "LookupItem": (ITEM,),
    "LookupItemSet": (availability,),
    "LookupRequest": (REQUEST, ITEM),
    "LookupUser": (USER,),
    "AcceptItem": (REQUEST, ITEM),
    "CheckInItem": (ITEM,),
    "CheckOutItem": (ITEM, USER, DUE, text("RenewalCount", "0")),
    "UndoCheckOutItem": (ITEM,),
    "CreateAgency": (AGENCY,),
    "CreateItem": (ITEM,),
    "CreateUser": (USER,),
    "CreateUserFiscalTransaction": (USER, ENTRY),
    "DeleteItem": (ITEM,),
    "DeleteUser": (USER,),
    "RecallItem": (ITEM, DUE),
    "CancelRecallItem": (ITEM,),
    "RenewItem": (ITEM, DUE, text("RenewalCount", "1")),
    "ReportCirculationStatusChange": (ITEM,),
    "RequestItem": (REQUEST, ITEM, USER, TYPE, SCOPE),
    "CancelRequestItem": (REQUEST, ITEM, USER),
    "SendUserNotice": (USER, text("DateWillSend", days_ahead(0), "DateToSend")),
    "UpdateAgency": (AGENCY,),
    "UpdateCirculationStatus": (ITEM,),
    "UpdateItem": (ITEM,),
    "UpdateRequestItem": (ITEM, USER, TYPE, SCOPE),
    "UpdateUser": (USER,),
}
TOLD = (
    "CheckedIn", "CheckedOut", "Created", "Updated", "Cancelled", "Recalled", "Received", "Renewed", "Reported", "Requested", "Sent", "Shipped",
)  # fmt: skip
