"""A DTD as a schema that allows the same documents, so that both can be compared with the tools for schemas."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

XS = "{http://www.w3.org/2001/XMLSchema}"
OCCURS = {
    "once": {},
    "opt": {"minOccurs": "0"},
    "mult": {"minOccurs": "0", "maxOccurs": "unbounded"},
    "plus": {"maxOccurs": "unbounded"},
}
USE = {"required": {"use": "required"}, "implied": {}}


def as_schema(dtd: Path) -> bytes:
    """Write each element of the DTD as a global element: text as xs:string, and attributes as they are declared."""
    root = etree.Element(f"{XS}schema", nsmap={"xs": XS[1:-1]})
    with dtd.open("rb") as file:
        declared = list(etree.DTD(file).elements())
    for element in declared:
        _write(etree.SubElement(root, f"{XS}element", name=element.name), element)
    return etree.tostring(root, pretty_print=True)


def _write(declaration: etree._Element, element: etree._Element) -> None:
    holder = whole = etree.SubElement(declaration, f"{XS}complexType")
    match element.type:
        case "mixed" if element.content.type == "pcdata":
            content = etree.SubElement(whole, f"{XS}simpleContent")
            holder = etree.SubElement(content, f"{XS}extension", base="xs:string")
        case "element":
            _particle(whole, element.content, alone=True)
        case other:
            assert other == "empty", f"{element.name} is {other}"
    for attribute in element.attributes():
        assert attribute.type == "cdata"
        told = {"fixed": attribute.default_value} if attribute.default == "fixed" else USE[attribute.default]
        etree.SubElement(holder, f"{XS}attribute", name=attribute.name, type="xs:string", **told)


def _particle(parent: etree._Element, content: etree._Element, *, alone: bool = False) -> None:
    occurs = OCCURS[content.occur]
    if content.type == "element":
        if alone:
            parent = etree.SubElement(parent, f"{XS}sequence")
        etree.SubElement(parent, f"{XS}element", ref=content.name, **occurs)
        return
    kind = {"seq": "sequence", "or": "choice"}[content.type]
    node = etree.SubElement(parent, XS + kind, **occurs)
    _particle(node, content.left)
    _particle(node, content.right)
