"""Text for a terminal: what comes from a message or from the store can show something, but do nothing there."""

from __future__ import annotations

INSTEAD = "\N{REPLACEMENT CHARACTER}"


def plain(text: object) -> str:
    """Replace what would move the cursor, change colours or turn the direction of writing; line ends stay."""
    return "".join(one if one.isprintable() or one == "\n" else INSTEAD for one in str(text))
