"""Make the pictures and the tables of docs/corruptions.md.

    python docs/make_corruption_pictures.py                      # pictures and measurements
    python docs/make_corruption_pictures.py --speed bench.json   # of pytest-benchmark's --benchmark-json

The photograph is scikit-image's "astronaut" (NASA, public domain).
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

import corruptions

PICTURES = Path(__file__).parent / "pictures"
PAGE = Path(__file__).parent / "corruptions.md"
TILE = 128  # pixels, of the pictures
SEVERITIES = (1, 2, 3, 4, 5)

Picture = NDArray[np.uint8]


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--speed", type=Path, help="a file of pytest-benchmark's --benchmark-json")
    arguments = parser.parse_args()
    if arguments.speed:
        plot_speed(json.loads(arguments.speed.read_text())["benchmarks"], PICTURES / "speed.svg")
        return
    for group in corruptions.GROUPS:
        sheet = contact_sheet(corruptions.names(group))
        Image.fromarray(sheet).save(PICTURES / f"{group}.webp", quality=70, method=6)
    write_between("strength", strength_table())
    write_between("parameters", parameter_table())


def photograph() -> Picture:
    """Return the middle of the astronaut, 256 pixels wide: strengths are in pixels, and must be seen."""
    image: Picture = np.ascontiguousarray(data.astronaut()[0:256, 96:352])
    return image


def photographs() -> list[Picture]:
    """Return the photographs on which strength is measured, all shipped with scikit-image."""
    return [data.astronaut(), data.coffee(), data.chelsea(), data.rocket()]


def contact_sheet(names: tuple[str, ...]) -> Picture:
    """Return a row for every corruption and a column for every severity, mildest first."""
    image = photograph()
    rows = []
    for name in names:
        tiles = [corruptions.corrupt(image, name, severity, key="picture") for severity in SEVERITIES]
        rows.append(np.concatenate([_scaled(tile) for tile in tiles], axis=1))
    return np.concatenate(rows)


def _scaled(image: Picture) -> Picture:
    return np.asarray(Image.fromarray(image).resize((TILE, TILE), Image.Resampling.BOX))


def strength_table() -> str:
    """Return PSNR and SSIM by severity as a Markdown table."""
    lines = ["| corruption | PSNR in dB, severity 1..5 | SSIM, severity 1..5 |", "|---|---|---|"]
    for name in corruptions.names():
        measured = np.array([_strength(name, severity) for severity in SEVERITIES])
        psnr = " ".join(f"{value:.1f}" for value in measured[:, 0])
        ssim = " ".join(f"{value:.2f}" for value in measured[:, 1])
        rises = (np.diff(measured[:, 0]) <= 0).all()
        lines.append(f"| {name}{'' if rises else ' (not monotone)'} | {psnr} | {ssim} |")
    return "\n".join(lines)


def _strength(name: str, severity: int) -> tuple[float, float]:
    pairs = [
        (image, corruptions.corrupt(image, name, severity, key=str(number)))
        for number, image in enumerate(photographs())
    ]
    return (
        float(np.mean([peak_signal_noise_ratio(*pair) for pair in pairs])),
        float(np.mean([structural_similarity(*pair, channel_axis=2) for pair in pairs])),
    )


def parameter_table() -> str:
    """Return every corruption's parameters as a Markdown table."""
    lines = ["| corruption | group | random | parameter | severity 1..5 |", "|---|---|---|---|---|"]
    for name in corruptions.names():
        record = corruptions.get(name)
        for number, parameter in enumerate(record.parameters[0]):
            values = " ".join(f"{row[parameter]:g}" for row in record.parameters)
            first = (name, record.group, "yes" if record.random else "no") if number == 0 else ("", "", "")
            lines.append(f"| {' | '.join(first)} | {parameter} | {values} |")
    return "\n".join(lines)


def write_between(mark: str, text: str) -> None:
    """Replace what stands between the marks of that name in the page."""
    start, end = f"<!-- {mark}: made by make_corruption_pictures.py -->", f"<!-- end of {mark} -->"
    before, _, rest = PAGE.read_text().partition(start)
    _, _, after = rest.partition(end)
    PAGE.write_text(f"{before}{start}\n{text}\n{end}{after}")


def plot_speed(results: list[dict[str, Any]], path: Path) -> None:
    """Plot how many times as fast as imagecorruptions each corruption is, a dot per size and severity."""
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
