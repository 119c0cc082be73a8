"""Addresses, and where things are sent."""

from __future__ import annotations

from datetime import datetime

from ncipd.ncip.types import Coded, Element, Ext, element


@element
class StructuredAddress(Element):
    """A postal address in its parts, or its first lines as text, with town, region and country."""

    choice = (
        "(LocationWithinBuilding?, HouseName?, (District | (PostOfficeBox, District?) | (Street, PostOfficeBox?, "
        "District?))) | (Line1, Line2?)"
    )

    location_within_building: str | None = None
    house_name: str | None = None
    street: str | None = None
    post_office_box: str | None = None
    district: str | None = None
    line1: str | None = None
    line2: str | None = None
    locality: str | None = None
    region: str | None = None
    country: str | None = None
    postal_code: str | None = None
    care_of: str | None = None
    ext: Ext | None = None


@element
class UnstructuredAddress(Element):
    """A postal address as one text, and how that text is laid out."""

    unstructured_address_type: Coded
    unstructured_address_data: str
    ext: Ext | None = None


@element
class PhysicalAddress(Element):
    """An address that a parcel or letter can go to, and whether it is a postal or street address."""

    choice = "StructuredAddress | UnstructuredAddress"

    structured_address: StructuredAddress | None = None
    unstructured_address: UnstructuredAddress | None = None
    physical_address_type: Coded
    ext: Ext | None = None


@element
class ElectronicAddress(Element):
    """An e-mail address, telephone number or web address, and which of these it is."""

    electronic_address_type: Coded
    electronic_address_data: str
    ext: Ext | None = None


@element
class AgencyAddressInformation(Element):
    """An address of an agency, what it is used for and when it is valid."""

    choice = "PhysicalAddress | ElectronicAddress"

    agency_address_role_type: Coded
    valid_from_date: datetime | None = None
    valid_to_date: datetime | None = None
    physical_address: PhysicalAddress | None = None
    electronic_address: ElectronicAddress | None = None
    ext: Ext | None = None


@element
class UserAddressInformation(Element):
    """An address of a user, what it is used for and when it is valid."""

    choice = "PhysicalAddress | ElectronicAddress"

    user_address_role_type: Coded
    valid_from_date: datetime | None = None
    valid_to_date: datetime | None = None
    physical_address: PhysicalAddress | None = None
    electronic_address: ElectronicAddress | None = None
    ext: Ext | None = None


@element
class ShippingInformation(Element):
    """Where and how to send an item."""

    choice = "PhysicalAddress | ElectronicAddress"

    shipping_instructions: str | None = None
    shipping_note: str | None = None
    physical_address: PhysicalAddress | None = None
    electronic_address: ElectronicAddress | None = None
    ext: Ext | None = None
