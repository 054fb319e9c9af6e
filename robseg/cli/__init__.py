"""The command line: each file in `commands` is a command, which is imported when it is used.

A command's file says its group, `GROUP`, and its one-line help, the first line of its docstring. Both are
read without importing the file, so that `robseg --help` is quick. The command itself is called `command`.
"""

from __future__ import annotations

import ast
import contextlib
import errno
import functools
import os
import tempfile
import traceback
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import click
from click.shell_completion import CompletionItem

from robseg.cli import verbosity
from robseg.cli.output import FAULT, refuse_lost_output
from robseg.errors import IncompleteRun, InputError, unknown_name
from robseg.printable import printable_streams

__all__ = ["cli"]

# What a person wants to do, in the order of the help.
GROUPS = ("Measure", "Understand", "Compare and gate", "Models and data")


class Entry(NamedTuple):
    """A command in the help."""

    name: str
    group: str
    text: str


@functools.cache
def entries() -> tuple[Entry, ...]:
    """Return all commands, by group and by name."""
    files = sorted((Path(__file__).parent / "commands").glob("[!_]*.py"))
    return tuple(sorted(map(_entry, files), key=lambda entry: GROUPS.index(entry.group)))


def _entry(file: Path) -> Entry:
    module = ast.parse(file.read_text(encoding="utf-8"))
    groups = [
        ast.literal_eval(node.value)
        for node in module.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "GROUP"
    ]
    return Entry(file.stem, groups[0], (ast.get_docstring(module) or "").splitlines()[0])


class Failure(click.ClickException):
    """An error that ends the program with one line on stderr and an exit code of its own."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it off the instance


class Commands(click.Group):
    """The group of all commands; a user's mistake is one line on stderr."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return [entry.name for entry in entries()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, imported now."""
        known = self.list_commands(ctx)
        if cmd_name not in known:
            if ctx.resilient_parsing:  # a shell completes
                return None
            raise unknown_name("command", cmd_name, known)
        command: click.Command = import_module(f"robseg.cli.commands.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands group by group."""
        known = entries()
        for group in GROUPS:
            with formatter.section(group):
                formatter.write_dl([(entry.name, entry.text) for entry in known if entry.group == group])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands and flags that go on as typed."""
        found = [
            CompletionItem(entry.name, help=entry.text)
            for entry in entries()
            if entry.name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run the command line; what it prints is printable."""
        completes = "_ROBSEG_COMPLETE" in os.environ  # click then writes bytes, for the shell alone
        with contextlib.nullcontext() if completes else printable_streams():
            return super().main(*arguments, **options)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options before the command; a wrong one gets one line too."""
        try:
            return super().parse_args(ctx, args)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            raise _usage(error) from error

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; mistakes, unfinished work, faults and Ctrl-C get their line and exit code."""
        ctx.with_resource(verbosity.on_stderr())
        try:
            done = super().invoke(ctx)
            refuse_lost_output()
            return done
        except IncompleteRun as error:  # first: MissingCounts is an InputError too
            raise _failure(error, 3) from error
        except InputError as error:
            raise _failure(error, 2) from error
        except KeyboardInterrupt as error:
            raise Failure("Interrupted. The same command continues from what was saved.", 130) from error
        except MemoryError as error:
            raise _failure("Expected more memory: free some and run the same command again.", 3) from error
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            raise _usage(error) from error
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:  # wherever a name is tried
                name = f"{str(error.filename)[:60]}..."
                raise _failure(
                    f"Expected a name that a file can have, but got {name}: shorten it.", 2
                ) from error
            raise _failure(_fault(error), FAULT) from error


def _usage(error: click.UsageError) -> Failure:
    command = error.ctx.command_path if error.ctx else "robseg"
    return _failure(f"{error.format_message()} See `{command} --help`.", 2)


def _failure(error: Exception | str, exit_code: int) -> Failure:
    verbosity.notes.debug("The error came from here:", exc_info=True)
    return Failure(str(error), exit_code)


def _fault(error: Exception) -> str:
    """Return what to do about an error that no user should see; its traceback goes to a file."""
    text = "".join(traceback.format_exception(error)).encode(errors="backslashreplace")
    try:
        with tempfile.NamedTemporaryFile(prefix="robseg-fault-", suffix=".txt", delete=False) as file:
            file.write(text)
        kept = file.name
    except OSError:
        kept = "what `robseg -v` prints"
    return (
        f"This is a fault of robseg, not yours ({type(error).__name__}). Please report it where you got "
        f"robseg from, with {kept} and the output of `robseg doctor`."
    )


@click.group(
    "robseg",
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "ROBSEG"},
    epilog="Options can also stand in a file or in the environment. Shells complete them. See docs/cli.md.",
)
# ROBSEG_VERSION is nobody's wish to see the version.
@click.version_option(version("robseg"), prog_name="robseg", allow_from_autoenv=False)
def cli() -> None:
    """Measure how robust a semantic-segmentation model is to image corruptions.

    \b
    robseg evaluate --model enet --corruptions all     run the grid and write a report
    robseg list models                                 what can be run
    """
