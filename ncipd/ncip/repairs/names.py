"""Repairs of names: namespaces, attributes, and elements that are called nearly as they should be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache, lru_cache

from ncipd.ncip.document import ILS_DI, Document
from ncipd.ncip.envelope import VERSION
from ncipd.ncip.octets import XSI
from ncipd.ncip.paths import Node, local_name
from ncipd.ncip.repairs.walk import Changes, children_of, elements, once_in, type_of
from ncipd.ncip.shape import is_known
from ncipd.ncip.types import IN_NCIP

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]*|[a-z]+|\d+")
_HINTS = (f"{{{XSI}}}schemaLocation", f"{{{XSI}}}noNamespaceSchemaLocation")
_LONGEST = 60  # characters of a name that may be a misspelt one; the longest of the grammar has 40
_SHORTEST = 5  # of one in which a letter may be wrong


def no_namespace(document: Document) -> Changes:
    """Put into the namespace what lost it."""
    renamed = list(_without_namespace(document.root)) if document.speaks else []
    if renamed:
        yield renamed[0], f"put {len(renamed)} elements into the namespace of NCIP"
    for node in renamed:
        node.tag = IN_NCIP + node.tag


def _without_namespace(node: Node, *, in_ext: bool = False) -> Iterator[Node]:
    """Find the elements that lost their namespace; what stands in an Ext and NCIP does not know is somebody else's."""
    lost = not node.tag.startswith("{")
    if lost and not (in_ext and not is_known(node.tag)):
        yield node
    elif not node.tag.startswith(IN_NCIP):
        return
    for child in node:
        yield from _without_namespace(child, in_ext=local_name(node) == "Ext")


def wrong_namespace(document: Document) -> Changes:
    """Take a variant spelling of the namespace for it."""
    wrong = document.misnamed if document.speaks else ""
    if not wrong:
        return
    yield document.root, f"took the namespace {wrong[:80]} for that of NCIP"
    prefix = f"{{{wrong}}}"
    for node in document.root.iter():
        if node.tag.startswith(prefix):
            node.tag = IN_NCIP + local_name(node)
        for name in [name for name in node.keys() if name.startswith(prefix)]:  # noqa: SIM118 - no dict
            _rename(node, name, IN_NCIP + name.removeprefix(prefix))


def ils_di(document: Document) -> Changes:
    """Take what the ILS-DI extension has in common with NCIP 2.02 for that of NCIP."""
    found = [node for node in document.root.iter(f"{{{ILS_DI}}}*") if is_known(local_name(node))]
    if found:
        yield found[0], f"put {len(found)} elements of the ILS-DI extension into the namespace of NCIP"
    for node in found:
        node.tag = IN_NCIP + local_name(node)


def unqualified_version(document: Document) -> Changes:
    """Qualify the attribute version of the root."""
    name = _unqualified(document.root, "version")
    if name:
        yield document.root, f"put the attribute {name} into the namespace of NCIP"
        _rename(document.root, name, f"{IN_NCIP}version")


def missing_version(document: Document) -> Changes:
    """Add the version attribute."""
    if document.root.get(f"{IN_NCIP}version") is None and not _unqualified(document.root, "version"):
        yield document.root, "took the version to be 2.02"
        document.root.set(f"{IN_NCIP}version", VERSION)


def unqualified_scheme(document: Document) -> Changes:
    """Qualify the attribute Scheme of coded values, and drop it where it is empty."""
    for node in elements(document.root):
        name = _unqualified(node, "Scheme") if node.attrib and type_of(node) == "Coded" else ""
        if name and node.get(name):
            yield node, f"put the attribute {name} into the namespace of NCIP"
            _rename(node, name, f"{IN_NCIP}Scheme")
        elif name:
            yield node, f"dropped the empty attribute {name}"
            del node.attrib[name]


def unknown_attribute(document: Document) -> Changes:
    """Drop the attributes that the grammar does not have."""
    for node in elements(document.root):
        for name in node.keys() if node.attrib else ():
            if not _is_attribute(node, name, document.root):
                yield node, f"dropped the attribute {name.rpartition('}')[2][:60]}"
                del node.attrib[name]


def _is_attribute(node: Node, name: str, root: Node) -> bool:
    """Say whether an attribute is one of the grammar, or one that another repair makes one of it."""
    if name.startswith("{"):
        place = f"{IN_NCIP}version" if node is root else f"{IN_NCIP}Scheme" if type_of(node) == "Coded" else ""
        return name == place or name in _HINTS
    place = "version" if node is root else "scheme" if type_of(node) == "Coded" else ""
    return name.casefold() == place


def _unqualified(node: Node, attribute: str) -> str:
    """Give the name of an attribute without namespace that is meant, in whatever case; empty where there is none."""
    return next((name for name in node.keys() if name.casefold() == attribute.casefold()), "")  # noqa: SIM118


def _rename(node: Node, old: str, new: str) -> None:
    value = node.attrib.pop(old)
    if node.get(new) is None:
        node.set(new, value)


# --- elements --------------------------------------------------------------------------------------------------------


def misspelt_element(document: Document) -> Changes:
    """Rename what is unknown and can only be one of the elements that may stand there.

    Never a message itself: what is to be done is not guessed.
    """
    for node in elements(document.root):
        name, parent = local_name(node), node.getparent()
        if parent is None or parent is document.root or is_known(name):
            continue
        meant = meant_by(local_name(parent), name)
        if meant and not (meant in once_in(local_name(parent)) and parent.find(IN_NCIP + meant) is not None):
            yield node, f"took {name} for {meant}"
            node.tag = IN_NCIP + meant


@lru_cache(maxsize=1024)
def meant_by(parent: str, name: str) -> str:
    """Give the only child of an element that a wrong name can mean; empty where there is none, or more than one."""
    if len(name) > _LONGEST:
        return ""
    for likeness in (_plain, _without_unique, _words):
        found = _alike(parent, likeness).get(likeness(name), ())
        if found:
            return found[0] if len(found) == 1 else ""
    if len(name) < _SHORTEST or any(letter.isdigit() for letter in name):
        return ""
    near = {child for spelling in _one_off(name.casefold()) for child in _near(parent).get(spelling, ())}
    return near.pop() if len(near) == 1 else ""


@cache
def _alike(parent: str, likeness: Callable[[str], str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for child in sorted(children_of(parent)):
        found.setdefault(likeness(child), []).append(child)
    return found


def _plain(name: str) -> str:
    """The letters alone, without case, and without the s of a plural."""
    return re.sub(r"[^a-z0-9]", "", name.casefold()).removesuffix("s")


def _without_unique(name: str) -> str:
    """The same without the Unique of version 1: UniqueItemId is ItemId."""
    return _plain(name).removeprefix("unique")


def _words(name: str) -> str:
    """The words in the order of the alphabet: DesiredDueDate is DesiredDateDue."""
    return " ".join(sorted(_plain(word) for word in _WORD.findall(name)))


@cache
def _near(parent: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for child in children_of(parent):
        if len(child) >= _SHORTEST and not child[-1].isdigit():
            for spelling in _one_off(child.casefold()):
                found.setdefault(spelling, set()).add(child)
    return found


def _one_off(name: str) -> set[str]:
    """A name, and what is left of it without any one letter: two that share such a form differ by one letter."""
    return {name, *(name[:at] + name[at + 1 :] for at in range(len(name)))}
