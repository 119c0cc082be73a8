"""Ports for servers that must be told theirs before they open it."""

from __future__ import annotations

import random
import socket
from contextlib import suppress

#: Below what systems give to whoever asks for any port: nobody is given one of these by chance before it is opened.
_OURS = range(20_000, 32_000)


def free_port() -> int:
    """Give a port of this machine that nobody has, at 127.0.0.1."""
    for port in random.sample(_OURS, 100):
        with suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("a hundred ports were tried, and none is free")
