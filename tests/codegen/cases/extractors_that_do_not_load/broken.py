from __future__ import annotations

raise RuntimeError("this module does not import")
