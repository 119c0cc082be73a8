"""The two lifecycles of a resource-sharing request, as tables.

Everything that decides which status may follow which lives in this file, and nothing else does: services and desk
actions name an *event*, and `next_status` looks it up. The tables hold only what something here can reach; the words
are those of the field (profiles.md sections 2.2 to 2.4).

Two rules shaped the rows. *Facts* (shipped, received, lent, checked in) are accepted from every status that they do
not contradict, because they have already happened. *Wishes* (renew, recall, cancel) are accepted only where the wish
still makes sense. The row of `None` says in which statuses a request can begin.

A request of several volumes stays where it is while one volume follows another: `SHIP` leads from *Shipped
physically* to itself, and `CHECK_IN` is fired once, by the last volume back. A check-out that is undone leads back to
where a request begins; the events that it had gone through before are then fired again (`undo.py`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from ncipd.circulation.model import RequestStatus as S
from ncipd.circulation.model import Role

if TYPE_CHECKING:
    from collections.abc import Mapping


class Event(StrEnum):
    """What can happen to a request."""

    # lending
    LOCATE = "locate"  # an item was found on the shelf
    WAIT = "wait"  # found, but not available now, or to be supplied digitally
    MISS = "miss"  # none found, or several
    SHIP = "ship"
    SHIP_DIGITALLY = "ship-digitally"
    SUPPLY_DIGITALLY = "supply-digitally"  # shipped and done in one
    CONFIRM = "confirm"  # staff: the digital copy has arrived
    CHECK_IN = "check-in"  # the last item is back
    ARRIVE = "arrive"  # the partner has received it
    # borrowing
    REQUEST = "request"
    ANNOUNCE = "announce"  # on its way: the desk will receive it
    RECEIVE = "receive"
    RECEIVE_DIGITALLY = "receive-digitally"
    LOAN = "loan"
    RETURN = "return"
    COMPLETE = "complete"  # it is back with the lender
    OVERDUE = "overdue"  # the lender says so
    # both
    WISH_RENEWAL = "wish-renewal"
    APPROVE_RENEWAL = "approve-renewal"
    REJECT_RENEWAL = "reject-renewal"
    RECALL = "recall"
    CANCEL_RECALL = "cancel-recall"
    SEND_BACK = "send-back"  # the borrowing library has sent it off
    LOSE = "lose"
    UNDO = "undo"  # the check-out was made in error
    CANCEL = "cancel"


_SHIPPED_ROW = {
    Event.SHIP: S.SHIPPED_PHYSICALLY,
    Event.WISH_RENEWAL: S.RENEW_REQUESTED,
    Event.APPROVE_RENEWAL: S.RENEWED,
    Event.REJECT_RENEWAL: S.RENEW_REJECTED,
    Event.RECALL: S.RECALLED,
    Event.ARRIVE: S.RECEIVED_BY_PARTNER,
    Event.SEND_BACK: S.RETURNED_BY_PARTNER,
    Event.LOSE: S.LOST,
    Event.UNDO: S.CREATED_LENDING,
    Event.CHECK_IN: S.COMPLETED,
}
_UNSHIPPED_ROW = {
    Event.LOCATE: S.BEING_PROCESSED,
    Event.WAIT: S.CREATED_LENDING,
    Event.MISS: S.LOCATE_FAILED,
    Event.SHIP: S.SHIPPED_PHYSICALLY,
    Event.SHIP_DIGITALLY: S.SHIPPED_DIGITALLY,
    Event.SUPPLY_DIGITALLY: S.COMPLETED,
    Event.CANCEL: S.CANCELLED,
}

LENDING: Mapping[S | None, Mapping[Event, S]] = {
    None: {key: status for key, status in _UNSHIPPED_ROW.items() if key is not Event.CANCEL},
    S.CREATED_LENDING: _UNSHIPPED_ROW,
    S.LOCATE_FAILED: _UNSHIPPED_ROW,
    S.BEING_PROCESSED: _UNSHIPPED_ROW,
    S.SHIPPED_PHYSICALLY: _SHIPPED_ROW,
    S.RECEIVED_BY_PARTNER: {**_SHIPPED_ROW, Event.SHIP: S.RECEIVED_BY_PARTNER},
    S.RENEW_REQUESTED: {**_SHIPPED_ROW, Event.SHIP: S.RENEW_REQUESTED, Event.ARRIVE: S.RENEW_REQUESTED},
    S.RENEWED: {**_SHIPPED_ROW, Event.SHIP: S.RENEWED, Event.ARRIVE: S.RENEWED},
    S.RENEW_REJECTED: {**_SHIPPED_ROW, Event.SHIP: S.RENEW_REJECTED, Event.ARRIVE: S.RENEW_REJECTED},
    S.RECALLED: {
        Event.SHIP: S.RECALLED,
        Event.RECALL: S.RECALLED,
        Event.CANCEL_RECALL: S.SHIPPED_PHYSICALLY,
        Event.REJECT_RENEWAL: S.RECALLED,
        Event.ARRIVE: S.RECALLED,
        Event.SEND_BACK: S.RETURNED_BY_PARTNER,
        Event.LOSE: S.LOST,
        Event.UNDO: S.CREATED_LENDING,
        Event.CHECK_IN: S.COMPLETED,
    },
    S.RETURNED_BY_PARTNER: {
        Event.SHIP: S.SHIPPED_PHYSICALLY,
        Event.APPROVE_RENEWAL: S.RETURNED_BY_PARTNER,  # only what has happened already
        Event.REJECT_RENEWAL: S.RETURNED_BY_PARTNER,
        Event.ARRIVE: S.RETURNED_BY_PARTNER,
        Event.SEND_BACK: S.RETURNED_BY_PARTNER,
        Event.LOSE: S.LOST,
        Event.UNDO: S.CREATED_LENDING,
        Event.CHECK_IN: S.COMPLETED,
    },
    S.LOST: {
        Event.SHIP: S.SHIPPED_PHYSICALLY,
        Event.ARRIVE: S.LOST,
        Event.SEND_BACK: S.RETURNED_BY_PARTNER,
        Event.LOSE: S.LOST,
        Event.CHECK_IN: S.COMPLETED,
    },
    S.SHIPPED_DIGITALLY: {
        Event.SHIP_DIGITALLY: S.SHIPPED_DIGITALLY,
        Event.CONFIRM: S.COMPLETED,
        Event.ARRIVE: S.COMPLETED,
        Event.UNDO: S.CREATED_LENDING,
        Event.CHECK_IN: S.COMPLETED,
    },
    S.CANCELLED: {},
    S.COMPLETED: {},
}

_WITH_USER_ROW = {
    Event.RECEIVE: S.LOANED,
    Event.LOAN: S.LOANED,
    Event.WISH_RENEWAL: S.RENEW_REQUESTED,
    Event.APPROVE_RENEWAL: S.RENEWED_BY_PARTNER,
    Event.REJECT_RENEWAL: S.RENEW_NOT_ACCEPTED,
    Event.RECALL: S.RECALLED_BY_PARTNER,
    Event.OVERDUE: S.OVERDUE,
    Event.RETURN: S.RETURNED_BY_PATRON,
    Event.SEND_BACK: S.RETURNED_TO_PARTNER,
    Event.LOSE: S.REPORTED_LOST,
    Event.UNDO: S.RECEIVED_PHYSICALLY,
    Event.COMPLETE: S.COMPLETED,
}

BORROWING: Mapping[S | None, Mapping[Event, S]] = {
    None: {
        Event.REQUEST: S.CREATED_BORROWING,
        Event.ANNOUNCE: S.SHIPPED_PHYSICALLY,
        Event.RECEIVE: S.RECEIVED_PHYSICALLY,
        Event.RECEIVE_DIGITALLY: S.RECEIVED_DIGITALLY,
    },
    S.CREATED_BORROWING: {
        Event.ANNOUNCE: S.SHIPPED_PHYSICALLY,
        Event.RECEIVE: S.RECEIVED_PHYSICALLY,
        Event.RECEIVE_DIGITALLY: S.RECEIVED_DIGITALLY,
        Event.COMPLETE: S.COMPLETED,
        Event.CANCEL: S.CANCELLED,
    },
    S.SHIPPED_PHYSICALLY: {
        Event.ANNOUNCE: S.SHIPPED_PHYSICALLY,
        Event.RECEIVE: S.RECEIVED_PHYSICALLY,
        Event.APPROVE_RENEWAL: S.SHIPPED_PHYSICALLY,
        Event.RECALL: S.RECALLED_BY_PARTNER,
        Event.SEND_BACK: S.RETURNED_TO_PARTNER,
        Event.COMPLETE: S.COMPLETED,
    },
    S.RECEIVED_PHYSICALLY: {
        Event.ANNOUNCE: S.RECEIVED_PHYSICALLY,
        Event.RECEIVE: S.RECEIVED_PHYSICALLY,
        Event.LOAN: S.LOANED,
        Event.APPROVE_RENEWAL: S.RECEIVED_PHYSICALLY,
        Event.RECALL: S.RECALLED_BY_PARTNER,
        Event.RETURN: S.RETURNED_BY_PATRON,
        Event.SEND_BACK: S.RETURNED_TO_PARTNER,
        Event.COMPLETE: S.COMPLETED,
    },
    S.LOANED: {**_WITH_USER_ROW, Event.ANNOUNCE: S.LOANED},
    S.RENEW_REQUESTED: {
        **_WITH_USER_ROW,
        Event.ANNOUNCE: S.RENEW_REQUESTED,
        Event.RECEIVE: S.RENEW_REQUESTED,
        Event.OVERDUE: S.RENEW_REQUESTED,
    },
    S.RENEWED_BY_PARTNER: {**_WITH_USER_ROW, Event.ANNOUNCE: S.RENEWED_BY_PARTNER},
    S.RENEW_NOT_ACCEPTED: {**_WITH_USER_ROW, Event.ANNOUNCE: S.RENEW_NOT_ACCEPTED},
    S.OVERDUE: {**_WITH_USER_ROW, Event.ANNOUNCE: S.OVERDUE},
    S.RECALLED_BY_PARTNER: {
        Event.ANNOUNCE: S.RECALLED_BY_PARTNER,
        Event.RECEIVE: S.RECALLED_BY_PARTNER,
        Event.APPROVE_RENEWAL: S.RENEWED_BY_PARTNER,
        Event.REJECT_RENEWAL: S.RECALLED_BY_PARTNER,
        Event.RECALL: S.RECALLED_BY_PARTNER,
        Event.CANCEL_RECALL: S.LOANED,
        Event.OVERDUE: S.RECALLED_BY_PARTNER,
        Event.RETURN: S.RETURNED_BY_PATRON,
        Event.SEND_BACK: S.RETURNED_TO_PARTNER,
        Event.LOSE: S.REPORTED_LOST,
        Event.UNDO: S.RECALLED_BY_PARTNER,
        Event.COMPLETE: S.COMPLETED,
    },
    S.REPORTED_LOST: {
        Event.ANNOUNCE: S.REPORTED_LOST,
        Event.LOAN: S.LOANED,
        Event.LOSE: S.REPORTED_LOST,
        Event.RETURN: S.RETURNED_BY_PATRON,
        Event.SEND_BACK: S.RETURNED_TO_PARTNER,
        Event.COMPLETE: S.COMPLETED,
    },
    S.RETURNED_BY_PATRON: {
        Event.ANNOUNCE: S.SHIPPED_PHYSICALLY,
        Event.RECEIVE: S.RECEIVED_PHYSICALLY,
        Event.LOAN: S.LOANED,
        Event.APPROVE_RENEWAL: S.RETURNED_BY_PATRON,
        Event.REJECT_RENEWAL: S.RETURNED_BY_PATRON,
        Event.RECALL: S.RETURNED_BY_PATRON,
        Event.RETURN: S.RETURNED_BY_PATRON,
        Event.SEND_BACK: S.RETURNED_TO_PARTNER,
        Event.COMPLETE: S.COMPLETED,
    },
    S.RETURNED_TO_PARTNER: {
        Event.ANNOUNCE: S.SHIPPED_PHYSICALLY,
        Event.RECEIVE: S.RECEIVED_PHYSICALLY,
        Event.RETURN: S.RETURNED_BY_PATRON,
        Event.SEND_BACK: S.RETURNED_TO_PARTNER,
        Event.COMPLETE: S.COMPLETED,
    },
    S.RECEIVED_DIGITALLY: {},
    S.CANCELLED: {},
    S.COMPLETED: {},
}

TABLES: Mapping[Role, Mapping[S | None, Mapping[Event, S]]] = {Role.LENDING: LENDING, Role.BORROWING: BORROWING}

#: Statuses after which nothing more happens to a request.
FINAL = frozenset({S.CANCELLED, S.COMPLETED, S.RECEIVED_DIGITALLY})


class IllegalMoveError(Exception):
    """An event that the status of a request does not allow; the request is unchanged."""

    def __init__(self, role: Role, status: S | None, event: Event) -> None:
        """Say which event met which status, in which role."""
        super().__init__(f"a {role} request in status {str(status or 'none')!r} does not allow {event.value!r}")
        self.role, self.status, self.event = role, status, event


def next_status(role: Role, status: S | None, event: Event) -> S:
    """Look up where an event leads; raises IllegalMoveError where the table has no such move."""
    following = TABLES[role].get(status, {}).get(event)
    if following is None:
        raise IllegalMoveError(role, status, event)
    return following


def allows(role: Role, status: S | None, event: Event) -> bool:
    """Say whether the table has a move for this event."""
    return event in TABLES[role].get(status, {})


def diagram(role: Role) -> str:
    """Draw a lifecycle as a Mermaid state diagram, from the table."""
    lines = ["stateDiagram-v2"]
    for status, row in TABLES[role].items():
        origin = "[*]" if status is None else status.value.replace("-", "_")
        moves: dict[S, list[str]] = {}
        for event, following in row.items():
            moves.setdefault(following, []).append(event.value)
        lines += [
            f"    {origin} --> {following.value.replace('-', '_')}: {', '.join(events)}"
            for following, events in moves.items()
        ]
        if status in FINAL:
            lines.append(f"    {origin} --> [*]")
    return "\n".join(lines)
