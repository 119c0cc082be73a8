"""`ncipd init`: a configuration, a store with one agency, and an operator's token."""

from __future__ import annotations

import json
import secrets
import time
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ncipd import config as configuration
from ncipd.circulation.clock import zone_info
from ncipd.circulation.model import Agency
from ncipd.config.mistakes import Mistakes
from ncipd.store.bulk import BulkConnection
from ncipd.store.port import StoreError

if TYPE_CHECKING:
    from ncipd.store.port import Transaction

TEMPLATE = """\
# ncipd: see the README for every setting; `ncipd check` shows all of them with their defaults.

[server]
host = "127.0.0.1"
port = 8080

[store]
data = "ncipd-data"

# One table for each broker or library system that talks to you.
[[partner]]
code = "MY-BROKER"            # what it sends as ApplicationProfileType
agency = {agency}
role = "broker"
sides = "both"                # both, lending or borrowing
# url = "https://broker.example.org/ncip"    # where our own messages to it go

# A port for a partner that speaks NCIP without HTTP, with or without TLS.
# [[tcp]]
# listen = "0.0.0.0:5001"
# partner = "MY-BROKER"
# certificate = "server.pem"
# private_key = "server.key"
"""

_WITHOUT_PARTNER = (
    "no partner in {file} belongs to {agency}, so nobody can talk to it yet: add a [[partner]] table with a code and "
    "agency = {quoted}, then start ncipd again"
)


class SetupError(Exception):
    """Something that keeps ncipd from being set up."""


class Done(NamedTuple):
    """What was made, in lines for the terminal, and the token."""

    lines: list[str]
    token: str


def set_up(file: Path, *, agency: str, name: str, time_zone: str, library: str, operator: str) -> Done:
    """Make what does not exist yet; raises SetupError."""
    lines = []
    agency, library, operator = agency.strip(), library.strip(), operator.strip()
    for what, text in (("agency", agency), ("library", library), ("operator", operator)):
        if not text or not text.isprintable():
            message = f"{text!r} is no name for the {what}; expected a code such as 'MY-LIB'"
            raise SetupError(message)
    try:
        zone_info(time_zone)
        if not file.exists():
            file.write_text(TEMPLATE.format(agency=_quoted(agency)), "utf-8")
            lines.append(f"made {file}")
        settings = configuration.load(file)
        with BulkConnection(Path(settings.store.data)) as bulk, bulk.chunk() as tx:
            made = _agency(tx, agency, name, time_zone, library)
            lines.append(f"{'made' if made else 'kept'} agency {agency} in {settings.store.data}")
            if not any(_is_called(tx, agency, partner.agency) for partner in settings.partner):
                lines.append(_WITHOUT_PARTNER.format(file=file, agency=agency, quoted=_quoted(agency)))
            token = _operator(tx, agency, operator)
    except OSError as error:
        message = f"{file} cannot be made: {error.strerror or error}"
        raise SetupError(message) from error
    except (ValueError, StoreError, Mistakes) as error:
        raise SetupError(str(error)) from error
    return Done(lines, token)


def _agency(tx: Transaction, code: str, name: str, time_zone: str, library: str) -> bool:
    if tx.one("agency_by_code", Agency._make, folded=code.upper()) is not None:
        return False
    number = tx.insert("insert_agency", code=code, name=name, time_zone=time_zone, network="")
    tx.run("insert_agency_code", folded=code.upper(), agency=number, code=code)
    place = tx.insert("upsert_library", agency=number, code=library, name=library)
    tx.insert("upsert_location", agency=number, library=place, code="STACKS", name="Stacks")
    return True


def _is_called(tx: Transaction, agency: str, code: str) -> bool:
    """Say whether a code is one of those of an agency."""
    found, same = (tx.one("agency_by_code", Agency._make, folded=one.strip().upper()) for one in (agency, code))
    return found is not None and found == same


def _quoted(text: str) -> str:
    """Write a text as TOML has it."""
    return json.dumps(text, ensure_ascii=False)


def _operator(tx: Transaction, agency: str, name: str) -> str:
    found = tx.one("agency_by_code", Agency._make, folded=agency.upper())
    if found is None:
        message = f"agency {agency!r} is not in the store"
        raise SetupError(message)
    token = secrets.token_urlsafe(32)
    tx.insert(
        "insert_operator",
        agency=found.id,
        name=name,
        token_hash=sha256(token.encode()).digest(),
        created_at=time.time_ns() // 1000,
    )
    return token
