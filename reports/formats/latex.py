"""Result tables as LaTeX, in Kamann & Rother's layout: a row per model, a column per corruption, by group.

They need the packages booktabs and graphicx (to rotate the names of columns), and T1 fonts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from reports.formats.documents import LONGEST, one_line
from reports.formats.ratios import stable_only
from reports.formats.text import percent
from reports.scoring.jackknife import Estimate, overlap
from reports.tables.results import Results

__all__ = ["latex_table", "latex_text"]

LOWER = ("mCD", "mrCD")  # scores of which lower ones are better
SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_",
    "%": r"\%", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}", "–": "--", "…": r"\ldots{}",
}  # fmt: skip


def latex_text(text: str, longest: int = LONGEST) -> str:
    r"""Return any text as one line of LaTeX.

    Examples
    --------
    >>> latex_text("a_b & 5 %")
    'a\\_b \\& 5 \\%'
    """
    return "".join(SPECIAL.get(character, character) for character in one_line(text, longest))


def latex_table(results: Results) -> str:
    """Return mIoU in % by model: clean, the mean over severities of every corruption, and mPC.

    With a reference, there are mCD and mrCD too. In a column, the best score is bold, and so are all whose
    intervals overlap with its.
    """
    results = stable_only(results)
    models = [str(name) for name in results.summary["model"]]
    groups = _groups(results)
    means = {
        (row["model"], row["corruption"]): _estimate(row, "miou")
        for row in results.corruptions.to_dict("records")
    }
    summary = results.summary.to_dict("records")
    columns = {"clean": [_estimate(row, "clean_miou") for row in summary]}
    columns |= {name: [means[model, name] for model in models] for names in groups.values() for name in names}
    columns["mPC"] = [_estimate(row, "mpc") for row in summary]
    if results.scoring.reference:
        columns |= {name: [_estimate(row, name.lower()) for row in summary] for name in ("mCD", "mrCD")}
    return "\n".join(_lines(results, groups, columns, models)) + "\n"


def _estimate(row: Mapping[Any, Any], column: str) -> Estimate:
    return Estimate(*(float(row[f"{column}{end}"]) for end in ("", "_low", "_high")))


def _groups(results: Results) -> dict[str, list[str]]:
    """Return the corruptions of each group."""
    groups: dict[str, list[str]] = {}
    for row in results.corruptions.to_dict("records"):
        names = groups.setdefault(str(row["group"]), [])
        if row["corruption"] not in names:
            names.append(str(row["corruption"]))
    return groups


def _lines(
    results: Results, groups: dict[str, list[str]], columns: dict[str, list[Estimate]], models: list[str]
) -> list[str]:
    scoring, record = results.scoring, results.record
    ends = len(columns) - sum(map(len, groups.values())) - 1
    spans = " & ".join(
        rf"\multicolumn{{{len(names)}}}{{c}}{{{latex_text(group)}}}" for group, names in groups.items()
    )
    heads = " & ".join(rf"\rotatebox{{90}}{{{latex_text(name.replace('_', ' '))}}}" for name in columns)
    cells = [_column(values, lower=name in LOWER) for name, values in columns.items()]
    rows = [
        " & ".join([latex_text(model), *(column[place] for column in cells)]) + r" \\"
        for place, model in enumerate(models)
    ]
    against = f" mCD and mrCD against {scoring.reference}." if scoring.reference else ""
    caption = (
        f"mIoU in % on {record.dataset['name']} ({len(record.images)} images), protocol {record.protocol}, "
        f"each corruption averaged over its severities. Bold: the best score, and those whose "
        f"interval overlaps with its.{against}"
    )
    return [
        "% needs \\usepackage{booktabs,graphicx}",
        r"\begin{table*}",
        r"\centering",
        rf"\caption{{{latex_text(caption, 1000)}}}",
        r"\setlength{\tabcolsep}{3pt}",
        rf"\begin{{tabular}}{{l{'r' * len(columns)}}}",
        r"\toprule",
        *([f" & & {spans}{' &' * ends} \\\\"] if groups else []),
        rf"model & {heads} \\",
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table*}",
    ]


def _column(values: list[Estimate], *, lower: bool) -> list[str]:
    """Return the texts of a column; the best of several is bold, and what its interval overlaps with."""
    defined = [each for each in values if not math.isnan(each.value)]
    best = (min if lower else max)(defined) if len(defined) > 1 else None
    texts = [(each, latex_text(percent(each.value))) for each in values]
    return [
        rf"\textbf{{{text}}}" if best and (each is best or overlap(each, best)) else text
        for each, text in texts
    ]
