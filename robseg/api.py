"""The Python API: what `import robseg` offers beside models and data sets."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec

from reports.run.tally import PRIMARY
from reports.tables.results import Results, load
from robseg.errors import unknown_name
from robseg.evaluation.request import Request
from robseg.models.catalogue import list_cards as list_models
from robseg.notebook import notebook_bar
from robseg.options import described

if TYPE_CHECKING:
    from reports.compare.compare import Comparison
    from reports.gate.gate import Gate

__all__ = ["Results", "compare", "evaluate", "gate", "list_models", "load"]

Asked = ParamSpec("Asked")


def _asking(
    make: Callable[Asked, Request],
) -> Callable[[Callable[[Request], Results]], Callable[Asked, Results]]:
    """Return a decorator by which a function takes what a Request is made of, in its place."""

    def decorate(function: Callable[[Request], Results]) -> Callable[Asked, Results]:
        signature = inspect.signature(Request)

        @functools.wraps(function)
        def asked(*args: Asked.args, **kwargs: Asked.kwargs) -> Results:
            for name in kwargs:
                if name not in signature.parameters:
                    kind = f"argument of robseg.{function.__name__}"
                    raise TypeError(str(unknown_name(kind, name, signature.parameters)))
            return function(make(*args, **kwargs))

        plain = [
            parameter.replace(annotation=inspect.Parameter.empty)
            for parameter in signature.parameters.values()
        ]
        asked.__signature__ = signature.replace(parameters=plain, return_annotation="Results")  # type: ignore[attr-defined]
        asked.__doc__ = (function.__doc__ or "").replace(
            "OPTIONS", described(Request).replace("\n", "\n    ")
        )
        return asked

    return decorate


@_asking(Request)
def evaluate(request: Request) -> Results:
    """Evaluate models on clean and corrupted images, and write tables and a report.

    Parameters
    ----------
    OPTIONS

    Returns
    -------
    Results
        With the DataFrames `scores`, `summary`, `classes` and more.

    Raises
    ------
    InputError
        If a name, file or option is wrong. The message says what was expected, what came and what to do.
    IncompleteRun
        If work is left over. The same call continues.

    Examples
    --------
    >>> import robseg
    >>> robseg.evaluate("enet", limit=2, corruptions="fog").summary  # doctest: +SKIP
    """
    from robseg.evaluation.processes.work import refuse_unguarded  # here: reading a run does without models
    from robseg.pipeline import execute

    refuse_unguarded()
    shown = dataclasses.replace(request, progress=request.progress or notebook_bar())
    return execute(shown, "robseg.evaluate(...)")


def compare(
    first: str | Path,
    second: str | Path,
    *,
    protocol: str | None = None,
    tally: str = PRIMARY,
    confidence: float = 0.95,
    force: bool = False,
) -> list[Comparison]:
    """Compare two runs on the same images: second - first, with paired intervals and p-values.

    Models are matched by name. If each run has only one model, these two are compared.

    Parameters
    ----------
    first, second
        Folder of a run, or FOLDER:MODEL for one of its models.
    protocol
        Protocol to score both runs under. None: the runs' own.
    tally
        Compare the scores of this tally, such as "boundary-2".
    confidence
        Confidence level of the intervals, and 1 minus the significance level.
    force
        Compare what the runs have in common even if they differ in data, protocol or pixels.

    Raises
    ------
    InputError
        If an option is wrong.
    InvalidRun
        If a run cannot be read or the two cannot be compared.
    IncompleteRun
        If a run has not ended.

    Examples
    --------
    >>> import robseg
    >>> for comparison in robseg.compare("runs/old", "runs/new"):  # doctest: +SKIP
    ...     print(comparison.table[["kind", "name", "difference", "p_holm"]])
    """
    from reports.compare.compare import compare_runs

    return compare_runs(first, second, protocol=protocol, confidence=confidence, force=force, tally=tally)


Limits = float | Mapping[str, float]


def gate(
    run: str | Path,
    baseline: str | Path | None = None,
    *,
    rules: str | Path | None = None,
    max_drop: Limits | None = None,
    max_rise: Limits | None = None,
    max_relative_drop: Limits | None = None,
    floor: Limits | None = None,
    strict: bool | None = None,
    intervals: bool | None = None,
    confidence: float = 0.95,
) -> Gate:
    """Check a run against a baseline and rules, as `robseg gate` does; `.passed` is the verdict.

    Parameters
    ----------
    run
        Folder of a run, or FOLDER:MODEL for one of its models.
    baseline
        Another run, its folder or the file of `robseg baseline save`. None: only floors are checked.
    rules
        TOML file with rules. The arguments below are added to it and override it.
    max_drop, max_rise
        Points of a score that may be lost or gained: a number, or numbers by target. Unless they say
        otherwise, one point may be lost of clean mIoU, mPC and every group and corruption. False, alone or
        for a target, is no limit.
    max_relative_drop, floor
        Share of the baseline that may be lost, and score that must be reached, in percent.
    strict
        Whether a check fails if its interval spans the limit. None: as the rules say, else no.
    intervals
        Whether the images are a sample of many, so that scores have intervals. None: as the rules say,
        else yes.
    confidence
        Confidence level of the intervals.

    Raises
    ------
    InputError
        If an option is wrong.
    InvalidRun
        If a run, baseline or rule cannot be used.
    IncompleteRun
        If a run has not ended.

    Examples
    --------
    >>> import robseg
    >>> verdict = robseg.gate("runs/new", "baseline.zip", max_drop=1.0, floor={"mpc": 30})  # doctest: +SKIP
    >>> verdict.passed  # doctest: +SKIP
    """
    from reports.gate.gate import run_gate
    from reports.gate.rules import RULES, Rules, limits_of, read_rules

    written = Rules() if rules is None else read_rules(Path(rules))
    given = dict(zip(RULES, (max_drop, max_rise, max_relative_drop, floor), strict=True))
    limits = {
        name: {**getattr(written, name), **({} if limit is None else limits_of(limit, name))}
        for name, limit in given.items()
    }
    wanted = Rules(
        **limits,
        strict=written.strict if strict is None else strict,
        intervals=written.intervals if intervals is None else intervals,
    )
    return run_gate(run, baseline, wanted, confidence)
