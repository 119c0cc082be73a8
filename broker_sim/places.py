"""Where the scenarios and the schema lie: inside the installed package, else in the root of the checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent


def conformance() -> Path:
    """The folder of scenarios and agent files; raises FileNotFoundError when neither place has it."""
    return _first(_PACKAGE / "_conformance", _CHECKOUT / "conformance")


def xsd() -> Path:
    """The schema that every message is checked against; raises FileNotFoundError when neither place has it."""
    return _first(_PACKAGE / "_xsd" / "ncip_v2_02.xsd", _CHECKOUT / "xsd" / "ncip_v2_02.xsd")


def _first(*candidates: Path) -> Path:
    for candidate in candidates:
        if candidate.exists():
            return candidate
    looked = " nor ".join(str(candidate) for candidate in candidates)
    raise FileNotFoundError(
        f"broker_sim is incomplete: neither {looked} exists; install it again or run it from a checkout"
    )
