"""What has to be there for a message to succeed: derived by rule from what it names, its service, and its side.

Nothing here knows a file, a source or a value. A message of a broker or a peer is about an item of ours that they
borrow (lending) or about one of theirs that our user gets (borrowing); that of a discovery layer or of our own system
is about our users and our items (local). What happened before it is told to ncipd in the plainest messages of
version 2, by the same partner.
"""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from tests.corpus.said import Id, Said
from tests.services.world import message

NOBODY = Id("CORPUS-USER")
COPY = Id("CORPUS-COPY")
REQUEST = Id("CORPUS-REQUEST")
TITLE = "A title of the corpus"
EARLIER = timedelta(days=7)  # the time between what happened before and the message
AHEAD = timedelta(days=14)  # how long before a date that it wishes a message is sent

_DELETE = re.compile(r"\bDelete(\w+Fields)$")
_ADD = re.compile(r"\bAdd\w+Fields$")
_SECRETS = {"pin": "pin", "password": "password", "ldappassword": "password"}

#: Services that make what they name, which is not there before.
_MAKING = frozenset({"CreateUser", "UserCreated", "CreateItem", "ItemCreated", "CreateAgency", "AgencyCreated"})

#: What happened before a message of this service, by side; a service that is not listed comes first.
_ON_REQUEST = (
    "CancelRequestItem",
    "ItemRequestCancelled",
    "UpdateRequestItem",
    "ItemRequestUpdated",
    "LookupRequest",
)
_ON_LOAN = (
    "CheckInItem",
    "ItemCheckedIn",
    "RenewItem",
    "ItemRenewed",
    "RecallItem",
    "ItemRecalled",
    "UndoCheckOutItem",
    "ItemCheckOutUndone",
    "CirculationStatusUpdated",
    "CirculationStatusChangeReported",
)
_OFF_RECALL = ("CancelRecallItem", "ItemRecallCancelled")
_BEFORE: dict[str, dict[str, tuple[str, ...]]] = {
    "local": {
        **dict.fromkeys(_ON_REQUEST, ("request",)),
        **dict.fromkeys(_ON_LOAN, ("lend",)),
        **dict.fromkeys(_OFF_RECALL, ("lend", "recall")),
    },
    "lending": {
        **dict.fromkeys((*_ON_REQUEST, "CheckOutItem"), ("request",)),
        **dict.fromkeys((*_ON_LOAN, "ItemShipped", "ItemReceived", "ItemCheckedOut"), ("request", "lend")),
        **dict.fromkeys(_OFF_RECALL, ("request", "lend")),
    },
    "borrowing": {
        **dict.fromkeys((*_ON_REQUEST, "ItemShipped"), ("ask",)),
        **dict.fromkeys(("CheckOutItem", "ItemCheckedOut", "CheckInItem", "ItemReceived"), ("accept",)),
        **dict.fromkeys([one for one in _ON_LOAN if one != "CheckInItem"], ("accept", "lend")),
        **dict.fromkeys(_OFF_RECALL, ("accept", "lend", "recall")),
        "DeleteItem": ("accept",),
    },
}

#: The side of what a broker or a peer sends, where its family's profile does not tell.
_RECALLS = ("RecallItem", "ItemRecalled", "CancelRecallItem", "ItemRecallCancelled")
_BORROWING = frozenset({"AcceptItem", "DeleteItem", "ItemCheckedOut", *_RECALLS})
_BOTH = frozenset({"ItemShipped", "ItemReceived"})


@dataclass
class World:
    """A library with what a message names in it, and what has been told to it before the message comes."""

    agencies: list[dict[str, Any]]
    users: list[dict[str, Any]] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    #: When the message is sent; None = now.
    sent: datetime | None = None

    @property
    def agency(self) -> str:
        """The code of the library."""
        code: str = self.agencies[0]["code"]
        return code


def sides(service: str, role: str, documented: tuple[str, ...]) -> tuple[str, ...]:
    """On which sides a message is tried: those that its family documents, else the usual one."""
    if role in ("discovery", "ils"):
        return ("local",)
    if documented:
        return documented
    if service in _BOTH:
        return ("lending", "borrowing")
    return ("borrowing",) if service in _BORROWING or "User" in service else ("lending",)


def world_for(said: Said, service: str, side: str) -> World:
    """Say what has to be there for a message of this service, on this side, to succeed."""
    world = World(_agencies(said, service), sent=_moment(said))
    if service not in _MAKING:
        named = _named(said, side)
        _fill(world, said, named, side, service)
        world.before = [_step(step, named, world, service, said) for step in _steps(said, service, side)]
        if service.startswith("Update") or service.endswith("Updated"):
            world.before += _added(said)
    return world


def _steps(said: Said, service: str, side: str) -> tuple[str, ...]:
    """What has to happen before; whoever names a request in a bill, or no item but a request, means one that exists."""
    by_request = "Fiscal" in service or (service == "LookupItem" and not said.items())
    if by_request and said.requests():
        return ("ask",) if side == "borrowing" else ("request",)
    if service == "AcceptItem" and not said.users() and said.requests():
        return ("ask",)
    return _BEFORE[side].get(service, ())


@dataclass(frozen=True)
class _Named:
    """What is meant in the messages before: what the message names, else something of our own."""

    user: Id
    item: Id
    request: Id | None


def _named(said: Said, side: str) -> _Named:
    users, items, requests = said.users() or _typed_names(said), said.items(), said.requests()
    request = requests[0] if requests else REQUEST if side == "borrowing" else None
    return _Named((users or [NOBODY])[0], (items or [COPY])[0], request)


def _typed_names(said: Said) -> list[Id]:
    return [one for one in said.typed() if _squashed(one.type) not in _SECRETS]


def _agencies(said: Said, service: str) -> list[dict[str, Any]]:
    to, others = said.header("ToAgencyId"), said.agencies()
    ours = (to or (others[0] if others else "CORPUS")).partition("||")[0]
    codes = dict.fromkeys(["MAIN", *said.texts("PickupLocation"), to.partition("||")[2], ours])
    libraries = [{"code": code} for code in codes if code]
    rows = [{"code": ours, "name": ours, "time_zone": "Europe/Oslo", "libraries": libraries}]
    if service in ("LookupAgency", "UpdateAgency", "AgencyUpdated") and others and others[0] != ours:
        rows.append({"code": others[0], "name": others[0], "time_zone": "Europe/Oslo"})
    return rows


def _moment(said: Said) -> datetime | None:
    """When the message was sent: after what it says has happened, before what it wishes."""
    happened, wished = said.happened(), said.wished()
    if happened is not None:
        return happened + timedelta(days=1)
    return wished - AHEAD if wished is not None else None


# ------------------------------------------------------------------------------------------ users, titles and copies


def _fill(world: World, said: Said, named: _Named, side: str, service: str) -> None:
    if side != "lending" or said.typed() or not (said.items() or said.records() or said.requests()):
        world.users = [_user(said, named, updated="Update" in service)]
    if side == "borrowing" and not service.startswith(("LookupItem", "CreateUser", "UserFiscal")):
        return
    numbers, items = said.records(), said.items() or [COPY]
    if service == "LookupItemSet" and len(numbers) > 1:
        world.records = [_record([number]) for number in numbers]
        world.items = [_copy(f"{COPY.value}-{at}", number) for at, number in enumerate(numbers, 1)]
    elif numbers:
        world.records = [_record(numbers)]
        world.items = [_copy(item.value, numbers[0]) for item in items]
    else:
        world.items = [{"barcode": item.value, "library": "MAIN", "title": TITLE} for item in items]
    seen = {item["barcode"]: item for item in world.items}
    world.items = list(seen.values())


def _user(said: Said, named: _Named, *, updated: bool) -> dict[str, Any]:
    """A user with all that the message names; what an update may add is not there yet."""
    known = [*said.users(), *_typed_names(said)] or [named.user]
    row: dict[str, Any] = {
        "primary_id": named.user.value,
        "group": "Student",
        "identifiers": [dict(each) for each in {(("type", one.type), ("value", one.value)) for one in known}],
    }
    if not updated:
        row |= {"surname": "Corpus", "given_name": "Cora", "email": "cora@corpus.example"}
    for one in said.typed():
        if secret := _SECRETS.get(_squashed(one.type)):
            row[secret] = one.value
    row["identifiers"].sort(key=lambda each: (each["value"], each["type"]))
    return row


def _record(numbers: list[Id]) -> dict[str, Any]:
    """A title that is known by all numbers, the first of which is also our own."""
    coded = {(one.type, one.value) for one in numbers if one.type}
    identifiers = [{"code": code, "value": value} for code, value in sorted(coded)]
    return {"id": numbers[0].value, "title": TITLE, "author": "Corpus, Cora", "identifiers": identifiers}


def _copy(barcode: str, number: Id) -> dict[str, Any]:
    return {"barcode": barcode, "library": "MAIN", "record": number.value}


def _squashed(text: str) -> str:
    return "".join(text.lower().split())


# ------------------------------------------------------------------------------------------ what happened before


def _added(said: Said) -> list[str]:
    """What a message takes away was added before: the same message, but for what it adds itself."""
    root = deepcopy(said.root)
    deleting = [node for node in root.iter(etree.Element) if _DELETE.search(node.tag)]
    for node in [node for node in root.iter(etree.Element) if _ADD.search(node.tag)]:
        node.getparent().remove(node)
    for node in deleting:
        node.tag = _DELETE.sub(r"Add\1", node.tag)
    return [etree.tostring(root, encoding="unicode")] if deleting else []


def _step(step: str, named: _Named, world: World, service: str, said: Said) -> str:
    user = _element("UserId", "UserIdentifierValue", named.user)
    item = _element("ItemId", "ItemIdentifierValue", named.item)
    request = _element("RequestId", "RequestIdentifierValue", named.request) if named.request else ""
    kind = "<RequestType>Hold</RequestType><RequestScopeType>Item</RequestScopeType>"
    about = "<ItemOptionalFields><BibliographicDescription><Title>A title</Title></BibliographicDescription>"
    due = (
        f"<DesiredDateDue>{_due(world)}</DesiredDateDue>" if service in ("RenewItem", "ItemRenewed") else ""
    )  # so soon that a renewal moves it
    content = {
        "request": f"<RequestItem>{user}{item}{request}{kind}</RequestItem>",
        "ask": f"<RequestItem>{user}<BibliographicId><BibliographicItemId><BibliographicItemIdentifier>9789999900010"
        "</BibliographicItemIdentifier><BibliographicItemIdentifierCode>ISBN</BibliographicItemIdentifierCode>"
        f"</BibliographicItemId></BibliographicId>{request}{kind}{about}</ItemOptionalFields></RequestItem>",
        "lend": f"<CheckOutItem>{user}{item}{request}{due}</CheckOutItem>",
        "accept": f"<AcceptItem>{request}<RequestedActionType>Hold For Pickup</RequestedActionType>{user}{item}"
        f"{about}</ItemOptionalFields></AcceptItem>",
        "recall": f"<RecallItem>{item}</RecallItem>",
    }[step]
    secret = said.header("FromAgencyAuthentication") or said.header("FromSystemAuthentication")
    proof = f"<FromAgencyAuthentication>{escape(secret)}</FromAgencyAuthentication>" if secret else ""
    told = message(content, to=escape(world.agency), partner="", origin="CORPUS-SENDER")
    return told.replace("</FromAgencyId>", f"</FromAgencyId>{proof}", 1)


def _due(world: World) -> str:
    now = world.sent or datetime.now(UTC)
    return f"{now + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"


def _element(name: str, value: str, one: Id) -> str:
    agency = f"<AgencyId>{escape(one.agency)}</AgencyId>" if one.agency else ""
    return f"<{name}>{agency}<{value}>{escape(one.value)}</{value}></{name}>"
