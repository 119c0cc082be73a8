"""The command line: `ncipd serve`, `init`, `check`, `load`, `explain`, `desk`.

Everything heavy is imported by the command that needs it, so that `ncipd --version` and `--help` answer at once.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

from cyclopts import App, Parameter

from ncipd import __version__

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ncipd.circulation.partner import Partner
    from ncipd.config import Config
    from ncipd.explain import Explanation
    from ncipd.store.sqlite import SqliteStore

app = App(
    name="ncipd", version=__version__, help="An NCIP endpoint for libraries: lends and borrows over NCIP 1 and 2."
)

DEMO_DOOR = 8643  # the demo's port for NCIP without HTTP
LONGEST = 64_000_000  # bytes of a file that are looked at: far more than a message may have

ConfigFile = Annotated[Path | None, Parameter(help="The configuration; by default ./ncipd.toml.")]


def main() -> None:
    """Run the command line; a reader of its output that has seen enough (`| head`) ends it quietly."""
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left is flushed at the end
        raise SystemExit(1) from None


def _fail(message: str, code: int = 2) -> NoReturn:
    print(f"ncipd: {message}", file=sys.stderr)
    raise SystemExit(code)


def _configured(path: Path | None, *, files: bool = False) -> Config:
    from ncipd import config
    from ncipd.config.mistakes import Mistakes

    file = path or Path("ncipd.toml")
    if path is None and not file.exists():
        _fail("there is no ncipd.toml here; name one with --config, make one with `ncipd init`, or try `serve --demo`")
    try:
        settings = config.load(file)
        if files:
            config.check_files(settings, str(file))
        return settings
    except Mistakes as mistakes:
        _fail(str(mistakes))


# ---------------------------------------------------------------------------------------------- serve


@app.command
def serve(
    *,
    config: ConfigFile = None,
    demo: Annotated[bool, Parameter(negative="", help="Serve two demo libraries, no configuration needed.")] = False,
    data: Annotated[Path | None, Parameter(help="Data folder; the demo's is temporary unless named.")] = None,
    host: Annotated[str | None, Parameter(help="Address to listen on.")] = None,
    port: Annotated[int | None, Parameter(help="Port to listen on; 0 = any free one.")] = None,
    broker_url: Annotated[
        str, Parameter(help="Demo only: where ncipd posts its own messages to the broker.")
    ] = "http://127.0.0.1:8642/ncip",
    tcp_port: Annotated[
        int | None,
        Parameter(help="Demo only: port for NCIP without HTTP; 8643 if free, none with --port 0."),
    ] = None,
    strict: Annotated[
        bool, Parameter(negative="", help="Make no repair: refuse what the schema refuses, whoever sends it.")
    ] = False,
    log_level: Annotated[str | None, Parameter(help="debug, info, warning, error, critical or off.")] = None,
) -> None:
    """Serve NCIP over HTTP, and over TCP where configured, until SIGTERM; prints `ncipd ready URL` when it answers."""
    if demo:
        if tcp_port is None and port != 0:
            tcp_port = _demo_door(host or "127.0.0.1")
        ports = (8080 if port is None else port, tcp_port)
        _serve_demo(data, host or "127.0.0.1", ports, broker_url, strict=strict, level=log_level)
        return
    import msgspec

    settings = _configured(config, files=True)
    server = msgspec.structs.replace(
        settings.server,
        host=host if host is not None else settings.server.host,
        port=port if port is not None else settings.server.port,
        strict=strict or settings.server.strict,
    )
    store = msgspec.structs.replace(settings.store, data=str(data)) if data is not None else settings.store
    settings = msgspec.structs.replace(settings, server=server, store=store)
    _run(settings, log_level or settings.log.level, demo=False)


def _serve_demo(
    data: Path | None, host: str, ports: tuple[int, int | None], broker_url: str, *, strict: bool, level: str | None
) -> None:
    import tempfile

    import msgspec

    from ncipd.demo import demo_config, fill

    loopback = host in ("127.0.0.1", "localhost", "::1")
    with tempfile.TemporaryDirectory(prefix="ncipd-demo-") as temporary:
        settings = demo_config(broker_url, data or Path(temporary), host, *ports)
        settings = msgspec.structs.replace(settings, server=msgspec.structs.replace(settings.server, strict=strict))
        _run(settings, level or "warning", demo=loopback, prepare=fill)


def _run(settings: Config, level: str, *, demo: bool, prepare: Callable[[SqliteStore], object] | None = None) -> None:
    import asyncio
    from typing import cast, get_args

    from ncipd import log
    from ncipd.app import serve as run
    from ncipd.store.port import StoreRefused

    if not 0 <= settings.server.port <= 65535:
        _fail(f"{settings.server.port} is no port; expected 0 to 65535")
    if level not in get_args(log.Level):
        _fail(f"{level!r} is no log level; expected one of {', '.join(get_args(log.Level))}")
    log.configure(cast("log.Level", level))
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(run(settings, demo=demo, prepare=prepare))
    except StoreRefused as error:
        _fail(str(error), 1)
    except OSError as error:
        where = error.filename or f"{settings.server.host} port {settings.server.port}"
        _fail(f"cannot listen on {where}: {error.strerror or error}", 1)


def _demo_door(host: str) -> int | None:
    """Give the demo's usual port for NCIP without HTTP; None where another demo has it."""
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, DEMO_DOOR))
        except OSError:
            told = f"ncipd: port {DEMO_DOOR} is taken, so there is no NCIP without HTTP; name another with --tcp-port"
            print(told, file=sys.stderr)
            return None
    return DEMO_DOOR


def _loop_factory() -> Callable[[], Any] | None:
    """Prefer uvloop where it is installed (the extra `speed`)."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


# ---------------------------------------------------------------------------------------------- set up


@app.command
def init(
    agency: Annotated[str, Parameter(help="The agency's code, as messages name it in ToAgencyId.")],
    /,
    *,
    name: Annotated[str, Parameter(help="What the agency is called.")] = "",
    time_zone: Annotated[str, Parameter(help="Its IANA time zone, such as Europe/Berlin.")] = "UTC",
    library: Annotated[str, Parameter(help="Code of its first library.")] = "MAIN",
    operator: Annotated[str, Parameter(help="Whose desk token to make.")] = "admin",
    config: Annotated[Path, Parameter(help="The configuration file to make.")] = Path("ncipd.toml"),
) -> None:
    """Make a configuration, a store with one agency, and the first operator's token.

    Where they exist already they are kept; the operator gets a new token, and the old one of that name ends.
    """
    from ncipd.setup import SetupError, set_up

    try:
        done = set_up(
            config, agency=agency, name=name or agency, time_zone=time_zone, library=library, operator=operator
        )
    except SetupError as error:
        _fail(str(error))
    for line in done.lines:
        print(line)
    print(f"\nToken of operator {operator} (shown this once, only its hash is stored):\n{done.token}")


@app.command
def check(
    *,
    config: ConfigFile = None,
    partner: Annotated[str, Parameter(help="Explain this partner in words.")] = "",
    profile: Annotated[str, Parameter(help="Explain this profile in words; no configuration needed.")] = "",
    profiles: Annotated[bool, Parameter(negative="", help="List the profiles that partners can start from.")] = False,
) -> None:
    """Read the configuration, say everything that is wrong with it, or show it whole with secrets masked."""
    if profiles:
        _list_profiles()
    elif profile:
        _explain_profile(profile)
    elif partner:
        _explain_partner(_configured(config), partner)
    else:
        from ncipd.config import effective

        settings = _configured(config, files=True)
        _check_places(settings, config or Path("ncipd.toml"))
        print(effective(settings), end="")


def _check_places(settings: Config, file: Path) -> None:
    """Compare the agencies, libraries and locations that are named with those in the store, where there is one."""
    from ncipd.config.mistakes import Mistakes
    from ncipd.places import missing
    from ncipd.store.bulk import looking
    from ncipd.store.port import StoreRefused

    try:
        with looking(Path(settings.store.data)) as tx:
            mistakes = missing(tx, settings.partner) if tx is not None else []
    except StoreRefused as error:
        _fail(str(error))
    if mistakes:
        _fail(str(Mistakes(str(file), tuple(mistakes))))


def _list_profiles() -> None:
    from ncipd import profiles

    for name in profiles.names():
        found = profiles.load(name)
        print(f"{name:<14} {found.title} (NCIP {', '.join(found.versions)})")


def _explain_profile(name: str) -> None:
    from ncipd import portrait, profiles

    try:
        lines = list(portrait.told_of_profile(name))
    except profiles.UnknownProfileError:
        _fail(f"no profile is called {name!r}; there are {', '.join(profiles.names())}")
    print("\n".join(lines))


def _explain_partner(settings: Config, code: str) -> None:
    from ncipd import portrait

    print("\n\n".join("\n".join(portrait.told(one)) for one in _partners_called(settings, code)))


def _partners_called(settings: Config, code: str) -> list[Partner]:
    """Find the partners of a code; each agency may have one."""
    found = [one for one in settings.partner if one.code.casefold() == code.casefold()]
    if not found:
        known = ", ".join(dict.fromkeys(one.code for one in settings.partner)) or "none"
        _fail(f"no partner has the code {code!r}; there are {known}")
    return found


@app.command
def load(
    kind: Annotated[str, Parameter(help="agencies, users, records or items.")] = "",
    file: Annotated[
        Path | None, Parameter(help="A .csv, .json or .jsonl file; without one, the columns are shown.")
    ] = None,
    /,
    *,
    agency: Annotated[str, Parameter(help="Whose data it is: any code of an agency here (not for agencies).")] = "",
    config: ConfigFile = None,
    data: Annotated[Path | None, Parameter(help="The data folder, instead of the configuration's.")] = None,
    refused: Annotated[Path | None, Parameter(help="Where to write refused rows, with the reasons (CSV).")] = None,
) -> None:
    """Load agencies, users, records or items; a running ncipd keeps answering, and a repeated load makes no doubles.

    `ncipd load` alone describes the columns of every kind of file, `ncipd load users` those of one.
    """
    from ncipd.loading.command import load_command, show_columns

    if file is None:
        raise SystemExit(show_columns(kind))
    folder = data if data is not None else Path(_configured(config).store.data)
    raise SystemExit(load_command(folder, kind, file, agency=agency, refused=refused))


# ---------------------------------------------------------------------------------------------- explain


@app.command
def explain(
    file: Annotated[
        Path, Parameter(help="A file with one NCIP message; - reads standard input.", allow_leading_hyphen=True)
    ],
    /,
    *,
    as_json: Annotated[bool, Parameter(name="--json", negative="", help="For programs.")] = False,
    strict: Annotated[bool, Parameter(negative="", help="Allow no repair.")] = False,
    partner: Annotated[
        str, Parameter(help="Say what is done with it as this partner's: a code of the configuration, or a profile.")
    ] = "",
    config: ConfigFile = None,
) -> None:
    """Say what a message is, each repair made and each schema violation.

    Exit code: 0 valid, 1 repairable, 2 invalid, 3 unreadable.
    """
    from ncipd.explain import explain as look

    one, others = _partner_of(partner, config) if partner else (None, ())
    try:
        if str(file) == "-":
            raw = sys.stdin.buffer.read(LONGEST + 1)
        else:
            with file.open("rb") as opened:
                raw = opened.read(LONGEST + 1)
    except OSError as error:
        _fail(f"{file}: {error.strerror}", 3)
    told = look(raw, strict=strict, partner=one, others=others)
    if as_json:
        print(json.dumps(told.as_json(), ensure_ascii=False, indent=2))
    else:
        _print_explanation(told)
    raise SystemExit(int(told.verdict))


def _partner_of(name: str, config: Path | None) -> tuple[Partner, tuple[Partner, ...]]:
    """Find a partner by its code, else what a profile of this name would make of one; and all partners beside it."""
    from ncipd import profiles

    if config is None and not Path("ncipd.toml").exists() and name in profiles.names():
        return profiles.partner(name), ()
    settings = _configured(config)
    if name in profiles.names() and not any(one.code.casefold() == name.casefold() for one in settings.partner):
        return profiles.partner(name), ()
    return _partners_called(settings, name)[0], settings.partner


def _print_explanation(told: Explanation) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from ncipd.terminal import plain

    console = Console(highlight=False)
    colour = {"VALID": "green", "REPAIRABLE": "yellow", "INVALID": "red", "UNREADABLE": "red"}[told.verdict.name]
    console.print(f"[bold {colour}]{told.verdict.name.lower()}[/]  {escape(plain(told.service or 'no message'))}")
    if told.version:
        console.print(f"version    {escape(plain(told.version))}")
    for key, value in told.header.items():
        console.print(f"{key:<10} {escape(plain(value))}")
    if told.problem:
        console.print(escape(plain(told.problem)))
    repairs = [(one["name"], one["path"], one["detail"]) for one in told.repairs]
    violations = [(one["line"] or "", one["path"], one["found"], one["expected"]) for one in told.violations]
    for title, headings, rows in (
        ("Repairs made", ("repair", "where", "what was done"), repairs),
        ("Violations of the schema", ("line", "where", "found", "expected"), violations),
    ):
        table = Table(title=title, title_justify="left")
        for heading in headings:
            table.add_column(heading, overflow="fold")
        for row in rows:
            table.add_row(*(escape(plain(cell)) for cell in row))
        if rows:
            console.print(table)
    if told.switch_off:
        console.print(f"To refuse them from a partner, put this line into its {escape('[[partner]]')} table:")
        console.print(f"  {escape(told.switch_off)}", soft_wrap=True)
    for line in told.of_partner():
        print(plain(line))


# ---------------------------------------------------------------------------------------------- desk


@app.command
def desk(
    what: Annotated[str, Parameter(help="An action (ship, receive, …) or a view (tasks, requests, item, …).")] = "",
    /,
    *values: Annotated[str, Parameter(help="Its parameters as name=value.")],
    agency: Annotated[str, Parameter(help="The agency, by any of its codes.", env_var="NCIPD_AGENCY")] = "",
    url: Annotated[str, Parameter(help="Where ncipd listens.", env_var="NCIPD_URL")] = "http://127.0.0.1:8080",
    token: Annotated[str, Parameter(help="The operator's token.", env_var="NCIPD_TOKEN")] = "",
    key: Annotated[str, Parameter(help="Idempotency-Key: the same key does nothing twice.")] = "",
    as_json: Annotated[bool, Parameter(name="--json", negative="", help="Print the answer as JSON.")] = False,
) -> None:
    """Do at the desk what staff do, through a running ncipd; without an action, list them all."""
    from ncipd.desk_client import DeskCallError, call, list_actions
    from ncipd.desk_screen import show

    if not what:
        list_actions()
        return
    if not agency:
        _fail("name the agency with --agency (or NCIPD_AGENCY)")
    pairs = dict(value.partition("=")[::2] for value in values)
    bad = [value for value in values if "=" not in value]
    if bad:
        _fail(f"{bad[0]!r} is no parameter; write name=value, for example barcode=L-0001")
    try:
        answer = call(url, agency, what, pairs, token=token, key=key)
    except DeskCallError as error:
        from ncipd.terminal import plain

        _fail(plain(error), 1)
    if as_json:
        print(json.dumps(answer, ensure_ascii=False, indent=2))
    else:
        show(what, answer)
