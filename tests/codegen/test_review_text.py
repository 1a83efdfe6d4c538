"""Text from people in a review: read by a parser of Markdown, it is code and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from codegen.plans.drift import drift_entries
from codegen.plans.entry import entry_of
from codegen.plans.plan import read_plan
from codegen.plans.report import report
from plan_json import Json, change, column, plan, table, view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

FRAGMENTS = [
    "@octo-org/data",
    "#1",
    "octo-org/data#1",
    "GH-1",
    "https://example.com",
    "www.example.com",
    "a@example.com",
]
FRAGMENTS += [
    "<script>",
    "</details>",
    "<!--",
    "&lt;",
    "![](x)",
    "[x](y)",
    "[x]: y",
    "`",
    "``",
    "```",
    "~~~",
    "~~",
    "**",
]
FRAGMENTS += [
    "\n",
    "\r",
    "\n\n",
    "\u2028",
    "\u2029",
    "\x85",
    "\x0b",
    "\0",
    "\x1b[2J",
    "\x7f",
    " ",
    "    ",
    "\t",
    "\xa0",
]
FRAGMENTS += [
    "|",
    "# ",
    "> ",
    "- ",
    "1. ",
    "---",
    "\\",
    "$",
    "\u202e",
    "\u2066",
    "\u200b",
    "\ufeff",
    "\ud800",
    "😀",
    "é",
]
FRAGMENTS += ["**No table loses data.**", "\n**No table loses data.**\n", "allUsers", "x" * 500]
TEXTS = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=8)), max_size=8).map("".join)
EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True, database=None)
# All that the reports of these plans say themselves. Nothing of it could be a mention, a link or HTML.
OURS = re.compile(r"[A-Za-z0-9 ,.:;?()'→-]*")
TITLES = {"Stop", "Look twice", "Conditions that are not met", "Datasets", "Tables", "Views", "Access", "The job"}
TITLES |= {"Everything else", "Changed outside of Terraform since the last apply", "Besides"}
TITLES |= {"Put off by Terraform to a later plan"}


@EXAMPLES
@given(text=TEXTS)
def test_text_from_people_is_code_and_nothing_else(text: str) -> None:
    markdown = report_of(hostile(text))

    tokens = list(flat(MarkdownIt("commonmark").parse(markdown)))
    kinds = {token.type for token in tokens}
    assert kinds <= {
        *("paragraph_open", "paragraph_close", "heading_open", "heading_close", "inline", "text", "softbreak"),
        *("strong_open", "strong_close", "code_inline", "fence"),
        *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
    }
    assert {token.info for token in tokens if token.type == "fence"} <= {"diff"}
    for token in tokens:
        if token.type == "text":
            assert OURS.fullmatch(token.content), token.content
    headings = [tokens[number + 1].content for number, token in enumerate(tokens) if token.type == "heading_open"]
    assert set(headings) <= TITLES
    assert len(headings) == len(set(headings))


@EXAMPLES
@given(text=TEXTS)
def test_the_first_line_is_the_verdict_whatever_people_write(text: str) -> None:
    verdict = report_of(hostile(text)).partition("\n")[0]

    assert re.fullmatch(r"\*\*Stop: [A-Za-z0-9 ,;-]+\.\*\* [A-Za-z0-9 ,;]+\.", verdict), verdict


@EXAMPLES
@given(text=TEXTS)
def test_what_cannot_be_seen_is_spelled_out(text: str) -> None:
    markdown = report_of(hostile(text))

    assert all(character == "\n" or character.isprintable() for character in markdown)
    assert not set(markdown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
    markdown.encode()


SECRETS = ["hunter2", ["hunter2", "hunter2"], {"deep": ["hunter2"]}, [{"query": "hunter2"}]]
MARKS = [True, [True, True], {"deep": [True]}, [{"query": True}]]
ATTRIBUTES = ["access", "bucket", "clustering", "condition", "dataset_id", "default_table_expiration_ms", "description"]
ATTRIBUTES += ["deletion_policy", "expiration_time", "image", "labels", "location", "max_time_travel_hours", "member"]
ATTRIBUTES += ["members", "name", "paused", "permissions", "policy_data", "range_partitioning", "role", "schedule"]
ATTRIBUTES += ["schema", "secret_data", "table_id", "template", "time_partitioning", "view"]
TYPES = ["google_bigquery_dataset", "google_bigquery_table", "google_bigquery_dataset_iam_member", "terraform_data"]
TYPES += ["google_project_iam_binding", "google_project_iam_policy", "google_cloud_run_v2_job"]
TYPES += ["google_cloud_scheduler_job", "google_project_iam_custom_role", "google_bigquery_dataset_access"]


@pytest.mark.parametrize("resource_type", TYPES)
@pytest.mark.parametrize(("secret", "marks"), list(zip(SECRETS, MARKS, strict=True)))
def test_what_is_sensitive_is_never_shown(secret: Any, marks: Any, resource_type: str) -> None:
    changes = []
    for name in ATTRIBUTES:
        for sensitive in (True, {name: True}, {name: marks}):
            both: Json = {"before_sensitive": sensitive, "after_sensitive": sensitive}
            address = f"{resource_type}.x"
            changes.append(change(address, "create", after={name: secret}, **both))
            changes.append(change(address, "update", before={name: secret}, after={name: None}, **both))
            changes.append(change(address, "update", before={name: None}, after={name: secret}, **both))

    markdown = report_of(changes)

    assert "hunter2" not in markdown
    assert resource_type in markdown


def report_of(changes: list[Json], **more: Any) -> str:
    document = read_plan(plan(*changes, **more), "plan.json")
    return report(document, [entry_of(one) for one in document.changes], list(drift_entries(document)), [])


def flat(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from token.children or ()


def hostile(text: str) -> list[Json]:
    """A plan with this text wherever a plan can have one, and a table that is dropped."""
    day, other = column("day", "DATE"), column(f"x{text}", text, text, description=text, defaultValueExpression=text)
    before = table("t", day, column("d"), description="d", labels={"a": "b"}, clustering=["day"])
    after = table("t", day, other, column("d", description=text), description=text, labels={text: text, "a": text})
    env = [{"name": text, "value_source": [{"secret_key_ref": [{"secret": text, "version": text}]}]}]
    job = {"name": text, "template": [{"template": [{"containers": [{"image": text, "args": [text], "env": env}]}]}]}
    grant = {"dataset_id": text, "role": text, "member": f"user:x{text}", "condition": [{"expression": text}]}
    return [
        change("google_bigquery_table.dropped", "delete", before=table("dropped", day), action_reason=text),
        change(
            f"google_bigquery_table.t[{text}]", "update", before=before, after={**after, text: 1}, previous_address=text
        ),
        change(
            "google_bigquery_table.named", "create", after=table(f"x{text}", other, clustering=[text], dataset_id=text)
        ),
        change("google_bigquery_table.v", "update", before=view("v", "SELECT 1"), after=view("v", f"SELECT 2\n{text}")),
        change(
            "google_bigquery_dataset.d",
            "update",
            before={"dataset_id": text},
            after={"dataset_id": text, "location": text},
        ),
        change("google_bigquery_dataset_iam_member.m", "create", after=grant),
        change("google_cloud_run_v2_job.j", "create", after=job),
        change("google_cloud_scheduler_job.s", "update", before={"schedule": "x"}, after={"schedule": text}),
        change("other.o", "delete", "create", before={text: 1}, after={text: 2}, replace_paths=[[text, 0]]),
        change("other.x", f"x{text}", before={}, after={}),
    ]


@EXAMPLES
@given(text=TEXTS)
def test_text_beside_the_resources_is_code_too(text: str) -> None:
    more = {
        "checks": [
            {"address": {"to_display": text}, "status": "fail", "instances": [{"problems": [{"message": text}]}]}
        ],
        "output_changes": {text: {"actions": ["create"]}},
        "action_invocations": [{"address": text}],
        "deferred_changes": [{"reason": text, "resource_change": change("a.b", "create", after={})}],
        "resource_drift": hostile(text),
    }
    tokens = flat(MarkdownIt("commonmark").parse(report_of([], **more)))

    assert all(OURS.fullmatch(token.content) for token in tokens if token.type == "text")
