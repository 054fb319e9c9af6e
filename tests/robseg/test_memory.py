import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import numpy as np
from robseg.memory import keep_freed_memory

if sys.argv[1] == "keep":
    keep_freed_memory()
for turn in range(6):
    if turn == 2:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(4 << 20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library frees otherwise")
def test_freed_memory_is_there_again_without_new_pages() -> None:
    faults = {
        way: int(subprocess.run([sys.executable, "-c", FAULTS, way], capture_output=True, check=True).stdout)
        for way in ("give back", "keep")
    }
    assert faults["keep"] < faults["give back"] / 10
