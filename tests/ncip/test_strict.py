"""Strictly read, a message is refused exactly where the official schema refuses it: real messages and mutants."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from lxml import etree

from ncipd.explain import Verdict, explain
from ncipd.ncip.lexical import read_datetime
from ncipd.ncip.shape import simple_elements
from tests.ncip.deviations import IN, TEXT, TREE, name
from tests.ncip.test_mutants import messages, mutants

MUTANTS = 4_000
PARSER = {"resolve_entities": False, "no_network": True, "load_dtd": False}


@pytest.fixture(scope="module")
def official(shared: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(shared / "schemas" / "ncip_v2_02.xsd"))


def accepted(official: etree.XMLSchema, raw: bytes) -> bool | None:
    """What the official schema says to bytes; None where it has nothing to say to dates that do not exist."""
    try:
        root = etree.fromstring(raw, etree.XMLParser(**PARSER))
    except etree.XMLSyntaxError:
        return False
    valid = bool(official.validate(root)) and root.tag == f"{IN}NCIPMessage"
    return None if valid and not all(map(is_possible, root.iter(f"{IN}*"))) else valid


def is_possible(node: etree._Element) -> bool:
    if simple_elements().get(name(node)) == "datetime":
        try:
            read_datetime(node.text or "")
        except ValueError:
            return False
    return True


def differing(official: etree.XMLSchema, all_raw: Iterator[bytes]) -> tuple[Counter[bool | None], bytes]:
    """How many are accepted and refused, and the first on which the verdicts differ."""
    verdicts: Counter[bool | None] = Counter()
    for raw in all_raw:
        theirs = accepted(official, raw)
        verdicts[theirs] += 1
        if theirs is not None and (explain(raw, strict=True).verdict is Verdict.VALID) is not theirs:
            return verdicts, raw
    return verdicts, b""


def corpus(shared: Path) -> Iterator[bytes]:
    for entry in json.loads((shared / "corpus" / "index.json").read_text("utf-8")):
        if entry["family"] == "2":
            yield (shared / "corpus" / entry["file"]).read_bytes()


def test_the_whole_corpus_is_judged_as_the_official_schema_judges_it(shared: Path, official: etree.XMLSchema) -> None:
    verdicts, different = differing(official, corpus(shared))
    assert different == b""
    assert min(verdicts[True], verdicts[False]) > 50


def test_mutants_of_the_corpus_are_judged_as_the_official_schema_judges_them(
    shared: Path, official: etree.XMLSchema
) -> None:
    written = (etree.tostring(root) for root in mutants(messages(shared), MUTANTS))
    verdicts, different = differing(official, written)
    assert different == b""
    assert min(verdicts[True], verdicts[False]) > MUTANTS // 50


def test_the_corpus_with_any_deviation_is_judged_as_the_official_schema_judges_it(
    shared: Path, official: etree.XMLSchema
) -> None:
    def spoiled() -> Iterator[bytes]:
        chance = Random(2_012)
        for root in messages(shared):
            deviation = chance.choice([*TREE, *TEXT])
            if deviation in TREE:
                if root.get(f"{IN}version") is not None and TREE[deviation](root):
                    yield etree.tostring(root)
            else:
                yield TEXT[deviation](etree.tostring(root, encoding="unicode")).encode()

    verdicts, different = differing(official, spoiled())
    assert different == b""
    assert min(verdicts[True], verdicts[False]) > 5
