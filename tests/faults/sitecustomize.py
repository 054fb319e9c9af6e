"""Python imports this at its start where this folder is on PYTHONPATH, as it is for worker processes here."""

from tests.faults.operations import install_in_worker

install_in_worker()
