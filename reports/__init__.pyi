# What `import reports` offers. Type checkers read this, and so does reports/__init__.py.
from .formats.console import console_summary as console_summary
from .html import write_report as write_report
from .tables.results import Results as Results
from .tables.results import load as load
from .tables.results import write_tables as write_tables
