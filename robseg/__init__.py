"""Measure how robust a semantic-segmentation model is to image corruptions, and keep it that way.

>>> import robseg
>>> results = robseg.evaluate("enet", corruptions="fog", limit=4)  # doctest: +SKIP
>>> results.summary, results.scores, results.classes  # pandas DataFrames  # doctest: +SKIP
"""

import lazy_loader

from robseg.neighbours import refuse_hidden

refuse_hidden()
# Imported when asked for, as __init__.pyi says: `robseg --help` and `robseg list` do without torch.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
