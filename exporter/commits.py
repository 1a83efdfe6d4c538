"""stand-in until the stream branch is merged"""

from __future__ import annotations

from exporter.write_stream import commit

__all__ = ["commit"]
