"""Half a minute of what `make fuzz` does for ten: no bytes get a wrong answer, a failure, silence, or much time."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from pathlib import Path
from random import SystemRandom

import pytest

from tests.edge import fuzz
from tests.services.world import World, fill, make_world

ALWAYS_THE_SAME = 20_120_816


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = make_world(tmp_path / "data", fuzz.PARTNERS)
    await fill(made)
    yield made
    await made.store.close()


@pytest.mark.slow
async def test_the_same_messages_as_ever_are_answered(world: World) -> None:
    answered = await fuzz.fuzz(world, ALWAYS_THE_SAME, seconds=math.inf, most=2_000)
    assert answered.total() == 2_000
    assert answered["no problem"] > 20, "the messages are refused too early to tell anything"
    assert len(answered) > 10


@pytest.mark.slow
async def test_new_messages_are_answered(world: World) -> None:
    """A failure names the run, which `python -m tests.edge.fuzz --run` repeats."""
    assert (await fuzz.fuzz(world, SystemRandom().randrange(10**9), seconds=20)).total() > 0


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "no XML"),
        (b"<NCIPMessage xmlns='http://www.niso.org/2008/ncip'/>", "not valid"),
        (b"<NCIPVersionMessage/>", ""),
    ],
)
def test_a_wrong_answer_would_be_seen(answer: bytes, words: str) -> None:
    assert fuzz.fault(answer, twice=True).startswith(words) is True
    assert bool(fuzz.fault(answer, twice=True)) is bool(words)


def test_a_message_is_made_again_by_its_numbers() -> None:
    assert [fuzz.made(7, number) for number in range(50)] == [fuzz.made(7, number) for number in range(50)]
    assert len({fuzz.made(7, number) for number in range(50)}) > 40
