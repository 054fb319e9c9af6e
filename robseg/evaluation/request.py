"""The options of an evaluation, which `robseg evaluate` and `robseg.evaluate` share.

`robseg.evaluation.resolve` turns the names in a request into models, conditions and a protocol.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from robseg.evaluation.ray.options import RayOptions
from robseg.models.refine.options import RefineOptions
from robseg.options import NON_NEGATIVE, POSITIVE, Flag, settle

if TYPE_CHECKING:
    from robseg.datasets.base import Dataset
    from robseg.evaluation.progress import Progress
    from robseg.models.card_fields import CardFields
    from robseg.models.model import Model
else:  # the command line evaluates the annotations and must not wait for torch
    Dataset = Progress = CardFields = Model = Any

__all__ = ["Request"]

AnyModel = str | Model | Callable[..., Any]
N = Flag(metavar="N")


@dataclasses.dataclass(frozen=True)
class Request(RefineOptions, RayOptions):
    """One evaluation as a user asks for it, in plain values or in loaded objects.

    Examples
    --------
    >>> Request("enet", corruptions="fog", boundaries=(2,)).tally_names
    ('trimap-2', 'boundary-2')
    """

    model: Annotated[
        AnyModel | Sequence[AnyModel],
        "Model to evaluate: a model id, an architecture, a weights file, all, a glob, or a model of another "
        "program as py:MODULE:FACTORY, torchvision:NAME, hf:NAME, smp:NAME, onnx:FILE, openvino:FILE, "
        "pt2:FILE or ts:FILE. Several models see the same images.",
        "Also a loaded Model, an nn.Module, any callable from float (N, 3, H, W) to logits (N, C, h, w) or "
        "integer labels (N, H, W), or a list of these.",
        Flag(short="m", names="models", many=True, metavar="MODEL"),
    ]
    dataset: Annotated[
        str | Dataset | Any,
        "Data set to evaluate on; `robseg list datasets` shows them.",
        "Also a Dataset, (images, targets), or a data set of PyTorch, whose classes are those of the first "
        "model; `robseg.as_dataset` says more.",
        Flag(short="d", names="datasets", metavar="NAME"),
    ] = "streets"
    corruptions: Annotated[
        Sequence[str] | None,
        "Corruptions, groups (such as noise) or subsets (such as all or common), separated by commas; "
        "fog:3 for one severity, none for clean images only.",
        'Also pairs such as ("fog", 3).',
        Flag(short="c", names="corruptions", commas=True, metavar="NAME,...", unset="all"),
    ] = None
    severities: Annotated[
        Sequence[int] | None,
        "Severities of the corruptions, such as 3, 1,3,5 or 1-3.",
        Flag(short="s", commas=True, unset="all of each corruption"),
    ] = None
    _: dataclasses.KW_ONLY
    protocol: Annotated[
        str | None,
        "Named protocol to use in place of corruptions and severities; `robseg list protocols` shows them.",
        Flag(names="protocols", metavar="NAME"),
    ] = None
    weights: Annotated[
        Path | str | Sequence[Path | str] | None,
        "Weights file to use in place of the model's own. With several models, give one for each.",
        Flag(short="w", many=True, metavar="FILE"),
    ] = None
    card: Annotated[
        Path | str | CardFields | Sequence[Path | str | CardFields] | None,
        "JSON file with fields of a model card, such as class_names, mean or test_size, to use in place of "
        "the model's own.",
        "Also a Card, or a dictionary of its fields. Without one, a callable sees RGB / 255 and returns the "
        "data set's classes.",
        Flag(name="model-card", many=True, metavar="FILE"),
    ] = None
    arch: Annotated[
        str | None,
        "Architecture of the weights file given as model. The card beside the file says it too.",
        Flag(names="architectures", metavar="NAME"),
    ] = None
    name: Annotated[
        Sequence[str],
        "Name of the model in the results. With several models, give one for each.",
        Flag(
            many=True,
            metavar="NAME",
            unset="the model's own, with the folders of its file where names repeat",
        ),
    ] = ()
    data_root: Annotated[
        Path | str | None, "Folder of the data set.", Flag(unset="$ROBSEG_DATA_ROOT/DATASET", metavar="PATH")
    ] = None
    split: Annotated[
        str | None, "Split of the data set.", Flag(unset="the split that is usually scored", metavar="NAME")
    ] = None
    class_map: Annotated[
        Path | str | None,
        "TOML file that says which classes outputs of models and targets count as, or the name of a map that "
        "`robseg list class-maps` shows.",
        Flag(names="class-maps", metavar="FILE|NAME"),
    ] = None
    limit: Annotated[
        int | None,
        "Evaluate only N images, spread evenly over the set. A larger N keeps what is done.",
        POSITIVE,
        N,
    ] = None
    every: Annotated[
        int,
        "Evaluate every N-th image. Useful for video, where neighbouring frames are nearly alike.",
        POSITIVE,
        N,
    ] = 1
    out: Annotated[
        Path | str | None,
        "Folder of the run. A run that is already there is continued.",
        Flag(short="o", unset="runs/MODEL-DATASET", metavar="PATH"),
    ] = None
    seed: Annotated[int, "Seed of the corruptions.", NON_NEGATIVE] = 0
    move_targets: Annotated[
        bool | None,
        "Move the targets along with corruptions that move pixels.",
        Flag(off="keep-targets", unset="as the protocol says, else on"),
    ] = None
    boundaries: Annotated[
        Sequence[int],
        "Also score the pixels near class boundaries, at these widths in pixels, such as 2,5. "
        "Short for the tallies trimap-W and boundary-W of each width.",
        POSITIVE,
        Flag(commas=True, metavar="WIDTH,...", unset="off"),
    ] = ()
    tallies: Annotated[
        Sequence[str],
        "Also count this tally, such as trimap-2 or boundary-2.",
        Flag(name="tally", many=True, names="tallies", commas=True, metavar="NAME,..."),
    ] = ()
    device: Annotated[str, "Device: cpu, cuda, cuda:1, ..."] = "cpu"
    precision: Annotated[Literal["fp32", "bf16", "fp16"], "Precision of the networks."] = "fp32"
    batch_size: Annotated[int, "Images per forward pass of a network.", POSITIVE, N] = 1
    executor: Annotated[
        str,
        "Executor of the work: local (processes on this machine) or ray (a Ray cluster).",
        Flag(names="executors", metavar="NAME"),
    ] = "local"
    num_workers: Annotated[
        int,
        "Worker processes. With 0, the work is done in the calling process. The counts are the same.",
        NON_NEGATIVE,
        Flag(short="j", metavar="N", unset="one per core, 1 on a GPU; with ray as many as there is room for"),
    ] = 0
    part: Annotated[
        str | None,
        "Do only the I-th of N parts, which share --out and may run anywhere, in any order. In a SLURM array "
        "(--array=1-N), give $SLURM_ARRAY_TASK_ID/N; in an indexed job of Kubernetes, "
        "$((JOB_COMPLETION_INDEX + 1))/N. The last one writes the report.",
        Flag(metavar="I/N", unset="the whole"),
    ] = None
    prefetch_threads: Annotated[
        int | None,
        "Threads in each worker that read and corrupt images ahead of the models. With 0, a worker does one "
        "thing after another. The counts are the same.",
        NON_NEGATIVE,
        Flag(metavar="N", unset="0 on a CPU; on a GPU, the cores of each worker"),
    ] = None
    examples: Annotated[bool, "Show example images in the report."] = True
    progress: Annotated[
        Callable[[Progress], None] | None,
        "Function that is called after each batch, with a Progress that says how far the run is. Without "
        "one, a notebook shows a bar.",
        Flag(shell=False),
    ] = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "corruptions", _spelled(self.corruptions))
        settle(self)

    @property
    def tally_names(self) -> tuple[str, ...]:
        """The names of the tallies that were asked for, each once, including those of `boundaries`."""
        near = [f"{kind}-{width}" for width in self.boundaries for kind in ("trimap", "boundary")]
        return tuple(dict.fromkeys([*self.tallies, *near]))


def _spelled(corruptions: Any) -> Any:
    """Return corruptions with texts such as fog:3 in the place of pairs."""
    if not isinstance(corruptions, list | tuple):
        return corruptions
    return [
        f"{item[0]}:{item[1]}" if isinstance(item, list | tuple) and len(item) == 2 else item
        for item in corruptions
    ]
