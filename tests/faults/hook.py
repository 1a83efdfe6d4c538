"""The step that the environment names → a signal to this process. `SMOLQWERY_STEP_HOOK=faults.hook.reached`.

FAULTS_STEPS: a file that gets each step as it is reached, a line "step n" for the n-th time.
FAULTS_AT: such a line. FAULTS_SIGNAL: SIGKILL, or SIGSTOP for whoever waits for it to do the rest.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from pathlib import Path

_reached: Counter[str] = Counter()
_lock = threading.Lock()


def reached(step: str) -> None:
    with _lock:
        _reached[step] += 1
        place = f"{step} {_reached[step]}"
        with Path(os.environ["FAULTS_STEPS"]).open("a", encoding="utf-8") as steps:
            steps.write(f"{place}\n")
    if place == os.environ.get("FAULTS_AT"):
        # To this thread: it does not take another instruction. A signal to the process may arrive on any thread.
        signal.pthread_kill(threading.get_ident(), signal.Signals[os.environ["FAULTS_SIGNAL"]])
