"""A cluster and what a run on it is compared with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import robseg
from tests.robseg.evaluation.files import counts
from tests.robseg.evaluation.ray.cluster import PLAN, Nodes, write_model


@pytest.fixture(scope="package")
def home(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home folder on the nodes, where the data are in `~/data`."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "data").symlink_to(tree)
    return folder


@pytest.fixture(scope="package")
def nodes(home: Path) -> Iterator[Nodes]:
    """A head and three nodes. Tests kill only nodes that they have added."""
    pytest.importorskip("ray.cluster_utils")
    cluster = Nodes(3, {"HOME": str(home)})
    yield cluster
    cluster.stop()


@pytest.fixture(scope="package")
def expected(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[Path, bytes]:
    """The counts of the same run in one process."""
    folder = tmp_path_factory.mktemp("local")
    write_model(folder, 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(folder)
        model, data, corruptions, severities = PLAN
        robseg.evaluate(model, data, corruptions, severities, data_root=tree, out=folder / "run")
    return counts(folder / "run")
