"""What cannot work on a cluster is one line at once."""

import socket
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from robseg.errors import InputError
from robseg.evaluation.executors.ray import on_cluster
from robseg.evaluation.job import prepare
from robseg.evaluation.ray.cluster import connected
from robseg.evaluation.request import Request
from robseg.evaluation.shards import missing_shards
from robseg.evaluation.worker import News
from tests.robseg.evaluation.ray.cluster import Nodes


def run(tree: Path, weights: Path, out: Path, **options: Any) -> list[News]:
    """Return the news of a run on a cluster in this process."""
    request = Request(
        "enet", "folder", "pixelate", (1,), weights=weights, data_root=tree, executor="ray", **options
    )
    job = prepare(request)
    shards = missing_shards(job.conditions, job.dataset.ids, [*job.models], ["confusion"], ())
    return list(on_cluster(job, out, shards, request))


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r'run pip install "robseg\[ray\]"'), connected("127.0.0.1:1"):
        pass


@pytest.mark.parametrize("address", ["nowhere", "nowhere:", ":6379", "ray://127.0.0.1:10001", "127.0.0.1:x"])
def test_an_address_is_a_host_and_a_port(address: str) -> None:
    pytest.importorskip("ray")
    with pytest.raises(InputError, match="Expected HOST:PORT as --ray-address"), connected(address):
        pass


@pytest.mark.parametrize("port", ["free", "99999"])
def test_an_address_where_nothing_answers_is_refused_at_once(port: str) -> None:
    pytest.importorskip("ray")
    if port == "free":
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = str(server.getsockname()[1])
    with pytest.raises(InputError, match="but it cannot be reached"), connected(f"127.0.0.1:{port}"):
        pass


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request", b""])
def test_an_address_where_another_program_answers_is_refused(answer: bytes) -> None:
    pytest.importorskip("ray")
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_answer, args=(server, answer), daemon=True).start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(InputError, match="but another program answers there"), connected(address):
            pass


def _answer(server: socket.socket, answer: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(1000)
        connection.sendall(answer)


def test_a_numbered_gpu_is_refused(tree: Path, weights: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Expected --device cuda with --executor ray"):
        run(tree, weights, tmp_path, device="cuda:1")


@pytest.mark.parametrize(("cpus", "gpus"), [(1, 1.0), (2, None)])
def test_more_than_any_node_has_is_refused(
    nodes: Nodes, tree: Path, weights: Path, tmp_path: Path, cpus: int, gpus: float | None
) -> None:
    with pytest.raises(
        InputError, match=r"Expected a node with \d cores and \d GPUs .* 1 cores and 0 GPUs on"
    ):
        run(
            *(tree, weights, tmp_path),
            ray_address=nodes.address,
            cpus_per_worker=cpus,
            gpus_per_worker=gpus,
        )
