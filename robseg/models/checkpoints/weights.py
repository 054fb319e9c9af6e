"""Read checkpoints without running code from them, match them strictly, write them whole or not at all."""

from __future__ import annotations

import dataclasses
import hashlib
import pickle
import struct
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from reports.run.files import write_atomically
from robseg.errors import InputError
from robseg.models.card import Card
from robseg.models.catalogue import SAFETENSORS, card_to_json
from robseg.models.checkpoints.unpickle import Stub, restricted_pickle

__all__ = [
    "Checkpoint",
    "as_float32",
    "fitted",
    "halved",
    "read_checkpoint",
    "read_weights",
    "save_weights",
    "sha256_of_tensors",
    "unwrapped",
]

# Batch norm's counter of training steps: of no effect in eval mode and absent from old files.
COUNTER = "num_batches_tracked"

# The names under which training programs keep the tensors among other objects.
CONTAINERS = ("state_dict", "model_state_dict", "model_state", "model")

DEEPEST = 4  # levels of dictionaries around tensors

# What torch raises when it reads bytes that are no checkpoint, or a part of one.
BROKEN = (
    pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, LookupError, TypeError,
    AttributeError, AssertionError, MemoryError, struct.error,
)  # fmt: skip

# The first bytes of torch's present format, a zip archive.
ZIP = b"PK"


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """What a file holds: its tensors as they are stored, and what else can be read without running code.

    `format` is `safetensors`, `torch zip` or `torch legacy`. `class_names` are those that mmsegmentation
    writes beside the tensors, or None. `stubs` names the code that was not run.
    """

    tensors: dict[str, Tensor]
    format: str
    class_names: tuple[str, ...] | None = None
    stubs: tuple[str, ...] = ()

    def as_float32(self) -> dict[str, Tensor]:
        """Return the tensors, floating-point ones as float32."""
        return as_float32(self.tensors)


def as_float32(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors, floating-point ones as float32."""
    return {key: each.float() if each.is_floating_point() else each for key, each in tensors.items()}


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint on the CPU, floating-point ones as float32.

    Reads safetensors (by the file's ending) and what `torch.save` wrote, without running any code from them.

    Raises
    ------
    InputError
        If there is no such file, it is no checkpoint or incomplete, or its tensors need code to be run.
    """
    return read_checkpoint(path).as_float32()


def read_checkpoint(path: Path) -> Checkpoint:
    """Return the contents of a checkpoint; it is read as by `read_weights`."""
    if not path.is_file():
        raise InputError(f"Expected a checkpoint at {path}, but there is no such file: check the path.")
    if path.suffix.lower() == SAFETENSORS:
        return Checkpoint(unwrapped(_read_safetensors(path), str(path)), "safetensors")
    with path.open("rb") as file:
        head = file.read(2)
    stubs: dict[str, type[Stub]] = {}
    content = _read_torch(path, stubs)
    tensors = unwrapped(content, str(path))
    size = path.stat().st_size
    repeated = [key for key, tensor in tensors.items() if tensor.nbytes > size]
    if repeated:  # one stored value may stand for terabytes
        raise InputError(
            f"Expected {path} to store all values of its tensors, but it has fewer for {_listed(repeated)}: "
            "save contiguous tensors."
        )
    kind = "torch zip" if head == ZIP else "torch legacy"
    return Checkpoint(tensors, kind, _class_names(content), tuple(sorted(stubs)))


def unwrapped(content: Any, origin: str) -> dict[str, Tensor]:
    """Return the tensors inside of dictionaries, without the `module.` that DataParallel prepends.

    If there are several sets of tensors, all are returned, each with its place before its names.

    Examples
    --------
    >>> import torch
    >>> unwrapped({"epoch": 3, "state_dict": {"module.bias": torch.zeros(1)}}, "here")
    {'bias': tensor([0.])}
    """
    sets = _sets(content)
    if sets:
        several = len(sets) > 1
        content = {
            f"{place}{key}" if several else key: tensor
            for place, tensors in sets.items()
            for key, tensor in tensors.items()
        }
    for container in CONTAINERS:
        if isinstance(content, Mapping) and isinstance(content.get(container), Mapping):
            content = content[container]
    if isinstance(content, Stub):
        raise _refused(origin, [content.origin])
    if not isinstance(content, Mapping) or not content:
        raise InputError(
            f"Expected {origin} to hold named tensors, but got {type(content).__name__}: save a state dict."
        )
    strange = [str(key) for key, value in content.items() if not isinstance(value, Tensor)]
    foreign = [value.origin for value in content.values() if isinstance(value, Stub)]
    if foreign and len(strange) == len(content):
        raise _refused(origin, foreign)
    if strange:
        raise InputError(
            f"Expected {origin} to hold named tensors, but there is also {_listed(strange)}: "
            f"save the state dict alone or under '{CONTAINERS[0]}'."
        )
    hollow = [str(key) for key, each in content.items() if each.is_meta or each.layout != torch.strided]
    if hollow:
        raise InputError(
            f"Expected {origin} to hold dense tensors with values, but got others for {_listed(hollow)}: "
            "save the state dict of a model that is on a device."
        )
    prefix = "module." if all(str(key).startswith("module.") for key in content) else ""
    return {str(key).removeprefix(prefix): value for key, value in content.items()}


def _sets(content: Any, place: str = "") -> dict[str, Mapping[Any, Tensor]]:
    """Return the dictionaries of tensors alone inside of dictionaries, by their place."""
    if not isinstance(content, Mapping) or place.count(".") > DEEPEST:
        return {}
    if content and all(isinstance(value, Tensor) for value in content.values()):
        return {place: content}
    sets: dict[str, Mapping[Any, Tensor]] = {}
    for key, value in content.items():
        if isinstance(key, str):  # an optimizer numbers its tensors
            sets |= _sets(value, f"{place}{key}.")
    return sets


def fitted(title: str, found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return exactly the expected tensors, taken from a checkpoint, which may hold no others.

    Only the step counters of batch norm may be missing (they become 0). `expected` may be on the meta device:
    only its names and shapes matter. InputError says what is missing, unexpected or of another shape.
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
            "Check that the file belongs to the architecture."
        )
    return {key: found[key] if key in found else torch.zeros((), dtype=torch.long) for key in expected}


def save_weights(path: Path, state_dict: Mapping[str, Tensor], card: Card, half: bool = True) -> Card:
    """Write tensors as safetensors, and the card as JSON of the same stem beside them.

    Step counters are dropped. With `half`, floating-point tensors are stored in half precision, if all values
    are within its range. Each file appears whole or not at all. Returns the card as written, with the file's
    name and SHA-256.
    """
    tensors = {
        key: halved(tensor) if half else tensor.detach().cpu().contiguous()
        for key, tensor in state_dict.items()
        if not key.endswith(COUNTER)
    }
    content = safetensors.torch.save(tensors)
    card = dataclasses.replace(card, weights_file=path.name, sha256=hashlib.sha256(content).hexdigest())
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content)
    write_atomically(path.with_suffix(".json"), card_to_json(card).encode())
    return card


def halved(tensor: Tensor) -> Tensor:
    """Return a tensor in half precision; integers and values beyond its range keep their type."""
    tensor = tensor.detach().cpu().contiguous()
    if not tensor.is_floating_point() or tensor.abs().max() > torch.finfo(torch.half).max:
        return tensor
    return tensor.half()


def sha256_of_tensors(state_dict: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of names, types, shapes and values, independent of the order of the names."""
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


def _read_torch(path: Path, stubs: dict[str, type[Stub]]) -> Any:
    """Return what a file holds; if torch's own safe reader refuses it, `stubs` gets the names left out."""
    try:
        with warnings.catch_warnings():
            # torch warns of unusual pickles, such as those of a later protocol.
            warnings.simplefilter("ignore")
            try:
                return torch.load(path, map_location="cpu", weights_only=True)
            except pickle.UnpicklingError:
                # Safe in spite of the flag: only our unpickler looks up the names in the pickle.
                restricted = restricted_pickle(stubs)
                return torch.load(path, map_location="cpu", weights_only=False, pickle_module=restricted)
    except BROKEN as error:
        if "TorchScript" in str(error):  # torch opens no program where weights are expected, and says so
            raise InputError(
                f"Expected a checkpoint in {path}, but it is a TorchScript program, which is code: "
                f"write ts:{path} as the model if you trust it."
            ) from error
        raise _broken(path, error) from error


def _class_names(content: Any) -> tuple[str, ...] | None:
    """Return the class names that mmsegmentation writes: `meta` has CLASSES (0.x) or a dataset_meta (1.x)."""
    meta = content.get("meta") if isinstance(content, Mapping) else None
    if not isinstance(meta, Mapping):
        return None
    later = meta.get("dataset_meta")
    names = meta.get("CLASSES") or (later.get("classes") if isinstance(later, Mapping) else None)
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        return None
    return tuple(names)


def _refused(origin: str, foreign: Sequence[str]) -> InputError:
    return InputError(
        f"Expected {origin} to hold named tensors, but building them would run {_listed(foreign)}, which "
        "was refused: save the state dict alone, best as safetensors."
    )


def _broken(path: Path, error: Exception) -> InputError:
    cause = str(error).strip().split("\n")[0].split(". ")[0] or type(error).__name__
    return InputError(
        f"Expected a checkpoint in {path}, but it cannot be read as one ({cause}): "
        "it may be incomplete or of another kind, so download or save it again."
    )


def _listed(names: Sequence[str], limit: int = 3) -> str:
    return ", ".join(names[:limit]) + (", ..." if len(names) > limit else "")
