"""The broker's own book: its requests, their statuses, and which lender's item is which temporary item.

The statuses follow by themselves from what was sent and answered, in the order of a loan through a broker; a scenario
may say otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from broker_sim.scenario import Status
from broker_sim.wire import Message

# service, side it was sent to → status after success. CheckInItem means one thing at each side.
_AFTER_SENDING: dict[tuple[str, str], Status] = {
    ("RequestItem", "lender"): "Document Received",
    ("RequestItem", "borrower"): "Document Received",
    ("CheckOutItem", "lender"): "Shipped",
    ("AcceptItem", "borrower"): "Received",
    ("RenewItem", "borrower"): "Received",
    ("RecallItem", "borrower"): "Recalled",
    ("CheckInItem", "borrower"): "Returned",
    ("CheckInItem", "lender"): "Completed",
    ("CancelRequestItem", "lender"): "Cancelled",
    ("CancelRequestItem", "borrower"): "Cancelled",
}
_AFTER_RECEIVING: dict[str, Status] = {"RenewItem": "Renewal requested", "RecallItem": "Recalled"}
# A late or repeated message does not bring a request back to life.
_FINAL = frozenset({"Completed", "Cancelled"})


@dataclass(frozen=True)
class OwnRequest:
    """What the broker knows of one request."""

    identifier: str
    status: Status
    lender_item: str | None = None
    temporary_item: str | None = None
    user: str | None = None
    history: tuple[Status, ...] = field(default=())


class Book:
    """All requests that the broker keeps for one scenario."""

    def __init__(self) -> None:
        self._requests: dict[str, OwnRequest] = {}

    @property
    def requests(self) -> tuple[OwnRequest, ...]:
        """Every request, the first one first."""
        return tuple(self._requests.values())

    def sent(self, message: Message, side: str | None, *, succeeded: bool) -> None:
        """Note a message that the broker sent, and whether it was answered with success."""
        request = self._concerned(message, make=True)
        if request is None or message.name is None or side is None:
            return
        item, user = _identifier(message, "ItemId"), _identifier(message, "UserId")
        if succeeded and item and side == "lender":
            request = replace(request, lender_item=item)
        if succeeded and side == "borrower":
            accepted = item if message.name == "AcceptItem" else None
            request = replace(request, temporary_item=accepted or request.temporary_item, user=user or request.user)
        self._requests[request.identifier] = request
        if succeeded and request.status not in _FINAL:
            self._become(request, _AFTER_SENDING.get((message.name, side), request.status))

    def accepted_as(self, message: Message, barcode: str) -> None:
        """Note the barcode that the borrower gave in its answer to AcceptItem."""
        request = self._concerned(message, make=False)
        if request is not None:
            self._requests[request.identifier] = replace(request, temporary_item=barcode)

    def received(self, message: Message) -> None:
        """Note a message that came from the target."""
        request = self._concerned(message, make=False)
        if request is not None and message.name in _AFTER_RECEIVING and request.status not in _FINAL:
            self._become(request, _AFTER_RECEIVING[message.name])

    def become(self, status: Status, identifier: str | None = None) -> None:
        """Give a request a status by the broker's own decision; raises ValueError when it is unclear which one."""
        if identifier is not None:
            self._become(self._requests.get(identifier, OwnRequest(identifier, status)), status)
        elif len(self._requests) == 1:
            self._become(next(iter(self._requests.values())), status)
        else:
            raise ValueError(f"the broker keeps {len(self._requests)} requests here: say which one by `request:`")

    def translate(self, identifier: str, side: str) -> str:
        """The number by which the other side knows an item; unchanged where the broker knows of none."""
        for request in self._requests.values():
            if side == "lender" and identifier == request.temporary_item:
                return request.lender_item or identifier
            if side == "borrower" and identifier == request.lender_item:
                return request.temporary_item or identifier
        return identifier

    def _become(self, request: OwnRequest, status: Status) -> None:
        changed = status != request.status or not request.history
        history = (*request.history, status) if changed else request.history
        self._requests[request.identifier] = replace(request, status=status, history=history)

    def _concerned(self, message: Message, *, make: bool) -> OwnRequest | None:
        identifier = _identifier(message, "RequestId")
        if identifier in self._requests:
            return self._requests[identifier]
        if identifier and make:
            new = OwnRequest(identifier, "Document Received", history=("Document Received",))
            return self._requests.setdefault(identifier, new)
        item = _identifier(message, "ItemId")
        candidates = [
            request
            for request in self._requests.values()
            if item and item in {request.lender_item, request.temporary_item}
        ]
        open_ones = [request for request in candidates if request.status not in _FINAL] or candidates
        return open_ones[-1] if open_ones else None


def _identifier(message: Message, element: str) -> str | None:
    value = {"RequestId": "RequestIdentifierValue", "ItemId": "ItemIdentifierValue", "UserId": "UserIdentifierValue"}[
        element
    ]
    return message.text(message.name or "", element, value)
