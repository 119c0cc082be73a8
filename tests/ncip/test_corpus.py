"""Real messages of many systems: those that are valid read back as they were, the others are read or refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from ncipd.ncip import schema
from ncipd.ncip.document import parse
from ncipd.ncip.envelope import write
from ncipd.ncip.problems import Problem
from ncipd.ncip.read import read
from ncipd.ncip.repairs import TOLERATED

NCIP = "{http://www.niso.org/2008/ncip}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"


@pytest.fixture(scope="module")
def corpus(shared: Path) -> list[tuple[str, bytes, dict[str, Any]]]:
    folder = shared / "corpus"
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    return [(entry["file"], (folder / entry["file"]).read_bytes(), entry) for entry in index]


def canonical(raw: bytes) -> list[tuple[Any, ...]]:
    """What a message says: names, attributes and text, without prefixes, comments and blanks between elements."""
    return [
        (
            node.tag,
            sorted((name, value) for name, value in node.attrib.items() if not name.startswith(XSI)),
            (node.text or "") if not len(node) else "",
        )
        for node in etree.fromstring(raw, etree.XMLParser(remove_comments=True, remove_pis=True)).iter()
    ]


def in_utc(content: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The same with dates as we write them; numbers and dates may be spelled in many ways."""
    from ncipd.ncip.lexical import read_datetime, write_datetime
    from ncipd.ncip.shape import simple_elements

    def spelled(tag: str, text: str) -> str:
        match simple_elements().get(tag.removeprefix(NCIP)):
            case "datetime":
                return write_datetime(read_datetime(text))
            case "Count" | "Ordinal" | "Minor":
                return str(int(text))
            case "bool":
                return ""
        return text

    return [(tag, attributes, spelled(tag, text)) for tag, attributes, text in content]


def test_every_valid_message_reads_without_repair_and_writes_the_same_content(
    corpus: list[tuple[str, bytes, dict[str, Any]]],
) -> None:
    checked = 0
    for name, raw, entry in corpus:
        if entry["valid_2_02"]:
            reading = read(parse(raw), allowed=TOLERATED | {"leading-whitespace"})
            written = write(reading.envelope)
            assert schema.is_valid(parse(written).root), name
            made = {applied.name for applied in reading.repairs}
            meant = raw.replace(b"windows-1252", b"UTF-8", 1) if "utf-8-declared-otherwise" in made else raw
            received = canonical(meant.lstrip())
            if "message-in-ext" in made:
                del received[1]
            received[0] = canonical(written)[0]  # the version is echoed only where it names NCIP 2
            assert in_utc(canonical(written)) == in_utc(received), name
            checked += 1
    assert checked > 150


def test_every_other_message_is_read_with_repairs_or_refused_with_a_problem(
    corpus: list[tuple[str, bytes, dict[str, Any]]],
) -> None:
    read_with: set[str] = set()
    others = [(name, raw) for name, raw, entry in corpus if not entry["valid_2_02"]]
    refused = 0
    for name, raw in others:
        try:
            reading = read(parse(raw))
        except Problem:
            refused += 1
            continue
        assert reading.repairs, name
        assert read(parse(write(reading.envelope))).envelope == reading.envelope, name
        read_with.update(applied.name for applied in reading.repairs)
    assert {"unqualified-version", "missing-version", "no-namespace", "foreign-ext"} <= read_with
    assert refused < len(others)


def test_messages_of_version_1_are_told_from_those_of_version_2(
    corpus: list[tuple[str, bytes, dict[str, Any]]],
) -> None:
    for name, raw, entry in corpus:
        if entry["well_formed"] and entry["root_ns"] in {None, "http://www.niso.org/2008/ncip"}:
            document = parse(raw)
            if document.kind != "foreign":
                assert document.speaks == (entry["family"] == "2"), name
