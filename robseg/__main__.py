"""The console script `robseg`, also `python -m robseg`."""

from robseg.cli import cli
from robseg.cli.output import outlive_outputs

__all__ = ["main"]


def main() -> None:
    """Run the command line.

    Exit codes: 0 done, 1 gate failed, 2 bad input, 3 incomplete, 70 a fault of robseg, 130 interrupted.
    """
    outlive_outputs()
    cli(prog_name="robseg")


if __name__ == "__main__":
    main()
