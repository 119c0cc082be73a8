"""Names of people and organizations."""

from __future__ import annotations

from ncipd.ncip.types import Coded, Element, Ext, element


@element
class StructuredPersonalUserName(Element):
    """A person's name in its parts; the surname is required."""

    prefix: str | None = None
    given_name: str | None = None
    initials: str | None = None
    surname: str
    suffix: str | None = None
    ext: Ext | None = None


@element
class PersonalNameInformation(Element):
    """A person's name, in its parts, as one text, or both."""

    choice = "UnstructuredPersonalUserName | (StructuredPersonalUserName, UnstructuredPersonalUserName?)"

    structured_personal_user_name: StructuredPersonalUserName | None = None
    unstructured_personal_user_name: str | None = None
    ext: Ext | None = None


@element
class OrganizationNameInformation(Element):
    """A name of an organization and which kind of name it is."""

    organization_name_type: Coded
    organization_name: str
    ext: Ext | None = None


@element
class NameInformation(Element):
    """The name of a user who is a person, or the names of one that is an organization."""

    choice = "PersonalNameInformation | OrganizationNameInformation+"

    personal_name_information: PersonalNameInformation | None = None
    organization_name_information: tuple[OrganizationNameInformation, ...] = ()
    ext: Ext | None = None
