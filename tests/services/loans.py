"""The world of the tests about loans: more partners, the messages that they send, and short looks into the store."""

from __future__ import annotations

from typing import Any

from ncipd.circulation.clock import from_micros
from ncipd.circulation.model import Loan
from ncipd.circulation.partner import Partner, PartnerRole
from ncipd.ncip.codec import encode
from ncipd.ncip.elements import ElectronicResource
from tests.circulation.messages import mandated
from tests.services import world as base
from tests.services.world import Answer, World, item_id, request_id, user_id

URL = "http://peer.invalid/ncip"
PARTNERS = (
    *base.PARTNERS,
    Partner(code="ILS", agency="LEND", role=PartnerRole.ILS),
    Partner(code="BLIND", agency="LEND", role=PartnerRole.ILS, user_data=False),
    Partner(code="PEER", agency="LEND", role=PartnerRole.PEER, url=URL),
    Partner(code="OTHER", agency="LEND"),
    Partner(code="STRICT", agency="LEND", check_out_without_request=False, maximum_renewals=0, maximum_loan_days=10),
    Partner(code="NORECALL", agency="LEND", recall_on_local_request=False),
    Partner(code="ILS", agency="BORROW", role=PartnerRole.ILS),
    Partner(code="PEER", agency="BORROW", role=PartnerRole.PEER, url=URL),
    Partner(code="NOURL", agency="BORROW"),
)
U1, U2 = "LEND-USER-1", "LEND-USER-2"
READER = "BORROW-USER-1"
ADDRESS = (
    "<ShippingInformation><PhysicalAddress><UnstructuredAddress><UnstructuredAddressType>Newline-Delimited Text"
    "</UnstructuredAddressType><UnstructuredAddressData>1 Main Street</UnstructuredAddressData></UnstructuredAddress>"
    "<PhysicalAddressType>{}</PhysicalAddressType></PhysicalAddress></ShippingInformation>"
)
MAIL = (
    "<ShippingInformation><ElectronicAddress><ElectronicAddressType>{}</ElectronicAddressType>"
    "<ElectronicAddressData>reader@library.example</ElectronicAddressData></ElectronicAddress></ShippingInformation>"
)
NAME_WANTED = "<UserElementType>Name Information</UserElementType>"
STATUS_WANTED = "<ItemElementType>Circulation Status</ItemElementType>"
CHARGE = (
    "<FiscalTransactionInformation><FiscalActionType>Assess</FiscalActionType>"
    "<FiscalTransactionType>Fine</FiscalTransactionType><Amount><CurrencyCode>EUR</CurrencyCode>"
    "<MonetaryValue>150</MonetaryValue></Amount></FiscalTransactionInformation>"
)


def money(name: str, amount: int, currency: str = "EUR") -> str:
    return (
        f"<{name}><CurrencyCode>{currency}</CurrencyCode><MonetaryValue>{amount}</MonetaryValue></{name}>"
        if amount
        else ""
    )


def lend(item: str, user: str = U1, *, due: str = "", happened: str = "", before: str = "", after: str = "") -> str:
    """CheckOutItem for a user of ours: `before` and `after` stand around DesiredDateDue, in the order of the schema."""
    wished = f"<DesiredDateDue>{due}</DesiredDateDue>" if due else ""
    return f"<CheckOutItem>{mandated(happened)}{user_id(user)}{item_id(item)}{before}{wished}{after}</CheckOutItem>"


def renew(item: str, user: str = U1, *, due: str = "", happened: str = "", after: str = "") -> str:
    wished = f"<DesiredDateDue>{due}</DesiredDateDue>" if due else ""
    return f"<RenewItem>{mandated(happened)}{user_id(user)}{item_id(item)}{wished}{after}</RenewItem>"


def bring_back(item: str, *, happened: str = "", after: str = "") -> str:
    return f"<CheckInItem>{mandated(happened)}{item_id(item)}{after}</CheckInItem>"


def undo(item: str, *, user: str = "", request: str = "", happened: str = "") -> str:
    who = user_id(user) if user else ""
    named = request_id(request) if request else ""
    return f"<UndoCheckOutItem>{mandated(happened)}{item_id(item)}{who}{named}</UndoCheckOutItem>"


def recall(item: str, due: str = "", *, happened: str = "", after: str = "") -> str:
    wished = f"<DesiredDateDue>{due}</DesiredDateDue>" if due else ""
    return f"<RecallItem>{mandated(happened)}{item_id(item)}{wished}{after}</RecallItem>"


def cancel_recall(item: str, *, happened: str = "", after: str = "") -> str:
    return f"<CancelRecallItem>{mandated(happened)}{item_id(item)}{after}</CancelRecallItem>"


def said(kind: str, at: str = "2026-01-05T08:00:00Z") -> str:
    if kind == "Returned":
        return f"<ItemReportedReturned><DateReportedReturned>{at}</DateReportedReturned></ItemReportedReturned>"
    return f"<ItemReported{kind}/>"


def report(
    item: str, kind: str, user: str = U1, *, at: str = "2026-01-05T08:00:00Z", happened: str = "", after: str = ""
) -> str:
    return (
        f"<ReportCirculationStatusChange>{mandated(happened)}{item_id(item)}{user_id(user)}{said(kind, at)}{after}"
        "</ReportCirculationStatusChange>"
    )


def reported(item: str, kind: str, user: str = U1, *, after: str = "") -> str:
    return (
        f"<CirculationStatusChangeReported>{item_id(item)}{user_id(user)}{said(kind)}{after}"
        "</CirculationStatusChangeReported>"
    )


def accept(
    request: str, item: str, *, user: str = READER, action: str = "Circulate", due: str = "2026-02-10T22:59:59Z"
) -> str:
    return (
        f"<AcceptItem>{request_id(request)}<RequestedActionType>{action}</RequestedActionType>{user_id(user)}"
        f"{item_id(item)}<DateForReturn>{due}</DateForReturn></AcceptItem>"
    )


def lookup(item: str, *types: str) -> str:
    wanted = "".join(
        f"<ItemElementType>{one}</ItemElementType>" for one in (types or ("Circulation Status", "Date Due"))
    )
    return f"<LookupItem>{item_id(item)}{wanted}</LookupItem>"


# ---------------------------------------------------------------------------------------------- looks into the store


async def well(world: World, content: str, partner: str = "ILS", to: str = "LEND") -> Answer:
    """Send what must succeed."""
    answer = await world.send(content, partner=partner, to=to)
    assert answer.problem is None, answer
    return answer


async def refused(world: World, content: str, partner: str = "ILS", to: str = "LEND") -> tuple[str | None, str | None]:
    """Send what must be refused; gives the problem and the element that it names."""
    answer = await world.send(content, partner=partner, to=to)
    assert answer.problem is not None, answer
    assert answer.text("Problem/ProblemDetail"), "a human is told what to do"
    return answer.problem, answer.text("Problem/ProblemElement")


async def status(world: World, item: str, partner: str = "ILS", to: str = "LEND") -> str | None:
    """Look the circulation status of an item up, as a partner sees it."""
    answer = await world.send(lookup(item), partner=partner, to=to)
    return answer.text("ItemOptionalFields/CirculationStatus")


def rows(world: World, sql: str) -> list[tuple[Any, ...]]:
    """Look into the file itself."""
    return list(world.store._reader.execute(sql).fetchall())


def loan(world: World, item: str, agency: str = "LEND") -> Loan:
    """Read the open loan of an item."""
    found = world.ask(lambda circ: circ.loan_of(circ.item_by_barcode(item)), agency)
    assert found is not None
    return found


def loans(world: World, item: str, agency: str = "LEND") -> list[tuple[str, str, str]]:
    """List the loans of an item as (out, returned, mark), the first first."""
    number = world.ask(lambda circ: (circ.item_by_barcode(item) or circ.withdrawn_item(item)).id, agency)
    found = rows(world, f"SELECT out_at, returned_at, mark FROM loan WHERE item_id = {number} ORDER BY out_at, id")
    return [(written(out), written(back), mark) for out, back, mark in found]


def written(moment: int | None) -> str:
    return "" if moment is None else from_micros(moment).strftime("%Y-%m-%dT%H:%M:%SZ")


def due(world: World, item: str, agency: str = "LEND") -> str:
    return written(loan(world, item, agency).due_at)


def owed(world: World, user: str = U1, agency: str = "LEND") -> int:
    """Add up what a user owes."""
    number = world.ask(lambda circ: circ.users(user)[0].id, agency)
    return int(rows(world, f"SELECT coalesce(sum(effect), 0) FROM fiscal_entry WHERE user_id = {number}")[0][0])


def notices(world: World, user: str = U1, agency: str = "LEND") -> list[str]:
    found = world.ask(lambda circ: circ.tx.all("notices_of_user", user=circ.users(user)[0].id), agency)
    return [row[3] for row in reversed(found)]


def task_notes(world: World) -> list[str]:
    """List the notes of all open tasks."""
    return [row[0] for row in rows(world, "SELECT note FROM task WHERE done_at IS NULL ORDER BY id")]


async def give_fee(world: World, item: str, amount: int, currency: str = "EUR", agency: str = "LEND") -> None:
    number = world.ask(lambda circ: circ.item_by_barcode(item).id, agency)
    await world.store.transact(lambda tx: tx.one("set_item_fee", id=number, amount=amount, currency=currency))


async def give_price(world: World, item: str, amount: int, currency: str = "EUR") -> None:
    number = world.ask(lambda circ: circ.item_by_barcode(item).id)
    await world.store.transact(lambda tx: tx.one("set_item_price", id=number, amount=amount, currency=currency))


async def restrict(world: World, item: str, type_: str, *, acknowledge: bool = False) -> None:
    number = world.ask(lambda circ: circ.item_by_barcode(item).id)
    query = "require_acknowledgement" if acknowledge else "insert_item_restriction"
    await world.store.transact(lambda tx: tx.run(query, item=number, type=type_))


async def give_resource(world: World, item: str, url: str) -> None:
    text = encode(ElectronicResource(reference_to_resource=url))
    number = world.ask(lambda circ: circ.item_by_barcode(item).id)
    await world.store.transact(lambda tx: tx.one("set_item_resource", id=number, resource=text))
