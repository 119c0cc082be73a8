"""In which version, and in which spelling of it, a message is answered."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import lru_cache

from lxml import etree

from ncipd.ncip import elements, schema
from ncipd.ncip.envelope import VERSION, Envelope, write
from ncipd.ncip.lowering import EARLIER, SINCE_2_02
from ncipd.ncip.paths import Node
from ncipd.ncip.schema import Violation
from ncipd.ncip.types import Ext, Message

_EARLIER = re.compile(r"ncip_v2_(01?)\.xsd|\s*v?2[._](01?)\s*")
_MAY_DIFFER = re.compile(rb"[:<](?:ItemOptionalFields|LoanedItem|RequestedItem|BibliographicDescription|Update)")


class Wire(ABC):
    """A form in which messages are written and checked; `grammar` is its version, empty for the latest."""

    __slots__ = ()
    grammar: str

    @abstractmethod
    def write(self, message: Message) -> bytes:
        """Write a message in its envelope."""

    @abstractmethod
    def refuse(self, problems: tuple[elements.Problem, ...]) -> bytes:
        """Write problems that belong to no response of a known service."""

    @property
    @abstractmethod
    def plain(self) -> Wire:
        """The same version with nothing in it that came from the message."""

    @abstractmethod
    def is_valid(self, root: Node) -> bool:
        """Tell whether what was written obeys the grammar."""

    @abstractmethod
    def violations(self, root: Node) -> list[Violation]:
        """Give the breaches of the grammar."""

    def worded(self, found: list[Violation]) -> list[Violation]:
        """Say breaches of the grammar of version 2 in the words of the version that the sender speaks."""
        return found

    @abstractmethod
    def agreed(self, *, prefix: str = "ns1", datatypes: str = "as-asked") -> Wire:
        """Give the form that was agreed with the partner.

        Of version 2 that is the namespace prefix; of version 1, whether texts have the attribute datatype: always,
        never or as-asked.
        """

    def inside_ext(self) -> Wire:
        """Give the form of an answer to a message that stood in the Ext of its envelope; only version 2 has one."""
        return self

    def has(self, service: str) -> bool:  # noqa: ARG002 - version 2 has them all
        """Tell whether the version has a response for a service of version 2."""
        return True

    def called(self, service: str | None) -> str | None:
        """Give the name by which the sender asked for a service."""
        return service


@dataclass(frozen=True, slots=True)
class Version2(Wire):
    """NCIP 2: the version attribute is as received, and an answer to 2.0 or 2.01 has nothing that only 2.02 has."""

    version: str = VERSION
    grammar: str = ""
    prefix: str = "ns1"
    in_ext: bool = False
    """Whether the message stood in the Ext of the NCIPMessage: there its answer goes too."""

    def write(self, message: Message) -> bytes:
        """Write a message; one that only 2.02 has is written in 2.02."""
        if self.grammar and not self.in_ext and type(message).__name__ in SINCE_2_02:
            return replace(LATEST, prefix=self.prefix).write(message)
        content = {"ext": Ext(children=(message,))} if self.in_ext else {"message": message}
        written = write(Envelope(self.version, **content), prefix=self.prefix)
        if not self.grammar or _MAY_DIFFER.search(written) is None:
            return written
        root = etree.fromstring(written)
        EARLIER[self.grammar](root)
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{etree.tostring(root, encoding="unicode")}'.encode()

    def refuse(self, problems: tuple[elements.Problem, ...]) -> bytes:
        """Write problems directly into the envelope."""
        return write(Envelope(self.version, problems=problems), prefix=self.prefix)

    @property
    def plain(self) -> Version2:
        """That of the latest version: what version 2 has of a message is nothing else."""
        return LATEST

    def agreed(self, *, prefix: str = "ns1", datatypes: str = "as-asked") -> Version2:  # noqa: ARG002 - it has none
        """Give the form with the prefix of the partner."""
        return self if prefix == self.prefix else replace(self, prefix=prefix)

    def inside_ext(self) -> Version2:
        """Give the form that puts the answer into an Ext."""
        return replace(self, in_ext=True)

    def is_valid(self, root: Node) -> bool:
        """Tell whether a message obeys the grammar of 2.02, of which those of 2.0 and 2.01 are parts."""
        return schema.is_valid(root)

    def violations(self, root: Node) -> list[Violation]:
        """Give the breaches of the grammar of 2.02."""
        return schema.violations(root)


LATEST = Version2()


@lru_cache(maxsize=64)
def version_2(attribute: str) -> Version2:
    """Give the form of NCIP 2 that a version attribute names: the file that it ends with tells 2.0 and 2.01."""
    named = _EARLIER.fullmatch(attribute.rpartition("/")[2])
    return Version2(attribute, "2." + (named[1] or named[2]) if named else "")
