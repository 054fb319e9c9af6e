"""Connect to a Ray cluster that is already there."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import socket
import warnings
from collections.abc import Iterator
from typing import Any

from robseg.errors import InputError

__all__ = ["connected"]

CONNECT_LIMIT = 10.0  # seconds; Ray itself would try for minutes
# Heads speak HTTP/2, in which both sides begin with a frame of this type (RFC 9113, sections 3.4 and 6.5).
SETTINGS = b"\x04"
HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00" + SETTINGS + b"\x00" * 5
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # which it would send home
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # workers without GPUs: as it will be, and no warning about it
}


@contextlib.contextmanager
def connected(address: str | None) -> Iterator[Any]:
    """Yield the module ray, connected to a cluster; one that the caller has connected stays connected.

    Raises
    ------
    InputError
        If ray is not installed, or there is no cluster at the address.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    ray = _imported()
    if ray.is_initialized():
        yield ray
        return
    _refuse_unreachable(address)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they are about Ray's own future
            ray.init(
                address or "auto", log_to_driver=False, logging_level=logging.CRITICAL, configure_logging=True
            )
    except Exception as error:  # of many types
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        where = f"at {address}" if address else "that this machine belongs to"
        raise InputError(
            f"Expected a Ray cluster {where}, but got: {reason}. Start one with `ray start --head`, or give "
            "the HOST:PORT of its head as --ray-address."
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _imported() -> Any:
    try:
        ray = importlib.import_module("ray")
        importlib.import_module("ray.util.scheduling_strategies")
    except ImportError as error:
        raise InputError(
            f"Expected the package ray for --executor ray, but it cannot be imported ({error}): run "
            'pip install "robseg[ray]"'
        ) from error
    return ray


def _refuse_unreachable(address: str | None) -> None:
    """Raise InputError at once if nothing answers at an address."""
    if address is None or address == "auto":
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or "//" in address:
        raise InputError(
            f"Expected HOST:PORT as --ray-address, such as 10.0.0.1:6379, but got '{address}': "
            "run the command on a machine that reaches the cluster's head at that port."
        )
    advice = "check the address and the port of its head, and that the head is running."
    try:
        with socket.create_connection((host, int(port)), CONNECT_LIMIT) as head:
            head.settimeout(CONNECT_LIMIT)
            head.sendall(HELLO)
            speaks = os.environ.get("RAY_USE_TLS") == "1" or head.recv(4)[3:] == SETTINGS
    except TimeoutError:
        speaks = False
    except (OSError, OverflowError) as error:
        raise InputError(
            f"Expected a Ray cluster at {address}, but it cannot be reached ({error}): {advice}"
        ) from error
    if not speaks:
        raise InputError(f"Expected a Ray cluster at {address}, but another program answers there: {advice}")
