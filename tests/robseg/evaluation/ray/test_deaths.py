"""Whatever dies during a run on a cluster, no shard is lost or counted twice, and nothing hangs."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.robseg.evaluation.files import counts
from tests.robseg.evaluation.ray.cluster import Nodes, actors, ended, evaluating, until

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="actors are found in /proc")


def test_counts_are_those_of_one_process_whatever_dies(
    nodes: Nodes, tree: Path, tmp_path: Path, expected: dict[Path, bytes]
) -> None:
    out = tmp_path / "run"
    victim = nodes.add()
    with evaluating(nodes, tree, out) as process:
        until(lambda: counts(out), process)
        os.kill(actors()[0], signal.SIGKILL)
        until(lambda: len(counts(out)) > 3, process)
        nodes.kill(victim)
        until(lambda: len(counts(out)) > 6, process)
        process.kill()
        process.wait()
    before = counts(out)
    assert before.items() < expected.items()
    until(lambda: not actors())
    nodes.remove(victim)
    with evaluating(nodes, tree, out) as process:
        code, text = ended(process)
    assert code == 0, text
    assert counts(out) == expected
    assert not actors()


def test_ctrl_c_frees_the_actors(nodes: Nodes, tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with evaluating(nodes, tree, out) as process:
        until(lambda: counts(out), process)
        os.killpg(process.pid, signal.SIGINT)
        code, text = ended(process)
    assert code == 130, text
    assert "Traceback" not in text
    until(lambda: not actors())


@pytest.mark.slow
@pytest.mark.parametrize("moment", [0.0, 1.0, 3.0, 5.0, 7.0])  # seconds after the first actor appears
@pytest.mark.parametrize("victim", ["actor", "node", "driver"])
def test_a_death_at_any_moment(
    nodes: Nodes, tree: Path, tmp_path: Path, expected: dict[Path, bytes], victim: str, moment: float
) -> None:
    out = tmp_path / "run"
    node = nodes.add()
    with evaluating(nodes, tree, out, seconds=0.3) as process:
        alive = until(actors, process)
        time.sleep(moment)
        match victim:
            case "actor":
                os.kill(alive[0], signal.SIGKILL)
            case "node":
                nodes.kill(node)
            case "driver":
                process.kill()
        code, text = ended(process)
    nodes.remove(node)
    if victim == "driver":
        before = counts(out)
        assert before.items() <= expected.items()
        until(lambda: not actors())
        with evaluating(nodes, tree, out) as process:
            code, text = ended(process)
    assert code == 0, text
    assert "Traceback" not in text
    assert counts(out) == expected
    assert not actors()
