"""The parts of the documents that are made from code and profiles; `python -m tests.readme` writes them anew."""

from __future__ import annotations

import enum
import importlib
import inspect
import re
from pathlib import Path

import msgspec

from ncipd import portrait, profiles
from ncipd import services as registry
from ncipd.circulation import details
from ncipd.circulation.partner import Partner
from ncipd.config import Tcp, default_of
from ncipd.ncip import messages
from ncipd.ncip.repairs import REPAIRS
from ncipd.ncip.types import Initiation
from ncipd.ncip.v1.table import REPAIRS as V1_REPAIRS
from tests.problems import PROBLEMS, by_service
from tests.problems import write as write_problems

README = Path(__file__).parents[1] / "README.md"
REPAIRS_PAGE = README.parent / "docs" / "repairs.md"
PROFILES = README.parent / "docs" / "profiles.md"
MADE = (README, REPAIRS_PAGE, PROFILES)


def partner_settings() -> str:
    """A table of every partner setting."""
    return _settings(Partner, "[[partner]]")


def tcp_settings() -> str:
    """A table of every setting of a TCP door."""
    return _settings(Tcp, "[[tcp]]")


def _settings(struct: type[msgspec.Struct], table: str) -> str:
    """A table of settings, from the comments of their struct."""
    told = portrait.meanings(struct)
    lines = [f"| `{table}` setting | meaning | default |", "|---|---|---|"]
    for field in msgspec.structs.fields(struct):
        default = "required" if field.required else f"`{_shown(default_of(field))}`"
        lines.append(_row(f"`{field.name}`", f"{told[field.name]}{_values(field.type)}", default))
    return "\n".join(lines)


def _row(*cells: str) -> str:
    """A row of a table; a bar within a cell would end it."""
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _shown(value: object) -> str:
    if isinstance(value, enum.Enum):
        return f'"{value.value}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(_shown(one) for one in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}" = {_shown(one)}' for key, one in value.items()) + "}"
    return f"'{value}'" if '"' in str(value) else f'"{value}"' if isinstance(value, str) else str(value)


def _values(type_: object) -> str:
    choices = portrait.choices(type_)
    return " (" + ", ".join(f"`{one}`" for one in choices) + ")" if choices else ""


def profile_pages() -> str:
    """A section for each bundled profile: what it is, its flow, and its settings with what they mean."""
    return "\n\n".join(_profile_page(name) for name in profiles.names())


def _profile_page(name: str) -> str:
    profile = profiles.load(name)
    lines = [f"## {name}", "", f"**{profile.title}**, NCIP {', '.join(profile.versions)}."]
    if profile.extends:
        lines.append(f"Starts from [{profile.extends}](#{profile.extends}).")
    lines += ["", " ".join(profile.about.split())]
    if profile.flow:
        lines += ["", "| message | sent by | our side | when |", "|---|---|---|---|"]
        lines += [
            f"| {step.service} | {'them' if step.sender == 'them' else 'ncipd'} | {step.side} | {step.when} |"
            for step in profile.flow
        ]
    stated = profiles.settings(name)
    fields = {field.name: field for field in msgspec.structs.fields(Partner)}
    lines += ["", "| setting | value | meaning |", "|---|---|---|"]
    for setting in (setting for setting in fields if setting in stated):
        value = getattr(profiles.partner(name), setting)
        deduced = " *Deduced, not documented.*" if setting in profile.inferred else ""
        choices = portrait.choices(fields[setting].type)
        chosen = value if isinstance(value, tuple) else (value,)
        meant = [choices.get(str(one), "") for one in chosen] if choices else []
        means = f" Here: {'; then '.join(meant)}." if any(meant) else ""
        lines.append(
            _row(f"`{setting}`", f"`{_shown(value)}`", f"{portrait.meanings(Partner)[setting]}{means}{deduced}")
        )
    return "\n".join(lines)


def services() -> str:
    """A table of every initiation message of the standard: what it does, which elements count, what can go wrong."""
    served = registry.services()
    problems = by_service(PROBLEMS.read_text("utf-8"))
    lines = ["| message | here | elements that count | problems of its own |", "|---|---|---|---|"]
    for name in sorted(name for name, cls in messages.MESSAGES.items() if issubclass(cls, Initiation)):
        service = served.get(name)
        does = (inspect.getdoc(service.run) or "").split("\n")[0] if service else "*Unsupported Service*"
        elements = ", ".join(_honoured(service.run, messages.MESSAGES[name])) if service else ""
        own = ", ".join(problems.get(name, ()))
        lines.append(f"| {name} | {does} | {elements} | {own} |")
    lines.append("| AuthenticateUser (NCIP 1) | Answer who a user is that proves it. | AuthenticationInput | |")
    lines.append("| LookupVersion | Tell which versions and services are spoken here. | FromAgencyId, ToAgencyId | |")
    return "\n".join(lines)


def _honoured(function: object, message: type) -> list[str]:
    """The elements of a message that its service reads, in the order of the grammar."""
    read = {"mandated_action"} | _read_in(inspect.getsource(inspect.getmodule(function)))  # type: ignore[arg-type]
    fields = message.__dataclass_fields__  # type: ignore[attr-defined]
    return [_element(name) for name in fields if name in read and name not in ("ext", "initiation_header")]


def _read_in(source: str) -> set[str]:
    read = set(re.findall(r"message\.(\w+)", source))
    if "details." in source:
        read |= {*details.FIELDS}
    for other in re.findall(r"from (ncipd\.services\.\w+) import", source):
        read |= _read_in(inspect.getsource(importlib.import_module(other)))
    return read


def _element(field: str) -> str:
    return field.title().replace("_", "")


def repairs() -> str:
    """A table of every repair, in the order in which they are made."""
    rows = (
        _row(f"`{each.name}`{' *' if each.tolerated else ''}", each.accepts, each.summary) for each in REPAIRS.values()
    )
    return "\n".join(["| repair | what it accepts | what it does |", "|---|---|---|", *rows])


def version_1_repairs() -> str:
    """A table of the repairs that are made on messages of version 1 alone."""
    return "\n".join(["| repair | what it does |", "|---|---|", *(_row(f"`{n}`", s) for n, s in V1_REPAIRS.items())])


PARTS = {
    "partner-settings": partner_settings,
    "tcp-settings": tcp_settings,
    "services": services,
    "profiles": profile_pages,
    "repairs": repairs,
    "version-1-repairs": version_1_repairs,
}


def written(text: str) -> str:
    """A document with every made part as it should be."""
    for name, make in PARTS.items():
        text = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)",
            lambda m, made=make: f"{m[1]}{made()}\n{m[2]}",
            text,
            flags=re.DOTALL,
        )
    return text


if __name__ == "__main__":
    write_problems()
    for document in MADE:
        document.write_text(written(document.read_text("utf-8")), "utf-8")
