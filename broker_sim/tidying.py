"""After the last step of a scenario, however it went: things are put back, for whoever plays it next.

First what the scenario file says by ``afterwards``, then whatever is still asked for or lent. Nothing of this is
judged, since it is no part of the story, and nothing of it can end a run; what was said is in the report all the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable

from broker_sim import events
from broker_sim.desking import play_desk
from broker_sim.play import Excused, Play, Trouble, Unmet
from broker_sim.scenario import Desk, Send
from broker_sim.sending import play_send, play_undo
from broker_sim.variables import UnknownVariable

# A target that answers nothing any more must not hold up the run.
_AT_MOST = 60.0  # seconds


async def tidy(play: Play) -> None:
    """Put back what the scenario has taken, as far as the target lets us."""
    play.is_over = True
    if not play.scenario.afterwards and not play.undoing.steps:
        return
    start = time.perf_counter()
    name, play.step = play.scenario.id, len(play.scenario.steps)
    title, note = "puts things back", "The story is over: nothing here is judged."
    line = play.scenario.lines[-1]
    play.stage.emit(events.StepStarted(name, play.step, events.AFTERWARDS, title, note, "Broker", None, line))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_AT_MOST):
            await _put_back(play)
    play.stage.emit(events.StepFinished(name, play.step, time.perf_counter() - start))


async def _put_back(play: Play) -> None:
    for step in play.scenario.afterwards:
        if isinstance(step, Desk):
            await _try(play_desk(play, step))
        elif _is_offered(play, step):
            await _try(play_send(play, step))
    for undo in play.undoing.steps:
        if _is_offered(play, undo.step):
            await _try(play_undo(play, undo))


async def _try(doing: Awaitable[object]) -> None:
    """What the story did not get to may be missing, and what it did not take cannot be given back."""
    with contextlib.suppress(Unmet, Excused, Trouble, UnknownVariable, ValueError):
        await doing


def _is_offered(play: Play, step: Send) -> bool:
    offered = play.stage.agent.agent.services
    return not offered or step.service in offered
