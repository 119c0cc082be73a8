"""From version 2 to version 1: a message is written as version 2, and its tree is put into the words of version 1."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from lxml import etree

from ncipd.ncip import messages
from ncipd.ncip.codec import encode
from ncipd.ncip.lowering import Lower
from ncipd.ncip.paths import Node, local_name
from ncipd.ncip.problem_types import MESSAGING_SCHEME
from ncipd.ncip.shape import shape, simple_elements
from ncipd.ncip.types import IN_NCIP, NAMESPACE, Message
from ncipd.ncip.v1.table import (
    ASKED_AT_LEAST,
    BEFORE_VISIBLE,
    DATATYPES,
    LACKING,
    SINGLE,
    UNIQUE,
    UNTYPED,
    VALUES,
    VISIBLE,
)

_lower = Lower(LACKING, SINGLE)
_SPELLED = {name: {new: old for old, new in values.items()} for name, values in VALUES.items()}


@cache
def _is_acknowledgement(name: str) -> bool:
    """Say whether a response only tells whether news were understood."""
    cls = messages.MESSAGES.get(name)
    return cls is not None and [child.field for child in shape(cls)] == ["response_header", "problem", "ext"]


def put(root: Node, message: Message, name: str | None = None, *, datatypes: bool = False) -> None:
    """Write a message into its envelope, under another name where one is given."""
    source = etree.fromstring(f'<x xmlns:ns1="{NAMESPACE}">{encode(message)}</x>')
    _lower(source)
    _Writing(datatypes).message(root, source[0], name)


class _Writing:
    """The writing of one message."""

    def __init__(self, datatypes: bool) -> None:
        self._datatypes = datatypes
        self._sender: Node | None = None
        """The agency that sends the message: whose ids they are that name no agency."""

    def message(self, root: Node, source: Node, name: str | None) -> None:
        """Write a message, under another name where one is given."""
        self._name = name or local_name(source)
        self._sender = source.find(f"*/{IN_NCIP}FromAgencyId/{IN_NCIP}AgencyId")
        made = etree.SubElement(root, self._name)
        kind = "ResponseHeader" if self._name.endswith("Response") else "InitiationHeader"
        header = source.find(IN_NCIP + kind)
        if header is not None:
            self._element(made, header)
        else:
            self._no_header(etree.SubElement(made, kind))
        self._children(made, source, skipped={kind} | self._not_told(name, source))

    @staticmethod
    def _not_told(name: str | None, source: Node) -> set[str]:
        """Give what a lookup of a user told that does not belong to the answer of AuthenticateUser."""
        return {local_name(child) for child in source} - {"Problem", "UserId"} if name else set()

    def _no_header(self, header: Node) -> None:
        for end in ("FromAgencyId", "ToAgencyId"):
            self._coded(etree.SubElement(header, end), "UniqueAgencyId", "", "")

    # --- elements ----------------------------------------------------------------------------------------------------

    def _element(self, parent: Node, source: Node, name: str | None = None) -> None:
        old = local_name(source)
        new = name or UNIQUE.get(old, old)
        type_ = simple_elements().get(old)
        if type_ == "Coded":
            value = _SPELLED.get(old, {}).get(source.text or "", source.text or "")
            self._coded(parent, new, source.get(f"{IN_NCIP}Scheme") or "", value)
        elif type_ == "bool":
            etree.SubElement(parent, new)
        elif type_ is not None:
            self._text(parent, new, source.text or "", DATATYPES[type_ if old != "ReminderLevel" else "Ordinal"])
        else:
            self._children(etree.SubElement(parent, new), source)

    def _text(self, parent: Node, name: str, text: str, datatype: str = "string") -> None:
        made = etree.SubElement(parent, name)
        made.text = text
        if self._datatypes:
            made.set("datatype", datatype)

    def _coded(self, parent: Node, name: str, scheme: str, value: str) -> None:
        pair = etree.SubElement(parent, name)
        self._text(pair, "Scheme", scheme)
        self._text(pair, "Value", value)

    def _children(self, made: Node, source: Node, skipped: set[str] = frozenset()) -> None:  # type: ignore[assignment]
        name = local_name(source)
        children = [child for child in _children_of(source) if local_name(child) not in skipped]
        if name in UNTYPED:
            children = [child for child in children if local_name(child) != UNTYPED[name]]
            if not _has(source, "AgencyId"):
                self._agency(made)
        if name == "LookupUserResponse":
            children = self._with_transaction(made, children)
        if name in VISIBLE and VISIBLE[name][1] != "place":
            self._with_visible(made, source, children)
            return
        for child in children:
            self._child(made, name, child)
        if name in ASKED_AT_LEAST:
            self._ask(made, *ASKED_AT_LEAST[name])

    def _child(self, made: Node, owner: str, child: Node) -> None:
        name = local_name(child)
        if name == "Problem":
            self._problem(made, child, alone=_is_acknowledgement(owner))
        elif owner in VISIBLE and VISIBLE[owner][1] == "place" and _is_visible(owner, child):
            self._visible(made, VISIBLE[owner][0], child)
        elif not (owner == "RequestItem" and name == "BibliographicId" and _has(child.getparent(), "ItemId")):
            self._element(made, child)

    def _agency(self, made: Node) -> None:
        if self._sender is None:
            self._coded(made, "UniqueAgencyId", "", "")
        else:
            self._element(made, self._sender)

    def _ask(self, lookup: Node, name: str, value: str) -> None:
        """Ask for one kind of data, where a lookup asks for none."""
        if lookup.find(name) is None:
            self._coded(lookup, name, "", value)
            pair = lookup[-1]
            after = next((one for one in lookup if one.tag.endswith("Desired")), None)
            if after is not None:
                after.addprevious(pair)

    # --- what stands elsewhere ---------------------------------------------------------------------------------------

    def _with_visible(self, made: Node, source: Node, children: list[Node]) -> None:
        """Write children, and the ids that people see in their place among them."""
        name = local_name(source)
        visible, place = VISIBLE[name]
        kind = f"{IN_NCIP}{'UserId' if visible == 'VisibleUserId' else 'ItemId'}"
        seen = [child for child in children if place == "end" and child.tag == kind]
        if place == "ext":
            seen = source.findall(f"{IN_NCIP}Ext/{kind}")
        if visible == "VisibleItemId":
            del seen[1:]  # a description has one
        taken = set(seen)
        rest = [child for child in children if child not in taken]
        first = [child for child in rest if name in {"CreateUser", "UserCreated"} and _is_before(child)]
        for child in first:
            self._child(made, name, child)
        for one in seen:
            self._visible(made, visible, one)
        for child in rest[len(first) :]:
            self._child(made, name, child)

    def _visible(self, parent: Node, name: str, source: Node) -> None:
        made = etree.SubElement(parent, name)
        parts = {local_name(child): child for child in source}
        what = name.removeprefix("Visible").removesuffix("Id")
        if what == "User" and "AgencyId" in parts:
            self._element(made, parts["AgencyId"])
        type_ = parts.get(f"{what}IdentifierType")
        if type_ is not None:
            self._element(made, type_, f"{name}entifierType")
        else:
            self._coded(made, f"{name}entifierType", "", "")
        self._text(made, f"{name}entifier", parts[f"{what}IdentifierValue"].text or "")

    def _with_transaction(self, made: Node, children: list[Node]) -> list[Node]:
        """Put what a user has asked for and has on loan into UserTransaction; gives what remains to be written."""
        inside = [child for child in children if local_name(child) in {"RequestedItem", "LoanedItem"}]
        if not inside:
            return children
        after = [child for child in children if local_name(child) == "UserOptionalFields"]
        for child in children:
            if child not in inside and child not in after:
                self._child(made, "LookupUserResponse", child)
        transaction = etree.SubElement(made, "UserTransaction")
        for name in ("RequestedItem", "LoanedItem"):
            for child in inside:
                if local_name(child) == name:
                    self._element(transaction, child)
        return after

    # --- problems ----------------------------------------------------------------------------------------------------

    def _problem(self, made: Node, source: Node, *, alone: bool) -> None:
        """Write a problem as an error: in a Problem with those before it, or by itself in an acknowledgement.

        A Problem holds errors of one kind. So errors of the message are called that only where there are no others.
        """
        if alone:
            self._error(made, source, "Messaging")
            return
        wrapper = made.find("Problem")
        if wrapper is None:
            wrapper = etree.SubElement(made, "Problem")
        types = (one.find(f"{IN_NCIP}ProblemType") for one in source.getparent().findall(f"{IN_NCIP}Problem"))
        schemes = {type_.get(f"{IN_NCIP}Scheme") for type_ in types if type_ is not None}
        self._error(wrapper, source, "Messaging" if schemes == {MESSAGING_SCHEME} else "Processing")

    def _error(self, parent: Node, source: Node, kind: str) -> None:
        told = {local_name(child): child for child in source}
        made = etree.SubElement(parent, f"{kind}Error")
        type_ = told["ProblemType"]
        self._coded(made, f"{kind}ErrorType", type_.get(f"{IN_NCIP}Scheme") or "", type_.text or "")
        element = told.get("ProblemElement")
        steps = list(self._steps(element.text or "" if element is not None else ""))
        at = made
        for step in steps:
            at = etree.SubElement(at, f"{kind}ErrorElement")
            self._text(at, "ElementName", step)
        words = told.get("ProblemValue", told.get("ProblemDetail"))
        if words is not None:
            self._text(at, f"{kind}ErrorValue", words.text or "")

    def _steps(self, path: str) -> Iterator[str]:
        """Give the names of a path in the words of version 1; the message itself only where nothing is under it."""
        names = [re.sub(r"\[\d+\]$", "", name.strip()) for name in path.split("/")]
        names = [UNIQUE.get(name, name) for name in names if name and name != "NCIPMessage"]
        asked = self._name.removesuffix("Response")
        inside = names[1:] if len(names) > 1 and names[0] in messages.MESSAGES else names
        yield from inside or [asked]


def _children_of(source: Node) -> list[Node]:
    return [child for child in source if isinstance(child.tag, str) and child.tag != f"{IN_NCIP}Ext"]


def _has(source: Node, name: str) -> bool:
    return source.find(IN_NCIP + name) is not None


def _is_before(child: Node) -> bool:
    return UNIQUE.get(local_name(child), local_name(child)) in BEFORE_VISIBLE


def _is_visible(owner: str, source: Node) -> bool:
    """Say whether an id is one that people see: it has a type, and for an item no agency."""
    what = VISIBLE[owner][0].removeprefix("Visible").removesuffix("Id")
    if local_name(source) != f"{what}Id" or source.find(f"{IN_NCIP}{what}IdentifierType") is None:
        return False
    return what == "User" or source.find(f"{IN_NCIP}AgencyId") is None
