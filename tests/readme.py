"""The parts of the README that are made from the code; `python -m tests.readme` writes them anew."""

from __future__ import annotations

import enum
import inspect
import re
from pathlib import Path

import msgspec

from ncipd.circulation import partner
from ncipd.circulation.partner import Partner

README = Path(__file__).parents[1] / "README.md"


def partner_settings() -> str:
    """A table of every partner setting, from the comments of the struct."""
    source = inspect.getsource(partner.Partner)
    told = {
        name: " ".join(line.strip().removeprefix("#: ") for line in comment.strip().splitlines())
        for comment, name in re.findall(r"((?:    #: .*\n)+)    (\w+): ", source)
    }
    lines = ["| `[[partner]]` setting | meaning | default |", "|---|---|---|"]
    for field in msgspec.structs.fields(Partner):
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


PARTS = {"partner-settings": partner_settings}


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
