"""The two lifecycle tables: every status meets every event, on a real store."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ncipd.circulation.lifecycle import FINAL, TABLES, Event, IllegalMoveError, allows, diagram, next_status
from ncipd.circulation.model import STATUS_NAMES, RequestStatus, Role

NAMED = [(role, status) for role in Role for status in RequestStatus]
BEGINNINGS = [(role, None) for role in Role]


def insert(tx, circ, role, status, identifier):
    """Put a request into the store as if it had come to this status."""
    number = circ.add_request(role, next(iter(TABLES[role][None])), identifier, partner="BROKER").id
    tx._execute("UPDATE request SET status = ?, open = ? WHERE id = ?", (status, int(status not in FINAL), number))
    return number


def seen(tx, circ, number):
    return tx.one("request_by_id", id=number), circ.events(circ.request(number))


@pytest.mark.parametrize(("role", "status"), NAMED, ids=str)
async def test_a_status_takes_the_events_of_its_row_and_no_others(world, role, status):
    """In the table: the documented target, one line of history. Not in it: IllegalMoveError, and nothing changed."""
    row = TABLES[role].get(status, {})

    def meet_every_event(tx):
        circ = world.unit(tx, "LEND")
        for event in Event:
            number = insert(tx, circ, role, status, f"{role}-{status}-{event}")
            before = seen(tx, circ, number)
            request = circ.request(number)
            circ.traces.clear()
            if event in row:
                moved = circ.advance(request, event)
                _, history = seen(tx, circ, number)
                assert (moved.status, bool(moved.open)) == (row[event], row[event] not in FINAL)
                assert circ.request(number) == moved
                assert [(line[1], line[2]) for line in history[len(before[1]) :]] == [(event, row[event])]
                assert moved.version == request.version + 1, "so that a stored answer knows that the row changed"
            else:
                with pytest.raises(IllegalMoveError) as refused:
                    circ.advance(request, event)
                assert (refused.value.role, refused.value.status, refused.value.event) == (role, status, event)
                assert seen(tx, circ, number) == before
                assert ("request", number) not in circ.traces
            assert allows(role, status, event) == (event in row)

    await world.store.transact(meet_every_event)


@pytest.mark.parametrize("role", Role)
async def test_a_request_begins_with_the_events_of_the_first_row_and_no_others(world, role):
    def begin_with_every_event(tx):
        circ = world.unit(tx, "LEND")
        count = lambda: len(tx.all("requests_named", agency=circ.agency.id, identifier="NEW"))  # noqa: E731
        for event in Event:
            if event in TABLES[role][None]:
                made = circ.add_request(role, event, f"NEW-{event}", partner="BROKER")
                assert made.status is TABLES[role][None][event]
                assert bool(made.open) == (made.status not in FINAL)
            else:
                with pytest.raises(IllegalMoveError):
                    circ.add_request(role, event, "NEW", partner="BROKER")
                assert count() == 0

    await world.store.transact(begin_with_every_event)


@pytest.mark.parametrize("role", Role)
def test_final_statuses_have_no_moves_and_all_others_have_a_way_to_the_end(role):
    """Nothing follows a final status; from everywhere else the request can be brought to one."""
    table = TABLES[role]
    for status, row in table.items():
        assert (status in FINAL) == (not row), status
    ends = {status for status in table if status in FINAL}
    while more := {status for status, row in table.items() if status not in ends and ends & set(row.values())}:
        ends |= more
    assert ends == set(table)


@pytest.mark.parametrize("role", Role)
def test_every_status_of_a_table_can_be_reached_from_nothing(role):
    reached, fresh = set(), {None}
    while fresh:
        reached |= fresh
        fresh = {status for start in fresh for status in TABLES[role][start].values()} - reached
    assert reached == set(TABLES[role])


def test_every_status_and_every_event_belongs_to_a_table_and_every_status_has_a_name():
    """The enums hold no word that nothing can reach."""
    assert {status for table in TABLES.values() for status in table if status} == set(RequestStatus)
    assert {event for table in TABLES.values() for row in table.values() for event in row} == set(Event)
    assert set(STATUS_NAMES) == set(RequestStatus)


def test_an_illegal_move_names_role_status_and_event():
    with pytest.raises(IllegalMoveError, match="lending request in status 'request-completed' does not allow 'ship'"):
        next_status(Role.LENDING, RequestStatus.COMPLETED, Event.SHIP)
    with pytest.raises(IllegalMoveError, match="lending request in status 'none' does not allow 'cancel'"):
        next_status(Role.LENDING, None, Event.CANCEL)


@pytest.mark.parametrize("role", Role)
def test_a_diagram_says_what_the_table_says_and_nothing_else(role):
    """Read back, the drawing is the table."""
    first, *lines = diagram(role).splitlines()
    assert first == "stateDiagram-v2"
    drawn = {}
    for line in lines:
        origin, _, rest = line.strip().partition(" --> ")
        target, _, events = rest.partition(": ")
        if target == "[*]":
            assert RequestStatus(origin.replace("_", "-")) in FINAL
            continue
        status = None if origin == "[*]" else RequestStatus(origin.replace("_", "-"))
        for event in events.split(", "):
            assert drawn.setdefault(status, {}).setdefault(Event(event), target) == target
    assert drawn == {
        status: {event: after.value.replace("-", "_") for event, after in row.items()}
        for status, row in TABLES[role].items()
        if row
    }


def test_diagrams_are_the_same_in_every_process(root):
    """No order depends on hashes, so that a committed drawing changes only with its table."""
    draw = "from ncipd.circulation import lifecycle, model; print(*map(lifecycle.diagram, model.Role), sep='\\n')"
    drawn = {
        subprocess.run(
            [sys.executable, "-c", draw],
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert drawn == {"\n".join(map(diagram, Role)) + "\n"}
