"""What is wrong with a configuration: where in the file, and what was expected there."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any


@dataclass(frozen=True)
class Mistake:
    """One thing wrong: where in the file, and what was expected."""

    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}" if self.path else self.text


class Mistakes(Exception):
    """A configuration that cannot be used, with everything that is wrong with it."""

    def __init__(self, source: str, mistakes: tuple[Mistake, ...]) -> None:
        self.source = source
        self.mistakes = mistakes
        count = f"{len(mistakes)} mistakes" if len(mistakes) > 1 else "a mistake"
        super().__init__("\n".join([f"{source} has {count}:", *(f"  {mistake}" for mistake in mistakes)]))


def did_you_mean(word: object, known: Any) -> str:
    """Say which known word is near to one that is not; '' where none is."""
    called = {str(one).lower(): str(one) for one in known}
    near = get_close_matches(str(word).lower(), called, 1)
    return f"; did you mean {called[near[0]]!r}?" if near else ""
