"""x."""

from __future__ import annotations

from exporter.days import window


def test_x():
    assert window
