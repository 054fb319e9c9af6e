"""The result tables of a run as data frames, with the columns of its CSV files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reports.run.record import CLEAN, Condition
from reports.run.tally import PERCENT
from reports.scoring import aggregate
from reports.scoring.aggregate import ModelCurves, model_curves
from reports.scoring.jackknife import interval
from reports.scoring.protocols import Protocol
from reports.scoring.reference import Reference
from reports.scoring.replicates import Replicates

__all__ = [
    "classes",
    "clean_first",
    "corruptions",
    "ends",
    "groups",
    "measured",
    "scores",
    "severities",
    "summary",
    "with_interval",
]

NAN = float("nan")


def ends(*names: str) -> list[str]:
    """Return the columns of scores with intervals: for each score its name, its low end and its high end."""
    return [f"{name}{end}" for name in names for end in ("", "_low", "_high")]


CORRUPTION_COLUMNS = [
    *("model", "dataset", "corruption", "group", "severities"),
    *ends("miou", "retention", "degradation", "cd", "rcd"),
]

Floats = NDArray[np.float64]


def scores(scored: Replicates) -> pd.DataFrame:
    """Return the table of scores.csv: models in the run's order, each with its clean condition first."""
    record = scored.record
    return pd.DataFrame(
        [
            {
                "model": model.name,
                "dataset": record.dataset["name"],
                "corruption": condition.corruption,
                "group": condition.group,
                "severity": condition.severity,
                "images": int(scored.totals.images[m, k]),
                **values,
            }
            for m, model in enumerate(record.models)
            for (k, condition), values in zip(
                clean_first(record.conditions), measured(scored, m), strict=True
            )
        ]
    )


def measured(scored: Replicates, model: int) -> list[dict[str, float]]:
    """Return a model's measures over all classes, one dictionary per condition, in `clean_first` order.

    The ends of its interval follow each measure that has one.
    """
    columns: dict[str, Floats] = {}
    for measure in scored.tally.measures:
        if measure.by_class:
            continue
        columns[measure.name] = scored.on_all_images(measure)[model]
        if measure.interval:
            values = scored.measures[measure.name][model]
            low, high = interval(values, scored.confidence, share=measure.unit == PERCENT)
            columns |= {f"{measure.name}_low": low, f"{measure.name}_high": high}
    return [
        {name: values[k] for name, values in columns.items()}
        for k, _ in clean_first(scored.record.conditions)
    ]


def classes(scored: Replicates) -> pd.DataFrame:
    """Return the table of classes.csv: for each row of scores.csv, a row per class of the data set."""
    record = scored.record
    values = {m.name: scored.on_all_images(m) for m in scored.tally.measures if m.by_class}
    rows = [
        (
            *(model.name, record.dataset["name"], condition.corruption, condition.severity, name),
            *(value[m, k, c] for value in values.values()),
        )
        for m, model in enumerate(record.models)
        for k, condition in clean_first(record.conditions)
        for c, name in enumerate(record.dataset["class_names"])
    ]
    columns = ["model", "dataset", "corruption", "severity", "class", *values]
    return pd.DataFrame(rows, columns=columns)


def summary(scored: Replicates, protocol: Protocol, reference: Reference | None) -> pd.DataFrame:
    """Return the table of summary.csv: a row per model."""
    rows = []
    for m, model in enumerate(scored.record.models):
        curves = _curves(scored, m)
        mpc = aggregate.mean_performance(curves, protocol)
        row: dict[str, object] = {
            "model": model.name,
            "dataset": scored.record.dataset["name"],
            "protocol": scored.record.protocol,
            "reference": reference.name if reference else "",
        }
        row |= with_interval(scored, "clean_miou", curves.clean, share=True)
        row |= with_interval(scored, "mpc", mpc, share=True)
        row |= with_interval(scored, "rpc", aggregate.retention(mpc, curves.clean))
        pair = (
            aggregate.mean_degradations(curves, reference.curves, protocol)
            if reference
            else (np.full_like(mpc, NAN), np.full_like(mpc, NAN))
        )
        for name, values in zip(("mcd", "mrcd"), pair, strict=True):
            row |= with_interval(scored, name, values)
        timed = model.ms_per_image if model.ms_range else None  # older runs timed a busy machine
        cost = {"parameters": model.parameters, "gmacs": model.gmacs, "ms_per_image": timed}
        rows.append(row | {name: NAN if value is None else value for name, value in cost.items()})
    return pd.DataFrame(rows)


def corruptions(scored: Replicates, reference: Reference | None) -> pd.DataFrame:
    """Return the table of corruptions.csv: means over severities by model and corruption, with D, CD, rCD."""
    rows = []
    corrupted = dict.fromkeys(c.corruption for c in scored.record.conditions if c.corruption != CLEAN)
    group_of = _groups(scored.record.conditions)
    for m, model in enumerate(scored.record.models):
        curves = _curves(scored, m)
        means = aggregate.by_corruption(curves)
        ratios = aggregate.degradations(curves, reference.curves) if reference else {}
        for name in corrupted:
            undefined = np.full_like(means[name], NAN)
            cd, rcd = ratios.get(name, (undefined, undefined))
            rows.append(
                {
                    "model": model.name,
                    "dataset": scored.record.dataset["name"],
                    "corruption": name,
                    "group": group_of[name],
                    "severities": " ".join(map(str, sorted(curves.severities[name]))),
                    **with_interval(scored, "miou", means[name], share=True),
                    **with_interval(scored, "retention", aggregate.retention(means[name], curves.clean)),
                    **with_interval(scored, "degradation", 1 - means[name], share=True),
                    **with_interval(scored, "cd", cd),
                    **with_interval(scored, "rcd", rcd),
                }
            )
    return pd.DataFrame(rows, columns=CORRUPTION_COLUMNS)


def groups(scored: Replicates) -> pd.DataFrame:
    """Return the table of groups.csv: means over the conditions of a group, by model."""
    group_of = _groups(scored.record.conditions)
    return _means(scored, "group", [aggregate.by_group(c, group_of) for c in _all_curves(scored)])


def severities(scored: Replicates) -> pd.DataFrame:
    """Return the table of severities.csv: means over the corruptions that have a severity, by model."""
    return _means(scored, "severity", [aggregate.by_severity(c) for c in _all_curves(scored)])


def _means(
    scored: Replicates, column: str, means: Sequence[dict[str, Floats] | dict[int, Floats]]
) -> pd.DataFrame:
    """Return a table of mIoU and retention by model and `column`, from each model's replicates."""
    rows = [
        {
            "model": model.name,
            "dataset": scored.record.dataset["name"],
            column: name,
            **with_interval(scored, "miou", values, share=True),
            **with_interval(scored, "retention", aggregate.retention(values, _curves(scored, m).clean)),
        }
        for m, model in enumerate(scored.record.models)
        for name, values in means[m].items()
    ]
    return pd.DataFrame(rows, columns=["model", "dataset", column, *ends("miou", "retention")])


def with_interval(scored: Replicates, name: str, values: Floats, *, share: bool = False) -> dict[str, float]:
    """Return a score and the ends of its interval, keyed by the names of their columns.

    `share` says that the score cannot leave 0..1.
    """
    low, high = interval(values, scored.confidence, share=share)
    return {name: float(values[0]), f"{name}_low": float(low), f"{name}_high": float(high)}


def _curves(scored: Replicates, model: int) -> ModelCurves:
    return model_curves(scored.headline[model], scored.record.conditions)


def _all_curves(scored: Replicates) -> list[ModelCurves]:
    return [_curves(scored, m) for m in range(len(scored.record.models))]


def _groups(conditions: Sequence[Condition]) -> dict[str, str]:
    return {condition.corruption: condition.group for condition in conditions}


def clean_first(conditions: Sequence[Condition]) -> list[tuple[int, Condition]]:
    """Return the conditions with their indices in the run, the clean one first."""
    return sorted(enumerate(conditions), key=lambda pair: pair[1].corruption != CLEAN)
