"""A load as people watch it: a bar on a terminal, now and then a plain line elsewhere, both on standard error."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from ncipd.loading.load import Progress

PLAIN_EVERY = 5.0  # seconds between plain lines


@contextlib.contextmanager
def shown_progress(title: str, *, console: Console | None = None) -> Iterator[Callable[[Progress], None]]:
    """Give what `load_file` tells of its progress, and show it under `title`."""
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield _plain(title, console)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[rows]:,} rows"),
        TextColumn("[red]{task.fields[refused]}"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=None, rows=0, refused="")

        def told(progress: Progress) -> None:
            refused = f"{progress.refused:,} refused" if progress.refused else ""
            bar.update(task, total=progress.size, completed=progress.position, rows=progress.rows, refused=refused)

        yield told


def _plain(title: str, console: Console) -> Callable[[Progress], None]:
    spoke = monotonic()

    def told(progress: Progress) -> None:
        nonlocal spoke
        if monotonic() - spoke >= PLAIN_EVERY:
            spoke = monotonic()
            share = 100 * progress.position // max(progress.size, 1)
            console.print(f"{title}: {share} %, {progress.rows:,} rows, {progress.refused:,} refused", highlight=False)

    return told
