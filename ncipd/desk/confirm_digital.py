"""Confirming that a digital copy has arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ncipd.circulation.lifecycle import Event
from ncipd.circulation.model import RequestStatus, Role
from ncipd.desk import Done, action, conflict, finding

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


class ConfirmDigital(msgspec.Struct, forbid_unknown_fields=True):
    """`request`: the request that was supplied digitally."""

    request: str


@action("confirm-digital", ConfirmDigital)
def confirm_digital(slip: ConfirmDigital, circ: Circulation) -> Done:
    """Complete a request whose digital copy has arrived."""
    request = finding.request(circ, slip.request, Role.LENDING)
    circ.about(request)
    if request.status is not RequestStatus.SHIPPED_DIGITALLY:
        raise conflict(
            "not-shipped-digitally",
            f"Request {request.identifier} is in status {request.status.value!r}; there is nothing to confirm.",
            field="request",
            value=slip.request,
        )
    circ.finish_tasks(request)
    return Done(f"Request {request.identifier} is completed.", "", circ.advance(request, Event.CONFIRM))
