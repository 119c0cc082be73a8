"""Which parts of a title are held: enumeration, chronology and free text."""

from __future__ import annotations

from dataclasses import field

from ncipd.ncip.types import Element, Ext, Ordinal, element


@element
class ChronologyLevelInstance(Element):
    """One level of dates, for example the year 2012, with its caption, rank or both."""

    choice = "ChronologyCaption | (ChronologyLevel, ChronologyCaption?)"

    chronology_level: Ordinal | None = None
    chronology_caption: str | None = None
    chronology_value: str
    ext: Ext | None = None


@element
class HoldingsChronology(Element):
    """The dates of a volume or issue, level by level."""

    chronology_level_instance: tuple[ChronologyLevelInstance, ...]
    ext: Ext | None = None


@element
class EnumerationLevelInstance(Element):
    """One level of numbering, for example volume 12, with its caption, rank or both."""

    choice = "EnumerationCaption | (EnumerationLevel, EnumerationCaption?, Ext?)"

    enumeration_level: Ordinal | None = None
    enumeration_caption: str | None = None
    level_ext: Ext | None = field(default=None, metadata={"element": "Ext"})
    enumeration_value: str
    ext: Ext | None = None


@element
class HoldingsEnumeration(Element):
    """The numbering of a volume or issue, level by level."""

    enumeration_level_instance: tuple[EnumerationLevelInstance, ...]
    ext: Ext | None = None


@element
class StructuredHoldingsData(Element):
    """Volumes or issues by numbering, by date, or by both."""

    choice = "HoldingsChronology | (HoldingsEnumeration, HoldingsChronology?)"

    holdings_enumeration: HoldingsEnumeration | None = None
    holdings_chronology: HoldingsChronology | None = None
    ext: Ext | None = None


@element
class HoldingsInformation(Element):
    """Which volumes or issues an item is, level by level or as one text."""

    choice = "StructuredHoldingsData+ | UnstructuredHoldingsData"

    structured_holdings_data: tuple[StructuredHoldingsData, ...] = ()
    unstructured_holdings_data: str | None = None
    ext: Ext | None = None


@element
class SummaryHoldingsInformation(Element):
    """Which volumes or issues are held in all, level by level or as one text."""

    choice = "StructuredHoldingsData+ | UnstructuredHoldingsData"

    structured_holdings_data: tuple[StructuredHoldingsData, ...] = ()
    unstructured_holdings_data: str | None = None
    ext: Ext | None = None
