"""Bytes in any version of NCIP to a document that is read as version 2 and answered as it came."""

from __future__ import annotations

from ncipd.ncip.document import DEFAULT_LIMITS, Document, Limits, parse
from ncipd.ncip.repairs import REPAIRS
from ncipd.ncip.v1.reading import given_up, rewritten
from ncipd.ncip.v1.table import REPAIRS as V1_REPAIRS
from ncipd.ncip.wire import LATEST, Wire

REPAIR_NAMES = frozenset({*REPAIRS, *V1_REPAIRS})
"""The names of all repairs, those of version 1 among them."""


def receive(raw: bytes, *, limits: Limits = DEFAULT_LIMITS) -> Document:
    """Parse the bytes of a message; one of version 1 is rewritten as version 2, and knows how it is answered.

    Raises Problem (Invalid Message Syntax Error) as ``parse`` does.
    """
    document = parse(raw, limits=limits)
    return rewritten(document) if document.is_version_1 else document


def wire_of_unreadable(raw: bytes) -> Wire:
    """Say how to answer bytes that are no document: in the version that they begin with, as far as that can be seen."""
    return given_up(raw) or LATEST
