"""How many images a gate needs."""

import pytest

from reports.formats.documents import to_markdown
from reports.gate.power import detectable_drops
from reports.run.errors import InvalidRun
from tests.reports.synthetic import SyntheticRun


def test_a_plan_names_the_score_and_the_images(run: SyntheticRun) -> None:
    text = to_markdown(detectable_drops(run.folder, [0.01, 0.02]))
    assert "images for 1 points" in text
    assert "corruption:fog" in text


def test_a_second_run_makes_the_plan_that_of_paired_differences(
    run: SyntheticRun, pristine: SyntheticRun
) -> None:
    run.lose("fog", 0.1)
    alone, paired = (
        {
            row[0]: float(row[1])
            for row in detectable_drops(run.folder, [0.01], earlier=earlier).tables[0].rows
        }
        for earlier in (None, pristine.folder)
    )
    assert 0 < paired["corruption:fog"] < alone["corruption:fog"] / 2
    assert paired["corruption:snow"] == 0 < alone["corruption:snow"]
    run.rewrite(seed=5)
    with pytest.raises(InvalidRun, match="seed"):
        detectable_drops(run.folder, [0.01], earlier=pristine.folder)
