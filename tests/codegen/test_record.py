"""The record of the last run, edited by hand in any way: read, or refused in words."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from codegen.errors import OutputError
from codegen.record import read_record

EXPECTED = Path(__file__).parent / "cases" / "every_type" / "expected"
FILES = {
    name: json.loads((EXPECTED / name).read_text(encoding="utf-8"))
    for name in ("manifest.json", *(f"schemas/{path.name}" for path in sorted(EXPECTED.glob("schemas/*.json"))))
}

texts = st.text(max_size=5) | st.sampled_from(["INT64", "required", "7"])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
anything = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner))


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, Any]:
    """One of the files, with one value in it exchanged, taken away or put in."""
    name = draw(st.sampled_from(sorted(FILES)))
    content = {"file": json.loads(json.dumps(FILES[name]))}
    value: Any = content
    while True:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        key = draw(st.sampled_from(keys))
        if not isinstance(value[key], dict | list) or not value[key] or (value is not content and draw(st.booleans())):
            break
        value = value[key]
    what = draw(st.sampled_from(["exchanged", "gone", "added"]))
    if what == "exchanged" or value is content:
        value[key] = draw(anything)
    elif what == "gone":
        del value[key]
    elif isinstance(value, dict):
        value[draw(st.text(max_size=5))] = draw(anything)
    else:
        value.append(draw(anything))
    return name, content["file"]


def problem_with(directory: Path) -> str:
    try:
        read_record(directory)
    except OutputError as problem:
        return str(problem)
    return ""


@given(edit=edited())
def test_what_was_edited_by_hand_is_read_or_refused_with_its_path(edit: tuple[str, Any]) -> None:
    name, content = edit
    with TemporaryDirectory() as directory:
        for path, text in (FILES | {name: content}).items():
            (Path(directory) / path).parent.mkdir(exist_ok=True)
            (Path(directory) / path).write_text(json.dumps(text), encoding="utf-8")
        problem = problem_with(Path(directory))

        assert problem == "" or (problem.startswith(directory) and len(problem) < 1_000)


def test_what_nobody_edited_is_read() -> None:
    record = read_record(EXPECTED)

    assert record
    assert [table.name for table in record.warehouse.tables] == ["Orders_2", "click", "stock", "visit"]
