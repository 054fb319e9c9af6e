"""The result tables of a run as data frames, with the columns of its CSV files."""

from __future__ import annotations

import pandas as pd

from reports.counts import Totals
from reports.schema import CLEAN, Condition, InvalidRun, RunRecord
from reports.scores import (
    corruption_degradation,
    iou,
    mean_accuracy,
    miou,
    pixel_accuracy,
    relative_corruption_degradation,
)

__all__ = ["by_corruption", "by_group", "classes", "scores", "summary"]

SUMMARY_SCORES = ("clean_miou", "mpc", "rpc", "mcd", "mrcd")
NAN = float("nan")


def scores(record: RunRecord, totals: Totals) -> pd.DataFrame:
    """Return the table of scores.csv: models as in the run, clean first, then conditions as in the run."""
    mious = miou(totals.tp, totals.fp, totals.fn)
    pixel = pixel_accuracy(totals.tp, totals.fn)
    mean = mean_accuracy(totals.tp, totals.fn)
    rows = [
        {
            "model": model.name,
            "dataset": record.dataset["name"],
            "corruption": condition.corruption,
            "group": condition.group,
            "severity": condition.severity,
            "images": int(totals.images[m, k]),
            "miou": mious[m, k],
            "miou_low": NAN,
            "miou_high": NAN,
            "pixel_accuracy": pixel[m, k],
            "mean_accuracy": mean[m, k],
        }
        for m, model in enumerate(record.models)
        for k, condition in _clean_first(record)
    ]
    return pd.DataFrame(rows)


def classes(record: RunRecord, totals: Totals) -> pd.DataFrame:
    """Return the table of classes.csv: rows as in scores.csv, then classes as in the data set."""
    ious = iou(totals.tp, totals.fp, totals.fn)
    rows = [
        (model.name, record.dataset["name"], condition.corruption, condition.severity, name, ious[m, k, c])
        for m, model in enumerate(record.models)
        for k, condition in _clean_first(record)
        for c, name in enumerate(record.dataset["class_names"])
    ]
    return pd.DataFrame(rows, columns=["model", "dataset", "corruption", "severity", "class", "iou"])


def summary(record: RunRecord, scores: pd.DataFrame, reference: str | None) -> pd.DataFrame:
    """Return the table of summary.csv: a row per model."""
    names = [model.name for model in record.models]
    if reference is not None and reference not in names:
        raise InvalidRun(
            f"Expected `reference` to be a model of the run ({', '.join(names)}), but got '{reference}'."
        )
    curves = {name: _curves(scores[scores["model"] == name]) for name in names}
    rows = []
    for model in record.models:
        values = _summary_scores(curves[model.name], curves[reference] if reference is not None else None)
        row: dict[str, object] = {
            "model": model.name,
            "dataset": record.dataset["name"],
            "protocol": record.protocol,
            "reference": reference or "",
        }
        for name, value in zip(SUMMARY_SCORES, values, strict=True):
            row |= {name: value, f"{name}_low": NAN, f"{name}_high": NAN}
        cost = {"parameters": model.parameters, "gmacs": model.gmacs, "ms_per_image": model.ms_per_image}
        rows.append(row | {name: NAN if value is None else value for name, value in cost.items()})
    return pd.DataFrame(rows)


def by_corruption(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the mean mIoU over severities: model, corruption, group, miou; without the clean ones."""
    return _mean_miou(scores, ["model", "corruption", "group"])


def by_group(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the mean mIoU over the conditions of a group: model, group, miou; without the clean ones."""
    return _mean_miou(scores, ["model", "group"])


def _mean_miou(scores: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    corrupted = scores[scores["corruption"] != CLEAN]
    # skipna=False: a condition without a score must not make the others' mean look like the whole.
    means = corrupted.groupby(keys, sort=False)["miou"].agg(lambda column: column.mean(skipna=False))
    return means.reset_index()


def _clean_first(record: RunRecord) -> list[tuple[int, Condition]]:
    return sorted(enumerate(record.conditions), key=lambda pair: pair[1].corruption != CLEAN)


Curves = dict[str, list[float]]


def _curves(scores: pd.DataFrame) -> Curves:
    """Return one model's mIoU by severity for every corruption, clean among them."""
    return {str(name): list(column) for name, column in scores.groupby("corruption", sort=False)["miou"]}


def _summary_scores(curves: Curves, reference: Curves | None) -> tuple[float, ...]:
    """Return SUMMARY_SCORES of one model: clean mIoU, mPC, rPC, mCD, mrCD."""
    clean = curves.get(CLEAN, [NAN])[0]
    corrupted = {name: values for name, values in curves.items() if name != CLEAN}
    mpc = _mean([value for values in corrupted.values() for value in values])
    rpc = mpc / clean if clean else NAN
    if reference is None:
        return clean, mpc, rpc, NAN, NAN
    start = reference.get(CLEAN, [NAN])[0]
    cd = [corruption_degradation(values, reference[name]) for name, values in corrupted.items()]
    rcd = [
        relative_corruption_degradation(values, clean, reference[name], start)
        for name, values in corrupted.items()
    ]
    return clean, mpc, rpc, _mean(cd), _mean(rcd)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else NAN
