"""Who may import whom, and where no clock, no chance and no I/O may be.

The rules are those of ARCHITECTURE.md. Two things are read from the source text alone, so nothing has to be importable:

- every `import` of ours, wherever it stands (in a function or under TYPE_CHECKING counts too: a dependency is one);
- every mention of a clock, chance, a new id or a socket in the layers that must get them from the unit of work.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Longest prefix wins. A layer may always import itself.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "ncipd": (),  # app, cli, loading …: the outer rim knows all of ncipd and decides nothing
    "ncipd.ncip": (),
    "ncipd.circulation": ("ncipd.ncip", "ncipd.store.port"),
    "ncipd.services": ("ncipd.ncip", "ncipd.circulation"),
    "ncipd.desk": ("ncipd.ncip", "ncipd.circulation"),
    "ncipd.store": ("ncipd.circulation.model",),
    "ncipd.responder": (
        "ncipd.ncip",
        "ncipd.circulation",
        "ncipd.services",
        "ncipd.store.port",
        "ncipd.authentication",
        "ncipd.directory",
        "ncipd.journal",
        "ncipd.log",
        "ncipd.metrics",
    ),
    "ncipd.recognition": ("ncipd.ncip", "ncipd.circulation"),
    "ncipd.authentication": ("ncipd.ncip", "ncipd.circulation", "ncipd.store.port", "ncipd.hashing"),
    "ncipd.hashing": (),
    "ncipd.notices": (
        "ncipd.ncip",
        "ncipd.circulation",
        "ncipd.store.port",
        "ncipd.config",
        "ncipd.log",
        "ncipd.metrics",
    ),
    "ncipd.directory": ("ncipd.ncip", "ncipd.circulation", "ncipd.store.port", "ncipd.recognition"),
    "ncipd.journal": ("ncipd.ncip", "ncipd.store.port", "ncipd.store.words"),
    "ncipd.outbox": (
        "ncipd.ncip",
        "ncipd.circulation",
        "ncipd.store.port",
        "ncipd.initiator",
        "ncipd.directory",
        "ncipd.journal",
        "ncipd.log",
        "ncipd.metrics",
    ),
    "ncipd.initiator": ("ncipd.ncip", "ncipd.circulation", "ncipd.store.port", "ncipd.log", "ncipd.metrics"),
    "ncipd.http": ("ncipd.responder", "ncipd.store.port", "ncipd.log", "ncipd.metrics"),
    "ncipd.api": (
        "ncipd.ncip",
        "ncipd.circulation",
        "ncipd.desk",
        "ncipd.responder",
        "ncipd.store.port",
        "ncipd.clock",
        "ncipd.directory",
        "ncipd.journal",
        "ncipd.log",
        "ncipd.metrics",
    ),
    "ncipd.tcp": (
        "ncipd.ncip",
        "ncipd.config",
        "ncipd.http",
        "ncipd.responder",
        "ncipd.log",
        "ncipd.metrics",
        "ncipd.tls",
    ),
    "ncipd.tls": (),
    "ncipd.log": (),
    "ncipd.metrics": (),
    "ncipd.portrait": ("ncipd.circulation.partner", "ncipd.profiles", "ncipd.config"),
    "ncipd.profiles": ("ncipd.circulation.partner",),
    "ncipd.config": (
        "ncipd.circulation.partner",
        "ncipd.profiles",
        "ncipd.ncip.messages",
        "ncipd.ncip.problem_types",
        "ncipd.ncip.receive",
        "ncipd.ncip.schemes",
        "ncipd.ncip.types",
        "ncipd.log",
        "ncipd.tls",
    ),
    "broker_sim": (),
}

ALWAYS = ("ncipd",)  # the package itself: only `__version__` is in it

TIMELESS = ("ncipd.ncip", "ncipd.circulation", "ncipd.services", "ncipd.desk")
FORBIDDEN_MODULES = ("random", "secrets", "time", "asyncio", "socket", "sqlite3", "aiohttp")
FORBIDDEN_NAMES = {
    "now": "a clock",
    "utcnow": "a clock",
    "today": "a clock",
    "uuid1": "a new id",
    "uuid4": "a new id",
    "urandom": "chance",
}
FROM_THE_UNIT_OF_WORK = {"circ", "self"}  # `circ.now` is how it is done


@dataclass(frozen=True)
class Source:
    """One module: its dotted name and its text."""

    name: str
    text: str
    is_package: bool = False

    @property
    def package(self) -> str:
        return self.name if self.is_package else self.name.rpartition(".")[0]


def sources() -> Iterator[Source]:
    for top in ("ncipd", "broker_sim"):
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            is_package = parts[-1] == "__init__"
            yield Source(".".join(parts[:-1] if is_package else parts), path.read_text("utf-8"), is_package)


def modules_of_ours() -> frozenset[str]:
    return frozenset(source.name for source in sources())


def imports(source: Source, known: frozenset[str]) -> Iterator[tuple[int, str]]:
    """(line, module) of each import of ours; `from a import b` is `a.b` where that is a module."""
    for node in ast.walk(ast.parse(source.text)):
        if isinstance(node, ast.Import):
            found = [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found = [(absolute(node, source.package), alias.name) for alias in node.names]
        else:
            continue
        for module, name in found:
            if module.split(".")[0] in {"ncipd", "broker_sim"}:
                yield node.lineno, f"{module}.{name}" if f"{module}.{name}" in known else module


def absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])])


def layer_of(name: str) -> str:
    return max((layer for layer in MAY_IMPORT if within(name, layer)), key=len)


def within(name: str, layer: str) -> bool:
    return name == layer or name.startswith(layer + ".")


def wrong_imports(source: Source, known: frozenset[str]) -> list[str]:
    layer = layer_of(source.name)
    allowed = MAY_IMPORT[layer]
    return [
        f"{source.name}:{line} imports {module}; {layer} may import only {', '.join(allowed) or 'itself'}"
        for line, module in imports(source, known)
        if not (
            (module in ALWAYS and layer != "broker_sim")
            or within(module, layer)
            or any(within(module, other) for other in allowed)
        )
    ]


def wrong_calls(source: Source) -> list[str]:
    if not any(within(source.name, layer) for layer in TIMELESS):
        return []
    return [f"{source.name}:{line} uses {what}; ask the unit of work" for line, what in clocks_and_chance(source.text)]


def clocks_and_chance(text: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            modules, names = [alias.name for alias in node.names], []
        elif isinstance(node, ast.ImportFrom):
            modules, names = [node.module or ""], [alias.name for alias in node.names]
        elif isinstance(node, ast.Attribute):
            taken_from = node.value.id if isinstance(node.value, ast.Name) else ""
            modules, names = [], [node.attr] if taken_from not in FROM_THE_UNIT_OF_WORK else []
        else:
            continue
        yield from ((node.lineno, f"module {m}") for m in modules if m.split(".")[0] in FORBIDDEN_MODULES)
        if not isinstance(node, ast.Attribute) or is_from_a_clock(node):
            yield from ((node.lineno, f"{FORBIDDEN_NAMES[n]} ({n})") for n in names if n in FORBIDDEN_NAMES)


def is_from_a_clock(node: ast.Attribute) -> bool:
    """Whether `x.now` is `datetime.now`, `dt.datetime.now`, `date.today`, `uuid.uuid4`, `os.urandom` …"""
    owner = node.value
    name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
    return name in {"datetime", "date", "uuid", "os", "dt", "pendulum"}


def test_every_module_imports_only_what_its_layer_may():
    """ncip ← circulation ← services, desk; the doors know the responder; the judge and the judged never meet."""
    known = modules_of_ours()
    assert not [wrong for source in sources() for wrong in wrong_imports(source, known)]


def test_inner_layers_have_no_clock_no_chance_and_no_io():
    """What a service does depends on its message, the store and the unit of work alone, so it can be run again."""
    assert not [wrong for source in sources() for wrong in wrong_calls(source)]


KNOWN = frozenset({"ncipd", "ncipd.ncip", "ncipd.store", "ncipd.store.port", "ncipd.store.sqlite", "ncipd.http"})


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("ncipd.ncip.codec", "from ncipd.circulation import model"),
        ("ncipd.ncip.codec", "def late():\n    import ncipd.log"),
        ("ncipd.ncip.codec", "from ..store import port"),
        ("ncipd.circulation.policy", "from ncipd.services import registry"),
        ("ncipd.circulation.policy", "from ncipd.store.sqlite import Sqlite"),
        ("ncipd.circulation.policy", "from ncipd.store import sqlite"),
        ("ncipd.services.renew_item", "from ncipd.desk.renew import renew"),
        ("ncipd.services.renew_item", "if TYPE_CHECKING:\n    from ncipd.store.port import Store"),
        ("ncipd.desk.ship", "from ncipd.http import build_http"),
        ("ncipd.store.sqlite", "from ncipd.circulation.policy import due_date"),
        ("ncipd.responder", "from ncipd.store.sqlite import Sqlite"),
        ("ncipd.http", "from ncipd.services import registry"),
        ("ncipd.http", "from ncipd.app import build"),
        ("ncipd.app", "import broker_sim"),
        ("broker_sim.engine", "from ncipd.ncip import codec"),
        ("broker_sim.engine", "from ncipd import __version__"),
    ],
)
def test_a_forbidden_import_is_found(module, text):
    """The test above can fail."""
    assert wrong_imports(Source(module, text), KNOWN)


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("ncipd.ncip.codec", "from ncipd.ncip import types\nfrom . import types\nimport lxml"),
        ("ncipd.circulation.policy", "from ncipd.store import port\nfrom ncipd.store.port import Store"),
        ("ncipd.services.renew_item", "from ncipd.circulation.model import Loan\nfrom ncipd.ncip import messages"),
        ("ncipd.store.sqlite", "from ncipd.circulation.model import Loan\nfrom ncipd.store.port import Store"),
        ("ncipd.http", "from ncipd.responder import Door\nfrom ncipd import __version__"),
        ("ncipd.app", "from ncipd.store.sqlite import Sqlite\nfrom ncipd.http import build_http"),
        ("broker_sim.engine", "from broker_sim import wire\nfrom .events import Event"),
    ],
)
def test_an_allowed_import_is_allowed(module, text):
    assert not wrong_imports(Source(module, text), KNOWN)


@pytest.mark.parametrize(
    "text",
    [
        "datetime.now(UTC)",
        "dt.datetime.utcnow()",
        "import datetime\ndatetime.datetime.now()",
        "date.today()",
        "import time",
        "from time import time",
        "import uuid\nuuid.uuid4()",
        "from uuid import uuid4",
        "from uuid import uuid1 as new",
        "import random",
        "from secrets import token_hex",
        "import os\nos.urandom(8)",
        "def late():\n    import random",
        "field(default_factory=datetime.now)",
    ],
)
@pytest.mark.parametrize("layer", TIMELESS)
def test_a_clock_or_chance_in_an_inner_layer_is_found(layer, text):
    """The test above can fail, in each of the layers it guards."""
    assert wrong_calls(Source(f"{layer}.module", text))


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("ncipd.services.renew_item", "circ.now + timedelta(days=circ.partner.renewal_days)"),
        ("ncipd.circulation.circulation", "self.now\nself.new_id()\nfrom uuid import UUID"),
        ("ncipd.app", "import time, random\ndatetime.now(UTC)"),
    ],
)
def test_the_time_of_the_unit_of_work_is_allowed_and_so_is_a_clock_outside(module, text):
    assert not wrong_calls(Source(module, text))
