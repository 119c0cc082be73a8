"""`ncipd.toml`: one documented file, read into frozen structs, with every mistake reported at once.

A mistake says where (`partner[2].role`: the second `[[partner]]`), what was expected and what was found. Only secrets
may come from somewhere else: `secret = "env:NAME"` reads the environment.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from ncipd import profiles
from ncipd.circulation.partner import Partner
from ncipd.config.mistakes import Mistake, Mistakes, did_you_mean
from ncipd.config.reading import MASK, SECRETS, Reading
from ncipd.config.rules import between_partners, of_doors, of_notices, same_code
from ncipd.log import Level
from ncipd.tls import Unusable, server_context

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
    reading = Reading(environ)
    reading.mistakes += _on_profiles(table.get("partner"))
    config = reading.struct(Config, table, "")
    reading.mistakes += of_notices(config.notices if config else None)
    reading.mistakes += between_partners(table.get("partner"))
    reading.mistakes += of_doors(_tables(table, "tcp"), _tables(table, "partner"))
    if config is None or reading.mistakes:
        raise Mistakes(source, tuple(reading.mistakes))
    return msgspec.structs.replace(config, tcp=tuple(_of_partner(tcp, config.partner) for tcp in config.tcp))


def _of_partner(tcp: Tcp, partners: tuple[Partner, ...]) -> Tcp:
    """A TCP door, with the agency of its partner where it names none."""
    of = next((partner.agency for partner in partners if same_code(partner.code, tcp.partner)), "")
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
            near = did_you_mean(name, profiles.names())
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


def _tables(table: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The tables of an array of tables; in the place of what is none, an empty one."""
    found = table.get(name)
    return [one if isinstance(one, dict) else {} for one in found] if isinstance(found, list) else []
