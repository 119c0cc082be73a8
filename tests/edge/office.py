"""A running ncipd with the small world of tests/services in it, and people at its desks.

Every answer of the desk is compared with `ncipd/openapi.yaml`: a field too many or too few fails the test.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

import aiohttp
import msgspec
import yaml
from jsonschema import Draft202012Validator

from ncipd.app import Running, running
from ncipd.circulation.partner import Partner, PartnerRole
from ncipd.clock import Clock
from ncipd.config import Config, Server, Store
from tests.services import world
from tests.services.world import DAY, START, Answer, message
from tests.waiting import WITHIN

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "/api/v1"
TOKENS = {"LEND": "rosas-token-0123456789", "BORROW": "bens-token-9876543210"}
OPERATORS = {"LEND": "rosa", "BORROW": "ben"}


def partners(url: str) -> tuple[Partner, ...]:
    """The partners of both agencies; those that can be spoken to listen at `url`."""
    return (
        Partner(code="BROKER", agency="LEND", url=url, agency_ids=("THEM",)),
        Partner(code="MANUAL", agency="LEND", url=url, automatic_renewal=False),
        Partner(code="NOURL", agency="LEND", automatic_renewal=False),
        Partner(code="DIGITAL", agency="LEND", url=url, receive_digitally=True),
        Partner(code="BROKER", agency="BORROW", url=url),
        Partner(code="DESK", agency="BORROW", url=url, automatic_receive=False),
        Partner(code="NOURL", agency="BORROW"),
        Partner(code="OPAC", agency="BORROW", role=PartnerRole.DISCOVERY),
    )


def fill(tx: Any) -> None:
    """Put agencies, users, items and two operators into the store, unless they are there."""
    if tx.all("agencies"):
        return
    world._fill(tx)
    for agency in tx.all("agencies"):
        digest = sha256(TOKENS[agency[1]].encode()).digest()
        tx.insert("insert_operator", agency=agency[0], name=OPERATORS[agency[1]], token_hash=digest, created_at=START)


class StandingClock(Clock):
    """Stands still until it is moved: however slow the machine is, no pause of the office's is over before its time."""

    def __init__(self) -> None:
        self._moment = START

    def now(self) -> int:
        return self._moment

    def set(self, moment: int) -> None:
        self._moment = moment

    def advance(self, microseconds: int) -> None:
        self._moment += microseconds


class Office:
    """A running ncipd, seen from outside."""

    def __init__(self, ncipd: Running, session: aiohttp.ClientSession, *, demo: bool) -> None:
        self.ncipd, self.session, self.demo = ncipd, session, demo
        self.root = ncipd.url.removesuffix("/ncip")

    async def call(
        self,
        method: str,
        path: str,
        *,
        agency: str = "LEND",
        token: str | None = "",
        json: Any = None,
        data: Any = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Call an endpoint of an agency; `token` None sends none, '' that of the agency's operator."""
        sent = dict(headers or {})
        if token == "" and not self.demo:
            token = TOKENS[agency]
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if json is not None:
            data, sent["Content-Type"] = msgspec.json.encode(json), "application/json"
        url = f"{self.root}{PREFIX}/agencies/{quote(agency, safe='')}/{path}"
        async with self.session.request(method, yarl(url), data=data, headers=sent) as answer:
            assert answer.content_type == "application/json", await answer.text()
            content = await answer.json()
            check(method, f"/agencies/{{agency}}/{path}", answer.status, content)
            return answer.status, content

    async def see(self, path: str, agency: str = "LEND", **query: object) -> Any:
        """Look at something that is there."""
        asked = "&".join(f"{name}={quote(str(value))}" for name, value in query.items())
        status, content = await self.call("GET", f"{path}?{asked}" if asked else path, agency=agency)
        assert status == 200, content
        return content

    async def not_seen(self, status: int, path: str, agency: str = "LEND") -> Any:
        """Look at something that is not to be seen; gives the error."""
        found, content = await self.call("GET", path, agency=agency)
        assert found == status, content
        return content["error"]

    async def do(self, action: str, /, agency: str = "LEND", key: str = "", **values: object) -> Any:
        """Do something at the desk."""
        headers = {"Idempotency-Key": key} if key else {}
        status, content = await self.call("POST", f"desk/{action}", agency=agency, json=values, headers=headers)
        assert status == 200, content
        return content

    async def refused(self, status: int, code: str, action: str, /, agency: str = "LEND", **values: object) -> Any:
        """Try something that is refused; gives the error."""
        found, content = await self.call("POST", f"desk/{action}", agency=agency, json=values)
        assert (found, content["error"]["code"]) == (status, code), content
        error = content["error"]
        assert error["message"].endswith((".", "?")), error
        return error

    async def say(self, content: str, *, to: str = "LEND", partner: str = "BROKER") -> Answer:
        """Send an NCIP message as a partner; it must not be answered with a problem."""
        answer = await self.post(message(content, to=to, partner=partner))
        assert answer.problem is None, answer
        return answer

    async def post(self, raw: str | bytes, key: str = "") -> Answer:
        """Send bytes to the NCIP door."""
        async with self.session.post(f"{self.ncipd.url}{f'/{key}' if key else ''}", data=raw) as answer:
            assert answer.status == 200
            return Answer(await answer.read())

    async def status(self, identifier: str, agency: str = "LEND") -> str:
        """Give the status of a request."""
        return str((await self.see(f"requests/{identifier}", agency))["status"])

    async def kinds(self, agency: str = "LEND") -> list[str]:
        """Give the kinds of the tasks that wait."""
        return [task["kind"] for task in (await self.see("tasks", agency))["tasks"]]

    async def messages(self, agency: str = "BORROW") -> list[Any]:
        """Give our own messages, the oldest first."""
        return list(reversed((await self.see("outbox", agency))["messages"]))

    async def until(self, happens: Callable[[], Any], what: str = "") -> Any:
        """Wait until something (a coroutine function) gives something true."""
        end = time.monotonic() + WITHIN
        while not (found := await happens()):
            assert time.monotonic() < end, f"it did not happen within {WITHIN:g} s: {what}"
            await asyncio.sleep(0.01)
        return found

    async def sent(self, agency: str = "BORROW", state: str = "sent", *, least: int = 1) -> list[Any]:
        """Wait until so many messages are in a state, and give them."""

        async def there() -> list[Any]:
            found = [one for one in await self.messages(agency) if one["state"] == state]
            return found if len(found) >= least else []

        found: list[Any] = await self.until(there, f"{least} {state}")
        return found

    async def lend_borrowed(
        self, request: str = "R-1", item: str = "X-1", user: int = 1, partner: str = "BROKER"
    ) -> None:
        """Bring an item of another library to a user of ours, and lend it to them."""
        reader = f"BORROW-USER-{user}"
        await self.say(accept(item, request, reader, due="2026-02-10T22:59:59Z"), to="BORROW", partner=partner)
        await self.do("check-out", "BORROW", barcode=item, user=reader)

    def pass_days(self, days: float) -> None:
        """Let time pass."""
        self.ncipd.clock.advance(int(days * DAY))


@asynccontextmanager
async def opened(
    folder: Path, url: str = "http://127.0.0.1:9/ncip", *, demo: bool = False, made: tuple[Partner, ...] | None = None
) -> AsyncIterator[Office]:
    """Open an office on a data folder; again on the same one, and it is the same office."""
    config = Config(
        server=Server(port=0, drain_seconds=2.0),
        store=Store(data=str(folder)),
        partner=partners(url) if made is None else made,
    )
    loop = asyncio.get_running_loop()
    with patch("ncipd.app.Clock", StandingClock):
        async with (
            aiohttp.ClientSession() as session,
            running(config, demo=demo, prepare=lambda store: store.transact(fill)) as ncipd,
        ):
            loop.set_exception_handler(None)
            ncipd.clock.set(max(START, ncipd.store.read(_latest)))
            yield Office(ncipd, session, demo=demo)


def _latest(tx: Any) -> int:
    """Time does not go back when an office is opened again."""
    lines = [
        line
        for agency in tx.all("agencies")
        for line in tx.all("journal_of_agency", agency=agency[0], before=2**62, most=1)
    ]
    return max((line[1] for line in lines), default=START)


def accept(item: str, request: str, user: str, *, due: str = "", more: str = "") -> str:
    """AcceptItem: an item of another library is in the building."""
    return (
        f"<AcceptItem>{world.request_id(request)}"
        "<RequestedActionType>Hold For Pickup</RequestedActionType>"
        f"{world.user_id(user)}{world.item_id(item)}"
        + (f"<DateForReturn>{due}</DateForReturn>" if due else "")
        + f"{more}</AcceptItem>"
    )


def request_item(barcode: str, request: str, *, kind: str = "Hold", user: str = "-") -> str:
    """RequestItem for one item."""
    return (
        f"<RequestItem>{world.user_id(user)}{world.item_id(barcode)}{world.request_id(request)}"
        f"<RequestType>{kind}</RequestType><RequestScopeType>Item</RequestScopeType></RequestItem>"
    )


def check_out(barcode: str, request: str) -> str:
    """CheckOutItem: an item has been shipped."""
    return f"<CheckOutItem>{world.user_id('-')}{world.item_id(barcode)}{world.request_id(request)}</CheckOutItem>"


def renew(barcode: str, due: str) -> str:
    """RenewItem with a date wished for."""
    return f"<RenewItem>{world.user_id('-')}{world.item_id(barcode)}<DesiredDateDue>{due}</DesiredDateDue></RenewItem>"


# ---------------------------------------------------------------------------------------------- the description


@cache
def description() -> Any:
    """`ncipd/openapi.yaml`."""
    return yaml.safe_load((ROOT / "ncipd" / "openapi.yaml").read_text("utf-8"))


def resolved(part: Any) -> Any:
    """Follow a reference within the description."""
    while isinstance(part, dict) and "$ref" in part:
        found = description()
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


def closed(schema: Any) -> Any:
    """A schema with its references in place, its `allOf` put together, and no fields beyond those described."""
    schema = resolved(schema)
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "allOf" in schema:
        parts = [resolved(part) for part in schema["allOf"]]
        return closed(
            {
                "type": "object",
                "required": [name for part in parts for name in part["required"]],
                "properties": {name: one for part in parts for name, one in part["properties"].items()},
            }
        )
    made = {
        key: closed(value) for key, value in schema.items() if key not in ("properties", "enum", "const", "required")
    }
    made |= {key: schema[key] for key in ("enum", "const", "required") if key in schema}
    if "properties" in schema:
        made["properties"] = {name: closed(one) for name, one in schema["properties"].items()}
        made["additionalProperties"] = False
    return made


@cache
def _templates() -> list[tuple[list[str], str]]:
    return [(path.removeprefix(PREFIX).strip("/").split("/"), path) for path in description()["paths"]]


def described(path: str) -> str | None:
    """Find the path of the description that a path of a call is an instance of."""
    steps = path.partition("?")[0].strip("/").split("/")
    for wanted, template in _templates():
        pairs = list(zip(wanted, steps, strict=False))
        if len(wanted) == len(steps) and all(want.startswith("{") or want == step for want, step in pairs):
            return template
    return None


@cache
def _validator(template: str, method: str, status: int) -> Draft202012Validator:
    answers = description()["paths"][template][method.lower()]["responses"]
    answer = resolved(answers.get(str(status), answers.get("default")))
    schema = closed(answer["content"]["application/json"]["schema"])
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def check(method: str, path: str, status: int, content: Any) -> None:
    """Compare an answer with the description."""
    template = described(path)
    if template is None or method.lower() not in description()["paths"][template]:
        assert status in (404, 405), (status, content)
        assert content["error"]["code"] in ("no-such-endpoint", "method-not-allowed")
        return
    _validator(template, method, status).validate(content)


def yarl(url: str) -> Any:
    """A URL whose escapes stay as they are written."""
    from yarl import URL

    return URL(url, encoded=True)
