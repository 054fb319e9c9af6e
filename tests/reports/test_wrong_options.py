"""Options of scoring that cannot be meant are refused in a line, in Python as on the command line."""

import math
from typing import Any

import pytest

import robseg
from reports.ranks.ranks import rank_runs
from reports.run.errors import InputError
from reports.run.typed import shown
from tests.reports.synthetic import SyntheticRun


@pytest.mark.parametrize("confidence", [math.nan, math.inf, 0, 1, 10**5000, "0.95", None, True], ids=shown)
def test_a_confidence_is_a_share(confidence: Any, run: SyntheticRun) -> None:
    folder = run.folder
    calls = (
        lambda: robseg.load(folder, confidence=confidence),
        lambda: robseg.compare(folder, folder, confidence=confidence),
        lambda: robseg.gate(folder, floor={"mpc": 1}, confidence=confidence),
        lambda: rank_runs(folder, folder, confidence=confidence),
    )
    for call in calls:
        with pytest.raises(InputError, match="Expected a confidence level between 0 and 1"):
            call()


@pytest.mark.parametrize("resamples", [99, 100_001, 10**5000, 2000.0, math.nan, "2000", True], ids=shown)
def test_resamples_are_refused_before_they_fill_the_memory(resamples: Any, run: SyntheticRun) -> None:
    with pytest.raises(InputError, match="Expected `resamples` to be a whole number from 100 to 100000"):
        rank_runs(run.folder, run.folder, resamples=resamples)
