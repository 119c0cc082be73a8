"""The rows that can be loaded, column by column.

A column that a file does not have leaves alone what is stored; an empty cell (JSON: null) empties it. So every field
but the necessary ones may be UNSET.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Struct, UnsetType

from ncipd.circulation.model import ItemStatus, Micros
from ncipd.loading.columns import Column, Listed, Words
from ncipd.loading.forms import CODE, TEXT, Birthday, Choice, Email, Moment, Secret, Spelled, Whole, YesNo, Zone
from ncipd.ncip.schemes import (
    BibliographicItemIdentifierCode,
    BibliographicLevel,
    BibliographicRecordIdentifierCode,
    BlockOrTrapType,
    MediumType,
)

#: What an item may be when it comes; how it goes on is circulation's business.
LOADABLE = (
    ItemStatus.AVAILABLE,
    ItemStatus.MISSING,
    ItemStatus.LOST,
    ItemStatus.ON_ORDER,
    ItemStatus.IN_PROCESS,
    ItemStatus.RESHELVING,
    ItemStatus.CLAIMED,
    ItemStatus.NOT_AVAILABLE,
)


class Row(Struct, frozen=True, kw_only=True):
    """One row of a file."""

    def given(self, *names: str) -> dict[str, Any]:
        """The values of those of these columns that the file has."""
        return {name: value for name in names if (value := getattr(self, name)) is not UNSET}


class LibraryRow(Row, frozen=True, kw_only=True):
    """A library of an agency."""

    code: Annotated[str, Column("the library's code", CODE)]
    name: Annotated[str, Column("what people call it", TEXT)] = ""


class LocationRow(Row, frozen=True, kw_only=True):
    """A place in a library where items stand."""

    library: Annotated[str, Column("the code of its library", CODE)]
    code: Annotated[str, Column("the location's code", CODE)]
    name: Annotated[str, Column("what people call it", TEXT)] = ""


class AgencyRow(Row, frozen=True, kw_only=True):
    """An institution, with its libraries and their locations."""

    code: Annotated[str, Column("the agency's code, as messages call it", CODE, "NCIPD-LEND")]
    name: Annotated[str, Column("what people call it", TEXT, "Lakeside University")]
    time_zone: Annotated[str, Column("its IANA time zone", Zone(), "Europe/Berlin")]
    network: Annotated[str | UnsetType, Column("agencies of the same network share their barcodes", CODE, "lakes")] = (
        UNSET
    )
    codes: Annotated[
        tuple[str, ...] | UnsetType,
        Column("further codes: an ISIL, a symbol; added, never taken away", Words(), "XX-LEND"),
    ] = UNSET
    libraries: Annotated[
        tuple[LibraryRow, ...] | UnsetType,
        Column(
            "its libraries, the most important first; added or renamed",
            Listed(LibraryRow, "code=name", r"(?P<code>[^=]*)(?:=(?P<name>.*))?"),
            "MAIN=Main Library|LAW=Law Library",
        ),
    ] = UNSET
    locations: Annotated[
        tuple[LocationRow, ...] | UnsetType,
        Column(
            "places in them where items stand; added, renamed or moved",
            Listed(LocationRow, "library/code=name", r"(?P<library>[^/=]*)/(?P<code>[^=]*)(?:=(?P<name>.*))?"),
            "MAIN/STACKS=Open stacks",
        ),
    ] = UNSET


class UserIdentifierRow(Row, frozen=True, kw_only=True):
    """A number or name by which a user is known."""

    value: Annotated[str, Column("the identifier", CODE)]
    type: Annotated[str, Column("its type", CODE)] = ""


class PrivilegeRow(Row, frozen=True, kw_only=True):
    """What a user may do."""

    type: Annotated[str, Column("the privilege", CODE)]
    status: Annotated[str, Column("how it stands, such as Active", CODE)] = ""
    valid_from: Annotated[Micros | None, Column("from when", Moment(begins=True))] = None
    valid_to: Annotated[Micros | None, Column("until when", Moment())] = None
    description: Annotated[str, Column("in words", TEXT)] = ""


class BlockRow(Row, frozen=True, kw_only=True):
    """What a user is kept from, or what staff shall see when the user comes."""

    type: Annotated[
        str, Column("the block or trap, such as Block Check Out", Spelled((BlockOrTrapType,), ("Block ", "Trap ")))
    ]
    note: Annotated[str, Column("why", TEXT)] = ""
    valid_from: Annotated[Micros | None, Column("from when", Moment(begins=True))] = None
    valid_to: Annotated[Micros | None, Column("until when", Moment())] = None


class UserRow(Row, frozen=True, kw_only=True):
    """A person who borrows."""

    primary_id: Annotated[str, Column("the number under which you know the user", CODE, "B-USER-1")]
    identifiers: Annotated[
        tuple[UserIdentifierRow, ...] | UnsetType,
        Column(
            "every identifier with its type; the primary id is always one of them",
            Listed(UserIdentifierRow, "type=value", r"(?:(?P<type>[^=]*)=)?(?P<value>.*)"),
            "Barcode Id=B-USER-1|Institution Id Number=H-10001",
        ),
    ] = UNSET
    surname: Annotated[str | UnsetType, Column("family name", CODE, "Okafor")] = UNSET
    given_name: Annotated[str | UnsetType, Column("first names", CODE, "Ngozi")] = UNSET
    group: Annotated[str | UnsetType, Column("user group, such as student or staff", CODE, "Faculty")] = UNSET
    language: Annotated[str | UnsetType, Column("three-letter code of the language to write in", CODE, "eng")] = UNSET
    born: Annotated[Micros | UnsetType | None, Column("date of birth", Birthday(), "1987-03-14")] = UNSET
    expires: Annotated[
        Micros | UnsetType | None, Column("last day of the registration; empty = none", Moment(), "2036-09-30")
    ] = UNSET
    loan_limit: Annotated[
        int | UnsetType | None, Column("how many loans at a time; empty = no limit", Whole(), "20")
    ] = UNSET
    email: Annotated[str | UnsetType, Column("e-mail address", Email(), "okafor@hillside.example")] = UNSET
    phone: Annotated[str | UnsetType, Column("telephone number", CODE, "+1 202 555 0101")] = UNSET
    street: Annotated[str | UnsetType, Column("postal address: street and number", TEXT, "12 Orchard Lane")] = UNSET
    locality: Annotated[str | UnsetType, Column("postal address: town", CODE, "Hillside")] = UNSET
    region: Annotated[str | UnsetType, Column("postal address: state or county", CODE, "NY")] = UNSET
    postal_code: Annotated[str | UnsetType, Column("postal address: code", CODE, "12345")] = UNSET
    country: Annotated[str | UnsetType, Column("postal address: country", CODE, "US")] = UNSET
    privileges: Annotated[
        tuple[PrivilegeRow, ...] | UnsetType,
        Column(
            "what the user may do (JSON: with valid_from, valid_to, description)",
            Listed(PrivilegeRow, "type=status", r"(?P<type>[^=]*)(?:=(?P<status>.*))?"),
            "Interlibrary Loan=Active",
        ),
    ] = UNSET
    blocks: Annotated[
        tuple[BlockRow, ...] | UnsetType,
        Column(
            "blocks and traps (JSON: with valid_from, valid_to)",
            Listed(BlockRow, "type=note", r"(?P<type>[^=]*)(?:=(?P<note>.*))?"),
            "Block Check Out=card reported lost",
        ),
    ] = UNSET
    pin: Annotated[str | UnsetType, Column("PIN; only a hash of it is kept", Secret(), "0417")] = UNSET
    password: Annotated[str | UnsetType, Column("password; only a hash of it is kept", Secret())] = UNSET
    note: Annotated[str | UnsetType, Column("for staff", TEXT)] = UNSET


class RecordIdentifierRow(Row, frozen=True, kw_only=True):
    """A number of a title, other than your own."""

    code: Annotated[
        str,
        Column(
            "whose number it is, such as ISBN, ISSN or OCLC",
            Spelled((BibliographicItemIdentifierCode, BibliographicRecordIdentifierCode)),
        ),
    ]
    value: Annotated[str, Column("the number", CODE)]


class RecordRow(Row, frozen=True, kw_only=True):
    """A title."""

    id: Annotated[str, Column("your own number of the record", CODE, "REC-0001")]
    identifiers: Annotated[
        tuple[RecordIdentifierRow, ...] | UnsetType,
        Column(
            "its other numbers; an ISBN is kept without hyphens",
            Listed(RecordIdentifierRow, "code=value", r"(?P<code>[^=]*)=(?P<value>.*)"),
            "ISBN=9789999900010|OCLC=900000001",
        ),
    ] = UNSET
    title: Annotated[str | UnsetType, Column("title", TEXT, "Middlemarch")] = UNSET
    author: Annotated[str | UnsetType, Column("author", TEXT, "Eliot, George")] = UNSET
    publisher: Annotated[str | UnsetType, Column("publisher", TEXT, "Blackwood")] = UNSET
    place: Annotated[str | UnsetType, Column("place of publication", TEXT, "Edinburgh")] = UNSET
    published: Annotated[str | UnsetType, Column("date of publication, as printed", TEXT, "1871")] = UNSET
    edition: Annotated[str | UnsetType, Column("edition", TEXT, "2nd ed.")] = UNSET
    medium: Annotated[str | UnsetType, Column("kind of carrier", Spelled((MediumType,)), "Book")] = UNSET
    language: Annotated[str | UnsetType, Column("three-letter code of the language", CODE, "eng")] = UNSET
    level: Annotated[str | UnsetType, Column("bibliographic level", Spelled((BibliographicLevel,)), "Monograph")] = (
        UNSET
    )
    series: Annotated[str | UnsetType, Column("series, with the number in it", TEXT)] = UNSET


class ItemRow(Row, frozen=True, kw_only=True):
    """A copy."""

    barcode: Annotated[str, Column("the item's barcode", CODE, "L-0001")]
    record: Annotated[
        str | UnsetType, Column("id of its record, loaded before; without one, title and author", CODE, "REC-0001")
    ] = UNSET
    title: Annotated[str | UnsetType, Column("title, where there is no record", TEXT)] = UNSET
    author: Annotated[str | UnsetType, Column("author, where there is no record", TEXT)] = UNSET
    library: Annotated[str | UnsetType, Column("code of its home library", CODE, "MAIN")] = UNSET
    location: Annotated[str | UnsetType, Column("code of the location where it stands", CODE, "STACKS")] = UNSET
    call_number: Annotated[str | UnsetType, Column("call number", CODE, "823.8 ELI")] = UNSET
    copy_number: Annotated[str | UnsetType, Column("which copy", CODE, "2")] = UNSET
    volume: Annotated[str | UnsetType, Column("which volume or issue", CODE, "Vol. 1")] = UNSET
    policy: Annotated[str | UnsetType, Column("item policy", CODE, "standard")] = UNSET
    circulates: Annotated[bool | UnsetType, Column("whether it is lent at all; empty = yes", YesNo(), "yes")] = UNSET
    status: Annotated[
        str | UnsetType,
        Column(
            "where a new item stands; of an item that is known it changes nothing",
            Choice(tuple(status.value for status in LOADABLE), empty=ItemStatus.AVAILABLE.value),
            "available",
        ),
    ] = UNSET
    restrictions: Annotated[
        str | UnsetType,
        Column(
            "limits on its use, separated by ;, those with ! to be agreed to before a loan", TEXT, "Overnight Only!"
        ),
    ] = UNSET
    fee_amount: Annotated[
        int | UnsetType | None, Column("what a loan costs, in minor units; empty = nothing", Whole(), "500")
    ] = UNSET
    fee_currency: Annotated[str | UnsetType, Column("the currency of the fee", CODE, "EUR")] = UNSET
    price_amount: Annotated[
        int | UnsetType | None,
        Column("what replaces it when it is lost, in minor units; empty = not known", Whole(), "2500"),
    ] = UNSET
    price_currency: Annotated[str | UnsetType, Column("the currency of the price", CODE, "EUR")] = UNSET
    resource_url: Annotated[
        str | UnsetType, Column("address of the electronic resource that it stands for", CODE, "https://example.org/1")
    ] = UNSET
    note: Annotated[str | UnsetType, Column("for staff", TEXT)] = UNSET
