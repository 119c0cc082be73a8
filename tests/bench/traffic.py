"""What the bench sends: copies that leave for a partner and come back, as a broker would write it.

Each message is one whole HTTP request made beforehand, with a fixed-width item and request number to fill in, so that
the generators do nothing but copy bytes, and `Content-Length` never changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

AGENCY = "LAKESIDE"
PARTNER = "BENCH-BROKER"
ITEM = "39015%08d"  # as in the store
REQUEST = "%s-%09d"  # which run, which loan
RUN = "run%05d"
SIZE = 1_800  # bytes of a message

ITEM_SLOT = b"@" * len(ITEM % 0)
REQUEST_SLOT = b"#" * len(REQUEST % (RUN % 0, 0))

CHECK_OUT = "check-out.http"
CHECK_IN = "check-in.http"
ITEMS = "items.txt"

_SCHEMES = "http://www.niso.org/ncip/v1_0/schemes"
_IMP1 = "http://www.niso.org/ncip/v1_0/imp1/schemes"
_AGENCY_SCHEME = f'ns1:Scheme="{_SCHEMES}/agencyidtype/agencyidtype.scm"'
_PROFILE_SCHEME = f'ns1:Scheme="{_SCHEMES}/applicationprofiletype/applicationprofiletype.scm"'
_BARCODE_SCHEME = f'ns1:Scheme="{_IMP1}/visibleitemidentifiertype/visibleitemidentifiertype.scm"'

_HEADER = f"""\
    <ns1:InitiationHeader>
      <ns1:FromAgencyId>
        <ns1:AgencyId {_AGENCY_SCHEME}>HILLSIDE</ns1:AgencyId>
      </ns1:FromAgencyId>
      <ns1:ToAgencyId>
        <ns1:AgencyId {_AGENCY_SCHEME}>{AGENCY}</ns1:AgencyId>
      </ns1:ToAgencyId>
      <ns1:ApplicationProfileType {_PROFILE_SCHEME}>{PARTNER}</ns1:ApplicationProfileType>
    </ns1:InitiationHeader>
"""
_USER = f"""\
<ns1:UserId>
      <ns1:AgencyId {_AGENCY_SCHEME}>HILLSIDE</ns1:AgencyId>
      <ns1:UserIdentifierValue>RESHARE-PICKUP-MAIN</ns1:UserIdentifierValue>
    </ns1:UserId>"""
_ITEM = f"""\
<ns1:ItemId>
      <ns1:AgencyId {_AGENCY_SCHEME}>{AGENCY}</ns1:AgencyId>
      <ns1:ItemIdentifierType {_BARCODE_SCHEME}>Barcode</ns1:ItemIdentifierType>
      <ns1:ItemIdentifierValue>{ITEM_SLOT.decode()}</ns1:ItemIdentifierValue>
    </ns1:ItemId>"""
_REQUEST = f"""\
<ns1:RequestId>
      <ns1:AgencyId {_AGENCY_SCHEME}>HILLSIDE</ns1:AgencyId>
      <ns1:RequestIdentifierValue>{REQUEST_SLOT.decode()}</ns1:RequestIdentifierValue>
    </ns1:RequestId>"""

_CHECK_OUT = f"""\
  <ns1:CheckOutItem>
{_HEADER}    {_USER}
    {_ITEM}
    {_REQUEST}
    <ns1:DesiredDateDue>2099-06-30T21:59:00Z</ns1:DesiredDateDue>
  </ns1:CheckOutItem>
"""
_CHECK_IN = f"""\
  <ns1:CheckInItem>
{_HEADER}    {_ITEM}
    <ns1:Ext>
    {_REQUEST}
    {_USER}
    </ns1:Ext>
  </ns1:CheckInItem>
"""


def message(content: str) -> bytes:
    """Wrap the text of a message, padded to `SIZE` bytes by a comment such as systems put before their messages."""
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    start = (
        '<ns1:NCIPMessage xmlns:ns1="http://www.niso.org/2008/ncip" '
        'ns1:version="http://www.niso.org/schemas/ncip/v2_02/ncip_v2_02.xsd">\n'
    )
    end = "</ns1:NCIPMessage>\n"
    short = SIZE - len(head) - len(start) - len(content) - len(end) - len("<!--  -->\n")
    if short < 0:
        raise ValueError(f"the message has {SIZE - short} bytes, {-short} more than wanted")
    words = "sent by the resource sharing broker of the consortium, "
    return f"{head}<!-- {(words * 20)[:short]} -->\n{start}{content}{end}".encode()


def post(body: bytes, address: str) -> bytes:
    """Make the whole HTTP request that posts a message to `address` (host:port)."""
    head = (
        f"POST /ncip HTTP/1.1\r\nHost: {address}\r\nUser-Agent: bench\r\nAccept: application/xml\r\n"
        f'Content-Type: application/xml; charset="utf-8"\r\nContent-Length: {len(body)}\r\n\r\n'
    )
    return head.encode() + body


@dataclass(frozen=True)
class Traffic:
    """A folder with everything a generator needs: both requests with their slots, and the items that are its own."""

    folder: Path
    run: int

    @classmethod
    def write(cls, folder: Path, address: str, items: list[str], run: int) -> Traffic:
        """Write the traffic of one run: a server, the items that it moves, and its number."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CHECK_OUT).write_bytes(post(message(_CHECK_OUT), address))
        (folder / CHECK_IN).write_bytes(post(message(_CHECK_IN), address))
        (folder / ITEMS).write_text("\n".join(items) + "\n")
        return cls(folder, run)

    @property
    def name(self) -> str:
        """What the ids of this run's requests begin with: no other run of the same store has the same."""
        return RUN % self.run

    def bodies(self, item: str) -> tuple[bytes, bytes]:
        """Give the two messages by which one copy goes out and comes back, without their HTTP heads."""
        request = (REQUEST % (self.name, 0)).encode()
        filled = [Slotted.read(self.folder / name).fill(item.encode(), request) for name in (CHECK_OUT, CHECK_IN)]
        out, back = (each.partition(b"\r\n\r\n")[2] for each in filled)
        return out, back


@dataclass(frozen=True)
class Slotted:
    """A request with its two slots open, in whichever order they stand."""

    parts: tuple[bytes, bytes, bytes]
    item_first: bool

    @classmethod
    def read(cls, path: Path) -> Slotted:
        """Read a request and find its slots."""
        raw = path.read_bytes()
        item, request = raw.index(ITEM_SLOT), raw.index(REQUEST_SLOT)
        (first, one), (second, two) = sorted([(item, len(ITEM_SLOT)), (request, len(REQUEST_SLOT))])
        return cls((raw[:first], raw[first + one : second], raw[second + two :]), item < request)

    def fill(self, item: bytes, request: bytes) -> bytes:
        """Give the request for this item and this request number."""
        before, between, after = self.parts
        one, two = (item, request) if self.item_first else (request, item)
        return b"".join((before, one, between, two, after))
