"""One message and what is known so far of how it will be answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ncipd.ncip.wire import LATEST, Wire

if TYPE_CHECKING:
    from ncipd.circulation.partner import Partner
    from ncipd.circulation.proof import Proof
    from ncipd.circulation.unit import Circulation
    from ncipd.journal import Entry
    from ncipd.ncip.document import Document
    from ncipd.ncip.elements import InitiationHeader
    from ncipd.store.port import Value


@dataclass(slots=True)
class Exchange:
    """A message between its coming and its answer."""

    entry: Entry
    raw: bytes
    wire: Wire = LATEST
    service: str | None = None
    document: Document | None = None
    header: InitiationHeader | None = None
    proof: Proof | None = None
    unit: Circulation | None = None
    partner: Partner | None = None
    our_code: str = ""
    again: bool = False
    """Whether it had come before, and got the stored answer."""
    key: dict[str, Value] = field(default_factory=dict)
    """By what its answer is stored, and found when it comes again."""
