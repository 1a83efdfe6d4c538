"""A piece of work in this process → its seconds, CPU seconds and the process's peak memory, as a line of JSON.

Every tool's process uses it, in its own environment: nothing but the standard library.
"""

from __future__ import annotations

import json
import re
import resource
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def measured() -> Iterator[None]:
    """Around the work alone: what imports cost is not what is compared."""
    started, cpu_before = time.monotonic(), _cpu_seconds()
    yield
    cost = {
        "seconds": time.monotonic() - started,
        "cpu_seconds": _cpu_seconds() - cpu_before,
        "peak_bytes": _peak_bytes(),
    }
    print(json.dumps(cost), flush=True)  # noqa: T201 the last line, which the benchmark reads


def _cpu_seconds() -> float:
    """Of all threads, and of child processes that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _peak_bytes() -> int:
    # Not ru_maxrss: on Linux it begins with what the parent had when it started this process.
    status = Path("/proc/self/status")
    if status.exists() and (found := re.search(r"^VmHWM:\s+(\d+) kB", status.read_text("ascii"), re.MULTILINE)):
        return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
