"""What senders do to a message: for each repair, a way to spoil a message so that it is needed.

Deviations of the tree lose nothing: the message reads back as it was. Those of the text and of the bytes come after
them, in this order, because each takes the message further from XML.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

from lxml import etree

from ncipd.ncip.shape import shape, simple_elements
from ncipd.ncip.types import ELEMENTS

NS = "http://www.niso.org/2008/ncip"
IN = f"{{{NS}}}"
Root = Any
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def name(node: Root) -> str:
    return str(node.tag).removeprefix(IN)


def typed(root: Root, type_: str) -> list[Root]:
    return [node for node in root.iter() if simple_elements().get(name(node)) == type_]


def structured(root: Root) -> list[Root]:
    return [node for node in root.iter() if name(node) in ELEMENTS and name(node) != "Ext"]


# --- the tree: each says whether the message had anything to spoil ---------------------------------------------------


def no_namespace(root: Root) -> bool:
    for node in root.iter():
        node.tag = name(node)
    return True


def wrong_namespace(root: Root) -> bool:
    for node in root.iter():
        node.tag = f"{{{NS.replace('http', 'https')}/}}{name(node)}"
    return True


def unqualified_version(root: Root) -> bool:
    root.set("version", root.attrib.pop(f"{IN}version"))
    return True


def missing_version(root: Root) -> bool:
    return root.attrib.pop(f"{IN}version", None) is not None


def unqualified_scheme(root: Root) -> bool:
    coded = [node for node in typed(root, "Coded") if node.get(f"{IN}Scheme")]
    for node in coded:
        node.set("Scheme", node.attrib.pop(f"{IN}Scheme"))
    return bool(coded)


def misspelt_element(root: Root) -> bool:
    """Lower case, where no other child of the parent would be the same without case and the s of a plural."""
    spoiled = False
    for parent in structured(root):
        alike = [child.element.casefold().removesuffix("s") for child in shape(ELEMENTS[name(parent)])]
        for node in [node for node in parent if alike.count(name(node).casefold().removesuffix("s")) == 1]:
            if name(node) in simple_elements() and not len(node):
                node.tag, spoiled = IN + name(node).lower(), True
    return spoiled


def scheme_value(root: Root) -> bool:
    """Where neither has blanks around it, which mean nothing there, and there is no empty Scheme."""
    spoiled = False
    for node in typed(root, "Coded"):
        value, scheme = node.text or "", node.get(f"{IN}Scheme")
        if value == value.strip() and scheme != "" and (scheme or "") == (scheme or "").strip():
            node.text, spoiled = None, True
            node.attrib.clear()
            if scheme:
                etree.SubElement(node, f"{IN}Scheme").text = scheme
            etree.SubElement(node, f"{IN}Value").text = value
    return spoiled


def unknown_attribute(root: Root) -> bool:
    for node in root.iter():
        node.set("datatype", "string")
    return True


def stray_text(root: Root) -> bool:
    for node in structured(root):
        node.text = "stray"
    return True


def flag_value(root: Root) -> bool:
    flags = typed(root, "bool")
    for node in flags:
        node.text = "true"
    return bool(flags)


def respelt(change: Callable[[str], str]) -> Callable[[Root], bool]:
    def spoil(root: Root) -> bool:
        spoiled = False
        for node in typed(root, "datetime"):
            before, node.text = node.text, change(node.text or "")
            spoiled |= before != node.text
        return spoiled

    return spoil


def child_order(root: Root) -> bool:
    spoiled = False
    for node in structured(root):
        order = [child.element for child in shape(ELEMENTS[name(node)])]
        ours = {name(child) for child in node}
        if len(set(order)) == len(order) and len(ours) > 1 and ours <= set(order):
            node[:] = sorted(node, key=lambda child: -order.index(name(child)))
            spoiled = True
    return spoiled


TREE: dict[str, Callable[[Root], bool]] = {
    "child-order": child_order,
    "flag-value": flag_value,
    "missing-seconds": respelt(lambda text: re.sub(r"T(\d\d:\d\d):00(?=Z|[+-]|$)", r"T\1", text)),
    "odd-offset": respelt(lambda text: re.sub(r"Z$", "+0000", text)),
    "date-spelling": respelt(lambda text: text.replace("T", " ").replace("-", "/", 2).replace(".", ",")),
    "scheme-value": scheme_value,
    "unqualified-scheme": unqualified_scheme,
    "misspelt-element": misspelt_element,
    "stray-text": stray_text,
    "unknown-attribute": unknown_attribute,
    "unqualified-version": unqualified_version,
    "missing-version": missing_version,
    "wrong-namespace": wrong_namespace,
    "no-namespace": no_namespace,
}

# --- text and bytes --------------------------------------------------------------------------------------------------


def undeclared_prefix(text: str) -> str:
    return re.sub(r' xmlns:n="[^"]*"', "", text)


def form(text: str) -> str:
    return f"user=x&xml={quote_plus(text)}&go=1"


def multipart(text: str) -> str:
    head = 'Content-Disposition: form-data; name="{}"\r\n\r\n'
    return f"--b-1\r\n{head.format('user')}x\r\n--b-1\r\n{head.format('xml')}{text}\r\n--b-1--\r\n"


TEXT: dict[str, Callable[[str], str]] = {
    "undeclared-prefix": undeclared_prefix,
    "control-characters": lambda text: text + "\x00\x04",
    "doctype": lambda text: '<!DOCTYPE NCIPMessage SYSTEM "http://example.org/ncip.dtd">\n' + text,
    "utf-8-declared-otherwise": lambda text: '<?xml version="1.0" encoding="ISO-8859-1"?>\n<!-- ü -->' + text,
    "wrong-encoding": lambda text: '<?xml version="1.0" encoding="UTF-16"?>\n' + text,
    "leading-whitespace": lambda text: "\r\n \ufeff" + (text if text.startswith("<?xml") else DECLARATION + text),
    "url-encoded": quote,
    "form-post": form,
}
