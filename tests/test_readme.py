"""The README's first message gets the answer that the README shows."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from tests.readme import README


@pytest.fixture
def target() -> Iterator[str]:
    """A demo that runs as a user runs it."""
    command = [sys.executable, "-m", "ncipd", "serve", "--demo", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("ncipd ready http://127.0.0.1:")
        yield line.split()[-1]
        process.terminate()
        assert process.wait(60) == 0


def test_the_first_message_is_answered_as_shown(target: str) -> None:
    """Only the due date moves, with the day on which it is read."""
    text = README.read_text("utf-8")
    message = re.search(r"<<'XML'\n(.*?)\nXML\n", text, re.DOTALL)
    shown = re.search(r"<!-- answer -->\n```xml\n(.*?)```", text, re.DOTALL)
    assert message is not None
    assert shown is not None
    request = urllib.request.Request(target, data=message[1].encode(), headers={"Content-Type": "application/xml"})
    with urllib.request.urlopen(request) as answer:
        raw = answer.read()
    indented = etree.tostring(
        etree.fromstring(raw, etree.XMLParser(remove_blank_text=True)), pretty_print=True
    ).decode()
    assert _undated(indented) == _undated(shown[1])
    with urllib.request.urlopen(request) as again:
        assert again.read() == raw


def _undated(text: str) -> str:
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z", "DATE", text).strip()
