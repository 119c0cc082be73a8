"""What is said of a scenario in the end, and of each expectation on the way there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from broker_sim.scenario import Level

Aspect = Literal["content", "answer", "envelope", "schema", "timing", "broker"]


class Verdict(StrEnum):
    """One word per scenario."""

    PASS = "PASS"  # noqa: S105 - a verdict, not a password
    NON_STRICT = "NON-STRICT"
    FAIL = "FAIL"
    SKIP = "SKIP"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class Finding:
    """One expectation and how it turned out: requirement → expected → actual → where."""

    ok: bool
    requirement: str
    expected: str
    actual: str
    aspect: Aspect = "content"
    level: Level = "MUST"
    where: str | None = None
    line: int | None = None

    @property
    def fatal(self) -> bool:
        """Whether it ends the scenario: an unmet MUST."""
        return not self.ok and self.level == "MUST"


def of_findings(findings: Iterable[Finding]) -> Verdict:
    """FAIL for any unmet MUST, NON-STRICT when only SHOULDs are unmet, else PASS."""
    unmet = [finding for finding in findings if not finding.ok]
    if any(finding.fatal for finding in unmet):
        return Verdict.FAIL
    return Verdict.NON_STRICT if unmet else Verdict.PASS


def exit_code(verdicts: Iterable[Verdict], *, strict: bool = False, no_skips: bool = False) -> int:
    """0 all passed · 1 a conformance failure · 4 an error of the suite; skipped ones count only with ``no_skips``."""
    said = set(verdicts)
    if Verdict.ERROR in said:
        return 4
    failing = {Verdict.FAIL} | ({Verdict.NON_STRICT} if strict else set()) | ({Verdict.SKIP} if no_skips else set())
    return 1 if said & failing else 0
