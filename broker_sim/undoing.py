"""What a scenario has begun at the target and not ended: loans and requests, and the messages that end them.

A scenario may end anywhere, and the next run takes the same items: so whatever it has asked for and still waits for is
cancelled, and whatever it has lent is given back, by whoever asked or lent, once the last step is over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from broker_sim import content
from broker_sim.content import Node
from broker_sim.paths import Element, children, local
from broker_sim.scenario import Envelope, Send
from broker_sim.wire import Message

_ASKED = frozenset({"RequestItem", "ItemRequested"})
_CANCELLED = frozenset({"CancelRequestItem", "ItemRequestCancelled"})
_LENT = frozenset({"CheckOutItem", "ItemCheckedOut", "AcceptItem"})
_RETURNED = frozenset({"CheckInItem", "ItemCheckedIn", "UndoCheckOutItem"})


@dataclass(frozen=True)
class Undo:
    """A message that ends what an earlier one began: how that one was sent, and what is to be said."""

    step: Send
    node: Node


@dataclass(frozen=True)
class Way:
    """How a message went: the step where it can be put otherwise, the side it was for, whom its header names."""

    step: Send | None
    side: str | None
    profile: str | None


@dataclass(frozen=True)
class _Ids:
    """Which request, item and user a message and its answer are about, empty where neither says; and who speaks."""

    profile: str | None
    request: str
    item: str
    user: str


class Undoing:
    """Keeps what is still to be undone, as messages succeed."""

    def __init__(self) -> None:
        self._requests: dict[_Ids, Undo] = {}
        self._loans: dict[tuple[str | None, str], Undo] = {}

    @property
    def steps(self) -> list[Undo]:
        """What ends all that is open, the latest first: requests before loans, so that no item goes to the next."""
        return [*reversed(self._requests.values()), *reversed(self._loans.values())]

    def succeeded(self, way: Way, sent: Message, answer: Message) -> None:
        """Note a message that was answered with success."""
        step, side = way.step, way.side
        told = _elements(sent.body), _elements(answer.body)
        ids = _Ids(
            way.profile,
            _value(told, "RequestId", "RequestIdentifierValue"),
            _value(reversed(told) if sent.name == "AcceptItem" else told, "ItemId", "ItemIdentifierValue"),
            _value(told, "UserId", "UserIdentifierValue"),
        )
        if sent.name in _CANCELLED | _LENT:
            self._requests = {one: undo for one, undo in self._requests.items() if not _same(one, ids)}
        if sent.name in _RETURNED:
            self._loans.pop((side, ids.item), None)
        if step is not None and sent.name in _ASKED:
            cancel = _message("CancelRequestItem", told, ("UserId", "AuthenticationInput", "RequestId", "ItemId"))
            if cancel.child("RequestId") or cancel.child("ItemId"):
                kind = [content.from_tree(one) for one in told[0] if local(one.tag) == "RequestType"]
                self._requests[ids] = Undo(_again(step, cancel.name), cancel.with_children(*cancel.children, *kind))
        if step is not None and sent.name in _LENT and ids.item:
            order = tuple(reversed(told)) if sent.name == "AcceptItem" else told
            self._loans[side, ids.item] = Undo(_again(step, "CheckInItem"), _message("CheckInItem", order, ("ItemId",)))


def _same(one: _Ids, other: _Ids) -> bool:
    """Whether both mean one request of a partner: by its number, or without one by item and user."""
    if one.profile != other.profile:
        return False
    if one.request and other.request:
        return one.request == other.request
    return bool(one.item) and (one.item, one.user) == (other.item, other.user)


def _again(step: Send, service: str) -> Send:
    """The same sender, receiver and way, with nothing expected."""
    return msgspec.structs.replace(
        step,
        service=service,
        message=None,
        xml=None,
        raw=None,
        hex=None,
        name=None,
        expect=[],
        capture={},
        times=1,
        concurrently=1,
        eventually=None,
        envelope=Envelope(),
        valid=True,
    )


def _elements(body: Element | None) -> list[Element]:
    return [] if body is None else children(body)


def _message(name: str, told: Iterable[list[Element]], wanted: tuple[str, ...]) -> Node:
    """A message of what was said before, the first that said it counting: what was sent, then what was answered."""
    parts: dict[str, list[Node]] = {}
    for elements in told:
        for kind in wanted:
            said = [content.from_tree(one) for one in elements if local(one.tag) == kind]
            if said:
                parts.setdefault(kind, said)
    if "UserId" in parts:
        parts.pop("AuthenticationInput", None)
    return Node(name, children=tuple(one for kind in wanted for one in parts.get(kind, ())))


def _value(told: Iterable[list[Element]], element: str, name: str) -> str:
    for elements in told:
        for one in elements:
            found = [inner.text for inner in children(one) if local(one.tag) == element and local(inner.tag) == name]
            if found and found[0]:
                return found[0].strip()
    return ""
