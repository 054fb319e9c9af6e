"""Python imports this at its start where this folder is on PYTHONPATH, as it is for worker processes here."""

import os

if "FAULT_OF_THE_TESTS" in os.environ:
    from tests.faults.operations import install_in_worker

    install_in_worker()
