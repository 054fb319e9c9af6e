"""What the process imports and does once from which the processes of commands are forked."""

from importlib import import_module

import numpy as np

import corruptions
from robseg.cli import entries

for entry in entries():
    import_module(f"robseg.cli.commands.{entry.name}")
for name in (
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "matplotlib.pyplot",
    "PIL.features",
    "pyarrow.pandas_compat",
    "reports.compare.document",
    "reports.formats.console",
    "reports.formats.figures",
    "reports.formats.latex",
    "reports.gate.document",
    "reports.html.page",
    "reports.html.sections",
    "reports.ranks.document",
    "robseg.datasets.folder",
    "robseg.evaluation.executors.local",
    "robseg.models.architectures.enet",
    "robseg.pipeline",
    "robseg.training.trainer",
):
    import_module(name)
for name in ("brightness", "contrast", "pixelate"):
    corruptions.corrupt(np.zeros((8, 8, 3), np.uint8), name, 3)
