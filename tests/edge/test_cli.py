"""The command line as people use it: processes of its own, their exit codes and what they say."""

from __future__ import annotations

import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from unittest.mock import patch

import pytest

from ncipd import __version__, profiles
from ncipd.cli import DEMO_DOOR, app
from ncipd.desk import actions
from ncipd.desk_client import VIEWS
from tests.circulation.messages import check_out
from tests.edge.office import PREFIX, ROOT, described
from tests.edge.test_explain import INVALID, UNQUALIFIED, VALID
from tests.ports import free_port
from tests.services.world import message

WITHIN = 120  # seconds; starting Python alone takes long on a busy machine


def ncipd(*arguments: object, folder: Path | None = None, given: bytes | None = None, **environ: str) -> Any:
    """Run a command to its end; its output as text, 200 columns wide."""
    return subprocess.run(
        [sys.executable, "-m", "ncipd", *map(str, arguments)],
        cwd=folder,
        input=given,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1", "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        timeout=WITHIN,
        check=False,
    )


def inside(*arguments: object, given: bytes = b"", **environ: str) -> Any:
    """Run a command within this process: the same, but for what a process of its own costs."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    code: object = 0
    with (
        patch.dict(os.environ, {"COLUMNS": "200", "NO_COLOR": "1", **environ}),
        patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(given))),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            app([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code or 0
    written = (stream.buffer.getvalue() for stream in (out, err))  # type: ignore[attr-defined]
    return subprocess.CompletedProcess(arguments, code, *written)  # type: ignore[call-overload]


def said(done: Any) -> str:
    return str(done.stdout.decode())


def complained(done: Any) -> str:
    """What stands on standard error, which is never a stack trace."""
    text = str(done.stderr.decode())
    assert "Traceback" not in text, text
    return text


@contextmanager
def served(folder: Path, *arguments: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`ncipd serve` until the end of the block: the process, and where it listens."""
    with (
        (folder / "log").open("w+") as log,
        subprocess.Popen(
            [sys.executable, "-m", "ncipd", "serve", *map(str, arguments)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            readable, _, _ = select.select([process.stdout], [], [], WITHIN)
            line = process.stdout.readline() if readable else ""
            assert line.startswith("ncipd ready http://"), (line, (folder / "log").read_text())
            yield process, line.split()[-1]
        finally:
            process.kill()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a configuration, a store with one agency, and a token in `token`."""
    done = ncipd("init", "MY-LIB", "--name", "My Library", "--time-zone", "Europe/Berlin", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    (tmp_path / "token").write_text(said(done).splitlines()[-1])
    return tmp_path


# ---------------------------------------------------------------------------------------------- the usual


def test_a_reader_who_has_seen_enough_gets_no_stack_trace(tmp_path: Path) -> None:
    """As in `ncipd load | head -1`."""
    with subprocess.Popen(
        [sys.executable, "-m", "ncipd", "load"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()  # before anything was written
        assert process.stderr.read() == b""
        assert process.wait(WITHIN) == 1


def test_the_version_is_told() -> None:
    done = ncipd("--version")
    assert (done.returncode, said(done).strip(), done.stderr) == (0, __version__, b"")


def test_help_lists_every_command() -> None:
    text = said(ncipd("--help"))
    assert all(command in text for command in ("serve", "init", "check", "load", "explain", "desk"))


def test_what_is_no_command_ends_with_an_error() -> None:
    done = ncipd("fly")
    assert done.returncode != 0
    assert "fly" in said(done) + complained(done)


def test_the_version_is_told_without_loading_what_it_does_not_need() -> None:
    """Start-up stays quick because everything heavy is imported where it is used."""
    script = "import sys, ncipd.cli; print([m for m in ('aiohttp', 'lxml', 'sqlite3', 'msgspec') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=WITHIN)
    assert done.stdout.strip() == "[]"


# ---------------------------------------------------------------------------------------------- init and check


def test_init_makes_everything_and_shows_the_token_once(tmp_path: Path) -> None:
    done = ncipd("init", "MY-LIB", "--operator", "rosa", folder=tmp_path)
    assert done.returncode == 0
    lines = said(done).splitlines()
    assert lines[0] == "made ncipd.toml"
    assert lines[1].startswith("made agency MY-LIB in ")
    assert lines[-2] == "Token of operator rosa (shown this once, only its hash is stored):"
    assert len(lines[-1]) >= 40
    again = ncipd("init", "MY-LIB", "--operator", "rosa", folder=tmp_path)
    assert "kept agency MY-LIB" in said(again)
    assert said(again).splitlines()[-1] != lines[-1]


def test_init_refuses_in_words(tmp_path: Path) -> None:
    done = ncipd("init", "MY-LIB", "--time-zone", "Nowhere", folder=tmp_path)
    assert done.returncode == 2
    assert "'Nowhere' is not an IANA time zone" in complained(done)


def test_check_shows_the_configuration_in_force(place: Path) -> None:
    done = ncipd("check", folder=place)
    assert done.returncode == 0
    assert "port = 8080" in said(done)
    assert 'code = "MY-BROKER"' in said(done)


def test_check_says_everything_that_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(
        '[server]\nport = "x"\nprot = 1\n[[partner]]\ncode = "A"\nrole = "boker"\nsecret = "env:UNSET_ONE"\n'
    )
    done = ncipd("check", "--config", file)
    assert (done.returncode, said(done)) == (2, "")
    text = complained(done)
    for wanted in ("server.port", "server.prot", "did you mean 'port'", "partner[1].role", "'broker'", "UNSET_ONE"):
        assert wanted in text
    assert "partner[1].agency" in text


ASTRAY = """
[[partner]]
code = "A"
agency = "MY-LIBB"
[[partner]]
code = "B"
agency = "my-lib"
default_library = "MAIN"
pickup_library = "main"
lending_location = "RS"
borrowing_location = "STACKS"
"""


def test_check_and_serve_say_which_settings_name_what_the_store_does_not_have(place: Path) -> None:
    """What is not found is replaced by what is usual, so nobody would know."""
    (place / "astray.toml").write_text(ASTRAY)
    done = ncipd("check", "--config", "astray.toml", folder=place)
    assert done.returncode == 2
    assert complained(done).splitlines() == [
        "ncipd: astray.toml has 3 mistakes:",
        "  partner[1].agency: no agency in the store is called 'MY-LIBB'; there are MY-LIB",
        "  partner[2].pickup_library: MY-LIB has no library 'main'; there are MAIN",
        "  partner[2].lending_location: MY-LIB has no location 'RS'; there are STACKS",
    ]
    with served(place, "--config", "astray.toml", "--port", "0"):
        told = [json.loads(line) for line in (place / "log").read_text().splitlines()]
    assert [one["setting"] for one in told if one["event"] == "configured, but not in the store"] == [
        "partner[1].agency",
        "partner[2].pickup_library",
        "partner[2].lending_location",
    ]


def test_check_without_a_store_looks_at_the_file_alone_and_makes_none(tmp_path: Path) -> None:
    (tmp_path / "astray.toml").write_text(ASTRAY)
    assert ncipd("check", "--config", "astray.toml", folder=tmp_path).returncode == 0
    assert [one.name for one in tmp_path.iterdir()] == ["astray.toml"]


def test_check_says_so_where_the_store_is_none(place: Path) -> None:
    (place / "ncipd-data" / "ncipd.sqlite3").write_bytes(b"something else altogether")
    done = ncipd("check", folder=place)
    assert done.returncode == 2
    assert "is not an ncipd store" in complained(done)


def test_check_and_serve_look_at_the_certificates_of_tcp_doors_and_what_does_not_serve_does_not(place: Path) -> None:
    """The key may be for the one who serves alone to read."""
    with (place / "ncipd.toml").open("a") as file:
        file.write('[[tcp]]\nlisten = "127.0.0.1:0"\ncertificate = "none.pem"\n')
    for command in (["check"], ["serve", "--port", "0"]):
        done = ncipd(*command, folder=place)
        assert (done.returncode, said(done)) == (2, "")
        assert f"tcp[1].certificate: {place / 'none.pem'} cannot be read" in complained(done)
    (place / "users.csv").write_text("id\nU-1\n")
    assert "none.pem" not in complained(ncipd("load", "users", "users.csv", "--agency", "MY-LIB", folder=place))


def test_check_masks_secrets(tmp_path: Path) -> None:
    file = tmp_path / "ncipd.toml"
    file.write_text('[[partner]]\ncode = "A"\nagency = "B"\nsecret = "hush-hush"\n')
    assert "hush-hush" not in said(ncipd("check", "--config", file))


def test_check_explains_partners_and_profiles_in_words(tmp_path: Path) -> None:
    file = tmp_path / "ncipd.toml"
    file.write_text(
        '[[partner]]\ncode = "A"\nagency = "X"\nprofile = "illiad-alma"\nloan_days = 5\n'
        '[[partner]]\ncode = "a"\nagency = "Y"\n'
    )
    told = said(inside("check", "--config", file, "--partner", "A"))
    assert "Partner A of agency X" in told
    assert "profile illiad-alma ← alma" in told
    assert "Partner a of agency Y" in told, "each agency may have a partner of this code"
    for line in (
        "loan_days: 5   [ncipd.toml]",
        "problem_detail: type (the same as ProblemType)   [profile alma]",
        "pseudo_users: -, pseudopatron   [profile illiad-alma]",
        "hold_shelf_days: 10   [default]",
    ):
        assert line in told
    listed = said(inside("check", "--profiles"))
    assert [line.split()[0] for line in listed.splitlines()] == list(profiles.names())
    assert "NNCIPP" in said(inside("check", "--profile", "nncipp"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--profile", "almma"], "no profile is called 'almma'; there are alma, "),
        (["--partner", "NOBODY"], "no partner has the code 'NOBODY'; there are A"),
    ],
)
def test_check_of_what_is_not_there_names_what_is(tmp_path: Path, arguments: list[str], words: str) -> None:
    (tmp_path / "ncipd.toml").write_text('[[partner]]\ncode = "A"\nagency = "X"\n')
    done = inside("check", "--config", tmp_path / "ncipd.toml", *arguments)
    assert (done.returncode, said(done)) == (2, "")
    assert words in complained(done)


@pytest.mark.parametrize("command", ["check", "serve"])
def test_without_a_configuration_the_way_out_is_told(tmp_path: Path, command: str) -> None:
    done = ncipd(command, folder=tmp_path)
    assert done.returncode == 2
    assert "ncipd init" in complained(done)
    done = ncipd(command, "--config", "missing.toml", folder=tmp_path)
    assert done.returncode == 2
    assert "missing.toml" in complained(done)


# ---------------------------------------------------------------------------------------------- explain


@pytest.mark.parametrize(
    ("raw", "code", "words"),
    [
        (VALID, 0, ["valid", "LookupUser", "XX-FROM", "ALMA"]),
        (UNQUALIFIED, 1, ["repairable", "unqualified-version", "/NCIPMessage"]),
        (INVALID, 2, ["invalid", "UserNumber", "UserIdentifierValue"]),
        (b"<NCIPMessage", 3, ["unreadable", "Line 1"]),
    ],
    ids=["valid", "repairable", "invalid", "unreadable"],
)
def test_explain_tells_people_and_its_exit_code_tells_programs(
    tmp_path: Path, raw: bytes, code: int, words: list[str]
) -> None:
    file = tmp_path / "message.xml"
    file.write_bytes(raw)
    done = inside("explain", file)
    assert (done.returncode, done.stderr) == (code, b"")
    assert not [word for word in words if word not in said(done)]
    piped = ncipd("explain", "-", given=raw)
    assert (piped.returncode, piped.stdout) == (code, done.stdout)
    as_json = inside("explain", "--json", file)
    assert as_json.returncode == code
    assert json.loads(said(as_json))["verdict"] == words[0]


def test_explain_strict_allows_no_repair(tmp_path: Path) -> None:
    (tmp_path / "message.xml").write_bytes(UNQUALIFIED)
    assert inside("explain", "--strict", tmp_path / "message.xml").returncode == 2


CHECK_OUT = message(check_out("L1", "R-1"), partner="A").encode()


def explained(folder: Path, settings: str, raw: bytes, *arguments: str) -> Any:
    """What is said of a message as that of partner A."""
    (folder / "ncipd.toml").write_text(f'[[partner]]\ncode = "A"\nagency = "LEND"\n{settings}\n')
    (folder / "message.xml").write_bytes(raw)
    config = ("--config", folder / "ncipd.toml")
    return inside("explain", folder / "message.xml", "--partner", "A", *config, *arguments)


def test_explain_for_a_partner_says_what_would_be_done(tmp_path: Path) -> None:
    """Who is recognised, where keys are read, which settings matter; the secret is compared and not shown."""
    done = explained(tmp_path, 'profile = "oclc-circill"\nsecret = "hush"\nloan_days = 5', CHECK_OUT)
    assert done.returncode == 0
    told = said(done)
    for words in (
        "As a message of partner A of agency LEND (profile oclc-circill)",
        "To 'LEND'; recognised by application-profile-type",
        "secret: This partner must send its secret as FromAgencyAuthentication.",
        "item     from item-id                  L1",
        "request  from request-id               R-1",
        "loan_days: 5   [ncipd.toml]",
        "problem_detail: code (the type in capitals: UNKNOWN_ITEM)   [profile oclc-circill]",
    ):
        assert words in told
    assert "hush" not in told
    assert "hold_shelf_days" not in told, "that is AcceptItem's"
    plain = json.loads(said(explained(tmp_path, "", CHECK_OUT, "--json")))["partner"]
    assert (plain["recognised"], plain["recognised_by"]) == ("A", "application-profile-type")


def test_explain_for_a_partner_says_whom_the_header_names_instead(tmp_path: Path) -> None:
    other = '[[partner]]\ncode = "B"\nagency = "LEND"\n'
    raw = CHECK_OUT.replace(b">A<", b">B<")
    assert "its header names another partner, B" in said(explained(tmp_path, other, raw))
    assert "nothing in its header names this partner" in said(explained(tmp_path, "", raw))
    assert "taken for whoever is not recognised" in said(explained(tmp_path, "fallback = true", raw))


def test_explain_for_a_partner_names_the_repairs_that_are_refused(tmp_path: Path) -> None:
    assert explained(tmp_path, "", UNQUALIFIED).returncode == 1
    done = explained(tmp_path, 'refuse_repairs = ["unqualified-version"]', UNQUALIFIED)
    assert done.returncode == 2
    assert "refused repair unqualified-version: /NCIPMessage" in said(done)


def test_explain_for_a_profile_needs_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "message.xml").write_bytes(CHECK_OUT)
    done = ncipd("explain", "message.xml", "--partner", "crosslink", folder=tmp_path)
    assert done.returncode == 0
    assert "request  from ext" in said(done)
    assert "ncipd init" in complained(ncipd("explain", "message.xml", "--partner", "X", folder=tmp_path))


def test_explain_of_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    for file, words in ((tmp_path / "missing", "No such file"), (tmp_path, "Is a directory")):
        done = inside("explain", file)
        assert done.returncode == 3
        assert words in complained(done)


HOSTILE = {
    "entities": b'<!DOCTYPE a [<!ENTITY a "' + b"a" * 1000 + b'"><!ENTITY b "' + b"&a;" * 1000 + b'">]><a>&b;&b;</a>',
    "outside": b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    "deep": b"<a>" * 200_000,
    "large": b"<a>" + b"x" * 70_000_000,
    "zeros": b"\0" * 1_000_000,
    "markup": VALID.replace(b"ALMA", b"[bold red]ALMA[/] [/nothing]"),
    "escapes": VALID.replace(b"ALMA", b"&#x9b;31m&#x202e;ALMA"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_explain_survives_any_file(tmp_path: Path, what: str) -> None:
    """Nothing in it is taken for markup, nor sent to the terminal as a command."""
    (tmp_path / "message.xml").write_bytes(HOSTILE[what])
    done = inside("explain", tmp_path / "message.xml")
    complained(done)
    text = said(done)
    assert done.returncode == (0 if what in ("markup", "escapes") else 3)
    assert not [one for one in text if not one.isprintable() and one != "\n"]
    assert "root:" not in text
    if what == "markup":
        assert "[bold red]ALMA[/] [/nothing]" in text


# ---------------------------------------------------------------------------------------------- serve


def test_serve_says_where_it_listens_and_ends_with_0_when_told(place: Path) -> None:
    with served(place, "--config", "ncipd.toml", "--port", "0") as (process, url):
        done = ncipd("desk", "tasks", "--agency", "MY-LIB", "--url", url, NCIPD_TOKEN=(place / "token").read_text())
        assert done.returncode == 0, done.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(WITHIN) == 0, (place / "log").read_text()
        assert process.stdout is not None
        assert process.stdout.read() == ""
    assert "Traceback" not in (place / "log").read_text()


def test_a_second_serve_on_the_same_data_is_refused_and_the_first_goes_on(place: Path) -> None:
    with served(place, "--port", "0") as (process, url):
        done = ncipd("serve", "--port", "0", folder=place)
        assert done.returncode == 1
        assert f"another ncipd (pid {process.pid}) already serves the data folder" in complained(done)
        assert said(done) == ""
        assert ncipd("desk", "tasks", "--agency", "MY-LIB", "--url", url).returncode == 1  # it answers: no token


def test_a_port_that_is_taken_is_told_so(place: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = ncipd("serve", "--port", port, folder=place)
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in complained(done)
    assert "in use" in complained(done)


def test_a_tcp_port_that_is_taken_is_told_so(place: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with (place / "ncipd.toml").open("a") as file:
            file.write(f'[[tcp]]\nlisten = "{address}"\n')
        done = ncipd("serve", "--port", "0", folder=place)
    assert done.returncode == 1
    assert f"cannot listen on {address}: " in complained(done)
    assert "in use" in complained(done)


def test_a_demo_whose_usual_tcp_port_is_taken_goes_without_it(tmp_path: Path) -> None:
    """Two demos may run side by side."""
    port, held = free_port(), False
    while not held:
        with ExitStack() as stack:
            with suppress(OSError):  # somebody else has it: all the same, unless he goes before ncipd looks
                stack.enter_context(socket.create_server(("127.0.0.1", DEMO_DOOR)))
                held = True
            with served(tmp_path, "--demo", "--port", port) as (_, url):
                assert url.endswith(f":{port}/ncip")
        told = f"port {DEMO_DOOR} is taken" in (tmp_path / "log").read_text()
        held = held or told
    assert told


def test_a_tcp_door_for_whom_is_not_there_is_told_and_opened(place: Path) -> None:
    """An agency may still be loaded."""
    with (place / "ncipd.toml").open("a") as file:
        file.write('[[tcp]]\nlisten = "127.0.0.1:0"\nagency = "LATER"\n')
    with served(place, "--port", "0"):
        log = (place / "log").read_text()
    assert "TCP door of an unknown agency" in log
    assert "tcp://127.0.0.1:" in log


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "70000"], "70000 is no port"),
        (["--port", "-1"], "-1 is no port"),
        (["--host", "no.such.host.invalid", "--port", "0"], "cannot listen on no.such.host.invalid"),
        (["--log-level", "loud", "--port", "0"], "'loud' is no log level"),
        (["--data", "/dev/null/data", "--port", "0"], "/dev/null/data"),
    ],
)
def test_serve_with_what_cannot_be_is_told_so(place: Path, arguments: list[str], words: str) -> None:
    done = ncipd("serve", *arguments, folder=place)
    assert done.returncode in (1, 2)
    assert words in complained(done)


# ---------------------------------------------------------------------------------------------- desk


def test_desk_alone_lists_every_action_and_view_with_its_parameters() -> None:
    done = ncipd("desk")
    assert done.returncode == 0
    for name, action in actions().items():
        (line,) = [line for line in said(done).splitlines() if line.startswith(f"│ {name} ")]
        assert action.parameters.__struct_fields__[0] in line
    assert not [name for name in VIEWS if f"│ {name} " not in said(done)]


def test_every_action_and_view_has_its_own_name() -> None:
    """A name that is both would hide one of them."""
    assert not set(actions()) & set(VIEWS)


def test_every_view_is_an_endpoint() -> None:
    for view in VIEWS.values():
        assert described(f"{PREFIX}/agencies/X/{view.path.format('1')}".removeprefix(PREFIX)), view


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A served ncipd with one user, one item and one lending request: its address, and a token."""
    folder = tmp_path_factory.mktemp("desk")
    done = ncipd("init", "MY-LIB", folder=folder)
    token = said(done).splitlines()[-1]
    for kind, rows in (
        ("users", [{"primary_id": "U-1", "surname": "Reader", "given_name": "Rosa"}]),
        ("records", [{"id": "REC-1", "title": "A [bold]Book[/] \u202e\x9b31m"}]),
        ("items", [{"barcode": f"I-{number}", "record": "REC-1", "library": "MAIN"} for number in range(1, 4)]),
    ):
        (folder / f"{kind}.json").write_text(json.dumps(rows))
        done = ncipd("load", kind, f"{kind}.json", "--agency", "MY-LIB", folder=folder)
        assert done.returncode == 0, said(done) + done.stderr.decode()
    with served(folder, "--port", "0") as (_, url):
        yield url, token


def desk(running: tuple[str, str], *arguments: str, **environ: str) -> Any:
    url, token = running
    return inside("desk", *arguments, **{"NCIPD_URL": url, "NCIPD_TOKEN": token, "NCIPD_AGENCY": "MY-LIB", **environ})


def test_desk_works_the_desk_of_a_running_ncipd(running: tuple[str, str]) -> None:
    done = desk(running, "check-out", "barcode=I-1", "user=U-1", "due_date=2099-01-01")
    assert (done.returncode, complained(done)) == (0, "")
    assert said(done) == "✓ I-1 is lent to U-1 until 2099-01-01.\n"
    shown = desk(running, "item", "barcode=I-1", "--json")
    assert json.loads(said(shown))["status"] == "on-loan"
    back = desk(running, "return", "barcode=I-1")
    assert "put it back on its shelf" in said(back)


def test_desk_lists_are_tables_in_which_titles_do_nothing(running: tuple[str, str]) -> None:
    done = desk(running, "request", "user=U-1", "barcode=I-2", "--key", "hold-1")
    assert done.returncode == 0, done.stderr
    assert desk(running, "request", "user=U-1", "barcode=I-2", "--key", "hold-1").stdout == done.stdout
    tasks = said(desk(running, "tasks", "role=lending"))
    assert "A [bold]Book[/]" in tasks
    assert not [one for one in tasks if not one.isprintable() and one != "\n"]
    (task,) = json.loads(said(desk(running, "tasks", "--json")))["tasks"]
    done = desk(running, "finish-task", f"task={task['id']}")
    assert said(done) == f"✓ Task {task['id']} is done.\n"
    assert said(desk(running, "tasks")) == "nothing to do\n"
    assert "task-done" in said(desk(running, "journal"))


def test_desk_shows_one_thing_as_a_sheet_for_people(running: tuple[str, str]) -> None:
    done = desk(running, "check-out", "barcode=I-3", "user=U-1", "due_date=2099-01-01T12:00")
    assert done.returncode == 0, complained(done)
    shown = desk(running, "item", "barcode=I-3")
    lines = [line.split() for line in said(shown).splitlines()]
    assert ["barcode", "I-3"] in lines
    assert ["status", "on-loan"] in lines
    assert "{" not in said(shown)
    assert "null" not in said(shown)
    user = said(desk(running, "user", "user=U-1"))
    assert "Reader" in user
    assert "I-3" in user
    desk(running, "return", "barcode=I-3")


@pytest.mark.parametrize("columns", ["60", "80"])
def test_what_is_scanned_or_copied_is_whole_in_a_narrow_terminal(running: tuple[str, str], columns: str) -> None:
    desk(running, "check-out", "barcode=I-3", "user=U-1", "due_date=2099-01-01T12:00")
    shown = said(desk(running, "user", "user=U-1", COLUMNS=columns))
    assert "I-3" in shown
    due = datetime(2099, 1, 1, 12, tzinfo=UTC)  # as the agency reckons; shown as the clock on this wall does
    assert f"{due.astimezone():%Y-%m-%d %H:%M}" in shown
    assert "…" not in shown
    assert "…" not in said(desk(running, "journal", COLUMNS=columns))
    desk(running, "return", "barcode=I-3")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["steal"], 1, "'steal' is no action; there are approve-renewal, "),
        (["ship", "L-1"], 2, "'L-1' is no parameter; write name=value"),
        (["ship", "barcode=nothing"], 1, "No item here has the barcode 'nothing'. Scan it again"),
        (["ship", "barcod=I-1"], 1, "Unknown parameter 'barcod'. Expected: barcode?, request?, due_date?, digital?."),
        (["ship", "digital=perhaps"], 1, "digital: expected true or false, got text."),
        (["item"], 1, "item needs barcode=…"),
        (["item", "barcode=a/b ?#%"], 1, "No item here has the barcode 'a/b ?#%'."),
        (["tasks", "roll=lending"], 1, "tasks takes no roll; there are role, kind, after, most"),
        (["tasks", "role=lender"], 1, "'lender' is no role; expected one of lending, borrowing."),
        (["send-again", "message=99"], 1, "No message 99 of this agency waits or was given up."),
        (["show-request", "request=R-1"], 1, "No request here is called 'R-1'."),
        (["tasks", "--token", "wrong"], 1, "This token is not known here. Make one with `ncipd init`."),
        (["tasks", "--token", "a\nb"], 1, "check --url"),
        (["tasks", "--agency", "OTHER"], 1, "This token does not open agency 'OTHER'."),
    ],
)
def test_desk_says_no_in_words(running: tuple[str, str], arguments: list[str], code: int, words: str) -> None:
    done = desk(running, *arguments)
    assert (done.returncode, said(done)) == (code, "")
    assert words in complained(done)


def test_desk_without_an_agency_asks_for_it() -> None:
    done = inside("desk", "tasks")
    assert done.returncode == 2
    assert "--agency" in complained(done)


class _Elsewhere(BaseHTTPRequestHandler):
    """A web server that is no ncipd."""

    seen: list[tuple[str, str | None]] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers.get("Authorization")))
        if self.path.startswith("/redirects"):
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            return
        self.send_response(200 if self.path.startswith("/html") else 404)
        self.end_headers()
        self.wfile.write(b"[]" if "list" in self.path else b"<html>hello</html>")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Elsewhere)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("{elsewhere}/html", "is not answered by ncipd's desk"),
        ("{elsewhere}/html/list", "is not answered by ncipd's desk"),
        ("{elsewhere}/missing", "HTTP 404"),
        ("{elsewhere}/redirects", "HTTP 302"),
        ("http://127.0.0.1:9", "is ncipd running there?"),
        ("localhost:8080", "write --url http://host:port"),
        ("file:///etc/passwd?", "write --url http://host:port"),
        ("nonsense", "check --url"),
        ("http://[", "check --url"),
    ],
)
def test_an_address_where_no_ncipd_is_is_told_so(elsewhere: str, address: str, words: str) -> None:
    url = address.format(elsewhere=elsewhere)
    done = inside("desk", "tasks", "--agency", "X", "--url", url, "--token", "my-token")
    assert done.returncode == 1
    assert words in complained(done)
    assert "root:" not in said(done)


def test_a_token_is_not_carried_on_by_a_redirection(elsewhere: str) -> None:
    _Elsewhere.seen.clear()
    inside("desk", "tasks", "--agency", "X", "--url", f"{elsewhere}/redirects", "--token", "my-token")
    assert [path.partition("/api")[0] for path, _ in _Elsewhere.seen] == ["/redirects"]
