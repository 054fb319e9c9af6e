"""Score the runs of `robseg evaluate`, and report the scores as tables, plots, HTML and CSV.

>>> import reports
>>> results = reports.write_tables("runs/enet")  # doctest: +SKIP
>>> results.summary[["model", "clean_miou", "mpc"]]  # doctest: +SKIP
>>> reports.write_report("runs/enet")  # doctest: +SKIP
"""

import lazy_loader

__part_of__ = "robseg"  # robseg.neighbours looks for this line

# The names in __init__.pyi are imported at first use: evaluation needs only reports.run.record, not pandas.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
