"""The same act on both emulators, and what each of them shows."""

from __future__ import annotations

import pytest


def observed(*, repaired: object, as_it_comes: object) -> pytest.MarkDecorator:
    """Run a test twice. When bqemulator no longer shows `as_it_comes`, the repair can go."""
    return pytest.mark.parametrize(
        ("clients", "expected"),
        [
            pytest.param("emulator_clients", repaired, id="repaired"),
            pytest.param("as_it_comes", as_it_comes, id="as it comes"),
        ],
        indirect=["clients"],
    )
