"""The command line as a user types it, in the process of the tests."""

from click.testing import CliRunner, Result

from robseg.cli import cli


def invoke(*words: object, environment: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(cli, [*map(str, words)], env=environment)
