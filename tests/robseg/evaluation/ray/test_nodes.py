"""Nodes that come late, that do not fit, or that have what others have not."""

import errno
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import robseg
from robseg.errors import InputError
from robseg.evaluation import worker as worker_module
from tests.robseg.evaluation.files import counts
from tests.robseg.evaluation.ray.cluster import Nodes, actors, ended, evaluating, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="actors are found in /proc"),
]

Add = Callable[..., Any]


@pytest.fixture
def add(nodes: Nodes) -> Iterator[Add]:
    """Add a node for the time of a test."""
    added = []

    def add(**options: Any) -> Any:
        added.append(nodes.add(**options))
        return added[-1]

    yield add
    for node in added:
        nodes.remove(node)


@pytest.fixture
def empty(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of a node that lacks the data, which all others have in `~/data`."""
    monkeypatch.setenv("HOME", str(home))
    return {"HOME": str(tmp_path)}


@pytest.fixture
def other(tmp_path: Path) -> dict[str, str]:
    """The environment of a node that has another robseg."""
    (tmp_path / "other" / "robseg").mkdir(parents=True)
    (tmp_path / "other" / "robseg" / "__init__.py").touch()
    return {"PYTHONPATH": str(tmp_path / "other")}


@pytest.mark.parametrize("workers", [1, 2])
def test_local_workers_count_the_same(
    tree: Path, tmp_path: Path, expected: dict[Path, bytes], workers: int
) -> None:
    with evaluating(None, tree, tmp_path / "run", "-j", str(workers)) as process:
        code, text = ended(process)
    assert code == 0, text
    assert counts(tmp_path / "run") == expected


def test_a_node_that_joins_late_gets_work(
    nodes: Nodes, add: Add, tree: Path, tmp_path: Path, expected: dict[Path, bytes]
) -> None:
    out = tmp_path / "run"
    with evaluating(nodes, tree, out, seconds=0.7) as process:
        until(lambda: counts(out), process)
        late = add()
        until(lambda: nodes.works(late), process)
        code, text = ended(process)
    assert code == 0, text
    assert counts(out) == expected


def test_a_node_without_the_data_ends_the_run(
    nodes: Nodes, add: Add, empty: dict[str, str], tmp_path: Path
) -> None:
    add(env=empty)
    with evaluating(nodes, "~/data", tmp_path / "run") as process:
        code, text = ended(process)
    assert code == 2, text
    assert "Traceback" not in text
    assert "On the node" in text.splitlines()[-1]
    assert not counts(tmp_path / "run")


def test_a_late_node_without_the_data_is_left_out(
    nodes: Nodes, add: Add, empty: dict[str, str], tmp_path: Path, expected: dict[Path, bytes]
) -> None:
    out = tmp_path / "run"
    with evaluating(nodes, "~/data", out, seconds=0.7) as process:
        until(lambda: counts(out), process)
        late = add(env=empty)
        until(lambda: nodes.works(late), process)
        code, text = ended(process)
    assert code == 0, text
    assert "The node is not used" in text
    assert counts(out) == expected


def test_a_node_with_another_robseg_ends_the_run(
    nodes: Nodes, add: Add, other: dict[str, str], tree: Path, tmp_path: Path
) -> None:
    add(env=other)
    with evaluating(nodes, tree, tmp_path / "run") as process:
        code, text = ended(process)
    assert code == 2, text
    assert "Traceback" not in text
    assert "Expected robseg on the node" in text.splitlines()[-1]


def test_workers_go_where_gpus_are(
    nodes: Nodes, add: Add, tree: Path, tmp_path: Path, expected: dict[Path, bytes]
) -> None:
    node = add(gpus=1)
    with evaluating(nodes, tree, tmp_path / "run", "--gpus-per-worker", "0.5") as process:
        until(lambda: counts(tmp_path / "run"), process)
        assert nodes.works(node)
        assert len(actors()) == 1  # the node has two halves of a GPU, but one core
        code, text = ended(process)
    assert code == 0, text
    assert "(1 node, 1 worker)" in text
    assert counts(tmp_path / "run") == expected


def test_a_full_disk_of_the_driver_frees_the_actors(
    nodes: Nodes, tree: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(worker_module, "write_shard", full)
    with pytest.raises((InputError, OSError), match="No space left on device"):
        robseg.evaluate(
            *("enet", "folder", "pixelate"),
            weights=weights,
            data_root=tree,
            out=tmp_path / "run",
            executor="ray",
            ray_address=nodes.address,
        )
    until(lambda: not actors())
