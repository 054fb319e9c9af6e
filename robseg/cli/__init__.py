"""The command line. A command's module is imported when it is used, so that `robseg --help` is quick."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version

import click

from robseg.errors import IncompleteRun, InputError

__all__ = ["cli"]

# Command -> (module:object, the line that `robseg --help` shows).
COMMANDS = {
    "evaluate": (
        "robseg.cli.commands.evaluate:evaluate",
        "Evaluate models on clean and corrupted images, and write a report.",
    ),
    "report": (
        "robseg.cli.commands.report:report",
        "Score finished runs again and rewrite their tables and reports.",
    ),
    "compare": (
        "robseg.cli.commands.compare:compare",
        "Compare two models on the same images, with p-values.",
    ),
    "ranks": (
        "robseg.cli.commands.ranks:ranks",
        "Tell whether two data sets rank models and corruptions alike.",
    ),
    "gate": (
        "robseg.cli.commands.gate:gate",
        "Check a run against a baseline and rules, for continuous integration.",
    ),
    "baseline": (
        "robseg.cli.commands.baseline:baseline",
        "Keep a run's scores in a small file, for the gate.",
    ),
    "list": ("robseg.cli.commands.list:listing", "List models, data sets, corruptions or protocols."),
    "corrupt": ("robseg.cli.commands.corrupt:corrupt", "Corrupt images and save them losslessly."),
    "predict": ("robseg.cli.commands.predict:predict", "Label images with a model, and draw what it sees."),
    "corruptions": (
        "robseg.cli.commands.corruptions:corruptions_",
        "Check the corruptions against imagecorruptions.",
    ),
    "train": ("robseg.cli.commands.train:train", "Train a model on a data set."),
    "weights": (
        "robseg.cli.commands.weights:weights",
        "Fetch published weights, or tell what a file of weights is.",
    ),
    "doctor": (
        "robseg.cli.commands.doctor:doctor",
        "Show versions, devices, data and weights that were found here.",
    ),
}


class Failure(click.ClickException):
    """An error that ends the program with one line on stderr and an exit code of its own."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it off the instance


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used, and whose users' mistakes are one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; users' mistakes, unfinished work and Ctrl-C get their line and exit code."""
        try:
            return super().invoke(ctx)
        except ValueError as error:
            from reports.run.record import InvalidRun  # here: it takes a while to import

            if isinstance(error, (InputError, InvalidRun)):
                raise Failure(str(error), 2) from error
            raise
        except IncompleteRun as error:
            raise Failure(str(error), 3) from error
        except KeyboardInterrupt as error:
            raise Failure("Interrupted. The same command continues from what was saved.", 130) from error


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("robseg"), prog_name="robseg")
def cli() -> None:
    """Measure how robust a semantic-segmentation model is to image corruptions.

    \b
    robseg evaluate --model enet --corruptions all     run the grid and write a report
    robseg list models                                 what can be run
    """
