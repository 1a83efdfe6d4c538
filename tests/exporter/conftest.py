"""What these tests share: Hypothesis without a clock or a memory, and databases of their own."""

from __future__ import annotations

import hypothesis

# The machine may be busy, and a test that failed once must fail for everybody.
hypothesis.settings.register_profile("exporter", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("exporter")
