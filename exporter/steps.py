"""Steps of the protocol → places where a test stops or ends the process; otherwise nothing.

SMOLQWERY_STEP_HOOK in the environment names a function, dotted, that is called with each step. Only tests set it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from collections.abc import Callable


def _nothing(_step: str) -> None: ...


def _hook() -> Callable[[str], None]:
    path = os.environ.get("SMOLQWERY_STEP_HOOK")
    return cast("Callable[[str], None]", import_string(path)) if path else _nothing


reached = _hook()
