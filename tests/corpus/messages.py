"""The messages of a corpus: a folder with an `index.json` that says of each file whose it is and what is in it."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from lxml import etree

FAMILIES = Path(__file__).parent / "sources.toml"

_BLANK = re.compile(rb"<((?:\w+:)?\w*Date\w*)((?:\s[^>]*)?)>\s*[A-Z][A-Z_]+\s*</")  # where a template has a date
_WISHED = re.compile(rb"Due|Return|Need|Expiry|ValidTo")
_PAST, _COMING = b"2026-01-05T12:00:00Z", b"2026-01-26T12:00:00Z"


@dataclass(frozen=True)
class Message:
    """One file: who sends such messages, what it is, and its bytes."""

    source: str
    file: str
    #: The NCIP version, by its first number.
    major: str
    #: The name of the message's element.
    type: str
    #: request, notification, response, …
    direction: str
    raw: bytes
    #: Whether dates were put where a template had a word in capitals for one.
    filled: bool = False

    @property
    def family(self) -> str:
        """The family of systems that its sender is of; '' for none that is known."""
        return families().get(self.source, "")


def with_dates(message: Message) -> Message | None:
    """Fill in the dates of a template, whose words in capitals are no dates; None for what is no template."""

    def date(found: re.Match[bytes]) -> bytes:
        return b"<%s%s>%s</" % (found[1], found[2], _COMING if _WISHED.search(found[1]) else _PAST)

    raw, count = _BLANK.subn(date, message.raw)
    return replace(message, raw=raw, filled=True) if count else None


def collect(folder: Path) -> list[Message]:
    """Read every well-formed message of a corpus; without an index, each folder in it is a source."""
    index = folder / "index.json"
    if not index.is_file():
        files = sorted(folder.rglob("*.xml"))
        return [one for file in files if (one := _read(file, file.relative_to(folder))) is not None]
    return [
        Message(
            source=entry["source"],
            file=entry["file"],
            major=entry["family"],
            type=(entry["type"] or "").removeprefix("Ext/"),
            direction=entry["direction"],
            raw=(folder / entry["file"]).read_bytes(),
        )
        for entry in json.loads(index.read_text("utf-8"))
        if entry["well_formed"]
    ]


def _read(file: Path, name: Path) -> Message | None:
    """Say from its content what a message is; None for what is not well-formed."""
    raw = file.read_bytes()
    try:
        root = etree.fromstring(raw.strip(), etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return None
    names = [etree.QName(node).localname for node in root.iter(etree.Element)][1:3]
    type_ = next((one for one in names if one != "Ext"), "")
    direction = "request" if type_ and type_ != "Problem" and not type_.endswith("Response") else "response"
    major = "1" if "v1_0" in (root.get("version") or "") else "2"
    return Message(name.parts[0], str(name), major, type_, direction, raw)


@cache
def families() -> dict[str, str]:
    """The family of each source."""
    return {source: str(family) for source, family in tomllib.loads(FAMILIES.read_text("utf-8")).items()}
