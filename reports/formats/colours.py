"""The colours of models in plots."""

from __future__ import annotations

__all__ = ["COLOURS"]

# Okabe & Ito's palette without black and yellow. Colour-blind readers can distinguish these colours, and all
# are visible on white and on black.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
