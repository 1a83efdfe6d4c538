"""Text from people in Terraform: read back by Terraform itself, which needs no provider for that."""

from __future__ import annotations

import itertools
import json
import unicodedata
from typing import TYPE_CHECKING

import pytest

from codegen.render import hcl

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FRAGMENTS = ["$", "%", "{", "}", "~", "\\", '"', "'", "\n", "\r", "\t", "\0", "\x7f", "u", " ", "é", "e\u0301", "ש"]
FRAGMENTS += ["😀", "\u2028", "\u202e", "\u200b", "\ufeff", "\U000e0001"]


def test_terraform_reads_what_a_person_wrote(tmp_path: Path, run_terraform: Callable[..., str]) -> None:
    texts = ["", *FRAGMENTS, *map("".join, itertools.product(FRAGMENTS, repeat=2))]
    texts += ["".join(text) for text in itertools.product(("$", "%", "{", "}", "x", "\\", '"', "~"), repeat=4)]
    values = "".join(f"    {hcl(text)},\n" for text in texts)
    (tmp_path / "main.tf").write_text(f'output "texts" {{\n  value = [\n{values}  ]\n}}\n', encoding="utf-8")

    run_terraform(tmp_path, "fmt", "-check")
    run_terraform(tmp_path, "init", "-input=false")
    run_terraform(tmp_path, "apply", "-auto-approve", "-input=false")

    read = json.loads(run_terraform(tmp_path, "output", "-json", "texts"))
    # Terraform composes what Unicode can compose (NFC), in a schema's file as well as here.
    assert read == [unicodedata.normalize("NFC", text) for text in texts]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('say "hello"', r'"say \"hello\""'),
        ("C:\\new", r'"C:\\new"'),
        ("one\ntwo\r\n\tthree", r'"one\ntwo\r\n\tthree"'),
        ("${var.project} and $${it}", '"$${var.project} and $$${it}"'),
        ("%{ if true }50%{ endif }", '"%%{ if true }50%%{ endif }"'),
        ("$5 is 5% {of} it", '"$5 is 5% {of} it"'),
        ("😀 שלום", '"😀 שלום"'),
        ("evil\u202elive", r'"evil\U0000202elive"'),
    ],
)
def test_a_reviewer_sees_what_is_there(text: str, written: str) -> None:
    assert hcl(text) == written
