"""`ncipd.toml`: one documented file, read into frozen structs, with every mistake reported at once.

A mistake says where (`partner[2].role`: the second `[[partner]]`), what was expected and what was found. Only secrets
may come from somewhere else: `secret = "env:NAME"` reads the environment.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar, get_args, get_origin
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Struct, inspect

from ncipd import profiles
from ncipd.circulation.partner import Partner
from ncipd.log import Level
from ncipd.ncip.problem_types import ProblemType
from ncipd.ncip.receive import REPAIR_NAMES
from ncipd.ncip.schemes import AgencyElementType, ItemElementType, RequestElementType, UserElementType
from ncipd.tls import Unusable, server_context

SECRETS: Final = frozenset({"secret", "password"})  # field names
FROM_ENVIRONMENT: Final = "env:"
MASK: Final = "***"

S = TypeVar("S", bound=Struct)
Seconds = Annotated[float, Meta(gt=0)]


class Server(Struct, frozen=True, kw_only=True):
    """`[server]`: where ncipd listens, and how patient it is."""

    #: Address to listen on; 0.0.0.0 = every interface.
    host: str = "127.0.0.1"
    #: TCP port; 0 = any free one.
    port: Annotated[int, Meta(ge=0, le=65535)] = 8080
    #: The largest message taken, in bytes.
    max_body: Annotated[int, Meta(ge=1024)] = 2_000_000
    #: How long a client may take to send one message.
    body_seconds: Seconds = 30.0
    #: How long a connection may wait for its next request.
    idle_seconds: Seconds = 75.0
    #: How long requests in flight may take to finish after SIGTERM.
    drain_seconds: Seconds = 30.0
    #: Whether no repair is made: what the schema refuses is refused, whoever sends it.
    strict: bool = False


class Store(Struct, frozen=True, kw_only=True):
    """`[store]`: where everything is kept."""

    #: The data folder, from the folder of this file if relative.
    data: str = "ncipd-data"
    #: After how many days message bodies are deleted; 0 = they are not kept at all.
    body_days: Annotated[int, Meta(ge=0)] = 90


class Log(Struct, frozen=True, kw_only=True):
    """`[log]`: what is said on standard error."""

    #: The least that is said; user data appears at debug only.
    level: Level = "info"


class Notices(Struct, frozen=True, kw_only=True):
    """`[notices]`: how notices to users leave."""

    #: `log` writes a line that a notice was due; `smtp` sends e-mail.
    sender: Literal["log", "smtp"] = "log"
    #: The mail server.
    host: str = "localhost"
    #: Its TCP port.
    port: Annotated[int, Meta(ge=1, le=65535)] = 587
    #: Whether to encrypt (STARTTLS); the server's certificate must be valid.
    starttls: bool = True
    #: Whom notices come from; needed where e-mail is sent.
    from_address: str = ""
    #: The user name for the mail server; empty = it asks for none.
    user: str = ""
    #: The password for the mail server. `env:NAME` reads the environment.
    password: str = ""


class EndsWith(StrEnum):
    """What stands behind an answer on a bare connection."""

    SAME = "same"
    NOTHING = "nothing"
    NEWLINE = "newline"
    NUL = "nul"
    EOT = "eot"


class Tcp(Struct, frozen=True, kw_only=True):
    """`[[tcp]]`: a port where messages follow each other without HTTP, for one partner (Z39.83-1 appendix D.8)."""

    #: Address and port to listen on, such as "0.0.0.0:5001" or "[::1]:5001"; port 0 = any free one.
    listen: str
    #: The agency of messages that name none; empty = the partner's, else as over HTTP.
    agency: str = ""
    #: Code of the partner whose messages these are where they name none.
    partner: str = ""
    #: The server's certificate (PEM, with those between it and the root; relative to this file): TLS is spoken; empty
    #: = no TLS.
    certificate: str = ""
    #: Its private key (PEM, not encrypted); empty = it is in the file of the certificate.
    private_key: str = ""
    #: Certificates (PEM) of which one must have signed the client's; empty = clients need none.
    client_ca: str = ""
    #: What stands behind an answer: what the sender puts behind its messages, or always the same.
    ends_with: EndsWith = EndsWith.SAME
    #: How long a connection may wait for its next message.
    idle_seconds: Seconds = 300.0
    #: How long a message may take to arrive, and an answer to be taken.
    message_seconds: Seconds = 30.0
    #: How many connections may be open at once; a further one is closed at once.
    max_connections: Annotated[int, Meta(ge=1)] = 200
    #: How many messages a second are answered on one connection; the others wait. 0 = as many as can be.
    messages_per_second: Annotated[float, Meta(ge=0)] = 0.0

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.listen.rpartition(":")
        return host.removeprefix("[").removesuffix("]"), int(port)

    @property
    def url(self) -> str:
        """The address as it is shown, with what is spoken there."""
        return f"{'tcps' if self.certificate else 'tcp'}://{self.listen}"


class Config(Struct, frozen=True, kw_only=True):
    """The whole of `ncipd.toml`."""

    server: Server = Server()
    store: Store = Store()
    notices: Notices = Notices()
    log: Log = Log()
    tcp: tuple[Tcp, ...] = ()
    partner: tuple[Partner, ...] = ()


@dataclass(frozen=True)
class Mistake:
    """One thing wrong: where in the file, and what was expected."""

    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}" if self.path else self.text


class Mistakes(Exception):
    """A configuration that cannot be used, with everything that is wrong with it."""

    def __init__(self, source: str, mistakes: tuple[Mistake, ...]) -> None:
        self.source = source
        self.mistakes = mistakes
        count = f"{len(mistakes)} mistakes" if len(mistakes) > 1 else "a mistake"
        super().__init__("\n".join([f"{source} has {count}:", *(f"  {mistake}" for mistake in mistakes)]))


def load(path: Path, *, environ: Mapping[str, str] = os.environ) -> Config:
    """Read `ncipd.toml`; relative paths in it are taken from the folder of the file.

    Raises `Mistakes` with all that is wrong, also where the file is missing or no TOML.
    """
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise Mistakes(str(path), (Mistake("", f"not UTF-8 text (byte {error.start})"),)) from error
    except OSError as error:
        raise Mistakes(str(path), (Mistake("", f"cannot be read: {error.strerror}"),)) from error
    config = parse(text, source=str(path), environ=environ)
    folder = path.resolve().parent
    store = msgspec.structs.replace(config.store, data=str(folder / config.store.data))
    return msgspec.structs.replace(config, store=store, tcp=tuple(_in_folder(tcp, folder) for tcp in config.tcp))


def _in_folder(tcp: Tcp, folder: Path) -> Tcp:
    files = {name: getattr(tcp, name) for name in ("certificate", "private_key", "client_ca")}
    return msgspec.structs.replace(tcp, **{name: str(folder / file) for name, file in files.items() if file})


def check_files(config: Config, source: str) -> None:
    """See whether the files that the configuration names can be used; raises `Mistakes`.

    It is no part of `load`: the keys of TLS are for the one who serves to read, and for nobody else.
    """
    mistakes = []
    for at, tcp in enumerate(config.tcp, 1):
        if tcp.certificate:
            try:
                server_context(tcp.certificate, tcp.private_key, tcp.client_ca)
            except Unusable as error:
                mistakes.append(Mistake(f"tcp[{at}].{error.setting}", str(error)))
    if mistakes:
        raise Mistakes(source, tuple(mistakes))


def parse(text: str, *, source: str = "ncipd.toml", environ: Mapping[str, str] = os.environ) -> Config:
    """Turn the text of `ncipd.toml` into a `Config`; raises `Mistakes`."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Mistakes(source, (Mistake("", f"not TOML: {error}"),)) from error
    reading = _Reading(environ)
    reading.mistakes += _on_profiles(table.get("partner"))
    config = reading.struct(Config, table, "")
    reading.mistakes += _of_notices(config.notices if config else None)
    reading.mistakes += _between_partners(table.get("partner"))
    reading.mistakes += _of_doors(_tables(table, "tcp"), _tables(table, "partner"))
    if config is None or reading.mistakes:
        raise Mistakes(source, tuple(reading.mistakes))
    return msgspec.structs.replace(config, tcp=tuple(_of_partner(tcp, config.partner) for tcp in config.tcp))


def _of_partner(tcp: Tcp, partners: tuple[Partner, ...]) -> Tcp:
    """A TCP door, with the agency of its partner where it names none."""
    of = next((partner.agency for partner in partners if _same_code(partner.code, tcp.partner)), "")
    return msgspec.structs.replace(tcp, agency=tcp.agency or of)


def _on_profiles(tables: object) -> Iterator[Mistake]:
    """Put each partner's settings on those of the profile that it names, in place."""
    for at, table in enumerate(tables if isinstance(tables, list) else [], 1):
        name = table.get("profile") if isinstance(table, dict) else None
        if not isinstance(name, str) or not name:
            continue
        try:
            below = profiles.settings(name)
        except profiles.UnknownProfileError:
            near = _did_you_mean(name, profiles.names())
            yield Mistake(f"partner[{at}].profile", f"no profile is called {name!r}{near or _listed(profiles.names())}")
        else:
            table.update(profiles.merged(below, table))


def _listed(names: Iterable[str]) -> str:
    return f"; there are {', '.join(names)}"


def default_of(field: msgspec.structs.FieldInfo) -> Any:
    """Give the default of a setting; NODEFAULT where it must be set."""
    return field.default_factory() if field.default_factory is not msgspec.NODEFAULT else field.default


def effective(config: Config) -> str:
    """The configuration in force, defaults included, as TOML with secrets masked (for `ncipd check`)."""
    sections: list[tuple[str, Struct]] = [
        ("[server]", config.server),
        ("[store]", config.store),
        ("[notices]", config.notices),
        ("[log]", config.log),
    ]
    sections += [("[[tcp]]", tcp) for tcp in config.tcp]
    sections += [("[[partner]]", partner) for partner in config.partner]
    return "\n\n".join("\n".join([title, *_lines(section)]) for title, section in sections) + "\n"


def _lines(section: Struct) -> Iterator[str]:
    for field in msgspec.structs.fields(section):
        value = getattr(section, field.name)
        shown = MASK if field.name in SECRETS and value else value
        line = f"{field.name} = {_toml(shown)}"
        origin = profiles.origin(section.profile, field.name, value) if isinstance(section, Partner) else ""
        if origin:
            yield f"{line}  # profile {origin}"
        else:
            yield f"{line}  # default" if value == default_of(field) else line


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(key)} = {_toml(one)}" for key, one in value.items()) + "}"
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("\x7f", "\\u007f")  # TOML's escapes are JSON's, but for one


class _Reading:
    """One reading of a file: goes on after a mistake, so that all are found."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.mistakes: list[Mistake] = []

    def wrong(self, path: str, text: str) -> None:
        self.mistakes.append(Mistake(path, text))

    def struct(self, kind: type[S], table: Any, path: str) -> S | None:
        """The struct that a table describes, or None where something in it is wrong."""
        if not isinstance(table, dict):
            self.wrong(path, f"expected a table, got {_shown(table, path)}")
            return None
        before = len(self.mistakes)
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        for key in table:
            if key not in fields:
                self.wrong(_at(path, key), f"unknown key{_did_you_mean(key, fields)}")
        found: dict[str, Any] = {}
        for key, field in fields.items():
            if key in table:
                found[field.name] = value = self.value(field.type, table[key], _at(path, key))
                if value is not None and (nonsense := _nonsense(field.name, value)):
                    self.wrong(_at(path, key), nonsense)
            elif field.required:
                self.wrong(_at(path, key), f"missing; expected {_expected(field.type)}")
        return kind(**found) if len(self.mistakes) == before else None

    def value(self, kind: Any, raw: Any, path: str) -> Any:
        if isinstance(kind, type) and issubclass(kind, Struct):
            return self.struct(kind, raw, path)
        if get_origin(kind) is dict and isinstance(raw, dict):
            return {key: self.value(get_args(kind)[1], one, _at(path, key)) for key, one in raw.items()}
        if get_origin(kind) is tuple and isinstance(raw, list):
            return tuple(self.value(get_args(kind)[0], one, f"{path}[{at}]") for at, one in enumerate(raw, 1))
        try:
            value = msgspec.convert(raw, kind)
        except msgspec.ValidationError:
            self.wrong(path, f"expected {_expected(kind)}, got {_shown(raw, path)}{_nearest(kind, raw)}")
            return None
        return self.secret(value, path) if _last(path) in SECRETS else value

    def secret(self, value: str, path: str) -> str:
        """A secret, from the environment if it says so."""
        if not value.startswith(FROM_ENVIRONMENT):
            return value
        name = value.removeprefix(FROM_ENVIRONMENT)
        if not self.environ.get(name):
            self.wrong(path, f"the environment variable {name or '(no name)'} is not set")
        return self.environ.get(name, "")


def _nonsense(name: str, value: Any) -> str:  # noqa: PLR0911 - one line per setting
    """What a value's type does not tell: zones that exist, addresses that can be reached, no negative numbers."""
    if type(value) is int and value < 0:
        return f"expected 0 or more, got {value}"
    if name in _NEEDED and not (value.strip() if isinstance(value, str) else value):
        return "must not be empty"
    if name in _LISTED:
        strange = next((one for one in value if one is not None and one.strip().casefold() not in _LISTED[name]), None)
        known = _LISTED[name].values()
        return "" if strange is None else f"the standard has no {strange!r}{_did_you_mean(strange, known)}"
    if name == "refuse_repairs":
        strange = next((one for one in value if one is not None and one not in REPAIR_NAMES), None)
        return "" if strange is None else f"no repair is called {strange!r}{_did_you_mean(strange, REPAIR_NAMES)}"
    if name in _SENSIBLE:
        sensible, expected = _SENSIBLE[name]
        return "" if sensible(value) else f"expected {expected}, got {value!r}"
    if name == "keys" and (bad := [key for key in value if key is not None and (not key or set(key) & set("/?#% "))]):
        return f"expected keys that can stand in a path (POST /ncip/KEY), got {bad[0]!r}"
    return ""


def _of_notices(notices: Notices | None) -> Iterator[Mistake]:
    """What must be there where e-mail is sent: an address that it comes from."""
    if notices is not None and notices.sender == "smtp" and not re.fullmatch(r"[^@\s]+@[^@\s]+", notices.from_address):
        found = f"got {notices.from_address!r}" if notices.from_address else "it is missing"
        yield Mistake("notices.from_address", f"expected an e-mail address such as library@example.org, {found}")


def _between_partners(tables: object) -> Iterator[Mistake]:
    """What must hold among the partners of one agency: codes differ, and one at most is the fallback."""
    codes: dict[tuple[str, str], int] = {}
    fallbacks: dict[str, int] = {}
    for at, table in enumerate(tables if isinstance(tables, list) else [], 1):
        partner = table if isinstance(table, dict) else {}
        agency, code = str(partner.get("agency", at)), str(partner.get("code", at))
        first = codes.setdefault((agency, code.casefold()), at)
        if first != at:
            yield Mistake(f"partner[{at}].code", f"{code!r} is also partner[{first}] of {agency}")
        if partner.get("fallback") is True and (first := fallbacks.setdefault(agency, at)) != at:
            yield Mistake(f"partner[{at}].fallback", f"partner[{first}] is the fallback of {agency} already")


def _of_doors(doors: list[dict[str, Any]], partners: list[dict[str, Any]]) -> Iterator[Mistake]:
    """What must hold among the settings of a TCP door, and between it and the others and the partners."""
    listening: dict[str, int] = {}
    for at, door in enumerate(doors, 1):
        listen, code = str(door.get("listen", at)), str(door.get("partner", ""))
        if not listen.endswith(":0") and (first := listening.setdefault(listen, at)) != at:
            yield Mistake(f"tcp[{at}].listen", f"tcp[{first}] listens on {listen} already")
        for setting in ("private_key", "client_ca"):
            if door.get(setting) and not door.get("certificate"):
                yield Mistake(f"tcp[{at}].{setting}", "is for TLS, which needs a certificate; set certificate as well")
        known = {str(partner.get("code", "")).casefold(): str(partner.get("code", "")) for partner in partners}
        agencies = {partner.get("agency") for partner in partners if _same_code(partner.get("code"), code)}
        if code and not agencies:
            yield Mistake(f"tcp[{at}].partner", f"no [[partner]] has the code {code!r}{_did_you_mean(code, known)}")
        if len(agencies) > 1 and not door.get("agency"):
            yield Mistake(f"tcp[{at}].agency", f"missing; several agencies have a partner {code!r}")


def _tables(table: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The tables of an array of tables; in the place of what is none, an empty one."""
    found = table.get(name)
    return [one if isinstance(one, dict) else {} for one in found] if isinstance(found, list) else []


def _same_code(one: object, other: str) -> bool:
    return isinstance(one, str) and one.casefold() == other.casefold()


def _is_address(listen: str) -> bool:
    found = re.fullmatch(r"(?:\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):([0-9]{1,5})", listen)
    return found is not None and int(found[1]) <= 65535


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return False
    return True


def _is_reachable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"http", "https"} or (parts.scheme in {"tcp", "tcps"} and bool(parts.port))
    except ValueError:
        return False
    return known and bool(parts.hostname)


def _words(*lists: type[StrEnum]) -> dict[str, str]:
    return {member.value.casefold(): member.value for words in lists for member in words}


_NEEDED: Final = frozenset({"code", "agency", "host", "data", "named_by", "authenticated_by"})
_LISTED: Final = {
    "problem_types": _words(ProblemType),
    "always_include": _words(AgencyElementType, ItemElementType, RequestElementType, UserElementType),
}
_SENSIBLE: Final[dict[str, tuple[Callable[[str], object], str]]] = {
    "listen": (_is_address, "an address and a port such as '0.0.0.0:5001' or '[::1]:5001'"),
    "time_zone": (lambda value: not value or _is_zone(value), "an IANA time zone such as 'Europe/Berlin'"),
    "url": (
        lambda value: not value or _is_reachable(value),
        "an http:// or https:// address, or tcp:// or tcps:// with a port",
    ),
    "prefix": (
        lambda value: re.fullmatch(r"(?!xml)[a-z_][a-z0-9_.-]*|", value, re.IGNORECASE),
        "a namespace prefix such as 'ns1', or '' for none",
    ),
    "content_type": (
        re.compile(r"[\w.+-]+/[\w.+-]+( ?; ?[\w.-]+=(\"[\w .-]+\"|[\w.-]+))*", re.ASCII).fullmatch,
        "a media type such as 'application/xml; charset=utf-8'",
    ),
}


def _expected(kind: Any) -> str:  # noqa: PLR0911  # one line per type
    """What a type admits, in words."""
    match inspect.type_info(kind):
        case inspect.EnumType(cls=cls):
            return f"one of {', '.join(member.value for member in cls)}"
        case inspect.LiteralType():
            return f"one of {', '.join(get_args(kind))}"
        case inspect.BoolType():
            return "true or false"
        case inspect.StrType():
            return "text in quotes"
        case inspect.IntType(ge=least, le=most):
            return "a whole number" + _range(least, most)
        case inspect.FloatType(gt=over, ge=least):
            return "a number" + (f" above {over:g}" if over is not None else _range(least, None))
        case inspect.VarTupleType(item_type=inspect.StrType()):
            return "a list of texts"
        case inspect.VarTupleType(item_type=inspect.EnumType(cls=cls)):
            return f"a list of {', '.join(member.value for member in cls)}"
        case inspect.VarTupleType():
            return "a list of tables"
        case _:
            return "a table"


def _range(least: float | None, most: float | None) -> str:
    if most is not None:
        return f" from {least} to {most}"
    return f" of at least {least}" if least is not None else ""


def _nearest(kind: Any, raw: Any) -> str:
    match inspect.type_info(kind):
        case inspect.EnumType(cls=cls):
            return _did_you_mean(raw, {member.value for member in cls})
        case inspect.LiteralType(values=values):
            return _did_you_mean(raw, values)
        case _:
            return ""


def _did_you_mean(word: object, known: Any) -> str:
    near = get_close_matches(str(word).lower(), [str(one) for one in known], 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _shown(raw: object, path: str) -> str:
    shown = repr(raw) if isinstance(raw, str) else json.dumps(raw, default=str, ensure_ascii=False)
    return MASK if _last(path) in SECRETS else shown if len(shown) <= 60 else f"{shown[:60]}…"


def _at(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _last(path: str) -> str:
    return path.rpartition(".")[2].partition("[")[0]
