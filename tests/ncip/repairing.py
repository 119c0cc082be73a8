"""A good message, and how a spoiled one is read: with the repairs that it needs and no others."""

from __future__ import annotations

import pytest

from ncipd.ncip.document import Document, parse
from ncipd.ncip.envelope import VERSION
from ncipd.ncip.problems import Problem
from ncipd.ncip.read import Reading, read
from ncipd.ncip.repairs import REPAIRS

NS = "http://www.niso.org/2008/ncip"
SCHEME = "http://example.org/agencies"
GOOD = f"""<n:NCIPMessage xmlns:n="{NS}" n:version="{VERSION}">
  <n:CheckOutItem>
    <n:UserId>
      <n:AgencyId n:Scheme="{SCHEME}">A-1</n:AgencyId>
      <n:UserIdentifierValue>U-1</n:UserIdentifierValue>
    </n:UserId>
    <n:ItemId><n:ItemIdentifierValue>I-1</n:ItemIdentifierValue></n:ItemId>
    <n:ResourceDesired/>
    <n:DesiredDateDue>2026-01-31T23:59:00Z</n:DesiredDateDue>
    <n:Ext><n:Title>A title</n:Title></n:Ext>
  </n:CheckOutItem>
</n:NCIPMessage>"""
ORIGINAL = read(parse(GOOD.encode())).envelope.message


def message(content: str) -> bytes:
    return f'<n:NCIPMessage xmlns:n="{NS}" n:version="{VERSION}">{content}</n:NCIPMessage>'.encode()


def names(document: Document) -> set[str]:
    return {applied.name for applied in read(document).repairs}


def needs(raw: bytes, *wanted: str) -> Reading:
    """Read what needs these repairs and no others, and is refused without any one of them."""
    reading = read(parse(raw))
    assert {applied.name for applied in reading.repairs} == set(wanted)
    for name in wanted:
        with pytest.raises(Problem):
            read(parse(raw), allowed=set(REPAIRS) - {name})
    return reading
