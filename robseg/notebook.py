"""Shows in a Jupyter notebook how far a run is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from robseg.evaluation.progress import Progress

__all__ = ["notebook_bar"]

BETWEEN = 0.2  # seconds between two states of the bar, since each one is a message to the browser


def notebook_bar() -> Callable[[Progress], None] | None:
    """Return a callback that shows progress below the cell that is running, or None outside notebooks."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if not hasattr(shell, "kernel"):  # in a terminal, too, IPython has a shell
        return None
    from IPython.display import HTML, display

    shown = display(HTML(""), display_id=True)
    start = last = time.monotonic()

    def show(progress: Progress) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < BETWEEN and 0 < progress.done < progress.total:
            return
        last = now
        rate = f", {progress.done / (now - start):.1f}/s" if progress.done else ""
        bar = f'<progress value="{progress.done}" max="{progress.total}"></progress>'
        shown.update(HTML(f"{bar} {progress.done}/{progress.total} predictions{rate}"))

    return show
