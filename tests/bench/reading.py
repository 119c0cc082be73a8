"""What repairs cost: reading a valid message with all of them allowed, with none, and messages that need some.

    python -m tests.bench.reading

Both ways of reading the valid message take turns, so that a slow moment of the machine slows both; the fastest rounds
are compared.
"""

from __future__ import annotations

from collections.abc import Callable
from time import process_time

from ncipd.ncip.document import parse
from ncipd.ncip.read import read
from tests.services.world import message

VALID = message(
    "<CheckOutItem><UserId><AgencyId>LEND</AgencyId><UserIdentifierValue>LEND-USER-1</UserIdentifierValue></UserId>"
    "<ItemId><ItemIdentifierValue>L1</ItemIdentifierValue></ItemId><RequestId><AgencyId>LEND</AgencyId>"
    "<RequestIdentifierValue>R-1</RequestIdentifierValue></RequestId>"
    "<DesiredDateDue>2026-01-31T23:59:00Z</DesiredDateDue></CheckOutItem>"
)
SPOILED = {
    "version not qualified": VALID.replace("n:version", "version"),
    "no namespace": VALID.replace(' xmlns="http://www.niso.org/2008/ncip"', "").replace("n:version", "version"),
    "a date only": VALID.replace("T23:59:00Z", ""),
    "an unknown element": VALID.replace("</CheckOutItem>", "<Unheard/></CheckOutItem>"),
    "in a form": f"xml={VALID}",
}
ROUND = 200  # messages


def fastest(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Give the microseconds of processor time that each way takes for one message in its fastest round."""
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(rounds):
        for name, way in ways.items():
            started = process_time()
            for _ in range(ROUND):
                way()
            best[name] = min(best[name], (process_time() - started) / ROUND * 1_000_000)
    return best


def valid_message(rounds: int) -> dict[str, float]:
    """Measure the valid message, read with all repairs and with none."""
    raw = VALID.encode()
    return fastest(
        {"all repairs allowed": lambda: read(parse(raw)), "no repair allowed": lambda: read(parse(raw), allowed=())},
        rounds,
    )


def main() -> None:
    """Print the table."""
    valid = valid_message(60)
    for name, took in valid.items():
        print(f"{'valid, ' + name:40} {took:8.1f} µs")
    print(f"{'ratio':40} {valid['all repairs allowed'] / valid['no repair allowed']:8.3f}")
    raw = {name: text.encode() for name, text in SPOILED.items()}
    for name, took in fastest({name: lambda body=body: read(parse(body)) for name, body in raw.items()}, 20).items():
        print(f"{name:40} {took:8.1f} µs")


if __name__ == "__main__":
    main()
