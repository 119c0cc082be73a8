"""The unit of work: what it has read once, and when it reads anew."""

from __future__ import annotations

from ncipd.circulation import errands
from ncipd.circulation.lifecycle import Event
from ncipd.circulation.model import HoldState, ItemState, ItemStatus, Role, TaskKind
from ncipd.circulation.rows import hold_row, item_row, loan_row, request_item_row, request_row, task_row


async def test_what_has_changed_is_read_anew(world):
    """Each kind of row, however it was changed: asked before and after in one unit of work."""

    def work(tx):
        circ = world.unit(tx, "LEND")
        item = circ.item_by_barcode("L1")
        assert (circ.tasks_about(item), circ.loan_of(item), circ.holds_on(item)) == ([], None, [])
        request = circ.add_request(Role.LENDING, Event.WAIT, "R-1", partner="BROKER")
        assert (circ.request_items(request), circ.open_requests_of(item)) == ([], [])
        circ.add_request_item(request, item, ItemState.WANTED)
        assert [place.state for place in circ.request_items(request)] == [ItemState.WANTED]
        assert [one.id for one in circ.open_requests_of(item)] == [request.id]
        circ.ask_staff(Role.LENDING, TaskKind.PICK, request=request, item=item)
        assert [task.kind for task in circ.tasks_about(item)] == [TaskKind.PICK]
        errands.strike(circ, item, TaskKind.PICK, request=request)
        assert circ.tasks_about(item) == []
        circ.set_item_status(item, ItemStatus.PICKED)
        assert circ.item_by_barcode("L1").status is circ.item(item.id).status is ItemStatus.PICKED
        loan = circ.lend(item, None, partner="BROKER", request=request.id)
        assert circ.loan_of(item) == circ.loan(loan.id) == loan
        circ.return_loan(loan)
        assert (circ.loan_of(item), circ.loan(loan.id).returned_at) == (None, circ.now)
        return circ.traces

    traces = await world.store.transact(work)
    stored = {
        (kind, number): world.store.read(lambda tx, kind=kind, number=number: tx.one(f"{kind}_version", id=number)[0])
        for kind, number in traces
    }
    assert traces == stored
    assert {kind for kind, _ in traces} == {"item", "request", "request_item", "loan"}


def remembered(circ):
    """Ask a unit of work, in the order in which it gets to know one by way of the other."""
    requests = circ.requests_called("BROKER", "R-1")
    item = circ.item_by_barcode("L1")
    return {
        "item": item,
        "row": circ.item(item.id),
        "loan": circ.loan_of(item),
        "tasks": circ.tasks_about(item),
        "holds": circ.holds_on(item),
        "requests": requests,
        "places": [circ.request_items(one) for one in requests],
        "tasks of each": [circ.tasks_of(one) for one in requests],
        "open": circ.open_requests_of(item),
    }


def stored(tx):
    """Ask the store the same, each by itself."""
    agency = tx.one("agency_by_code", folded="LEND")[0]
    item = tx.one("item_by_barcode", item_row, agency=agency, barcode="L1")
    requests = tx.all("requests_named", request_row, agency=agency, identifier="R-1")
    return {
        "item": item,
        "row": item,
        "loan": tx.one("open_loan_of_item", loan_row, item=item.id),
        "tasks": tx.all("open_tasks_of_item", task_row, item=item.id),
        "holds": tx.all("open_holds_on_item", hold_row, item=item.id, record=item.record_id),
        "requests": requests,
        "places": [tx.all("request_items", request_item_row, request=one.id) for one in requests],
        "tasks of each": [tx.all("open_tasks_of_request", task_row, request=one.id) for one in requests],
        "open": tx.all("open_requests_of_item", request_row, item=item.id),
    }


CHANGES = {
    "a request comes": lambda circ, _: circ.add_request(Role.LENDING, Event.WAIT, "R-1", partner="BROKER"),
    "it gets an item": lambda circ, now: circ.add_request_item(now["requests"][0], now["item"], ItemState.WANTED),
    "and another": lambda circ, now: circ.add_request_item(
        now["requests"][0], circ.item_by_barcode("L2"), ItemState.WANTED
    ),
    "staff are asked": lambda circ, now: circ.ask_staff(
        Role.LENDING, TaskKind.PICK, request=now["requests"][0], item=now["item"]
    ),
    "and asked again": lambda circ, now: circ.ask_staff(Role.LENDING, TaskKind.SHIP, request=now["requests"][0]),
    "one thing is done": lambda circ, now: circ.finish_tasks(now["requests"][0], TaskKind.PICK, TaskKind.LOCATE),
    "a user wants it": lambda circ, now: circ.add_hold(circ.users("LEND-USER-1")[0].id, item=now["item"].id),
    "it is kept for the user": lambda circ, now: circ.set_hold(now["holds"][0], HoldState.READY),
    "it goes out": lambda circ, now: circ.lend(now["item"], None, partner="BROKER", request=now["requests"][0].id),
    "it is on loan": lambda circ, now: circ.change_item(now["item"], "set_item_lent", location=None),
    "it is out": lambda circ, now: circ.set_request_item(now["places"][0][0], ItemState.OUT, now["loan"].id),
    "the request moves": lambda circ, now: circ.advance(now["requests"][0], Event.SHIP),
    "all is done": lambda circ, now: circ.finish_tasks(now["requests"][0]),
    "it is late": lambda circ, now: circ.change_loan(now["loan"], "set_loan_due", due_at=circ.now, renewals=1),
    "it is sought": lambda circ, now: circ.ask_staff(Role.LENDING, TaskKind.SEARCH, item=now["item"]),
    "it is found": lambda circ, now: circ.finish_item_tasks(now["item"], TaskKind.SEARCH),
    "it comes back": lambda circ, now: circ.return_loan(now["loan"]),
    "the request ends": lambda circ, now: circ.advance(now["requests"][0], Event.CHECK_IN),
    "another of that name": lambda circ, _: circ.add_request(Role.LENDING, Event.SHIP, "R-1", partner="BROKER"),
}


async def test_what_is_remembered_is_what_the_store_says_after_every_change(world):
    """Asked before and after each: of a row, of what belongs to it, and of what there is none of."""

    def work(tx):
        circ = world.unit(tx, "LEND")
        for what, change in CHANGES.items():
            before = remembered(circ)
            assert before == stored(tx) == remembered(world.unit(tx, "LEND")), f"before: {what}"
            change(circ, before)
            assert remembered(circ) == stored(tx), what
            assert stored(tx) != before, f"{what}: nothing was changed"

    await world.store.transact(work)


async def test_what_is_known_is_not_asked_for_again(world):
    """An item is read with its loan, a request with its items; what there is none of is known by that."""

    def work(tx):
        first = world.unit(tx, "LEND")
        out = first.item_by_barcode("L1")
        made = first.add_request(Role.LENDING, Event.SHIP, "R-1", partner="BROKER")
        loan = first.lend(out, None, partner="BROKER", request=made.id)
        first.add_request_item(made, out, ItemState.OUT, loan.id)
        circ, asked = world.unit(tx, "LEND"), []
        (request,), item = circ.requests_called("BROKER", "R-1"), circ.item_by_barcode("L1")
        tx._connection.set_trace_callback(asked.append)
        assert (circ.loan_of(item), circ.loan(loan.id), circ.request(made.id)) == (loan, loan, made)
        assert [(place.item_id, place.loan_id) for place in circ.request_items(request)] == [(item.id, loan.id)]
        circ.finish_tasks(request)
        assert (circ.tasks_about(item), circ.tasks_of(request), circ.holds_on(item)) == ([], [], [])
        tx._connection.set_trace_callback(None)
        assert asked == []

    await world.store.transact(work)
