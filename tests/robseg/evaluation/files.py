"""The files of a run, to compare those of two runs byte by byte."""

from pathlib import Path


def tables(out: Path) -> dict[str, bytes]:
    """Return the tables of scores; the summary has times too, which differ."""
    return {path.name: path.read_bytes() for path in out.glob("*.csv") if path.name != "summary.csv"}


def counts(out: Path) -> dict[Path, bytes]:
    """Return the counts of all tallies, file by file."""
    return {path.relative_to(out): path.read_bytes() for path in (out / "counts").rglob("*.parquet")}
