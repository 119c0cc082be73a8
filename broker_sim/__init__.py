"""The other end of the wire: plays a broker through whole workflows, judges what it sees, writes down the evidence.

It shares nothing with ncipd but the grammar: its own wire code, its own two validators, its own idea of what is right.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("ncipd")
except PackageNotFoundError:  # run from a checkout that nobody installed
    __version__ = "0"
