"""From version 1 to version 2: the tree of a message is rewritten, each element in its line of the received text."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from functools import cache, lru_cache
from urllib.parse import quote

from lxml import etree

from ncipd.ncip import schema
from ncipd.ncip.applied import Applied
from ncipd.ncip.document import Document
from ncipd.ncip.envelope import header_of, reply_header
from ncipd.ncip.paths import Node, local_name, path
from ncipd.ncip.repairs import MOST_RECORDED
from ncipd.ncip.shape import simple_elements
from ncipd.ncip.types import ELEMENTS, IN_NCIP
from ncipd.ncip.v1 import grammar
from ncipd.ncip.v1.table import AUTHENTICATE, DATATYPES, DTD, LATER, RENAMED, VALUES, VISIBLE
from ncipd.ncip.v1.wire import Version1

_ID_TYPES = (f"{IN_NCIP}UserIdentifierType", f"{IN_NCIP}ItemIdentifierType")
_REQUEST_TYPE = f"{IN_NCIP}RequestType"
_BEFORE_TYPE = {IN_NCIP + name for name in ("InitiationHeader", "UserId", "RequestId", "ItemId")}
_IDS = {"UserId", "ItemId", "RequestId"}
_ERRORS = {"ProcessingError", "MessagingError"}
_ERROR_TYPES = {"ProcessingErrorType", "MessagingErrorType"}
_MARKED = etree.XPath("boolean(//@datatype)")
_NO_SECONDS = re.compile(r"(\s*\d{4}-\d\d-\d\dT\d\d:\d\d)(|Z|[+-]\d\d:\d\d)(\s*)", re.ASCII)
_GIVEN_UP = re.compile(rb"ncip_v1_01?\.dtd|NCIP DTD Version 1")
_NAMED = re.compile(rb"<NCIPMessage(?:\s[^<>]{0,400})?>\s{0,400}<([A-Za-z]{1,60})[\s/>]")
_VERSION = re.compile(
    rb"""<NCIPMessage[^<>]{0,400}?\sversion\s{0,9}=\s{0,9}["']([^"'<>&]{0,80}v1_0[^"'<>&]{0,80})["']"""
)


def rewritten(document: Document) -> Document:
    """Give a document of version 1 as the document of version 2 that says the same, with the repairs that it took."""
    root = document.root
    breaches = grammar.violations(root, long=document.long)
    wire = Version1(
        document.version or DTD,
        asked=local_name(root[0]) if len(root) else "",
        doctype=any(one.name == "doctype" for one in document.applied),
        datatypes=bool(_MARKED(root)),
    )
    notes = _Notes()
    _rewrite(root, notes)
    wire = replace(wire, header=reply_header(header_of(root)))
    version = root.attrib.pop("version", wire.version)
    root.set(f"{IN_NCIP}version", version)
    if breaches and not notes.applied and schema.is_valid(root):
        first = breaches[0]
        notes.applied.append(Applied("v1-loose", first.path, f"accepted although {first.reason}"))
    applied = [one for one in document.applied if one.name != "doctype"]  # in version 1 it is no deviation
    return Document(root, document.version, applied + notes.applied, wire=wire, breaches=breaches, long=document.long)


def given_up(raw: bytes) -> Version1 | None:
    """Say how to answer bytes that cannot be parsed, where they look like version 1; None where they do not."""
    start = raw[:4096]
    if _GIVEN_UP.search(start) is None:
        return None
    named, version = _NAMED.search(start), _VERSION.search(start)
    said = version[1].decode("ascii", "replace") if version else ""
    return Version1(
        said if said.isprintable() and said else DTD,
        asked=named[1].decode() if named else "",
        doctype=b"<!DOCTYPE" in start,
    )


class _Notes:
    """The repairs that were made, as many of each as are recorded."""

    def __init__(self) -> None:
        self.applied: list[Applied] = []
        self._made: Counter[str] = Counter()

    def __call__(self, name: str, node: Node, detail: str) -> None:
        self._made[name] += 1
        if self._made[name] <= MOST_RECORDED:
            self.applied.append(Applied(name, path(node), detail))


def _rewrite(node: Node, notes: _Notes) -> None:
    """Rewrite an element after its children, so that a path that is noted is one of the received message."""
    name = node.tag
    seen = node.findall(VISIBLE[name][0]) if name in VISIBLE else []
    _check(node, notes)
    for child in list(node):
        if not child.tag.startswith("{") and child.tag not in {"Scheme", "Value"}:
            _rewrite(child, notes)
    new = "Problem" if name in _ERRORS else AUTHENTICATE.get(name) or RENAMED.get(name, name)
    _rewrite_value(node, new, notes)
    if name in _ERRORS:
        _rewrite_error(node)
    elif name == "UserTransaction" or (name == "Problem" and node.find(f"{IN_NCIP}Problem") is not None):
        _unwrap(node)
    elif name == "LookupUserResponse":
        _put_loans_first(node)
    elif name == "ItemRequestCancelled" and node.find(_REQUEST_TYPE) is None:
        notes("v1-request-type", node, "read ItemRequestCancelled without RequestType")
        _leave_type_open(node)
    elif seen:
        _place(node, name, seen, notes)
    if new in _IDS:
        _drop_blank(node)
    node.tag = IN_NCIP + new


# --- what the grammar of version 1 does not allow --------------------------------------------------------------------


def _check(node: Node, notes: _Notes) -> None:
    name = node.tag
    datatype = node.attrib.pop("datatype", None)
    if datatype is not None and datatype != _datatype(name):
        notes("v1-datatype", node, f"ignored the datatype {datatype[:60]!r}")
    if name.startswith("Unique") and name != "UniqueBibliographicId" and RENAMED.get(name) in _IDS:
        if node.find("UniqueAgencyId") is None:
            notes("v1-agency", node, f"read {name} without its agency")
    elif name in LATER:
        notes("v1-later-service", node, f"read {name}, which version 1.0 does not have")
    elif name not in grammar.names() and (name in ELEMENTS or name in simple_elements()):
        notes("v1-later-element", node, f"read {name}, which only version 2 has")
    if name in {"LookupUser", "LookupItem"} and node.find(f"{name[6:]}ElementType") is None:
        notes("v1-element-type", node, f"read {name} without {name[6:]}ElementType")
    if node.getparent() is not None and node.getparent().getparent() is None and not _has_header(node):
        notes("v1-header", node, f"read {name} without its header")


def _has_header(message: Node) -> bool:
    return message.find("InitiationHeader") is not None or message.find("ResponseHeader") is not None


def _datatype(name: str) -> str | None:
    """Give what the attribute datatype of an element may say."""
    if name == "ReminderLevel":
        return "positiveInteger"
    type_ = simple_elements().get(RENAMED.get(name, name))
    if type_ is None:
        texts = {"Scheme", "Value", "ElementName", "MessagingErrorValue", "ProcessingErrorValue"}
        return "string" if name in texts else None
    return DATATYPES.get(type_)


# --- values ----------------------------------------------------------------------------------------------------------


def _rewrite_value(node: Node, new: str, notes: _Notes) -> None:
    type_ = simple_elements().get(new)
    if not _says_one_thing(node):
        return  # and the grammar of version 2 refuses it
    if type_ == "Coded" or node.tag in _ERROR_TYPES:
        _fold(node, notes)
    elif type_ == "datetime":
        _spell_out(node)
    elif type_ == "str" and node.find("Value") is not None:
        notes("v1-scheme", node, f"took the Value in {node.tag} for its text")
        _replace_by_text(node, node.findtext("Value") or "")


def _says_one_thing(node: Node) -> bool:
    """Say whether there is no more in it than one Scheme and one Value, each of them text."""
    names = [child.tag for child in node]
    return set(names) <= {"Scheme", "Value"} and len(set(names)) == len(names) and not any(map(len, node))


def _spell_out(node: Node) -> None:
    """Give a time its seconds: version 1 leaves the spelling of dates open."""
    without = _NO_SECONDS.fullmatch(node.text or "")
    if without:
        node.text = f"{without[1]}:00{without[2]}{without[3]}"


def _fold(node: Node, notes: _Notes) -> None:
    """Make text with an attribute of a pair of child elements."""
    children = [child.tag for child in node]
    scheme, value = node.findtext("Scheme") or "", node.findtext("Value")
    if children != ["Scheme", "Value"]:
        notes("v1-scheme", node, f"read {node.tag} that is no pair of Scheme and Value")
        scheme = scheme or node.attrib.pop("Scheme", "")
    for child in node:
        datatype = child.get("datatype")
        if datatype not in {None, "string"}:
            notes("v1-datatype", child, f"ignored the datatype {datatype[:60]!r}")
    text = (node.text or "").strip() if value is None else value
    _replace_by_text(node, VALUES.get(node.tag, {}).get(text.strip(), text))
    if scheme.strip():
        node.set(f"{IN_NCIP}Scheme", _as_uri(scheme))


@lru_cache(maxsize=256)
def _as_uri(scheme: str) -> str:
    """Give a Scheme that version 2 accepts: it wants a URI, and version 1 takes any text."""
    said = etree.Element("x")
    said.text = scheme
    return scheme if _uri().validate(said) else quote(scheme, safe="")


@cache
def _uri() -> etree.XMLSchema:
    return etree.XMLSchema(
        etree.XML('<schema xmlns="http://www.w3.org/2001/XMLSchema"><element name="x" type="anyURI"/></schema>')
    )


def _replace_by_text(node: Node, text: str) -> None:
    node[:] = []
    node.text = text


def _drop_blank(node: Node) -> None:
    """Take away an agency or type that says nothing, for version 1 wants one in any case."""
    for child in node.findall(f"{IN_NCIP}AgencyId") + [one for tag in _ID_TYPES for one in node.findall(tag)]:
        if not len(child) and not (child.text or "").strip() and not child.attrib:
            node.remove(child)


# --- what stands elsewhere -------------------------------------------------------------------------------------------


def _rewrite_error(node: Node) -> None:
    kind = node.tag.removesuffix("Error")
    steps, value = [], None
    step = node.find(f"{IN_NCIP}{kind}ErrorElement")
    while step is not None:
        steps.append(_step(step.findtext(f"{IN_NCIP}ElementName") or ""))
        found = step.find(f"{IN_NCIP}{kind}ErrorValue")
        value = found.text or "" if found is not None else value
        step = step.find(f"{IN_NCIP}{kind}ErrorElement")
    type_ = node.find(f"{IN_NCIP}{kind}ErrorType")
    node[:] = [type_] if type_ is not None else []
    if type_ is not None:
        type_.tag = f"{IN_NCIP}ProblemType"
    if any(steps):
        etree.SubElement(node, f"{IN_NCIP}ProblemElement").text = "/".join(steps)
    if value is not None:
        etree.SubElement(node, f"{IN_NCIP}ProblemValue").text = value


def _step(name: str) -> str:
    return RENAMED.get(name.strip(), name.strip())


def _unwrap(node: Node) -> None:
    parent = node.getparent()
    at = parent.index(node)
    parent[at : at + 1] = list(node)


def _put_loans_first(response: Node) -> None:
    """Put loans before the counts of requests, where version 2 has them."""
    loans = response.findall(f"{IN_NCIP}LoanedItem")
    counts = response.find(f"{IN_NCIP}RequestedItemsCount")
    requested = response.find(f"{IN_NCIP}RequestedItem")
    before = counts if counts is not None else requested
    if before is not None:
        for loan in loans:
            before.addprevious(loan)


def _leave_type_open(cancelled: Node) -> None:
    """Give the news of a cancelled request an empty RequestType: which request it was, its ids say."""
    ids = [child for child in cancelled if child.tag in _BEFORE_TYPE]
    cancelled.insert(cancelled.index(ids[-1]) + 1 if ids else 0, etree.Element(_REQUEST_TYPE))


def _place(node: Node, name: str, seen: list[Node], notes: _Notes) -> None:
    match VISIBLE[name][1]:
        case "end":
            node.extend(seen)
        case "ext":
            _ext_of(node).extend(seen)
        case _:
            ids = [one for one in node if local_name(one) == RENAMED[VISIBLE[name][0]]]
            known = set(seen)
            kept = next((one for one in ids if one not in known), ids[0])
            further = [one for one in ids if one is not kept]
            if further:
                notes("v1-two-user-ids", further[0], f"moved {len(further)} further identifiers into the Ext of {name}")
                _ext_of(node).extend(further)


def _ext_of(node: Node) -> Node:
    last = node[-1] if len(node) else None
    return last if last is not None and local_name(last) == "Ext" else etree.SubElement(node, f"{IN_NCIP}Ext")
