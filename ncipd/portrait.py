"""A partner in words: what is done with its messages, and which setting comes from where (`ncipd check`).

The words are those of the comments in `circulation/partner.py`, so that a setting is explained in one place.
"""

from __future__ import annotations

import inspect
import re
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import msgspec

from ncipd import profiles
from ncipd.circulation.partner import Partner
from ncipd.config import default_of
from ncipd.config.reading import MASK, SECRETS

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What settings are about. What is in none of these groups stands in the last.
GROUPS: dict[str, tuple[str, ...]] = {
    "How its messages are known": (
        "named_by", "profile_types", "agency_ids", "system_ids", "keys", "agency_separator", "fallback",
    ),
    "How it proves who it is": ("secret", "authenticated_by"),
    "What it may do": (
        "role", "sides", "services", "user_data", "user_accounts", "trust_identifier_alone", "refuse_repairs",
    ),
    "Where its messages say what they are about": (
        "user_key", "item_key", "request_key", "pickup_key", "user_identifier_type", "pseudo_users",
        "record_identifier_code", "record_codes", "request_agency_counts", "time_zone",
    ),
    "How it is answered": (
        "prefix", "content_type", "always_include", "privileges", "problem_scheme", "problem_types", "problem_detail",
        "problem_element", "problem_value", "quirks", "resend_window_minutes",
    ),
    "Lending": (
        "lending_location", "check_out_without_request", "refuse_unavailable", "open_loan", "check_in_not_on_loan",
        "digital", "receive_digitally", "loan_days", "maximum_loan_days", "honour_desired_date",
        "due_date_beyond_maximum", "maximum_renewals", "renewal_days", "automatic_renewal", "renewal_beyond_maximum",
        "renewal_reply_days", "renewed_means_renew", "recall_on_local_request",
    ),
    "Borrowing": (
        "borrowing_location", "pickup_library", "item_policy", "automatic_receive", "temporary_barcode", "barcode_rule",
        "barcode_prefix", "user_due_days_earlier", "hold_shelf_days", "recall_days",
    ),
}  # fmt: skip
REST = "And further"

#: What identifies a partner and stands above everything else.
ABOVE = ("code", "agency", "profile", "name")

#: The services for which a setting matters, where it does not matter for all.
MATTERS: dict[str, tuple[str, ...]] = {
    "item_key": (
        "AcceptItem", "CancelRequestItem", "CheckInItem", "CheckOutItem", "LookupItem", "RecallItem", "RenewItem",
        "RequestItem",
    ),
    "pickup_key": ("AcceptItem", "RequestItem", "UpdateRequestItem"),
    "record_identifier_code": ("RequestItem",),
    "record_codes": ("LookupItemSet", "RequestItem"),
    "lending_location": ("CheckOutItem",),
    "borrowing_location": ("AcceptItem", "ItemShipped", "ItemReceived"),
    "pickup_library": ("AcceptItem", "RequestItem"),
    "item_policy": ("AcceptItem", "ItemShipped", "ItemReceived"),
    "check_out_without_request": ("CheckOutItem",),
    "refuse_unavailable": ("RequestItem", "ItemRequested"),
    "open_loan": ("CheckOutItem",),
    "check_in_not_on_loan": ("CheckInItem",),
    "digital": ("AcceptItem", "CheckOutItem", "RequestItem"),
    "receive_digitally": ("CheckOutItem",),
    "loan_days": ("AcceptItem", "CheckOutItem"),
    "maximum_loan_days": ("CheckOutItem", "RenewItem"),
    "honour_desired_date": ("CheckOutItem",),
    "due_date_beyond_maximum": ("CheckOutItem",),
    "maximum_renewals": ("RenewItem",),
    "renewal_days": ("RenewItem",),
    "automatic_renewal": ("RenewItem",),
    "renewal_beyond_maximum": ("RenewItem",),
    "renewal_reply_days": ("RenewItem",),
    "renewed_means_renew": ("ItemRenewed",),
    "recall_on_local_request": ("RequestItem",),
    "recall_days": ("RecallItem", "ItemRecalled"),
    "automatic_receive": ("AcceptItem",),
    "temporary_barcode": ("AcceptItem", "ItemShipped", "ItemReceived"),
    "barcode_rule": ("AcceptItem", "ItemShipped", "ItemReceived"),
    "barcode_prefix": ("AcceptItem", "ItemShipped", "ItemReceived"),
    "user_due_days_earlier": ("AcceptItem", "CheckOutItem"),
    "hold_shelf_days": ("AcceptItem",),
    "trust_identifier_alone": ("LookupUser", "RequestItem", "RenewItem", "CheckOutItem", "CancelRequestItem"),
    "user_accounts": ("LookupUser", "CreateUserFiscalTransaction"),
    "privileges": ("LookupUser",),
}  # fmt: skip


class Line(NamedTuple):
    """A setting in words: its name and meaning, its value, and where that comes from."""

    setting: str
    meaning: str
    value: str
    origin: str


@cache
def meanings(kind: type) -> dict[str, str]:
    """Read the comments (`#:`) over the fields of a struct or the members of an enumeration."""
    found = re.findall(r"((?: {4}#: .*\n)+) {4}(\w+)(?:: | = )", inspect.getsource(kind))
    return {name: " ".join(line.strip().removeprefix("#: ") for line in said.splitlines()) for said, name in found}


def lines(partner: Partner) -> dict[str, list[Line]]:
    """Give every setting of a partner in words, by what it is about."""
    fields = {field.name: field for field in msgspec.structs.fields(Partner)}
    grouped = {name for names in GROUPS.values() for name in names}
    rest = tuple(name for name in fields if name not in grouped and name not in ABOVE)
    return {title: [_line(partner, fields[name]) for name in names] for title, names in {**GROUPS, REST: rest}.items()}


def _line(partner: Partner, field: msgspec.structs.FieldInfo) -> Line:
    value = getattr(partner, field.name)
    shown = MASK if field.name in SECRETS and value else in_words(value)
    return Line(field.name, meanings(Partner).get(field.name, ""), shown, origin(partner, field, value))


def origin(partner: Partner, field: msgspec.structs.FieldInfo, value: Any) -> str:
    """Say where the value of a setting comes from: a profile, the default, or the partner itself."""
    profile = profiles.origin(partner.profile, field.name, value)
    if profile:
        inferred = field.name in profiles.load(partner.profile).inferred
        return f"profile {profile}, deduced" if inferred else f"profile {profile}"
    return "default" if value == default_of(field) else "ncipd.toml"


def in_words(value: Any) -> str:
    """Put the value of a setting into words; of a choice, what it means."""
    match value:
        case bool():
            return "yes" if value else "no"
        case Enum():
            meaning = meanings(type(value)).get(value.name, "")
            return f"{value.value} ({meaning})" if meaning else str(value.value)
        case tuple():
            between = ", then " if value and isinstance(value[0], Enum) else ", "
            return between.join(map(in_words, value)) or "none"
        case dict():
            return "; ".join(f"{key!r} is {one!r}" for key, one in value.items()) or "none"
        case str():
            return value or "none"
        case _:
            return str(value)


def mattering(partner: Partner, service: str) -> list[Line]:
    """Give the settings that decide about a service, and that are not the default; what a service alone has, always."""
    return [
        line
        for group in lines(partner).values()
        for line in group
        if (service in MATTERS[line.setting] if line.setting in MATTERS else line.origin != "default")
        and line.setting not in GROUPS["How its messages are known"]
        and line.setting not in GROUPS["How it proves who it is"]
    ]


def choices(type_: Any) -> dict[str, str]:
    """Give the values that a setting may have, with their meanings; none where it may have any."""
    inner = next(iter(get_args(type_)), type_)
    if not (isinstance(inner, type) and issubclass(inner, Enum)):
        return {}
    return {str(member.value): meanings(inner).get(member.name, "") for member in inner}


# ---------------------------------------------------------------------------------------------- as text


def told(partner: Partner) -> Iterator[str]:
    """Explain a partner, line by line."""
    name = f" ({partner.name})" if partner.name else ""
    yield f"Partner {partner.code}{name} of agency {partner.agency}"
    if partner.profile:
        yield f"  profile {' ← '.join(reversed(profiles.lineage(partner.profile)))}"
        yield from _about(partner.profile)
    else:
        yield "  no profile: what is not set is as the standard has it"
    yield from _settings(partner)


def told_of_profile(name: str) -> Iterator[str]:
    """Explain a profile, line by line, as what a partner is that sets nothing itself; raises UnknownProfileError."""
    profile = profiles.load(name)
    yield f"Profile {name}: {profile.title} (NCIP {', '.join(profile.versions)})"
    if profile.extends:
        yield f"  extends {profile.extends}"
    yield from _about(name)
    if profile.flow:
        yield ""
        yield "What it sends, and what is sent to it"
        for step in profile.flow:
            arrow = "→ us" if step.sender == "them" else "← us"
            yield f"  {arrow}  {step.service:<26} {step.side:<10} {step.when}"
    yield from _settings(profiles.partner(name), own=False)


def _about(name: str) -> Iterator[str]:
    yield ""
    yield from (f"  {line}" for line in profiles.load(name).about.strip().splitlines())


def _settings(partner: Partner, *, own: bool = True) -> Iterator[str]:
    for title, group in lines(partner).items():
        shown = [line for line in group if own or line.setting not in profiles.OWN]
        if not shown:
            continue
        yield ""
        yield title
        for line in shown:
            yield f"  {line.meaning or line.setting}"
            yield f"      {line.setting}: {line.value}   [{line.origin}]"
