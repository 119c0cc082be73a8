"""The listening broker: it takes what the target sends, answers as the scenario says, and keeps a book of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from broker_sim import content, wire
from broker_sim.broker import Book
from broker_sim.mailbox import Inbound, Mailbox
from broker_sim.reports.record import Record, ScenarioRecord
from broker_sim.scenario import Envelope
from broker_sim.verdict import Finding, Verdict
from broker_sim.wire import Header, Message
from tests.broker_sim.conftest import Stage
from tests.broker_sim.library import Library

RENEW = """
    - desk: renew
      at: borrower
      with: {barcode: "${item}", due_date: "${now+30d}"}
"""
WHERE = '      where: {RenewItem/ItemId/ItemIdentifierValue: "${item}"}\n'
AWAIT = "    - await: RenewItem\n      name: wish\n      from: borrower\n" + WHERE
BOTH = "side: both\nneeds: [item.available]\n"


def only(record: Record) -> ScenarioRecord:
    (scenario,) = record.scenarios.values()
    return scenario


def unmet(record: Record) -> list[Finding]:
    return [finding for _, finding in only(record).unmet]


@pytest.fixture
def arrived(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set once the broker has got a message for the scenario that is being played."""
    there, put = asyncio.Event(), Mailbox.put

    def noted(mailbox: Mailbox, inbound: Inbound, *, wait: bool) -> None:
        put(mailbox, inbound, wait=wait)
        there.set()

    monkeypatch.setattr(Mailbox, "put", noted)
    return there


class Prompt(Library):
    """Its desk is not done before the broker has got what it sends."""

    def __init__(self, arrived: asyncio.Event) -> None:
        super().__init__()
        self.arrived = arrived

    async def desk(self, request: web.Request) -> web.Response:
        done = await super().desk(request)
        async with asyncio.timeout(60):
            await self.arrived.wait()
        return done


async def answered(library: Library) -> tuple[int, str]:
    async with asyncio.timeout(60):
        while library.posting:
            await asyncio.gather(*library.posting)
    status, body = library.broker_answers[0]
    return status, body.decode()


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        ("ok", 200, "<DateDue>20"),
        (
            "{message: {ItemId: {ItemIdentifierValue: '${item}'}, RenewalCount: '2'}}",
            200,
            "<RenewalCount>2</RenewalCount>",
        ),
        (
            "{problem: {type: Maximum Renewals Exceeded, detail: three are enough}}",
            200,
            "<ProblemType>Maximum Renewals Exceeded</ProblemType>",
        ),
        ("{pending: '2027-01-01T00:00:00Z'}", 200, "<DateOfExpectedReply>2027-01-01T00:00:00Z</DateOfExpectedReply>"),
        ("{pending: ''}", 200, "<Pending/>"),
        ("{status: 500, body: out of order}", 500, "out of order"),
        ("{raw: <nonsense}", 200, "<nonsense"),
        ("{hang: 50ms}", 0, "disconnected"),
    ],
)
async def test_the_broker_answers_as_the_scenario_says(stage: Stage, answer: str, status: int, says: str) -> None:
    library = Library()
    steps = RENEW + AWAIT + f"      answer: {answer}\n      capture: {{wish: RenewItem/DesiredDateDue}}\n"
    record = await stage.play_one(library, steps, BOTH)
    assert only(record).verdict is Verdict.PASS, unmet(record)
    got, body = await answered(library)
    assert got == status
    assert says in body
    if got == 200 and body.startswith("<?xml"):
        assert "<AgencyId>BROKER-SIM</AgencyId>" in body.partition("</FromAgencyId>")[0]
        assert (await wire_opinion(body)).valid


async def wire_opinion(text: str) -> object:
    from broker_sim import oracle

    return await oracle.judge(wire.read(text.encode()).root)


async def test_a_wish_can_be_passed_on_before_it_is_answered(stage: Stage) -> None:
    library = Library()
    relay = """
    - relay: wish
      to: lender
      replace: {RenewItem/UserId/UserIdentifierValue: "-"}
      capture: {granted: RenewItemResponse/DateDue}
    - reply: wish
      answer: {message: {ItemId: {ItemIdentifierValue: "${item}"}, DateDue: "${granted}"}}
    """
    record = await stage.play_one(library, RENEW + AWAIT + "      answer: later\n" + relay, BOTH)
    assert only(record).verdict is Verdict.PASS, unmet(record)
    passed_on = wire.read(library.received[0])
    assert passed_on.text("RenewItem", "UserId", "UserIdentifierValue") == "-"
    assert passed_on.text("RenewItem", "InitiationHeader", "FromAgencyId", "AgencyId") == "BROKER-SIM"
    assert passed_on.text("RenewItem", "InitiationHeader", "ToAgencyId", "AgencyId") == "NCIPD-LEND"
    assert passed_on.text("RenewItem", "DesiredDateDue") in (await answered(library))[1]
    conversation = [
        (exchange.sender, exchange.receiver) for step in only(record).steps.values() for exchange in step.exchanges
    ]
    assert conversation == [("Borrower's desk", "ncipd"), ("Borrower", "Broker"), ("Broker", "Lender")]


async def test_a_message_that_does_not_come_is_red(stage: Stage) -> None:
    (finding,) = unmet(await stage.play_one(Library(), AWAIT + "      within: 50ms\n", BOTH))
    assert (finding.requirement, finding.expected, finding.actual) == (
        "The target sends a RenewItem",
        "within 50 ms",
        "nothing came",
    )


async def test_a_message_that_comes_instead_is_shown_with_what_differs(stage: Stage, arrived: asyncio.Event) -> None:
    steps = RENEW + AWAIT.replace("UserId", "x").replace('"${item}"}', '"another"}') + "      within: 50ms\n"
    library = Prompt(arrived)
    record = await stage.play_one(library, steps, BOTH)
    assert only(record).verdict is Verdict.FAIL
    actual = unmet(record)[0].actual
    item = only(record).variables["item"]
    assert (
        f"closest is step 2, which awaits RenewItem: RenewItem/ItemId/ItemIdentifierValue is {item}, not another"
        in actual
    )
    assert (await answered(library))[0] == 200


async def test_a_message_that_nobody_awaits_is_answered_with_a_problem_and_is_red(
    stage: Stage, arrived: asyncio.Event
) -> None:
    library = Prompt(arrived)
    record = await stage.play_one(library, RENEW + "    - wait: 1ms\n", BOTH)
    assert only(record).verdict is Verdict.FAIL
    (finding,) = unmet(record)
    assert finding.requirement == "The target sends only what the story has room for"
    assert finding.actual.startswith("RenewItem; no step awaits anything")
    assert "<ProblemType>" in (await answered(library))[1]


async def test_a_message_may_be_ignored(stage: Stage, arrived: asyncio.Event) -> None:
    record = await stage.play_one(Prompt(arrived), RENEW + "    - wait: 1ms\n", BOTH + "ignore: [RenewItem]\n")
    assert only(record).verdict is Verdict.PASS, unmet(record)


async def test_a_message_may_come_before_it_is_known_which_one_is_awaited(stage: Stage, arrived: asyncio.Event) -> None:
    look = """
    - send: LookupItem
      message: {ItemId: {ItemIdentifierValue: "${item}"}, ItemElementType: Circulation Status}
      capture: {barcode: LookupItemResponse/ItemId/ItemIdentifierValue}
    """
    steps = RENEW + look.rstrip() + "\n" + AWAIT.replace("${item}", "${barcode}")
    record = await stage.play_one(Prompt(arrived), steps, BOTH)
    assert only(record).verdict is Verdict.PASS, unmet(record)


async def test_silence_is_broken_by_the_message_it_names(stage: Stage, arrived: asyncio.Event) -> None:
    silence = "    - silence: RenewItem\n      for: 150ms\n"
    record = await stage.play_one(Library(), silence, BOTH)
    assert only(record).verdict is Verdict.PASS
    record = await stage.play_one(Prompt(arrived), RENEW + silence + AWAIT, BOTH)
    assert only(record).verdict is Verdict.FAIL
    assert "The target sends no RenewItem" in {finding.requirement for finding in unmet(record)}


async def test_scenarios_played_at_once_get_their_own_messages(stage: Stage) -> None:
    paths: list[Path] = [stage.write(f"one-{n}", RENEW + AWAIT, BOTH) for n in range(6)]
    record = await stage.play(Library(), *paths, jobs=6)
    assert {one.verdict for one in record.scenarios.values()} == {Verdict.PASS}
    assert not record.strays


async def test_a_message_that_belongs_to_no_scenario_is_reported_as_such(stage: Stage) -> None:
    class Talkative(Library):
        def serve(self, *parts: object) -> object:  # type: ignore[override]
            self.post("2027-01-01T00:00:00Z", "SOMETHING-ELSE", service="RecallItem")
            return super().serve(*parts)  # type: ignore[arg-type]

        async def ncip(self, request: web.Request) -> web.StreamResponse:
            done = await super().ncip(request)
            await asyncio.gather(*self.posting)  # the scenario is still being played when it comes
            return done

    library = Talkative()
    steps = """
    - send: LookupItem
      message: {ItemId: {ItemIdentifierValue: "${item}"}, ItemElementType: Circulation Status}
    """
    record = await stage.play_one(library, steps)
    assert only(record).verdict is Verdict.PASS
    assert [stray.exchange.asked for stray in record.strays] == ["RecallItem"]
    assert "<Problem>" in (await answered(library))[1]


# --- the book --------------------------------------------------------------------------------------------------------


def message(service: str, **parts: str) -> Message:
    names = {
        "item": ("ItemId", "ItemIdentifierValue"),
        "request": ("RequestId", "RequestIdentifierValue"),
        "user": ("UserId", "UserIdentifierValue"),
    }
    body = {names[key][0]: {names[key][1]: value} for key, value in parts.items()}
    return wire.read(wire.initiation(content.from_mapping(service, body), Header("B", "L"), Envelope()))


def test_the_brokers_own_request_goes_the_way_of_a_loan() -> None:
    book = Book()
    for service, side, parts in (
        ("RequestItem", "lender", {"request": "R", "item": "L-1"}),
        ("CheckOutItem", "lender", {"request": "R", "item": "L-1"}),
        ("AcceptItem", "borrower", {"request": "R", "item": "T-1", "user": "U"}),
    ):
        book.sent(message(service, **parts), side, succeeded=True)
    book.received(message("RenewItem", item="L-1"))
    book.sent(message("RenewItem", item="T-1"), "borrower", succeeded=True)
    book.received(message("RecallItem", item="L-1"))
    book.sent(message("CheckInItem", item="T-1"), "borrower", succeeded=True)
    book.sent(message("CheckInItem", item="L-1"), "lender", succeeded=True)
    (request,) = book.requests
    assert request.history == (
        "Document Received", "Shipped", "Received", "Renewal requested", "Received", "Recalled", "Returned", "Completed"
    )  # fmt: skip
    assert (request.lender_item, request.temporary_item, request.user) == ("L-1", "T-1", "U")
    assert book.translate("T-1", "lender") == "L-1"
    assert book.translate("L-1", "borrower") == "T-1"
    assert book.translate("X", "lender") == "X"
    book.sent(message("CheckOutItem", request="R", item="L-1"), "lender", succeeded=True)
    assert book.requests[0].status == "Completed"


def test_what_was_refused_changes_no_status() -> None:
    book = Book()
    book.sent(message("CheckOutItem", request="R", item="L-1"), "lender", succeeded=False)
    assert [(request.status, request.lender_item) for request in book.requests] == [("Document Received", None)]


def test_among_several_requests_one_must_be_named() -> None:
    book = Book()
    for name in ("R", "S"):
        book.sent(message("RequestItem", request=name), "lender", succeeded=True)
    with pytest.raises(ValueError, match="keeps 2 requests"):
        book.become("Cancelled")
    book.become("Cancelled", "S")
    assert [request.status for request in book.requests] == ["Document Received", "Cancelled"]
