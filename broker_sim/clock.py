"""The time as the target sees it: its demonstration clock where it has one, else ours."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from broker_sim import http, paths
from broker_sim.agent import DemoClock, DeskAction, fill_action
from broker_sim.http import Sent


class ClockTrouble(Exception):
    """The target's clock could not be read or moved."""


class TargetClock:
    """Reads and moves the demonstration clock; remembers how far it is from ours, so that asking costs nothing."""

    def __init__(self, origin: str, settings: DemoClock | None) -> None:
        self._url = origin + settings.path if settings else ""
        self._settings = settings
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The target's time, never behind it: what has happened by it is not told as if it were yet to come."""
        return datetime.now(UTC) + self._ahead

    async def look(self, session: aiohttp.ClientSession) -> None:
        """Read the target's clock; raises ClockTrouble when it does not tell the time."""
        if self._settings is None:
            return
        before = datetime.now(UTC)
        sent = await http.send(session, "GET", self._url)
        self._ahead = _ahead(_told(sent, self._settings.now), before, datetime.now(UTC))

    async def move(self, session: aiohttp.ClientSession, how: str, to: str) -> Sent:
        """Set the clock to a date-time or advance it by an ISO 8601 duration; raises ClockTrouble when it does not."""
        if self._settings is None:
            raise ClockTrouble("the agent file has no [demo.clock]")
        template = self._settings.set if how == "set" else self._settings.advance
        action = DeskAction(path=self._settings.path, method="POST", json=template)
        _, _, body = fill_action("demo.clock", action, {"time" if how == "set" else "duration": to})
        raw = json.dumps(body).encode()
        sent = await http.send(session, "POST", self._url, body=raw, headers={"Content-Type": "application/json"})
        if sent.status != 200:
            raise ClockTrouble(f"the target's clock did not move: {sent.error or f'HTTP {sent.status}'}")
        await self.look(session)
        return sent


def _ahead(said: datetime, before: datetime, after: datetime) -> timedelta:
    """How far at most a clock is ahead of ours that said this at some moment between two of ours.

    One that told whole seconds may have been nearly a second further.
    """
    earliest = before if said.microsecond else before.replace(microsecond=0)
    if earliest <= said <= after:
        return timedelta()
    return said + timedelta(seconds=0 if said.microsecond else 1) - before


def _told(sent: Sent, path: str) -> datetime:
    try:
        found: list[Any] = paths.find_json(json.loads(sent.response), path)
        moment = datetime.fromisoformat(str(found[0]))
    except (ValueError, IndexError) as error:
        raise ClockTrouble(f"{sent.url} does not tell the time: {sent.error or f'HTTP {sent.status}'}") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
