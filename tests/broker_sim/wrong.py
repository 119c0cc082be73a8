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
        above = "".join(f"{etree.QName(node).localname}/" for node in reversed([*named.iterancestors()]))
        return [problem(self.kind, above + etree.QName(named).localname, named.text or "")]


class NoEffect(Wrong):
    """Says yes to everything and does nothing; every item that is asked about has the same status."""

    def __init__(self, status: str) -> None:
        self.status = status

    def answer(self, service: str, body: Node) -> list[Node]:
        if service not in SUCCESS:
            return []  # a notification was understood
        asked = {node.text for node in body.iter(f"{{{NS}}}ItemElementType")}
        said = {
            "Bibliographic Description": element("BibliographicDescription", element("Title", "A Book")),
            "Circulation Status": element("CirculationStatus", self.status),
            "Hold Queue Length": element("HoldQueueLength", "0"),
            "Date Due": element("DateDue", days_ahead(28)),
        }
        answered = [part(body) for part in SUCCESS[service]]
        if asked and service not in {"LookupItemSet", "LookupAgency"}:
            answered.append(element("ItemOptionalFields", *(part for type_, part in said.items() if type_ in asked)))
        if body.find(f"{{{NS}}}UserElementType") is not None:
            person = element("PersonalNameInformation", element("UnstructuredPersonalUserName", "Ada Lovelace"))
            answered.append(element("UserOptionalFields", element("NameInformation", person)))
        return answered


def send(inside: Node) -> web.Response:
    raw = etree.tostring(element("NCIPMessage", inside, version="2.02"), xml_declaration=True, encoding="UTF-8")
    return web.Response(body=raw, content_type="application/xml", charset="utf-8")


def problem(kind: str, where: str = "", value: str = "") -> Node:
    parts = {"ProblemType": kind, "ProblemDetail": "It is so, line 1.", "ProblemElement": where, "ProblemValue": value}
    return element("Problem", *(element(name, text) for name, text in parts.items() if text))


def header(body: Node) -> list[Node]:
    parts = ("FromAgencyId", "ToAgencyId")
    sent = {part: body.findtext(f"{{{NS}}}InitiationHeader/{{{NS}}}{part}/{{{NS}}}AgencyId") for part in parts}
    if not all(sent.values()):
        return []
    turned = zip(parts, reversed(sent.values()), strict=True)
    return [element("ResponseHeader", *(element(part, element("AgencyId", code)) for part, code in turned))]


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
    """Every item that was asked about, and nothing about it."""
    ids = [one.text or "" for one in body.iter(f"{{{NS}}}ItemIdentifierValue")]
    items = [element("ItemInformation", element("ItemId", element("ItemIdentifierValue", one))) for one in ids]
    return element("BibInformation", element("HoldingsSet", *(items or [element("ItemInformation")])))


def entry(body: Node) -> Node:
    """A transaction's number, made up."""
    number = element("FiscalTransactionIdentifierValue", "1")
    return element("FiscalTransactionReferenceId", element("AgencyId", "X"), number)


ITEM, USER = echo("ItemId", "ItemIdentifierValue"), echo("UserId", "UserIdentifierValue")
REQUEST, AGENCY = echo("RequestId", "RequestIdentifierValue"), text("AgencyId", "MADE-UP-1")
DUE = text("DateDue", days_ahead(28), "DesiredDateDue")
TYPE, SCOPE = text("RequestType", "Hold"), text("RequestScopeType", "Item")
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
    "CreateUserFiscalTransaction": (USER, entry),
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
# How the names of notifications end.
TOLD = ("In", "Out", "Created", "Updated", "led", "ived", "newed", "rted", "sted", "Sent", "Shipped")
