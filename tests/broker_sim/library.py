"""A library small enough to read in one go, for the simulator to be tried on: right, or wrong in one way if asked.

It speaks just enough NCIP over real HTTP, has a desk with JSON, a clock that can be moved, and can send messages to a
broker. It is written with plain lxml and shares no code with broker_sim: the judge must not be judged by its own words.
"""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web
from lxml import etree

NS = "http://www.niso.org/2008/ncip"
FAULTS = (
    "not-xml",
    "invalid",
    "invalid-prefixed",
    "invalid-foreign",
    "invalid-type",
    "comments",
    "padded",
    "header-not-turned",
    "hang",
    "http-500",
    "media-type",
    "charset",
    "wrong-problem",
    "resend-differs",
    "cut",
    "doctype",
    "slow",
    "wrong-response",
    "no-namespace",
)


def element(name: str, *inside: Any, **attributes: str) -> etree._Element:
    node = etree.Element(f"{{{NS}}}{name}", nsmap={None: NS, "n": NS})
    for key, value in attributes.items():
        node.set(f"{{{NS}}}{key}", value)
    for part in inside:
        if isinstance(part, str):
            node.text = part
        elif part is not None:
            node.append(part)
    return node


def prefixed(raw: bytes) -> bytes:
    """The same message as toolkits write it that give every name a prefix."""
    names = re.sub(rb"(</?)(?=[A-Z])", rb"\1lib:", raw)
    return names.replace(b'xmlns="', b'xmlns:lib="', 1)


class Library:
    """A lender and a borrower in one, with one fault at most."""

    def __init__(self, fault: str | None = None, *, only_for: str | None = None) -> None:
        assert fault is None or fault in FAULTS, fault
        self.fault, self.only_for = fault, only_for
        self.items: dict[str, dict[str, Any]] = {}
        self.answers: dict[bytes, bytes] = {}
        self.ahead = timedelta()
        self.received: list[bytes] = []
        self.seen_headers: list[dict[str, str]] = []
        self.broker_url: str | None = None
        self.broker_answers: list[tuple[int, bytes]] = []
        self.posting: set[asyncio.Task[None]] = set()

    # --- the door ----------------------------------------------------------------------------------------------------

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/ncip", self.ncip)
        app.router.add_post("/ncip/{key}", self.ncip)
        app.router.add_route("*", "/api/v1/agencies/{agency}/{rest:.*}", self.desk)
        app.router.add_get("/api/v1/demo/clock", self.clock)
        app.router.add_post("/api/v1/demo/clock", self.clock)
        return app

    async def ncip(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        self.received.append(raw)
        self.seen_headers.append(dict(request.headers))
        try:
            root = etree.fromstring(raw)
        except etree.XMLSyntaxError:
            return self.problem_alone("Invalid Message Syntax Error")
        body = root[0]
        service = etree.QName(body).localname
        fault = self.fault if self.only_for in {None, service} else None
        if fault == "hang":
            await asyncio.sleep(5)
        if fault == "slow":
            await asyncio.sleep(0.3)
        if fault == "http-500":
            return web.Response(status=500, text="Traceback (most recent call last)")
        if fault == "cut":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        remembered = fault != "resend-differs" and not service.startswith("Lookup")
        answer = self.answers.get(raw) if remembered else None
        if answer is None:
            answer = self.answers[raw] = self.answer(body, service, fault)
        media_type = "text/html" if fault == "media-type" else "application/xml"
        charset = "iso-8859-1" if fault == "charset" else "utf-8"
        return web.Response(body=answer, content_type=media_type, charset=charset)

    def answer(self, body: etree._Element, service: str, fault: str | None) -> bytes:
        if fault == "not-xml":
            return b"<html>\n <body>\x7fIt works!</html>"
        response = self.serve(body, service, fault)
        header = body.find(f"{{{NS}}}InitiationHeader")
        if header is not None:
            ids = [
                header.findtext(f".//{{{NS}}}{part}/{{{NS}}}AgencyId") or "" for part in ("ToAgencyId", "FromAgencyId")
            ]
            if fault == "header-not-turned":
                ids.reverse()
            parts = (
                element(name, element("AgencyId", text))
                for name, text in zip(("FromAgencyId", "ToAgencyId"), ids, strict=True)
            )
            response.insert(0, element("ResponseHeader", *parts))
        self.spoil(response, fault)
        raw = etree.tostring(element("NCIPMessage", response, version="2.02"), xml_declaration=True, encoding="UTF-8")
        if fault == "invalid-prefixed":
            return prefixed(raw).replace(b"<lib:DateDue>", b"<lib:Surprise/><lib:DateDue>")
        if fault == "no-namespace":
            return raw.replace(NS.encode(), b"urn:something-else")
        return raw.replace(b"?>", b"?><!DOCTYPE NCIPMessage>", 1) if fault == "doctype" else raw

    def spoil(self, response: etree._Element, fault: str | None) -> None:
        numbers = [*response.iter(f"{{{NS}}}ItemIdentifierValue")]
        if fault == "invalid":
            response.append(element("Surprise"))
        if fault == "invalid-foreign":
            response.append(etree.Element("{urn:of-our-own}Surprise", nsmap={"own": "urn:of-our-own"}))
        if fault == "invalid-type":
            response.set("{http://www.w3.org/2001/XMLSchema-instance}type", "n:Surprise")
        if fault == "padded":
            for node in numbers:
                node.text = f"\n  {node.text}\n"
        if fault == "comments":
            for node in numbers:
                node.append(etree.Comment("the number on the label"))
        if fault == "wrong-response":
            response.tag = f"{{{NS}}}RecallItemResponse"

    def problem_alone(self, kind: str) -> web.Response:
        problem = element("Problem", element("ProblemType", kind), element("ProblemDetail", "line 1"))
        return web.Response(
            body=etree.tostring(element("NCIPMessage", problem, version="2.02")), content_type="application/xml"
        )

    # --- the services ------------------------------------------------------------------------------------------------

    def serve(self, body: etree._Element, service: str, fault: str | None) -> etree._Element:  # noqa: PLR0911
        def text(*path: str) -> str:
            return body.findtext("/".join(f"{{{NS}}}{part}" for part in path)) or ""

        name = f"{service}Response"
        barcode, user, request = (
            text("ItemId", "ItemIdentifierValue"),
            text("UserId", "UserIdentifierValue"),
            text("RequestId", "RequestIdentifierValue"),
        )

        def named(kind: str, value: str, text_: str) -> etree._Element:
            agency = text(kind, "AgencyId")
            return element(kind, element("AgencyId", agency) if agency else None, element(value, text_))

        item_id = named("ItemId", "ItemIdentifierValue", barcode)
        user_id = named("UserId", "UserIdentifierValue", user)
        request_id = named("RequestId", "RequestIdentifierValue", request)
        if barcode.startswith("UNKNOWN"):
            return element(
                name, self.problem("Unknown User" if fault == "wrong-problem" else "Unknown Item", service, barcode)
            )
        item = self.items.setdefault(barcode, {"status": "Available On Shelf", "live": True})
        match service:
            case "LookupUser":
                surname = element("PersonalNameInformation", element("UnstructuredPersonalUserName", "Ada Lovelace"))
                privilege = element(
                    "UserPrivilege", element("AgencyId", "X"), element("AgencyUserPrivilegeType", "Any")
                )
                fields = element("UserOptionalFields", element("NameInformation", surname), privilege)
                return element(name, user_id, fields)
            case "RequestItem":
                item["request"] = request
                kind, scope = (
                    element("RequestType", text("RequestType")),
                    element("RequestScopeType", text("RequestScopeType")),
                )
                return element(name, request_id, user_id, kind, scope)
            case "AcceptItem":
                item.update(status="In Process", temporary=True, due=text("DateForReturn"))
                item["title"] = text("ItemOptionalFields", "BibliographicDescription", "Title")
                return element(name, request_id, item_id)
            case "CheckOutItem":
                if item["status"] == "On Loan" and request != item.get("request"):
                    return element(name, self.problem("Item Already Checked Out", service, barcode))
                item.update(status="On Loan", request=request)
                due = text("DesiredDateDue")
                if fault == "resend-differs":
                    due = datetime.now(UTC).isoformat(timespec="microseconds")
                return element(name, item_id, user_id, element("DateDue", due), element("RenewalCount", "0"))
            case "CheckInItem":
                item.update(status="Waiting To Be Reshelved", live=not item.get("temporary"))
                return element(name, item_id)
            case "RenewItem":
                return element(name, item_id, element("DateDue", text("DesiredDateDue")))
            case "LookupItem":
                title = (
                    element("BibliographicDescription", element("Title", item["title"])) if item.get("title") else None
                )
                fields = element("ItemOptionalFields", title, element("CirculationStatus", item["status"]))
                return element(name, item_id, fields)
            case _:
                return element(name, self.problem("Unsupported Service", service, service))

    def problem(self, kind: str, service: str, value: str) -> etree._Element:
        path = f"{service}/ItemId/ItemIdentifierValue"
        parts = (
            ("ProblemType", kind),
            ("ProblemDetail", "No item here has this barcode."),
            ("ProblemElement", path),
            ("ProblemValue", value),
        )
        return element("Problem", *(element(name, text) for name, text in parts))

    # --- the desk ----------------------------------------------------------------------------------------------------

    async def desk(self, request: web.Request) -> web.Response:
        rest = request.match_info["rest"]
        given = await request.json() if request.method == "POST" else {}
        barcode = given.get("barcode", rest.rpartition("/")[2])
        if str(barcode).startswith("UNKNOWN"):
            return web.json_response(
                {"error": {"code": "item-not-found", "message": "No item has this barcode."}}, status=404
            )
        if rest == "tasks":
            return web.json_response(
                {"tasks": [{"item": name, "request": one.get("request")} for name, one in self.items.items()]}
            )
        item = self.items.setdefault(barcode, {"status": "Available On Shelf", "live": True})
        if rest == f"items/{barcode}":
            return web.json_response({"barcode": barcode, "status": item["status"], "live": item["live"], "loan": None})
        match rest.removeprefix("desk/"):
            case "ship":
                item["status"] = "On Loan"
            case "hold-shelf":
                item["status"] = "Available For Pickup"
            case "check-out":
                item["status"] = "On Loan"
                return web.json_response({"done": True, "loan": {"due_date": item["due"]}})
            case "return":
                return web.json_response({"done": True, "instruction": "send back", "message": "Send it back."})
            case "renew":
                self.post(given.get("due_date", "2026-06-01T00:00:00Z"), barcode)
            case _:
                pass
        return web.json_response({"done": True, "message": "done"})

    async def clock(self, request: web.Request) -> web.Response:
        if request.method == "POST":
            given = await request.json()
            if "set" in given:
                self.ahead = datetime.fromisoformat(given["set"]) - datetime.now(UTC)
            else:
                self.ahead += timedelta(days=int(given["advance"].strip("PD")))
        return web.json_response({"now": (datetime.now(UTC) + self.ahead).isoformat()})

    # --- what it sends by itself -------------------------------------------------------------------------------------

    def post(self, due: str, barcode: str, service: str = "RenewItem") -> None:
        """Send a message to the broker, in the background, as an outbox does."""
        agency = lambda name, code: element(name, element("AgencyId", code))  # noqa: E731
        header = element("InitiationHeader", agency("FromAgencyId", "NCIPD-BORROW"), agency("ToAgencyId", "BROKER-SIM"))
        user = element("UserId", element("UserIdentifierValue", "B-USER-1"))
        item = element("ItemId", element("ItemIdentifierValue", barcode))
        wish = element("DesiredDateDue", due)
        inside = (header, user, item, wish) if service == "RenewItem" else (header, item, wish)
        raw = etree.tostring(element("NCIPMessage", element(service, *inside), version="2.02"))
        task = asyncio.ensure_future(self.send(raw))
        self.posting.add(task)
        task.add_done_callback(self.posting.discard)

    async def send(self, raw: bytes) -> None:
        assert self.broker_url is not None
        headers = {"Content-Type": "application/xml"}
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.post(self.broker_url, data=raw, headers=headers) as answer,
            ):
                self.broker_answers.append((answer.status, await answer.read()))
        except aiohttp.ClientError as error:
            self.broker_answers.append((0, json.dumps(str(error)).encode()))
