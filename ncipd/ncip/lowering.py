"""What only a later version has, taken out of a message of version 2, so that an earlier one can say the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from ncipd.ncip.paths import Node, local_name
from ncipd.ncip.types import IN_NCIP

_LOANED, _REQUESTED, _REMINDER = f"{IN_NCIP}LoanedItem", f"{IN_NCIP}RequestedItem", f"{IN_NCIP}ReminderLevel"
_NO_CURRENCY = "XXX"  # ISO 4217 has a code for it

Children = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Lower:
    """What an earlier version lacks: children by their parent, and children that may stand there only once."""

    lacking: Children
    single: Children

    def __call__(self, root: Node) -> None:
        """Take it out of a tree of version 2.02.

        Before 2.02 a loan tells the number of reminders, from 1 on, and an amount. Where neither is known it is one
        reminder and an amount of nothing, as systems in the field write it.
        """
        for node in list(root.iter(etree.Element)):
            name = local_name(node)
            if name in self.lacking:
                _without(node, self.lacking[name])
            for child in self.single.get(name, ()):
                for further in node.findall(IN_NCIP + child)[1:]:
                    node.remove(further)
            if node.tag == _LOANED:
                _complete(node)
            elif node.tag == _REQUESTED:
                for level in node.findall(_REMINDER):
                    if _is_zero(level):
                        node.remove(level)


def _without(node: Node, names: tuple[str, ...]) -> None:
    for child in list(node):
        if local_name(child) in names and child.tag.startswith(IN_NCIP):
            node.remove(child)


def _complete(loan: Node) -> None:
    level = loan.find(_REMINDER)
    if level is None:
        level = etree.Element(_REMINDER)
        loan.insert(1, level)
    if _is_zero(level):
        level.text = "1"
    if loan.find(f"{IN_NCIP}Amount") is None:
        amount = etree.Element(f"{IN_NCIP}Amount")
        etree.SubElement(amount, f"{IN_NCIP}CurrencyCode").text = _NO_CURRENCY
        etree.SubElement(amount, f"{IN_NCIP}MonetaryValue").text = "0"
        end = next(child for child in loan if local_name(child) in {"DateDue", "IndeterminateLoanPeriodFlag"})
        end.addnext(amount)


def _is_zero(level: Node) -> bool:
    return int(level.text or "0") == 0


_TO_2_01: Children = {
    "ItemOptionalFields": ("DateDue",),
    "LoanedItem": ("BibliographicId",),
    "RequestedItem": ("BibliographicId",),
}
_TO_2_0: Children = {
    **_TO_2_01,
    "UpdateRequestItemResponse": ("RequiredItemUseRestrictionType",),
}
EARLIER = {
    "2.0": Lower(_TO_2_0, {"BibliographicDescription": ("BibliographicRecordId",)}),
    "2.01": Lower(_TO_2_01, {}),
}
"""What the earlier versions of NCIP 2 lack in answers (reference: the change history of the schema of 2.02)."""

SINCE_2_02 = frozenset({"LookupItemSet", "LookupItemSetResponse"})
"""Messages that 2.02 added."""
