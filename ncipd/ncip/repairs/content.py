"""Repairs of content: what stands in a place, in an order or beside something where the grammar will not have it."""

from __future__ import annotations

from functools import cache

from lxml import etree

from ncipd.ncip.document import Document
from ncipd.ncip.paths import Node, local_name
from ncipd.ncip.repairs.walk import EXT, Changes, children_of, elements, ext_of, order_of
from ncipd.ncip.schema import obeys
from ncipd.ncip.shape import is_known
from ncipd.ncip.types import ELEMENTS, IN_NCIP

_RECORD_NUMBER = "BibliographicRecordIdentifier"
_CHECK_IN = f"{IN_NCIP}CheckInItem"
_CHECK_IN_IDS = ("UserId", "RequestId")


def checkin_ids(document: Document) -> Changes:
    """Move UserId and RequestId of a check-in where they may stand and are found."""
    for message in document.root.iterchildren(_CHECK_IN):
        for node in list(message.iterchildren(*(IN_NCIP + name for name in _CHECK_IN_IDS))):
            yield node, f"moved {local_name(node)} into the Ext of CheckInItem"
            ext_of(message).append(node)


def proof_beside_user(document: Document) -> Changes:
    """Move what proves who a user is, where the grammar would have it in the place of the UserId and not beside it."""
    for message in document.root.iterchildren():
        if message.find(f"{IN_NCIP}UserId") is not None and _has_either(local_name(message)):
            for node in list(message.iterchildren(f"{IN_NCIP}AuthenticationInput")):
                yield node, f"moved AuthenticationInput beside UserId into the Ext of {local_name(message)}"
                ext_of(message).append(node)


@cache
def _has_either(name: str) -> bool:
    """Say whether a message holds UserId or AuthenticationInput, but not both."""
    return {"UserId", "AuthenticationInput"} <= children_of(name)


def bare_record(document: Document) -> Changes:
    """Say whose a record number is: the agency's that the message is for."""
    for node in elements(document.root):
        if local_name(node) == "BibliographicRecordId" and [local_name(child) for child in node] == [_RECORD_NUMBER]:
            yield node, "took the number for one of the agency that the message is for"
            agency = document.peek("InitiationHeader", "ToAgencyId", "AgencyId")
            etree.SubElement(node, f"{IN_NCIP}AgencyId").text = agency


def half_header(document: Document) -> Changes:
    """Leave out the header of a response that is not whole; a connection needs none."""
    header = document.root[0].find(f"{IN_NCIP}ResponseHeader") if len(document.root) else None
    if header is not None and not obeys(header):
        yield header, "left out the header, which is not whole"
        document.root[0].remove(header)


def stray_text(document: Document) -> Changes:
    """Drop text between child elements."""
    for node in elements(document.root):
        if local_name(node) in ELEMENTS or node is document.root:
            stray = "".join([node.text or "", *(child.tail or "" for child in node)]).strip()
            if stray:
                told = "" if local_name(node) == "AuthenticationInput" else f" {stray[:60]!r}"
                yield node, f"dropped the text{told} between child elements"
                node.text = None
                for child in node:
                    child.tail = None


def misplaced_element(document: Document) -> Changes:
    """Move an element of NCIP that has no place in its parent into the Ext of that."""
    return _astray(document, known=True)


def unknown_element(document: Document) -> Changes:
    """Move what the grammar does not know into the Ext of its parent, where it is kept without checking it."""
    return _astray(document, known=False)


def _astray(document: Document, *, known: bool) -> Changes:
    for parent in elements(document.root):
        places = children_of(local_name(parent))
        if not places:
            continue
        for node in list(parent):
            name = local_name(node)
            ours = node.tag.startswith(IN_NCIP)
            if (ours and name in places) or (ours and is_known(name)) is not known:
                continue
            if parent.tag == _CHECK_IN and name in _CHECK_IN_IDS:
                continue  # they have a repair of their own
            if "Ext" in places:
                yield node, f"moved {name[:60]} into the Ext of {local_name(parent)}"
            else:
                yield node, f"dropped {name[:60]}"
            document.moved.append((parent, parent.index(node), node))
            node.tail = None
            if "Ext" in places:
                ext_of(parent).append(node)
            else:
                parent.remove(node)


def child_order(document: Document) -> Changes:
    """Put children in the order of the grammar."""
    for node in elements(document.root):
        order = order_of(local_name(node))
        if order and all(child.tag in order for child in node):
            children = sorted(node, key=lambda child: order[child.tag])
            if children != list(node):
                yield node, f"put the children of {local_name(node)} in order"
                node[:] = children


def foreign_ext(document: Document) -> Changes:
    """Set aside what is not NCIP in an Ext for the time of the check."""
    foreign: list[Node] = []
    for ext in elements(document.root):
        others = [node for node in ext if not (node.tag.startswith(IN_NCIP) and is_known(local_name(node)))]
        if ext.tag == EXT and others:
            foreign += others
            document.set_aside.append((ext, list(ext)))
            for node in others:
                yield node, f"kept {node.tag} without checking it"
    for node in foreign:
        node.getparent().remove(node)
