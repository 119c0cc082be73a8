"""Logs: what is said, in which form, and what is never said. Each case is a process of its own, as in production."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from textwrap import dedent

import pytest

from ncipd.log import correlate, correlation, redact


def logged(script, level="info", *, console=False):
    """The lines on standard error of a process that configures logs and runs `script`."""
    text = f"from ncipd.log import *\nimport structlog, logging\nconfigure({level!r}, console={console})\n"
    text += "log = structlog.get_logger()\n" + dedent(script)
    run = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout == ""  # only the ready line goes there
    return run.stderr.splitlines() if console else [json.loads(line) for line in run.stderr.splitlines()]


def clean(method="info", **event):
    return redact(None, method, {"event": "x", **event})


def test_a_line_is_one_json_object_with_time_level_event_and_keys():
    (line,) = logged("log.info('message answered', service='CheckOutItem', ms=1.5, count=2, ok=True, none=None)")
    assert line.pop("at").endswith("Z")
    assert line == {
        "level": "info",
        "event": "message answered",
        "service": "CheckOutItem",
        "ms": 1.5,
        "count": 2,
        "ok": True,
        "none": None,
    }


def test_less_than_the_level_is_not_said_and_off_says_nothing():
    script = "log.debug('a'); log.info('b'); log.warning('c'); log.critical('d'); logging.getLogger('x').error('e')"
    assert [line["event"] for line in logged(script)] == ["b", "c", "d", "e"]
    assert [line["event"] for line in logged(script, "warning")] == ["c", "d", "e"]
    assert [line["event"] for line in logged(script, "debug")] == ["a", "b", "c", "d", "e"]
    assert logged(script, "off") == []


def test_a_terminal_gets_text_for_people():
    (line,) = logged("log.info('message answered', service='CheckOutItem')", console=True)
    assert "message answered" in line
    assert "CheckOutItem" in line
    assert not line.startswith("{")


def test_every_line_of_a_message_carries_its_correlation_id():
    first, second, third = logged("""
        log.info('before')
        identity = correlate()
        log.info('during')
        correlate('given')
        log.info('again')
    """)
    assert "correlation" not in first
    assert len(second["correlation"]) > 8
    assert third["correlation"] == "given"


async def test_correlation_ids_differ_and_stay_in_their_task():
    async def message():
        identity = correlate()
        await asyncio.sleep(0)
        assert correlation() == identity
        return identity

    identities = await asyncio.gather(*(message() for _ in range(50)))
    assert len(set(identities)) == 50


@pytest.mark.parametrize(
    "key", ["password", "broker_secret", "token", "Authorization", "authentication_input_data", "credentials"]
)
@pytest.mark.parametrize("method", ["debug", "info", "error"])
def test_secrets_are_masked_at_every_level(key, method):
    assert clean(method, **{key: "s3cret"})[key] == "***"
    assert clean(method, inner={key: "s3cret"})["inner"][key] == "***"
    assert clean(method, many=[{key: "s3cret"}])["many"][0][key] == "***"


@pytest.mark.parametrize(
    "key",
    ["user", "user_id", "given_name", "surname", "email", "phone", "address", "birth_date", "raw", "body", "value",
     "detail", "note", "patron-barcode"],
)  # fmt: skip
def test_user_data_is_left_out_at_info_and_above_and_kept_for_debug(key):
    for method in ("info", "warning", "error", "critical"):
        assert key not in clean(method, **{key: "Ada"})
        assert clean(method, inner={key: "Ada"})["inner"] == {}
    assert clean("debug", **{key: "Ada"})[key] == "Ada"


def test_what_operators_need_stays():
    event = {"service": "RenewItem", "verdict": "Unknown User", "partner": "ALMA", "agency": "A", "item": "B1",
             "request": "R1", "repair": "no-namespace", "state": "due", "ms": 3}  # fmt: skip
    assert clean(**event) == {"event": "x", **event}


def test_an_object_is_named_by_its_class_and_bytes_by_their_number():
    class UserRow:
        def __repr__(self):
            return "UserRow(Ada)"

    event = clean(row=UserRow(), wire=b"<xml/>", long="x" * 5000)
    assert event["row"] == "<UserRow>"
    assert event["wire"] == "<6 bytes>"
    assert len(event["long"]) < 600


def test_an_exception_is_told_by_type_and_path_and_not_by_its_words():
    """Its words could hold data of the message: KeyError('user 4711')."""
    script = """
        def inner(): raise KeyError('Ada Lovelace')
        def outer():
            try: inner()
            except KeyError as error: raise ValueError('for Ada') from error
        try: outer()
        except ValueError: log.exception('a bug', service='LookupUser')
    """
    (line,) = logged(script)
    assert line["event"] == "a bug"
    assert "Ada" not in json.dumps(line)
    told = line["exception"].splitlines()
    assert told[0] == "ValueError"
    assert any("outer" in one for one in told)
    assert told[told.index("because of") + 1] == "KeyError"
    assert "Ada" not in logged(script, console=True)[-1]


def test_the_members_of_an_exception_group_are_told():
    (line,) = logged("""
        try: raise ExceptionGroup('two', [KeyError('Ada'), OSError(5, 'disk')])
        except ExceptionGroup as group: log.error('both failed', exc_info=group)
    """)
    assert line["exception"].count("containing") == 2
    assert "Ada" not in line["exception"]


def test_what_libraries_say_through_logging_comes_out_the_same_way_without_their_arguments():
    (line,) = logged("""
        logging.getLogger('aiohttp.server').warning('cannot do %s\\nfor Ada', 'Ada')
        logging.getLogger('aiohttp.access').warning('GET /ncip?user=Ada')
        logging.getLogger('asyncio').info('chatter')
    """)
    assert (line["event"], line["logger"], line["level"]) == ("cannot do %s", "aiohttp.server", "warning")


def test_an_odd_value_never_breaks_the_caller():
    script = "log.info('x', odd={1: object(), None: {2, 3}}, more=float('nan'), deep=[(1, [b'x'])])"
    (line,) = logged(script)
    assert line["odd"]["1"] == "<object>"
