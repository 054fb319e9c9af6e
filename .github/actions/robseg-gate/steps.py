"""The steps of the action: `python3 steps.py prepare|install|evaluate|gate`.

Inputs come as environment variables and go to other programs as arguments; no shell reads them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROBSEG = Path(__file__).resolve().parents[3]  # the repository of robseg, at the version of the action

# In a shell, a backslash at the end of a line continues the line, and # begins a comment. shlex has neither.
NO_WORD = re.compile(r"""('[^']*'|"(?:\\.|[^"\\])*"|\\[^\n])|\\\n|(?<!\S)\#[^\n]*""", re.DOTALL)


def prepare() -> None:
    """Say where robseg is installed and what is cached, under a key that changes with what robseg needs."""
    here = Path(os.environ["RUNNER_TEMP"]).resolve() / "robseg-gate"
    kernels = hashlib.sha256()  # of all files: the machine code of a kernel includes that of others
    for file in sorted((ROBSEG / "corruptions" / "kernels").glob("*.py")):
        kernels.update(file.read_bytes())
    needs = hashlib.sha256((ROBSEG / "pyproject.toml").read_bytes() + kernels.digest())
    output("python", here / "environment" / "bin" / "python")
    output("cache", here / "cache")
    output("kernels", here / "cache" / "kernels" / kernels.hexdigest()[:16])
    output("key", f"python{sys.version_info.major}.{sys.version_info.minor}-{needs.hexdigest()[:16]}")


def install() -> None:
    """Install PyTorch, robseg, and what else the model needs, into an environment of their own."""
    python, index = os.environ["ROBSEG_PYTHON"], os.environ["TORCH_INDEX"]
    packages = words("packages", os.environ["PACKAGES"])
    pip = (python, "-m", "pip", "install", "--progress-bar=off")
    for command in (
        (sys.executable, "-m", "venv", str(Path(python).parents[1])),
        (*pip, *([f"--index-url={index}"] if index else []), "torch", "torchvision"),
        (*pip, str(ROBSEG), *packages),
    ):
        if code := run(*command):
            raise SystemExit(code)


def evaluate() -> None:
    """Evaluate the model."""
    further = words("evaluate-args", os.environ["ARGUMENTS"])
    model, out = os.environ["MODEL"], os.environ["RUN"]
    raise SystemExit(robseg("evaluate", f"--model={model}", f"--out={out}", *further))


def gate() -> None:
    """Check the run, and set the output `verdict`."""
    further = words("gate-args", os.environ["ARGUMENTS"])
    folder, baseline, out = (os.environ[name] for name in ("RUN", "BASELINE", "OUT"))
    written = Path(out) / "gate.json"
    written.unlink(missing_ok=True)
    folder = f"./{folder}" if folder.startswith("-") else folder  # a folder, not an option
    code = robseg("gate", folder, f"--baseline={baseline}", f"--out={out}", *further)
    if written.is_file():
        output("verdict", json.loads(written.read_text(encoding="utf-8"))["verdict"])
    elif code == 0:  # for example --help
        raise failure(
            f"Expected `gate-args` to be rules of a gate, but with {further} there is no {written}."
        )
    raise SystemExit(code)


def words(name: str, text: str) -> list[str]:
    """Split the text of an input into arguments, as a shell would over any number of lines; expand nothing.

    Raises
    ------
    SystemExit
        If a quote has no end, or the text ends with a backslash.
    """
    try:
        return shlex.split(NO_WORD.sub(r"\1", text))
    except ValueError as error:
        raise failure(f"Expected `{name}` to be arguments, but got {text!r}: {error}.") from error


def robseg(*arguments: str) -> int:
    """Run robseg and return its exit code. No `reports` or `corruptions` of the workspace hides robseg's."""
    return run(os.environ["ROBSEG_PYTHON"], "-P", "-m", "robseg", *arguments)


def run(*command: str) -> int:
    """Run a program and return its exit code."""
    try:
        return subprocess.run(command, check=False).returncode  # noqa: S603 - no shell takes part
    except OSError as error:
        raise failure(f"Expected to be able to run {command[0]}, but got: {error.strerror}.") from error


def output(name: str, value: object) -> None:
    """Set an output of the step."""
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        file.write(f"{name}={value}\n")


def failure(message: str) -> SystemExit:
    """Return the end of a step that shows a message as an error of the workflow."""
    sys.stdout.write(f"::error::{message}\n")
    return SystemExit(2)


if __name__ == "__main__":
    {"prepare": prepare, "install": install, "evaluate": evaluate, "gate": gate}[sys.argv[1]]()
