"""Our schema and the official one judge alike: real messages, and what becomes of them when something is changed."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from random import Random

import pytest
from lxml import etree

from tests.ncip.grammar_pin import NAMESPACE, SCHEMA

MUTANTS = 20_000
SEED = 20_120_816
TEXTS = ("", "x", "-1", "2026-02-30T00:00:00Z", "2026-01-31", "24:00:00", "true", "99999999999999999999")


def messages(shared: Path) -> list[etree._Element]:
    """Every message of the corpus that is well-formed and in the namespace of NCIP 2."""
    found = []
    parser = etree.XMLParser(remove_comments=True, remove_pis=True, resolve_entities=False)
    for path in sorted((shared / "corpus").rglob("*.xml")):
        try:
            root = etree.fromstring(path.read_bytes(), parser)
        except etree.XMLSyntaxError:
            continue
        if root.tag == f"{{{NAMESPACE}}}NCIPMessage":
            found.append(root)
    return found


def mutants(originals: list[etree._Element], number: int) -> Iterator[etree._Element]:
    """Change one thing, or a few, in a message: take out, double, swap, rename, move, reword, mark."""
    chance = Random(SEED)
    names = sorted({node.tag for root in originals for node in root.iter()})
    for _ in range(number):
        root = deepcopy(chance.choice(originals))
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            change(root, chance, names)
        yield root


def change(root: etree._Element, chance: Random, names: list[str]) -> None:
    nodes = list(root.iter())
    node = chance.choice(nodes)
    parent = node.getparent()
    kind = chance.randrange(7)
    if parent is None or kind == 0:
        node.set(
            chance.choice(("Scheme", "version", "other", f"{{{NAMESPACE}}}Scheme", f"{{{NAMESPACE}}}version")), "x"
        )
    elif kind == 1:
        parent.remove(node)
    elif kind == 2:
        parent.insert(chance.randint(0, len(parent)), deepcopy(node))
    elif kind == 3:
        node.tag = chance.choice(names)
    elif kind == 4:
        node.text = chance.choice(TEXTS)
    elif kind == 5:
        parent.remove(node)
        parent.insert(chance.randint(0, len(parent)), node)
    else:
        parent.insert(chance.randint(0, len(parent)), deepcopy(chance.choice(nodes)))


@pytest.fixture(scope="module")
def originals(shared: Path) -> list[etree._Element]:
    return messages(shared)


@pytest.fixture(scope="module")
def schemas(shared: Path) -> tuple[etree.XMLSchema, etree.XMLSchema]:
    official = shared / "schemas" / "ncip_v2_02.xsd"
    return etree.XMLSchema(etree.parse(official)), etree.XMLSchema(etree.parse(SCHEMA))


def differing(
    schemas: tuple[etree.XMLSchema, etree.XMLSchema], roots: Iterator[etree._Element]
) -> tuple[int, int, str]:
    """How many are valid, how many are not, and the first on which the schemas disagree."""
    official, ours = schemas
    verdicts = {True: 0, False: 0}
    for root in roots:
        verdict = official.validate(root)
        verdicts[verdict] += 1
        if verdict is not ours.validate(root):
            return verdicts[True], verdicts[False], etree.tostring(root, encoding="unicode")
    return verdicts[True], verdicts[False], ""


def test_both_schemas_give_the_same_verdict_on_the_whole_corpus(
    originals: list[etree._Element], schemas: tuple[etree.XMLSchema, etree.XMLSchema]
) -> None:
    valid, invalid, difference = differing(schemas, iter(originals))
    assert difference == ""
    assert valid > 50, "most of the corpus tells us nothing"
    assert invalid > 10, "most of the corpus tells us nothing"


def test_both_schemas_give_the_same_verdict_on_twenty_thousand_mutants(
    originals: list[etree._Element], schemas: tuple[etree.XMLSchema, etree.XMLSchema]
) -> None:
    valid, invalid, difference = differing(schemas, mutants(originals, MUTANTS))
    assert difference == ""
    assert valid + invalid == MUTANTS
    assert min(valid, invalid) > MUTANTS // 50, "all mutants are of one kind"
