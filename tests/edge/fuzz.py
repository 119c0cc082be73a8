"""Bytes that nobody would send, thrown at the responder with its real store: `python -m tests.edge.fuzz`.

Every message must get an answer that its schema accepts, in bounded time and memory, and none may be a failure of ours.
The messages are made from seeds: one of every form of every message of the grammar, a few that do something in the
small world of tests/services, and the collected ones where `../shared` is. They are spoiled as senders spoil them, bent
as trees, and cut and joined as bytes. Each comes from the number of the run and its own, and can be made again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from functools import cache
from pathlib import Path
from random import Random, randrange

import xmlschema
from lxml import etree

from ncipd import log
from ncipd.circulation.partner import Partner
from ncipd.ncip.envelope import VERSION, Envelope, write
from ncipd.ncip.messages import MESSAGES
from ncipd.ncip.types import NAMESPACE, Initiation
from ncipd.responder import Door
from tests.circulation import messages as say
from tests.ncip.deviations import TEXT, TREE
from tests.ncip.strategies import every_form
from tests.ncip.test_mutants import change
from tests.services.world import World, fill, make_world, message

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
SECONDS = 10.0  # of processor time that one message may take
MEGABYTES = 300  # that the process may grow by, once it is warm
WARM = 500  # messages
SELDOM = 200  # one answer in so many is judged by a second validator, which is slow
KNOWN = ("LEND-USER-1", "LEND-BLOCKED", "L1", "L2", "LREF", "REC-LEND-1", "LEND", "XX-LEND", "MAIN", "R-1", "-", "")
VALUES = {
    "RequestType": ("Hold", "Loan", "Estimate", "Stack Retrieval"),
    "RequestScopeType": ("Item", "Bibliographic Item", "Title"),
    "RequestedActionType": ("Circulate", "Hold For Pickup"),
    "CirculationStatus": ("On Loan", "Available On Shelf", "Lost", "Missing", "Claimed Returned Or Never Borrowed"),
    "ItemElementType": ("Circulation Status", "Date Due", "Hold Queue Length", "Location"),
    "UserElementType": ("Name Information", "User Id", "User Privilege", "Authentication Input"),
    "AuthenticationInputType": ("Barcode Id", "PIN", "Password", "User Id"),
    "MonetaryValue": ("-250", "0", "99999999999999999999999"),
    "CurrencyCode": ("EUR", "XXX", ""),
}
PARTNERS = (
    Partner(code="BROKER", agency="LEND", fallback=True, url="http://broker.invalid/ncip"),
    Partner(code="BROKER", agency="BORROW", fallback=True, url="http://broker.invalid/ncip"),
)
TOKENS = [
    *(b"<", b">", b"</", b"/>", b"&", b"&amp;", b"&#0;", b"&#x10FFFF;", b"&a;", b"<!--", b"-->", b"<![CDATA[", b"]]>"),
    *(b"<?xml version='1.0' encoding='", b"UTF-16", b"ISO-8859-1'?>", b"<!DOCTYPE a SYSTEM 'b'>", b"<!DOCTYPE a ["),
    *(
        b"\x00",
        b"\x04",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xfc",
        b"%3C",
        b"xml=",
        b"--x\r\n\r\n",
        b"+",
        b"\xf0\x9f\x92\xa9",
    ),
    *(b"2026-01-31", b"9999-12-31T23:59:59-14:00", b"0001-01-01T00:00:00+14:00", b"24:00:00", b"-1", b"9" * 30),
    *(
        b"99999999999999999999999",
        b"xmlns='urn:x'",
        b" xmlns:n='urn:y'",
        b" ncip:Scheme='%'",
        b" version='1'",
        b"<Ext>",
    ),
    *(b"<Problem>", b"<Scheme/><Value/>", b"</NCIPMessage>", b"<UserId><UserId>" * 40, b"<x/>" * 300, b"a" * 5_000),
]


class Failure(AssertionError):
    """An answer that should not have been given, and what it was given to."""


@cache
def seeds() -> list[bytes]:
    """Messages that are right, or were sent by somebody."""
    made = [
        message(content).encode()
        for content in (
            say.lookup_item("L1"),
            say.check_out("L1", "R-1", user="LEND-USER-1", due="2026-01-31T23:59:00Z"),
            say.check_in("L1"),
            "<LookupUser><UserId><UserIdentifierValue>LEND-USER-1</UserIdentifierValue></UserId></LookupUser>",
        )
    ]
    for _, cls in sorted(MESSAGES.items()):
        forms = every_form(cls)
        made += [write(Envelope(VERSION, form)) for form in (forms if issubclass(cls, Initiation) else forms[:2])]
    if SHARED.is_dir():
        made += [file.read_bytes() for file in sorted((SHARED / "corpus").rglob("*.xml"))]
    return made


@cache
def trees() -> list[etree._Element]:
    """The seeds in the namespace of NCIP 2 as trees."""
    parser = etree.XMLParser(resolve_entities=False, remove_comments=True, remove_pis=True)
    found = []
    for seed in seeds():
        try:
            root = etree.fromstring(seed, parser)
        except etree.XMLSyntaxError:
            continue
        if root.tag == f"{{{NAMESPACE}}}NCIPMessage" and root.get(f"{{{NAMESPACE}}}version") and len(root):
            found.append(root)
    return found


@cache
def names() -> list[str]:
    """Every name of the seeds."""
    return sorted({node.tag for root in trees() for node in root.iter()})


def made(run: int, number: int) -> bytes:
    """Make a message; always the same for the same numbers."""
    chance = Random(f"{run}:{number}")
    kind = chance.randrange(10)
    if kind == 0:
        return chance.choice((chance.randbytes(chance.randrange(200)), *(t * chance.randrange(50) for t in TOKENS)))
    if kind < 3:
        return cut(chance.choice(seeds()), chance)
    root = deepcopy(chance.choice(trees()))
    meant(root, chance)
    if kind < 7:
        for _ in range(chance.choice((1, 1, 2, 5, 20))):
            change(root, chance, names())
    raw = spoiled(root, chance) if kind > 4 else etree.tostring(root)
    return cut(raw, chance) if chance.randrange(4) == 0 else raw


def meant(root: etree._Element, chance: Random) -> None:
    """Let a message be about what there is in the small world."""
    for node in root.iter(f"{{{NAMESPACE}}}*"):
        owner = node.getparent()
        if owner is not None and owner.tag.endswith("ToAgencyId"):
            node.text = chance.choice(("LEND", "LEND", "LEND", "BORROW"))
        elif node.tag.endswith("ApplicationProfileType"):
            node.text = "BROKER"
        elif not len(node) and node.tag.endswith(("Value", "AgencyId", "Identifier")):
            node.text = chance.choice(KNOWN)
        elif not len(node) and chance.randrange(4) == 0:
            node.text = chance.choice(VALUES.get(node.tag.removeprefix(f"{{{NAMESPACE}}}"), (node.text,)))


def spoiled(root: etree._Element, chance: Random) -> bytes:
    """Spoil a message as senders do."""
    deviations = chance.sample([*TREE], chance.randrange(5))
    for name in TREE:
        if name in deviations and root.get(f"{{{NAMESPACE}}}version") is not None:
            with suppress(ValueError):  # it holds what is not NCIP
                TREE[name](root)
    text = etree.tostring(root, encoding="unicode")
    for name in TEXT:
        if chance.randrange(6) == 0:
            text = TEXT[name](text)
    return text.encode(chance.choice(("utf-8", "utf-8", "utf-8", "utf-16", "cp1252", "latin-1")), "replace")


def cut(raw: bytes, chance: Random) -> bytes:
    """Cut, double, change and join bytes."""
    for _ in range(chance.choice((1, 1, 2, 4, 10))):
        at, to = sorted((chance.randrange(len(raw) + 1), chance.randrange(len(raw) + 1)))
        to = min(to, at + chance.choice((0, 1, 5, 200, 100_000)))
        put = chance.choice(
            (b"", raw[at:to] * 2, chance.choice(TOKENS), chance.randbytes(3), chance.choice(seeds())[at:])
        )
        raw = (raw[:at] + put + raw[to:])[:200_000]
    return raw


# --- judging ---------------------------------------------------------------------------------------------------------


@cache
def schema(version: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(ROOT / "xsd" / f"ncip_{version}.xsd"))


@cache
def second_opinion() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(ROOT / "xsd" / "ncip_v2_02.xsd"))


def fault(answer: bytes, *, twice: bool) -> str:
    """Say what is wrong with an answer; empty where nothing is."""
    try:
        root = etree.fromstring(answer)
    except etree.XMLSyntaxError as error:
        return f"no XML: {error}"
    if b"nothing of it was kept" in answer:
        return "a failure of ours"
    if root.tag == "NCIPVersionMessage" or (root.tag == "NCIPMessage" and root[0].tag == "LookupRequestResponse"):
        return ""  # LookupVersion, and what version 1.01 added: there is no schema
    version = "v2_02" if root.tag == f"{{{NAMESPACE}}}NCIPMessage" else "v1_0"
    if not schema(version).validate(root):
        return f"not valid: {schema(version).error_log.last_error}"
    if twice and version == "v2_02" and not second_opinion().is_valid(root):
        return "not valid by xmlschema"
    return ""


def megabytes() -> float:
    """What the process has had at most, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def fuzz(world: World, run: int, *, seconds: float, most: int | None = None) -> Counter[str]:
    """Throw messages at the responder for so many seconds, and at most so many; gives how often each was the answer."""
    until, warm, number = time.monotonic() + seconds, 0.0, 0
    answered: Counter[str] = Counter()
    while time.monotonic() < until and number != most:
        raw = made(run, number)
        started = time.process_time()
        answer = (await world.responder.respond(raw, Door("http", key="broker" if number % 3 else None))).body
        took = time.process_time() - started
        wrong = fault(answer, twice=number % SELDOM == 0)
        if took > SECONDS:
            wrong = f"it took {took:.1f} seconds"
        if wrong:
            raise Failure(f"run {run}, message {number}: {wrong}\n{raw[:3000]!r}\nwas answered\n{answer[:1500]!r}")
        root = etree.fromstring(answer)
        answered[next((str(n.text) for n in root.iter("{*}ProblemType")), "no problem")] += 1
        number += 1
        if number % 50 == 0:
            world.clock.pass_days(0.5)
        if number == WARM:
            warm = megabytes()
    if warm and megabytes() - warm > MEGABYTES:
        raise Failure(f"run {run}: grew from {warm:.0f} to {megabytes():.0f} MB in {number} messages")
    return answered


async def _main(run: int, seconds: float) -> None:
    log.configure("error")
    with tempfile.TemporaryDirectory() as folder:
        world = make_world(Path(folder), PARTNERS)
        await fill(world)
        try:
            answered = await fuzz(world, run, seconds=seconds)
        finally:
            await world.store.close()
    print(
        json.dumps({"run": run, "messages": answered.total(), "megabytes": megabytes(), **dict(answered.most_common())})
    )


def _arguments() -> Iterator[float]:
    parser = argparse.ArgumentParser(description="Throw bytes at the responder until one gets a wrong answer.")
    parser.add_argument("--seconds", type=float, default=600.0, help="how long (default: ten minutes)")
    parser.add_argument("--run", type=int, default=randrange(10**9), help="number of the run, to repeat one")
    chosen = parser.parse_args()
    return iter((chosen.run, chosen.seconds))


if __name__ == "__main__":
    number, long = _arguments()
    asyncio.run(_main(int(number), long))
