"""A file or package of a user's that hides one of ours is named in one line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def python(*arguments: str, folder: Path, path: str = str(ROOT)) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )


def hide(folder: Path, name: str) -> Path:
    """Write a file or package of that name into a folder; it must not be executed."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("raise RuntimeError('this was executed')\n")
    return path


@pytest.mark.parametrize("name", ["corruptions.py", "reports/__init__.py", "reports.py"])
def test_a_neighbour_in_the_working_folder_is_named(name: str, tmp_path: Path) -> None:
    path = hide(tmp_path, name)
    package = name.partition("/")[0].removesuffix(".py")
    message = f"{path} hides robseg's own package '{package}' ({ROOT / package})"

    command = python("-m", "robseg", "list", "protocols", folder=tmp_path)
    assert command.returncode == 2
    assert command.stderr.startswith(f"Error: {message}")
    assert len(command.stderr.splitlines()) == 1
    assert command.stdout == ""

    (tmp_path / "mine.py").write_text("import robseg\n")
    script = python("mine.py", folder=tmp_path)
    assert script.returncode == 1
    assert script.stderr.splitlines()[-1].startswith(f"ImportError: {message}")


def test_another_programs_module_that_imports_robseg_gets_an_exception(tmp_path: Path) -> None:
    hide(tmp_path, "corruptions.py")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "__main__.py").touch()
    (tmp_path / "mine" / "__init__.py").write_text(
        "try:\n    import robseg\nexcept ImportError as error:\n    print(error.name)\n"
    )
    assert python("-m", "mine", folder=tmp_path).stdout == "corruptions\n"


def test_a_package_before_ours_on_the_path_is_named(tmp_path: Path) -> None:
    path = hide(tmp_path / "site", "reports/__init__.py")
    ended = python("-m", "robseg", "--help", folder=tmp_path, path=f"{tmp_path / 'site'}:{ROOT}")
    assert ended.returncode == 2
    assert f"{path} hides" in ended.stderr


def test_a_package_that_was_written_over_ours_is_named(tmp_path: Path) -> None:
    site = tmp_path / "site"
    for package in ("robseg", "reports", "corruptions"):
        ignore = shutil.ignore_patterns("__pycache__", "*.safetensors")
        shutil.copytree(ROOT / package, site / package, ignore=ignore)
    assert python("-c", "import robseg", folder=tmp_path, path=str(site)).returncode == 0
    path = hide(site, "reports/__init__.py")
    ended = python("-m", "robseg", "--help", folder=tmp_path, path=str(site))
    assert ended.returncode == 2
    assert f"Expected {path} to be robseg's own" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_folder_of_results_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "reports" / "enet").mkdir(parents=True)
    (tmp_path / "corruptions").mkdir()
    ended = python("-m", "robseg", "list", "protocols", folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "segformer" in ended.stdout
