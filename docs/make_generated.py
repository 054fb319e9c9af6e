"""Write every file that is generated from the corruptions; `make generated` runs this program.

    python docs/make_generated.py                      # everything but the plot of speed
    python docs/make_generated.py --speed bench.json   # the plot, from pytest-benchmark's --benchmark-json

It writes the table of corruptions and the strengths that `reports` reads, the digests that the tests compare,
and the pictures and tables of docs/corruptions.md. The pictures show scikit-image's "astronaut" (NASA, public
domain).
"""

import argparse
import csv
import io
import json
import runpy
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

import corruptions

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
PAGE = ROOT / "docs" / "corruptions.md"
CORRUPTIONS = ROOT / "reports" / "scoring" / "corruptions.csv"
STRENGTHS = ROOT / "reports" / "html" / "strength.csv"
DIGESTS = ROOT / "tests" / "corruptions" / "test_digests.py"
DEVIATIONS = ROOT / "tests" / "corruptions" / "deviations.py"
TILE = 128  # pixels, the side of each image in the pictures

Picture = NDArray[np.uint8]
Strengths = dict[str, list[tuple[float, float]]]  # PSNR and SSIM for each severity of a corruption


def main() -> None:
    """Write the files that the arguments ask for."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--speed", type=Path, help="Plot the speed from this file of pytest-benchmark's --benchmark-json."
    )
    arguments = parser.parse_args()
    if arguments.speed:
        plot_speed(json.loads(arguments.speed.read_text())["benchmarks"], PICTURES / "speed.svg")
        return
    runpy.run_path(str(DIGESTS), run_name="__main__")
    CORRUPTIONS.write_text(corruption_rows(), encoding="utf-8")
    strengths = {name: measured(name) for name in corruptions.names()}
    STRENGTHS.write_text(strength_rows(strengths), encoding="utf-8")
    for group in corruptions.GROUPS:
        sheet = contact_sheet(corruptions.names(group))
        Image.fromarray(sheet).save(PICTURES / f"{group}.webp", quality=70, method=6)
    write_between("pictures", captions())
    write_between("strength", strength_table(strengths))
    write_between("parameters", parameter_table())
    write_between("deviations", runpy.run_path(str(DEVIATIONS))["table"]())


def corruption_rows() -> str:
    """Return the facts about every corruption as CSV, for `reports`, which cannot import `corruptions`."""
    header = ("corruption", "set", "group", "subsets", "severities", "moves_pixels")
    records = [corruptions.get(name) for name in corruptions.names()]
    return _csv(
        header,
        (
            (
                record.name,
                record.set_name,
                record.group,
                " ".join(record.subsets),
                len(record.severities),
                "yes" if record.moves_pixels else "no",
            )
            for record in records
        ),
    )


def strength_rows(strengths: Strengths) -> str:
    """Return the PSNR of every corruption and severity as CSV."""
    header = ("set", "version", "corruption", "severity", "psnr")
    return _csv(
        header,
        (
            (record.set_name, record.set_version, name, severity, f"{psnr:.1f}")
            for name, levels in strengths.items()
            for record in [corruptions.get(name)]
            for severity, (psnr, _) in enumerate(levels, 1)
        ),
    )


def _csv(header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


def photograph() -> Picture:
    """Return the middle of the astronaut, 256 pixels wide, so that effects a few pixels wide can be seen."""
    image: Picture = np.ascontiguousarray(data.astronaut()[0:256, 96:352])
    return image


def photographs() -> list[Picture]:
    """Return the photographs on which strength is measured; scikit-image ships all of them."""
    return [data.astronaut(), data.coffee(), data.chelsea(), data.rocket()]


def contact_sheet(names: tuple[str, ...]) -> Picture:
    """Return a row for every corruption and a column for every severity, weakest first."""
    image = photograph()
    rows = []
    for name in names:
        tiles = list(corruptions.sweep(image, name, key="picture"))
        rows.append(np.concatenate([_scaled(tile) for tile in tiles], axis=1))
    width = max(row.shape[1] for row in rows)
    white = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255) for row in rows]
    return np.concatenate(white)


def captions() -> str:
    """Return, for each group, the names of its corruptions and below them its picture, as Markdown."""
    names = {group: ", ".join(corruptions.names(group)) for group in corruptions.GROUPS}
    return "\n\n".join(
        f"**{group.capitalize()}**: {named}\n\n![{group}](pictures/{group}.webp)"
        for group, named in names.items()
    )


def _scaled(image: Picture) -> Picture:
    return np.asarray(Image.fromarray(image).resize((TILE, TILE), Image.Resampling.BOX))


def measured(name: str) -> list[tuple[float, float]]:
    """Return PSNR in dB and SSIM for each severity, averaged over the photographs."""
    pairs = [
        [(image, corrupted) for corrupted in corruptions.sweep(image, name, key=str(number))]
        for number, image in enumerate(photographs())
    ]
    return [
        (
            float(np.mean([peak_signal_noise_ratio(*pair) for pair in severity])),
            float(np.mean([structural_similarity(*pair, channel_axis=2) for pair in severity])),
        )
        for severity in zip(*pairs, strict=True)
    ]


def strength_table(strengths: Strengths) -> str:
    """Return PSNR and SSIM by severity as a Markdown table."""
    lines = ["| corruption | PSNR in dB, by severity | SSIM, by severity |", "|---|---|---|"]
    for name, levels in strengths.items():
        psnr = " ".join(f"{value:.1f}" for value, _ in levels)
        ssim = " ".join(f"{value:.2f}" for _, value in levels)
        falls = (np.diff([value for value, _ in levels]) <= 0).all()
        lines.append(f"| {name}{'' if falls else ' (not monotone)'} | {psnr} | {ssim} |")
    return "\n".join(lines)


def parameter_table() -> str:
    """Return every corruption's parameters as a Markdown table."""
    lines = ["| corruption | group | random | parameter | by severity |", "|---|---|---|---|---|"]
    for name in corruptions.names():
        record = corruptions.get(name)
        for number, parameter in enumerate(record.parameters[0]):
            values = " ".join(f"{row[parameter]:g}" for row in record.parameters)
            first = (name, record.group, "yes" if record.random else "no") if number == 0 else ("", "", "")
            lines.append(f"| {' | '.join(first)} | {parameter} | {values} |")
    return "\n".join(lines)


def write_between(mark: str, text: str) -> None:
    """Replace the text between the marks with this name in docs/corruptions.md."""
    start, end = f"<!-- {mark}: made by `make generated` -->", f"<!-- end of {mark} -->"
    before, _, rest = PAGE.read_text().partition(start)
    _, _, after = rest.partition(end)
    PAGE.write_text(f"{before}{start}\n{text}\n{end}{after}")


def plot_speed(results: list[dict[str, Any]], path: Path) -> None:
    """Plot the speed of each corruption relative to imagecorruptions, with a dot per size and severity."""
    ratios: dict[str, list[float]] = defaultdict(list)
    for result in results:
        if "reference" in result["extra_info"]:
            ratio = result["extra_info"]["reference"] / result["stats"]["median"]
            ratios[result["params"]["name"]].append(ratio)
    names = sorted(ratios, key=lambda name: float(np.median(ratios[name])))
    figure, axes = plt.subplots(figsize=(7, 5), layout="constrained")
    for row, name in enumerate(names):
        axes.plot(ratios[name], [row] * len(ratios[name]), "o", color="tab:blue", alpha=0.5, markersize=4)
    mean = float(np.exp(np.mean(np.log(np.concatenate(list(ratios.values()))))))
    axes.axvline(mean, color="tab:orange", label=f"geometric mean: x{mean:.0f}")
    axes.axvline(1, color="grey", linewidth=0.8)
    axes.set(xscale="log", xlabel="times as fast as imagecorruptions, one thread", yticks=range(len(names)))
    axes.set_yticklabels(names)
    axes.legend(loc="lower right")
    plt.rcParams["svg.hashsalt"] = "speed"
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
