"""The unit of work: what it has read once, and when it reads anew."""

from __future__ import annotations

import pytest

from ncipd.circulation import errands
from ncipd.circulation.lifecycle import Event
from ncipd.circulation.model import ItemState, ItemStatus, Role, TaskKind
from tests.services.world import fill, make_world


@pytest.fixture
async def world(tmp_path):
    made = make_world(tmp_path / "data")
    await fill(made)
    yield made
    await made.store.close()


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
