import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import pytest

import reports
from reports.gate.document import gate_document
from reports.gate.gate import Gate, run_gate
from reports.gate.rules import OFF, Rules
from reports.run.errors import InvalidRun, MissingCounts
from reports.run.packed import pack
from reports.tallies import find
from tests.reports.synthetic import SyntheticRun, row_of, write_shard

DEFAULT = Rules(max_drop={"default": 1.0})
OTHERS_OFF = {"default": OFF}
NOTHING = {name: [0, 0, 0] for name in ("tp", "fp", "fn")}
EVIL = '"><script>|::error::\n]]>&%0A\x00\ufffe@all ' + "x" * 10_000


def saved(run: SyntheticRun, path: Path) -> Path:
    path.write_bytes(pack(run.folder, run.record, find))
    return path


def verdicts(gate: Gate) -> dict[tuple[str, str], str]:
    return {(check.model, check.target): check.verdict for check in gate.checks}


@pytest.fixture(params=["run", "file"])
def baseline(request: pytest.FixtureRequest, pristine: SyntheticRun, tmp_path: Path) -> Path:
    """The pristine run, as itself and as a small file."""
    return pristine.folder if request.param == "run" else saved(pristine, tmp_path / "baseline.zip")


@pytest.fixture
def name(pristine: SyntheticRun) -> str:
    return pristine.record.models[0].name


def test_a_run_passes_against_itself_with_every_score_checked(
    run: SyntheticRun, baseline: Path, name: str
) -> None:
    gate = run_gate(run.folder, baseline, DEFAULT)
    assert (gate.verdict, gate.passed) == ("pass", True)
    targets = {check.target for check in gate.checks if check.model == name}
    corruptions = {"gaussian_noise", "fog", "snow", "jpeg_compression"}
    assert targets == {"clean", "mpc", "group:noise", "group:weather", "group:digital"} | {
        f"corruption:{corruption}" for corruption in corruptions
    }
    assert all(check.value == pytest.approx(0, abs=1e-6) for check in gate.checks)


def test_a_large_loss_of_one_corruption_fails_and_names_it(
    run: SyntheticRun, baseline: Path, name: str
) -> None:
    run.lose("fog", 0.9)
    gate = run_gate(run.folder, baseline, DEFAULT)
    assert (gate.verdict, gate.passed) == ("fail", False)
    found = verdicts(gate)
    assert found[name, "corruption:fog"] == "fail"
    assert found[name, "clean"] != "fail"
    assert found[name, "corruption:snow"] != "fail"


def test_drops_are_the_differences_of_the_tables(
    run: SyntheticRun, pristine: SyntheticRun, baseline: Path, name: str
) -> None:
    run.lose("fog", 0.5)
    gate = run_gate(run.folder, baseline, DEFAULT)
    before, after = (reports.load(path).summary["mpc"][0] for path in (pristine.folder, run.folder))
    check = next(c for c in gate.checks if (c.model, c.target) == (name, "mpc"))
    assert check.baseline == pytest.approx(before, abs=1e-6)
    assert check.score == pytest.approx(after)
    assert check.value == pytest.approx(before - after, abs=1e-6)
    assert check.low <= check.value <= check.high


def test_a_file_gives_the_same_checks_as_its_run(
    run: SyntheticRun, pristine: SyntheticRun, tmp_path: Path
) -> None:
    run.lose("fog", 0.2)
    gates = [
        run_gate(run.folder, one, DEFAULT) for one in (pristine.folder, saved(pristine, tmp_path / "b.zip"))
    ]
    assert gates[0].checks == gates[1].checks
    assert "paired" in " ".join(gates[1].notes)


def test_a_baseline_always_limits_drops_unless_they_are_declined(
    run: SyntheticRun, pristine: SyntheticRun, name: str
) -> None:
    run.lose("fog", 0.9)
    for rules in (Rules(floor={"mpc": 1.0}), Rules(max_drop={"snow": 5.0}), Rules(max_rise={"mpc": 5.0})):
        assert verdicts(run_gate(run.folder, pristine.folder, rules))[name, "corruption:fog"] == "fail"
    for baseline in (pristine.folder, None):
        declined = run_gate(run.folder, baseline, Rules(floor={"mpc": 1.0}, max_drop={"default": OFF}))
        assert {check.rule for check in declined.checks} == {"floor"}
    exempt = run_gate(run.folder, pristine.folder, Rules(max_drop={"fog": OFF}))
    assert (name, "corruption:fog") not in verdicts(exempt)
    assert (name, "corruption:snow") in verdicts(exempt)


def test_intervals_have_the_confidence_that_is_asked_for(run: SyntheticRun, pristine: SyntheticRun) -> None:
    run.lose("fog", 0.5)
    for rules in (DEFAULT, Rules(floor={"corruption:fog": 1.0})):
        wide, narrow = (
            next(
                c.high - c.low
                for c in run_gate(run.folder, pristine.folder, rules, confidence).checks
                if c.target == "corruption:fog"
            )
            for confidence in (0.95, 0.5)
        )
        assert 0 < narrow < wide / 2


def test_the_order_of_a_baselines_images_does_not_matter(run: SyntheticRun, pristine: SyntheticRun) -> None:
    run.rewrite(images=run.record.images[::-1], conditions=run.record.conditions[::-1])
    for pair in ((pristine.folder, run.folder), (run.folder, pristine.folder)):
        gate = run_gate(*pair, DEFAULT)
        assert gate.verdict == "pass"
        assert all(abs(check.high) < 1e-12 for check in gate.checks)


def test_an_interval_that_spans_the_limit_is_inconclusive_and_fails_only_a_strict_gate(
    run: SyntheticRun, pristine: SyntheticRun, tmp_path: Path, name: str
) -> None:
    run.lose("fog", 0.1)
    baseline = saved(pristine, tmp_path / "baseline.zip")
    drop = 100 * max(check.value for check in run_gate(run.folder, baseline, DEFAULT).checks)
    for strict in (False, True):
        rules = Rules(max_drop={"fog": drop + 0.01, **OTHERS_OFF}, strict=strict)
        gate = run_gate(run.folder, baseline, rules)
        assert verdicts(gate)[name, "corruption:fog"] == "inconclusive"
        assert gate.verdict == "inconclusive"
        assert gate.passed is not strict
        warned = ("the gate failed: it is strict, and not every check is conclusive.",) if strict else ()
        assert gate_document(gate).warnings == warned
    exact = run_gate(run.folder, baseline, Rules(max_drop={"fog": 0.1, **OTHERS_OFF}, intervals=False))
    assert exact.verdict == "fail"
    assert gate_document(exact).warnings == ("the gate failed.",)
    assert "these images alone" in " ".join(exact.notes)


def test_a_drop_of_just_the_limit_passes(run: SyntheticRun, pristine: SyntheticRun) -> None:
    run.lose("fog", 0.3)
    drop = next(
        c.value
        for c in run_gate(
            run.folder, pristine.folder, Rules(max_drop={"fog": 0.0, **OTHERS_OFF}, intervals=False)
        ).checks
    )
    models = [
        check.model
        for check in run_gate(run.folder, pristine.folder, Rules(max_drop={"fog": 0.0, **OTHERS_OFF})).checks
    ]
    for limit, verdict in ((100 * drop, "pass"), (100 * drop - 0.01, "fail")):
        gate = run_gate(
            run.folder, pristine.folder, Rules(max_drop={"fog": limit, **OTHERS_OFF}, intervals=False)
        )
        assert verdicts(gate)[models[0], "corruption:fog"] == verdict


def test_floors_need_no_baseline_and_hold_whatever_it_has(run: SyntheticRun, name: str) -> None:
    score = 100 * reports.load(run.folder).summary["mpc"][0]
    for floor, verdict in ((score - 20, "pass"), (score, "inconclusive"), (score + 20, "fail")):
        gate = run_gate(f"{run.folder}:{name}", None, Rules(floor={"mpc": floor}))
        assert gate.verdict == verdict
    gate = run_gate(f"{run.folder}:{name}", None, Rules(floor={"class:sky": 1, "clean-classes": 1}))
    assert len(gate.checks) == 4
    with pytest.raises(InvalidRun, match="--baseline"):
        run_gate(run.folder, None, DEFAULT)


def test_relative_drops_are_shares_of_the_baseline(run: SyntheticRun, baseline: Path, name: str) -> None:
    run.lose("fog", 0.5)
    gate = run_gate(
        run.folder, baseline, Rules(max_relative_drop={"fog": 5, "clean": 5}, max_drop=OTHERS_OFF)
    )
    check = next(c for c in gate.checks if (c.model, c.target) == (name, "corruption:fog"))
    assert check.value == pytest.approx(1 - check.score / check.baseline)
    assert check.verdict == "fail"


def test_a_rise_is_a_drop_the_other_way_round(run: SyntheticRun, baseline: Path, name: str) -> None:
    run.lose("fog", 0.5)
    rules = Rules(max_drop={"fog": 1.0, **OTHERS_OFF}, max_rise={"fog": 1.0})
    drop, rise = (c for c in run_gate(run.folder, baseline, rules).checks if c.model == name)
    assert (rise.value, rise.low, rise.high) == (-drop.value, -drop.high, -drop.low)
    assert (drop.verdict, rise.verdict) == ("fail", "pass")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"seed": 3}, "seed"),
        ({"set_versions": {"imagenet-c": "2"}}, "corruption set"),
        ({"protocol": "mpc"}, "protocol"),
        ({"precision": "bf16"}, "precision"),
        ({"images": ("0001", "0002", "0003", "0004", "0005")}, "images"),
    ],
)
def test_other_pixels_or_protocols_are_refused(
    run: SyntheticRun, baseline: Path, changes: dict[str, object], what: str
) -> None:
    run.rewrite(**changes)
    with pytest.raises(InvalidRun, match=what):
        run_gate(run.folder, baseline, DEFAULT)


def test_a_missing_condition_fails_whatever_it_is_part_of_and_nothing_else(
    run: SyntheticRun, baseline: Path, name: str
) -> None:
    kept = tuple(c for c in run.record.conditions if (c.corruption, c.severity) != ("fog", 3))
    run.rewrite(conditions=kept)
    gate = run_gate(run.folder, baseline, Rules(max_drop={"default": 1.0, "condition:fog/3": 1.0}))
    failed = {check.target for check in gate.checks if check.verdict == "fail" and check.model == name}
    assert failed == {"mpc", "group:weather", "corruption:fog", "condition:fog/3"}


def test_a_missing_model_fails_and_single_ones_belong_together(
    run: SyntheticRun, baseline: Path, name: str
) -> None:
    run.rewrite(models=run.record.models[1:])
    gate = run_gate(run.folder, baseline, DEFAULT)
    assert gate.verdict == "fail"
    assert [check.reason for check in gate.checks if check.model == name] == [
        "the run lacks this model of the baseline"
    ]


def test_models_that_the_baseline_lacks_are_named(
    run: SyntheticRun, pristine: SyntheticRun, tmp_path: Path
) -> None:
    other = pristine.copy_to(tmp_path / "other")
    other.rewrite(models=run.record.models[:1], examples=())
    gate = run_gate(run.folder, other.folder, DEFAULT)
    assert f"Models that the baseline lacks were not checked: {run.record.models[1].name}." in gate.notes


def test_an_incomplete_run_is_not_judged(run: SyntheticRun, pristine: SyntheticRun) -> None:
    next((run.folder / "counts").iterdir()).unlink()
    with pytest.raises(MissingCounts):
        run_gate(run.folder, pristine.folder, DEFAULT)


@pytest.mark.parametrize("target", ["fog", "corruptions", "corruption:fog"])
@pytest.mark.parametrize("rules_of", [lambda limit: Rules(max_drop=limit), lambda limit: Rules(floor=limit)])
def test_whatever_covers_a_missing_condition_fails(
    run: SyntheticRun,
    pristine: SyntheticRun,
    name: str,
    target: str,
    rules_of: Callable[[dict[str, float]], Rules],
) -> None:
    kept = tuple(c for c in run.record.conditions if c.corruption != "fog")
    run.rewrite(conditions=kept)
    gate = run_gate(run.folder, pristine.folder, rules_of({target: 1.0}))
    assert verdicts(gate)[name, "corruption:fog"] == "fail"


def test_without_the_clean_images_all_that_is_relative_to_them_fails(
    run: SyntheticRun, pristine: SyntheticRun, name: str
) -> None:
    run.rewrite(conditions=tuple(c for c in run.record.conditions if c.corruption != "clean"))
    rules = Rules(max_drop={"clean": 1.0, "rpc": 1.0, "mpc": 1.0, "clean-classes": 1.0, **OTHERS_OFF})
    found = {
        target: verdict
        for (model, target), verdict in verdicts(run_gate(run.folder, pristine.folder, rules)).items()
        if model == name
    }
    assert found.pop("mpc") == "pass"
    assert len(found) == 5
    assert set(found.values()) == {"fail"}


@pytest.mark.parametrize("target", ["trimap-2/fog", "trimap-2/corruption:fog"])
def test_a_score_that_a_rule_names_must_be_defined(run: SyntheticRun, target: str) -> None:
    rows = [
        row_of(
            model.name,
            condition,
            image,
            dict.fromkeys(("tp", "fp", "fn"), [4 * (condition.corruption != "fog")] * 3),
        )
        for model in run.record.models
        for condition in run.record.conditions
        for image in run.record.images
    ]
    write_shard(run.folder, "0.parquet", rows, "trimap-2")
    run.rewrite(tallies=("confusion", "trimap-2"))
    named = run_gate(run.folder, run.folder, Rules(max_drop={target: 1.0}))
    assert named.verdict == "fail"
    covered = run_gate(run.folder, run.folder, Rules(max_drop={"fog": 1.0, "trimap-2/default": 1.0}))
    assert covered.verdict == "pass", "only the fog of the primary tally is named"


def test_where_there_is_one_image_nothing_is_sure(
    run: SyntheticRun, pristine: SyntheticRun, tmp_path: Path
) -> None:
    other = pristine.copy_to(tmp_path / "other")
    for each in (run, other):
        each.rewrite(images=run.record.images[:1])
    same = run_gate(run.folder, other.folder, DEFAULT)
    assert same.verdict == "pass", "the same weights and scores, so the same predictions"
    others = tuple(dataclasses.replace(model, sha256="0" * 64) for model in run.record.models)
    other.rewrite(images=run.record.images[:1], models=others)
    gate = run_gate(run.folder, other.folder, DEFAULT)
    assert gate.verdict == "inconclusive"
    assert all(math.isnan(check.low) for check in gate.checks)
    assert "inconclusive (no interval: there are too few images)" in " ".join(gate_document(gate).lines)


def test_runs_without_a_single_labelled_pixel_are_not_green(
    run: SyntheticRun, pristine: SyntheticRun, tmp_path: Path
) -> None:
    run.change_rows(lambda row: row.update(NOTHING))
    for baseline in (run.folder, saved(run, tmp_path / "baseline.zip")):
        gate = run_gate(run.folder, baseline, DEFAULT)
        assert (gate.verdict, gate.passed, gate.checks) == ("fail", False, ())
        assert "Nothing was compared." in gate.notes


def test_an_undefined_score_fails_where_it_was_defined(run: SyntheticRun, pristine: SyntheticRun) -> None:
    run.change_rows(lambda row: row.update(NOTHING if row["corruption"] == "fog" else {}))
    gate = run_gate(run.folder, pristine.folder, Rules(max_drop={"corruptions": 1.0}))
    assert {c.verdict for c in gate.checks if c.target == "corruption:fog"} == {"fail"}


@pytest.mark.parametrize("text", ["", "{}", "[1]", "\x00\xff"])
def test_what_is_no_baseline_is_refused(run: SyntheticRun, tmp_path: Path, text: str) -> None:
    (tmp_path / "b.zip").write_text(text)
    for name in ("b.zip", "nowhere.zip"):
        with pytest.raises(InvalidRun, match=name):
            run_gate(run.folder, tmp_path / name, DEFAULT)
