"""The parts of the README that are made from the code; `python -m tests.readme` writes them anew."""

from __future__ import annotations

import enum
import importlib
import inspect
import re
from pathlib import Path

import msgspec

from ncipd import services as registry
from ncipd.circulation import details
from ncipd.circulation.partner import Partner
from ncipd.config import Tcp
from ncipd.ncip import messages
from ncipd.ncip.problem_types import SERVICE_PROBLEMS
from ncipd.ncip.types import Initiation

README = Path(__file__).parents[1] / "README.md"


def partner_settings() -> str:
    """A table of every partner setting."""
    return _settings(Partner, "[[partner]]")


def tcp_settings() -> str:
    """A table of every setting of a TCP door."""
    return _settings(Tcp, "[[tcp]]")


def _settings(struct: type[msgspec.Struct], table: str) -> str:
    """A table of settings, from the comments of their struct."""
    source = inspect.getsource(struct)
    told = {
        name: " ".join(line.strip().removeprefix("#: ") for line in comment.strip().splitlines())
        for comment, name in re.findall(r"((?:    #: .*\n)+)    (\w+): ", source)
    }
    lines = [f"| `{table}` setting | meaning | default |", "|---|---|---|"]
    for field in msgspec.structs.fields(struct):
        default = "required" if field.required else f"`{_shown(field.default)}`"
        values = _values(field.type)
        lines.append(f"| `{field.name}` | {told[field.name]}{values} | {default} |")
    return "\n".join(lines)


def _shown(value: object) -> str:
    if isinstance(value, enum.Enum):
        return f'"{value.value}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(_shown(one) for one in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _values(type_: object) -> str:
    if isinstance(type_, type) and issubclass(type_, enum.Enum):
        return " (" + ", ".join(f"`{member.value}`" for member in type_) + ")"
    return ""


def services() -> str:
    """A table of every initiation message of the standard: what it does, which elements count, what can go wrong."""
    served = registry.services()
    lines = ["| message | here | elements that count | problems of its own |", "|---|---|---|---|"]
    for name in sorted(name for name, cls in messages.MESSAGES.items() if issubclass(cls, Initiation)):
        service = served.get(name)
        does = (inspect.getdoc(service.run) or "").split("\n")[0] if service else "*Unsupported Service*"
        elements = ", ".join(_honoured(service.run, messages.MESSAGES[name])) if service else ""
        own = ", ".join(sorted(SERVICE_PROBLEMS.get(name, ())))
        lines.append(f"| {name} | {does} | {elements} | {own} |")
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


PARTS = {"partner-settings": partner_settings, "tcp-settings": tcp_settings, "services": services}


def written(text: str) -> str:
    """The README with every made part as it should be."""
    for name, make in PARTS.items():
        text = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)",
            lambda m, made=make: f"{m[1]}{made()}\n{m[2]}",
            text,
            flags=re.DOTALL,
        )
    return text


if __name__ == "__main__":
    README.write_text(written(README.read_text("utf-8")), "utf-8")
