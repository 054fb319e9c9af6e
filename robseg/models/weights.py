"""Checkpoints: read without executing anything in them, matched strictly, written atomically."""

from __future__ import annotations

import dataclasses
import hashlib
import pickle
import re
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from robseg.errors import InputError
from robseg.files import write_atomically
from robseg.models.card import Card
from robseg.models.catalogue import card_to_json

__all__ = ["fitted", "read_weights", "save_weights", "sha256_of", "sha256_of_tensors", "unwrapped"]

# Batch norm's counter of training steps: of no effect in eval mode and absent from old files.
COUNTER = "num_batches_tracked"

# Where training programs keep the tensors among other things.
CONTAINERS = ("state_dict", "model_state_dict", "model")

# What torch's reader raises on bytes that are no checkpoint, or only a part of one.
BROKEN = (
    pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, LookupError, TypeError,
    AttributeError, AssertionError, MemoryError, struct.error,
)  # fmt: skip

# How torch's reader names the code that a file asks for.
FOREIGN = re.compile(r"[Uu]nsupported (?:global: )?GLOBAL (\S+)")

# The first two bytes of a pickle are this and its protocol; torch writes no protocol but the second.
PICKLE, TORCH_PROTOCOL = b"\x80", b"\x02"


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint on the CPU, floating-point ones as float32.

    Reads safetensors (by the file's ending) and what `torch.save` wrote, without executing anything in them.

    Raises
    ------
    InputError
        If there is no such file, it is no checkpoint, is cut short, or would execute code.
    """
    if not path.is_file():
        raise InputError(f"Expected a checkpoint at {path}, but there is no such file: check the path.")
    content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    tensors = unwrapped(content, str(path))
    return {key: tensor.float() if tensor.is_floating_point() else tensor for key, tensor in tensors.items()}


def unwrapped(content: Any, origin: str) -> dict[str, Tensor]:
    """Return the tensors within the usual containers, without DataParallel's `module.` before each name.

    Examples
    --------
    >>> import torch
    >>> unwrapped({"epoch": 3, "state_dict": {"module.bias": torch.zeros(1)}}, "here")
    {'bias': tensor([0.])}
    """
    for container in CONTAINERS:
        if isinstance(content, Mapping) and isinstance(content.get(container), Mapping):
            content = content[container]
    if not isinstance(content, Mapping) or not content:
        raise InputError(
            f"Expected {origin} to hold named tensors, but got {type(content).__name__}: save a state dict."
        )
    strange = [str(key) for key, value in content.items() if not isinstance(value, Tensor)]
    if strange:
        raise InputError(
            f"Expected {origin} to hold named tensors, but there is also {_listed(strange)}: "
            f"save the state dict alone or under '{CONTAINERS[0]}'."
        )
    prefix = "module." if all(str(key).startswith("module.") for key in content) else ""
    return {str(key).removeprefix(prefix): value for key, value in content.items()}


def fitted(title: str, found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return exactly the expected tensors, taken from a checkpoint; all of its tensors are used.

    Only batch norm's step counters may be absent (they become 0). `expected` may be on the meta device: its
    names and shapes are all that is looked at. Raises InputError with what is missing, unexpected or of
    another shape.
    """
    missing = [key for key in expected if key not in found and not key.endswith(COUNTER)]
    unexpected = [key for key in found if key not in expected]
    shapes = [
        f"{key} {list(found[key].shape)} instead of {list(tensor.shape)}"
        for key, tensor in expected.items()
        if key in found and found[key].shape != tensor.shape
    ]
    kinds = {"missing": missing, "unexpected": unexpected, "of another shape": shapes}
    faults = [f"{len(names)} {kind} ({_listed(names)})" for kind, names in kinds.items() if names]
    if faults:
        raise InputError(
            f"Expected a checkpoint of {title}, but its tensors do not fit: {'; '.join(faults)}. "
            "Check that file and architecture belong together."
        )
    return {key: found[key] if key in found else torch.zeros((), dtype=torch.long) for key in expected}


def save_weights(path: Path, state_dict: Mapping[str, Tensor], card: Card, half: bool = True) -> Card:
    """Write tensors as safetensors, and the card as JSON of the same stem beside them.

    Step counters are dropped. With `half`, floating-point tensors are stored in half precision, but for one
    with a value beyond its range. Each file appears whole or not at all. Returns the card as written, with
    the file's name and SHA-256.
    """
    tensors = {
        key: _halved(tensor) if half else tensor.detach().cpu().contiguous()
        for key, tensor in state_dict.items()
        if not key.endswith(COUNTER)
    }
    content = safetensors.torch.save(tensors)
    card = dataclasses.replace(card, weights_file=path.name, sha256=hashlib.sha256(content).hexdigest())
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content)
    write_atomically(path.with_suffix(".json"), card_to_json(card).encode())
    return card


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 as hex digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def sha256_of_tensors(state_dict: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of names, types, shapes and values, whatever the order of the names."""
    digest = hashlib.sha256()
    for key in sorted(state_dict):
        tensor = state_dict[key].detach().cpu().contiguous()
        digest.update(f"{key} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _read_safetensors(path: Path) -> Any:
    try:
        return safetensors.torch.load_file(path)
    except (SafetensorError, OSError) as error:
        raise _broken(path, error) from error


def _read_torch(path: Path) -> Any:
    with path.open("rb") as file:
        head = file.read(2)
    if head[:1] == PICKLE and head[1:] > TORCH_PROTOCOL:
        raise _refused(path, "is a plain pickle, which may run anything")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except BROKEN as error:
        foreign = FOREIGN.search(str(error))
        if foreign:
            raise _refused(path, f"would run {foreign[1]}") from error
        raise _broken(path, error) from error


def _refused(path: Path, why: str) -> InputError:
    return InputError(
        f"Expected a checkpoint of tensors alone, but {path} {why} when loaded, and was refused: "
        "save its state dict, best as safetensors."
    )


def _broken(path: Path, error: Exception) -> InputError:
    # torch wraps what went wrong in advice to trust the file.
    inner = error.__context__ if isinstance(error, pickle.UnpicklingError) else None
    cause = str(inner or error).strip().split("\n")[0].split(". ")[0] or type(error).__name__
    return InputError(
        f"Expected a checkpoint in {path}, but it cannot be read as one ({cause}): "
        "it may be cut short or of another kind, so fetch or save it again."
    )


def _listed(names: Sequence[str], limit: int = 3) -> str:
    return ", ".join(names[:limit]) + (", ..." if len(names) > limit else "")


def _halved(tensor: Tensor) -> Tensor:
    tensor = tensor.detach().cpu().contiguous()
    if not tensor.is_floating_point() or tensor.abs().max() > torch.finfo(torch.half).max:
        return tensor
    return tensor.half()
