"""`python -m tests.corpus`: what becomes of real messages, and the page of the documents that says so.

Exits 1 if a message was answered wrongly or a response was misread, 2 if there is no corpus.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from ncipd import log
from tests.corpus.judging import Judge
from tests.corpus.messages import collect
from tests.corpus.reading import Reading, read
from tests.corpus.report import is_wrong, page
from tests.corpus.running import Trial, run

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
PAGE = ROOT / "docs" / "corpus.md"
ASKING = ("request", "notification")


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; give the exit status."""
    asked = _arguments(arguments)
    if not (asked.corpus.is_dir() and asked.schemas.is_dir()):
        print(f"corpus: {asked.corpus} and {asked.schemas} are needed, and not there", file=sys.stderr)
        return 2
    log.configure("off")
    trials, readings = look(asked.corpus, asked.schemas)
    for one in trials:
        if is_wrong(one) or one.unready or (asked.refusals and one.verdict.problems):
            print(told(one))
    for reading in readings:
        if reading.wrong or (asked.refusals and not reading.understood):
            print(f"{reading.message.file}: {reading.why or 'taken for the opposite of what it says'}")
    text = page(trials, readings)
    if asked.page is not None:
        asked.page.parent.mkdir(exist_ok=True)
        asked.page.write_text(text, "utf-8")
    print(next(line for line in text.splitlines() if line.startswith("**")).strip("*"))
    return 1 if any(map(is_wrong, trials)) or any(one.wrong for one in readings) else 0


def look(corpus: Path, schemas: Path) -> tuple[list[Trial], list[Reading]]:
    """Send all requests and notifications of a corpus, and read all else."""
    messages = collect(corpus)
    with tempfile.TemporaryDirectory(prefix="ncipd-corpus-") as folder:
        asking = [one for one in messages if one.direction in ASKING]
        trials = asyncio.run(run(asking, Path(folder), Judge(schemas)))
    return trials, read([one for one in messages if one.direction not in ASKING])


def told(trial: Trial) -> str:
    """One line of a message: what was wrong with its answer, or why it was refused."""
    wrong = trial.verdict.wrong or ("success without effect" if trial.in_vain else "")
    problems = "; ".join(f"{type_} ({element})" if element else type_ for type_, element in trial.verdict.problems)
    before = f" [could not be made ready: {trial.unready}]" if trial.unready else ""
    filled = ", with dates" if trial.message.filled else ""
    return f"{trial.message.file} ({trial.side}{filled}): {wrong or problems or 'done'}{before}"


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.corpus", description="Send real messages to ncipd.")
    parser.add_argument("--corpus", type=Path, default=SHARED / "corpus", help="where the messages are")
    parser.add_argument("--schemas", type=Path, default=SHARED / "schemas", help="where the official schemas are")
    parser.add_argument("--refusals", action="store_true", help="list also what was refused or not understood")
    parser.add_argument("--page", type=Path, help="where the page is written (make corpus: docs/corpus.md)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
