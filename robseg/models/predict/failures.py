"""What can go wrong only once a model predicts: scores that are no numbers, and too little memory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from robseg.errors import InputError

__all__ = ["NotFiniteError", "is_out_of_memory", "out_of_memory", "reported"]

# What torch, CUDA, NumPy and onnxruntime say in lower case; their errors are of many classes.
OUT_OF_MEMORY = ("out of memory", "not enough memory", "allocate memory", "bad_alloc", "alloc_failed")


class NotFiniteError(ArithmeticError):
    """Scores that cannot be compared: `value` says which, and `row` where in the network's batch."""

    def __init__(self, value: str, row: int) -> None:
        super().__init__(value, row)
        self.value = value
        self.row = row


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory ran out, be it the computer's or a GPU's.

    Examples
    --------
    >>> is_out_of_memory(MemoryError()), is_out_of_memory(RuntimeError("CUDA out of memory. Tried ..."))
    (True, True)
    """
    return isinstance(error, MemoryError) or any(text in str(error).lower() for text in OUT_OF_MEMORY)


def out_of_memory(name: str, images: int) -> InputError:
    """Return the error for a model that ran out of memory on a batch of that many images."""
    return InputError(
        f"Expected enough memory for {name} to predict a batch of {images}, but there is too little: "
        "use a smaller --batch-size or fewer --num-workers, or a machine with more memory."
    )


@contextlib.contextmanager
def reported(name: str, count: int, ids: Sequence[str]) -> Iterator[None]:
    """Turn what goes wrong while a model predicts `count` images into an InputError that names both."""
    try:
        yield
    except NotFiniteError as error:
        place = error.row % count  # windows and parts of an image come `count` rows after one another
        image = f"the image {ids[place]}" if ids else f"image {place + 1} of {count}"
        raise InputError(
            f"Expected finite scores from {name} for {image}, but got {error.value}: correct the model or "
            "its weights, or predict in fp32 if it was another precision."
        ) from error
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise out_of_memory(name, count) from error
