"""Where everything is kept: units of work over named queries, on one embedded database."""

from __future__ import annotations
