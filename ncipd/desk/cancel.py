"""Cancelling a request from our side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ncipd.circulation import borrowing, lending
from ncipd.circulation.model import Role
from ncipd.desk import Done, action, finding

if TYPE_CHECKING:
    from ncipd.circulation.unit import Circulation


class Cancel(msgspec.Struct, forbid_unknown_fields=True):
    """`request`: which one; `reason`: why."""

    request: str
    reason: str = ""


@action("cancel", Cancel)
def cancel(slip: Cancel, circ: Circulation) -> Done:
    """Cancel a request that nothing has been shipped for."""
    request = finding.request(circ, slip.request)
    moved = (lending.cancel if request.role is Role.LENDING else borrowing.cancel)(circ, request, slip.reason)
    to_do = circ.tx.all("open_tasks_of_request", request=request.id)
    words = " The picked item goes back: see the task list." if to_do else ""
    return Done(f"Request {moved.identifier} is cancelled.{words}", "", moved)
