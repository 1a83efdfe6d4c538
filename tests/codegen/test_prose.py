"""Text from people on a page: read back by a parser of Markdown, or by eye."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from codegen.prose import markdown, visible

BLOCKS = ["# a", "## a", "- a", "+ a", "* a", "1. a", "12) a", "> a", "---", "***", "___", "===", "```", "~~~", "| a |"]
BLOCKS += [
    "    a",
    "\ta",
    "<div>",
    "<!-- a",
    "[a]: https://example.com",
    "\n# a",
    " # a",
    "a\n---",
    "a\n\n- b",
    "1986. A",
]
SPANS = [
    "*a*",
    "_a_",
    "__a__",
    "a_b_c",
    "`a`",
    "``",
    "[a](b)",
    "![a](b)",
    "<a@b.c>",
    "&lt;",
    "a\\",
    "\\*a\\*",
    "~~a~~",
    "a  ",
]


@pytest.mark.parametrize("text", [*BLOCKS, *SPANS])
def test_a_description_is_one_paragraph_of_text(text: str) -> None:
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(f"{markdown(text)}\n")

    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    children = tokens[1].children or []
    assert {child.type for child in children} <= {"text", "text_special", "html_inline"}
    shown = "".join("\n" if child.type == "html_inline" else child.content for child in children)
    assert shown == "\n".join(line.strip() for line in text.strip().split("\n"))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Paid orders, in EUR (net): 5 % off!", "Paid orders, in EUR (net): 5 % off!"),
        ("As arrival_delay_minutes.", "As arrival_delay_minutes."),
        ("First line.\r\n\tSecond line.\n", "First line.<br>Second line."),
        ("a | b < c & d", "a &#124; b &lt; c &amp; d"),
        ("", ""),
    ],
)
def test_the_markdown_of_plain_words_is_plain(text: str, written: str) -> None:
    assert markdown(text) == written


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("evil\u202elive", "evil\\u202elive"),
        ("bell \a, zero \0, separator \u2028", "bell \\u0007, zero \\u0000, separator \\u2028"),
        ("שלום 👩\u200d💻 é\ttab", "שלום 👩\u200d💻 é\ttab"),
        ("one\rtwo\r\nthree", "one\ntwo\nthree"),
    ],
)
def test_what_has_no_shape_is_seen(text: str, shown: str) -> None:
    assert visible(text) == shown
