"""The grammar of a schema as one line per element, and what tells two grammars apart.

A line is ``Name CONTENT @mark @mark``. CONTENT is a model such as ``(UserId, (ItemId+ | RequestId)?, Ext?)``, or
``EMPTY``, or a simple type with its facets. A mark is an attribute (``@ncip:Scheme? xs:anyURI``; without ``?`` it is
required, without ``ncip:`` it is unqualified) or any further property (``@nillable=true``).

After a meant change of a grammar: ``python -m tests.ncip.grammar_pin 2_02 > tests/ncip/grammar_2_02.pin``, or 1_0.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from tests.ncip.content_model import Part, grouped, parse_model, telling_apart, times

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "xsd" / "ncip_v2_02.xsd"
SCHEMA_1 = ROOT / "xsd" / "ncip_v1_0.xsd"
PIN = Path(__file__).with_name("grammar_2_02.pin")
PIN_1 = Path(__file__).with_name("grammar_1_0.pin")
NAMESPACE = "http://www.niso.org/2008/ncip"
XS = "{http://www.w3.org/2001/XMLSchema}"
XML = "{http://www.w3.org/XML/1998/namespace}"


class UnreadableError(Exception):
    """The schema uses a construct that this reader does not know, and so could not pin."""


# --- one element -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a grammar says of one element."""

    content: Part | str
    marks: frozenset[str]

    def line(self, name: str) -> str:
        content = str(self.content)
        if isinstance(self.content, Part) and (self.content.kind == "name" or not self.content.once):
            content = f"({content})"
        return " ".join([name, content, *(f"@{mark}" for mark in sorted(self.marks))])

    def unlike(self, pinned: Declaration) -> Iterator[str]:
        """What is not as pinned, in words."""
        if isinstance(self.content, Part) and isinstance(pinned.content, Part):
            if found := telling_apart(pinned.content, self.content):
                by_pin, children = found
                yield f"only {'the pin' if by_pin else 'the schema'} allows the children [{' '.join(children)}]"
        elif self.content != pinned.content:
            yield f"content is {self.content}, pinned is {pinned.content}"
        for mark in sorted(pinned.marks - self.marks):
            yield f"@{mark} is pinned but not in the schema"
        for mark in sorted(self.marks - pinned.marks):
            yield f"@{mark} is in the schema but not pinned"


Grammar = dict[str, Declaration]


def differences(schema: Grammar, pin: Grammar) -> list[str]:
    """Say, element by element, what is not as pinned."""
    lost = [f"{name}: pinned but not in the schema" for name in pin.keys() - schema.keys()]
    new = [f"{name}: in the schema but not pinned" for name in schema.keys() - pin.keys()]
    other = [f"{name}: {what}" for name in pin.keys() & schema.keys() for what in schema[name].unlike(pin[name])]
    return sorted(lost + new + other)


def parse_pin(text: str) -> Grammar:
    """Read pinned lines; those that begin with ``#`` are remarks."""
    grammar = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            (name, rest), *marks = line.split(" @")[0].split(" ", 1), *line.split(" @")[1:]
            content = parse_model(rest) if rest.startswith("(") else rest
            grammar[name] = Declaration(content, frozenset(marks))
    return grammar


# --- reading a schema ------------------------------------------------------------------------------------------------


class SchemaReader:
    """Reads an XSD of global elements, named groups and simple-content types; whatever else it meets, it refuses."""

    def __init__(self, root: etree._Element) -> None:
        self.root = root
        self.declared: dict[tuple[str, str], etree._Element] = {}
        for node in meaningful(root):
            if kind(node) not in {"element", "group", "complexType", "simpleType"}:
                raise UnreadableError(f"line {node.sourceline}: xs:{kind(node)} at the top level")
            self.declared[kind(node), node.attrib["name"]] = node

    def grammar(self) -> Grammar:
        elements = {name: self.element(node) for (what, name), node in self.declared.items() if what == "element"}
        return {"(schema)": self.settings(), **elements}

    def settings(self) -> Declaration:
        """What holds for the whole schema; its version and language are no grammar."""
        told = {f"{k}={v}" for k, v in self.root.attrib.items() if k not in {"version", XML + "lang"}}
        return Declaration("XSD", frozenset(told))

    def element(self, node: etree._Element) -> Declaration:
        marks = {f"{key}={value}" for key, value in node.attrib.items() if key not in {"name", "type"}}
        inner = meaningful(node)
        if "type" in node.attrib and not inner:
            found = self.named_type(node, node.attrib["type"])
        elif len(inner) == 1 and "type" not in node.attrib:
            found = self.type(inner[0])
        else:
            raise UnreadableError(f"line {node.sourceline}: element {node.get('name')} needs one type")
        return Declaration(found.content, found.marks | marks)

    def named_type(self, node: etree._Element, name: str) -> Declaration:
        full = self.full_name(node, name)
        if full.startswith("xs:"):
            return Declaration(full, frozenset())
        declared = self.declared.get(("complexType", full), self.declared.get(("simpleType", full)))
        if declared is None:
            raise UnreadableError(f"line {node.sourceline}: no type {name}")
        return self.type(declared)

    def type(self, node: etree._Element) -> Declaration:
        if kind(node) == "simpleType":
            return self.simple_type(node)
        marks = {f"{key}={value}" for key, value in node.attrib.items() if key != "name"}
        inner = meaningful(node)
        if inner and kind(inner[0]) == "simpleContent":
            (extension,) = meaningful(inner[0])
            expect(extension, "extension")
            found = self.named_type(extension, extension.attrib["base"])
            return Declaration(found.content, found.marks | marks | self.attributes(meaningful(extension)))
        if inner and kind(inner[0]) != "attribute":
            return Declaration(self.part(inner[0]), frozenset(marks | self.attributes(inner[1:])))
        return Declaration("EMPTY", frozenset(marks | self.attributes(inner)))

    def simple_type(self, node: etree._Element) -> Declaration:
        (restriction,) = meaningful(node)
        expect(restriction, "restriction")
        found = self.named_type(restriction, restriction.attrib["base"])
        facets = sorted(f'{kind(facet)} "{facet.attrib["value"]}"' for facet in meaningful(restriction))
        return Declaration(f"{found.content} [{', '.join(facets)}]", found.marks)

    def attributes(self, nodes: list[etree._Element]) -> frozenset[str]:
        return frozenset(map(self.attribute, nodes))

    def attribute(self, node: etree._Element) -> str:
        expect(node, "attribute")
        told = dict(node.attrib)
        form = told.pop("form", self.root.get("attributeFormDefault"))
        name = ("ncip:" if form == "qualified" else "") + told.pop("name")
        use = {"required": "", "optional": "?"}[told.pop("use", "optional")]
        type_ = self.full_name(node, told.pop("type"))
        return " ".join([f"{name}{use} {type_}", *(f"{key}={value}" for key, value in told.items())])

    def part(self, node: etree._Element) -> Part:
        least = int(node.get("minOccurs", "1"))
        most = None if node.get("maxOccurs") == "unbounded" else int(node.get("maxOccurs", "1"))
        match kind(node):
            case "element" if node.get("ref"):
                part = Part("name", self.full_name(node, node.attrib["ref"]))
            case "group":
                (model,) = meaningful(self.declared["group", self.full_name(node, node.attrib["ref"])])
                part = self.part(model)
            case "sequence" | "choice" as what:
                part = grouped("," if what == "sequence" else "|", [self.part(x) for x in meaningful(node)])
            case "any":
                part = Part("name", f"any({node.get('namespace', '##any')} {node.get('processContents', 'strict')})")
            case what:
                raise UnreadableError(f"line {node.sourceline}: xs:{what} in a content model")
        return times(part, least, most)

    @staticmethod
    def full_name(node: etree._Element, name: str) -> str:
        prefix, _, local = name.rpartition(":")
        namespace = node.nsmap.get(prefix or None)
        if namespace == XS[1:-1]:
            return f"xs:{local}"
        if namespace not in {NAMESPACE, None}:  # version 1 has none
            raise UnreadableError(f"line {node.sourceline}: {name} is of the foreign namespace {namespace}")
        return local


def kind(node: etree._Element) -> str:
    return str(node.tag).removeprefix(XS)


def meaningful(node: etree._Element) -> list[etree._Element]:
    """The children without comments and documentation."""
    return [child for child in node if isinstance(child.tag, str) and kind(child) != "annotation"]


def expect(node: etree._Element, what: str) -> None:
    if kind(node) != what:
        raise UnreadableError(f"line {node.sourceline}: xs:{kind(node)} where xs:{what} is expected")


def read_schema(path: Path = SCHEMA) -> etree._Element:
    return etree.parse(str(path)).getroot()


def write_pin(grammar: Grammar, version: str) -> str:
    head = f"# The grammar of NCIP {version}, one line per element; tests/ncip/grammar_pin.py explains the notation.\n"
    return head + "".join(grammar[name].line(name) + "\n" for name in sorted(grammar))


if __name__ == "__main__":
    version = sys.argv[1]
    path = ROOT / "xsd" / f"ncip_v{version}.xsd"
    sys.stdout.write(write_pin(SchemaReader(read_schema(path)).grammar(), version.replace("_", ".")))
