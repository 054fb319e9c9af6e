"""Result tables in; summaries, plots, HTML and CSV out.

>>> import reports
>>> results = reports.write_tables("runs/enet")  # doctest: +SKIP
>>> results.summary[["model", "clean_miou", "mpc"]]  # doctest: +SKIP
>>> reports.write_report("runs/enet")  # doctest: +SKIP
"""

import lazy_loader

__part_of__ = "robseg"  # robseg.neighbours looks for this line

# Imported when asked for, as __init__.pyi says: evaluation needs reports.run.record only, and no pandas.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
