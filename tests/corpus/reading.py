"""The responses of the corpus, read as the initiator reads what comes back."""

from __future__ import annotations

from dataclasses import dataclass

from ncipd.initiator import Undelivered, understand
from tests.corpus.judging import problems
from tests.corpus.messages import Message
from tests.corpus.said import parsed


@dataclass(frozen=True)
class Reading:
    """What the initiator made of one response."""

    message: Message
    #: Whether it knows what the response is of, or that it is a problem and nothing else.
    understood: bool
    #: The problems that are in it, whether they are recognised, and how many of them are told.
    has_problem: bool
    tells_problem: bool
    #: Why nothing could be made of it.
    why: str = ""

    @property
    def wrong(self) -> bool:
        """Whether a refusal is taken for success, or success for a refusal."""
        return self.understood and self.has_problem != self.tells_problem


def read(messages: list[Message]) -> list[Reading]:
    """Read responses; whatever else is raised than the initiator's own word for what it cannot use goes through."""
    readings = []
    for message in messages:
        has_problem = bool(problems(parsed(message.raw)))
        try:
            answer = understand(message.raw, "corpus")
        except Undelivered as error:
            readings.append(Reading(message, False, has_problem, False, str(error)))
            continue
        known = type(answer.response).__name__ == message.type if answer.response is not None else bool(answer.problems)
        readings.append(Reading(message, known, has_problem, bool(answer.problems)))
    return readings
