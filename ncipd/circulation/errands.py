"""Fetching a copy, and sending it off: what staff do with an item for one request, or for the hold shelf.

A copy may be wanted for several at once (a scan of it for one request, the volume itself for another), and a request
may want several copies, so what is done with one copy for one of them is done for nobody else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ncipd.circulation.model import Item, Request, TaskKind
    from ncipd.circulation.unit import Circulation


def strike(circ: Circulation, item: Item, *kinds: TaskKind, request: Request | None = None) -> None:
    """Strike what was to be done with an item for a request, or where none is named for the hold shelf."""
    whose = request.id if request is not None else None
    for task in circ.tasks_about(item):
        if task.kind in kinds and task.request_id == whose:
            circ.finish_task(task)
