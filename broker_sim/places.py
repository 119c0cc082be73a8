"""Where the scenarios and the schema lie: inside the installed package, else in the root of the checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent


def conformance() -> Path:
    """The folder of scenarios and agent files; raises FileNotFoundError when neither place has it."""
    return _first(_PACKAGE / "_conformance", _CHECKOUT / "conformance")


def scenarios() -> Path:
    """The folder of scenarios."""
    return conformance() / "scenarios"


def cases() -> Path:
    """The folder of cases."""
    return conformance() / "cases"


def requirements() -> Path:
    """The file of requirements that cases verify."""
    return conformance() / "requirements.toml"


def xsd(version: str = "2.02") -> Path:
    """The schema that messages of a version are checked against; raises FileNotFoundError when neither place has it.

    Whatever is valid in 2.0 or 2.01 is valid in 2.02, so version 2 needs one only.
    """
    name = f"ncip_v{version if version.startswith('1') else '2.02'}".replace(".", "_", 1) + ".xsd"
    return _first(_PACKAGE / "_xsd" / name, _CHECKOUT / "xsd" / name)


def _first(*candidates: Path) -> Path:
    for candidate in candidates:
        if candidate.exists():
            return candidate
    looked = " nor ".join(str(candidate) for candidate in candidates)
    raise FileNotFoundError(
        f"broker_sim is incomplete: neither {looked} exists; install it again or run it from a checkout"
    )
