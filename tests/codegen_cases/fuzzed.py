"""Warehouses of any names, descriptions and e-mails, made by Hypothesis: the same ones in every run."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import hypothesis
from hypothesis import given
from hypothesis import strategies as st

from codegen.introspect import DeltaView, Partitioning, Table, Warehouse
from exporter.annotations import Mode, Type
from exporter.names import column_name_problem, table_name_problem
from exporter.schema import Column

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")

_TABLES = 80
_WAREHOUSES = 6
_NASTY = (
    *('"', "'", "\\", "\\n", "\n", "\r\n", "\t", "${", "$${", "%{", "%%{", "}", "~}", "${var.project}", "%{ if true }"),
    *(
        "%{ endif }",
        "<<-SQL\n",
        "\nSQL\n",
        "SQL",
        "`",
        "|",
        "<!--",
        "-->",
        "</td>",
        "<script>alert(1)</script>",
        "&lt;",
    ),
    *("[a](b)", "![a](b)", "* a", "# a", "1. a", "---", "{{ x }}", "{% x %}", "{#", "\0", "\x7f", "\u2028", "\u202e"),
    *(
        "\u2066",
        "\u200b",
        "\ufeff",
        "שלום",
        "مرحبا",
        "😀",
        "👩\u200d💻",
        "e\u0301",
        "é",
        "\U000e0001",
        "\U0010ffff",
        " ",
    ),
    *("/*", "*/", "//", "#", "@everyone", "https://example.com/?a=b&c", "javascript:alert(1)", "null", "true", "~~~"),
)
_WORDS = (
    "for",
    "if",
    "null",
    "true",
    "each",
    "count",
    "self",
    "var",
    "local",
    "module",
    "override",
    "an_override",
    "_",
)

# Without characters that this Python does not know: Terraform may, and composes them.
_characters = st.characters(exclude_categories=["Cs", "Cn"])
texts = st.lists(st.sampled_from(_NASTY) | st.text(_characters, max_size=8), max_size=30).map("".join)
descriptions = (texts | st.sampled_from(_NASTY).map(lambda text: text * 1024)).map(lambda text: text[:1024])
_policy_tags = texts.map(lambda text: " ".join(text.split())).filter(bool)
_names = st.sampled_from(_WORDS) | st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,60}", fullmatch=True)
_table_names = _names.filter(lambda name: not table_name_problem(name))
_column_names = _names.filter(lambda name: not column_name_problem(name))
_local_parts = texts.map(lambda text: text.replace("@", "").replace(":", "")[:64] or "a")
emails = st.builds("{}@{}".format, _local_parts, _local_parts).map(str.lower)


@st.composite
def columns(draw: st.DrawFn, depth: int = 0) -> tuple[Column, ...]:
    chosen = draw(st.lists(_column_names, min_size=1, max_size=4, unique_by=str.lower))
    return tuple(draw(_column(name, depth)) for name in chosen)


@st.composite
def _column(draw: st.DrawFn, name: str, depth: int) -> Column:
    column_type = draw(st.sampled_from([one for one in Type if one is not Type.RECORD or depth < 2]))
    return Column(
        name=name,
        type=column_type,
        mode=draw(st.sampled_from(Mode)),
        description=draw(descriptions),
        policy_tags=tuple(draw(st.lists(_policy_tags, max_size=1))),
        differentiate=depth == 0 and column_type is Type.INTEGER,
        python_type=None,
        fields=draw(columns(depth + 1)) if column_type is Type.RECORD else (),
    )


@st.composite
def tables(draw: st.DrawFn) -> Table:
    name, its_columns = draw(_table_names), draw(columns())
    first = its_columns[0].name
    is_differentiated = any(column.differentiate for column in its_columns)
    return Table(
        name=name,
        source="shop.extractors.AnyExtractor",
        description=draw(descriptions),
        columns=its_columns,
        partitioning=draw(st.sampled_from([None, Partitioning(type="DAY", field=first, expiration_ms=None)])),
        clustering=(first,),
        delta_view=DeltaView(name=f"{name}_delta", date_column=first) if is_differentiated else None,
    )


def collected(strategy: st.SearchStrategy[T], count: int) -> list[T]:
    """Terraform takes a second to start: it looks at all examples at once, instead of at each when it is made."""
    found: list[T] = []

    @hypothesis.settings(
        database=None,
        deadline=None,
        derandomize=True,
        max_examples=count,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @given(strategy)
    def collect(one: T) -> None:
        found.append(one)

    collect()
    return found


def every_nasty_text() -> Table:
    """What chance could leave out: each of them alone, and 1,024 characters of them."""
    described = [*_NASTY, "".join(_NASTY * 9)[:1024]]
    its_columns = [
        Column(name=f"c{number}", type=Type.STRING, mode=Mode.NULLABLE, description=text, python_type=None)
        for number, text in enumerate(described)
    ]
    return Table(
        name="every_nasty_text",
        source="shop.extractors.AnyExtractor",
        description=described[-1],
        columns=tuple(its_columns),
        partitioning=None,
        clustering=("c0",),
        delta_view=None,
    )


def fuzzed_warehouses() -> list[Warehouse]:
    groups = st.lists(emails.map(lambda email: email.replace("\n", "")), max_size=4, unique=True).map(tuple)
    datasets = st.from_regex(r"[A-Za-z0-9_]{1,300}", fullmatch=True)
    locations = st.from_regex(r"[A-Za-z]{1,9}(-[A-Za-z0-9]{1,9}){0,2}", fullmatch=True)
    settings = collected(st.tuples(datasets, locations, groups, groups), _WAREHOUSES)
    shares: list[list[Table]] = [[] for _ in settings]
    for table in [every_nasty_text(), *collected(tables(), _TABLES)]:
        roomy = next((share for share in sorted(shares, key=len) if not _clash(table, share)), None)
        if roomy is not None:
            roomy.append(table)
    return [
        Warehouse(dataset=dataset, location=location, acl_groups=acl, reader_groups=readers, tables=tuple(share))
        for (dataset, location, acl, readers), share in zip(settings, shares, strict=True)
    ]


def _clash(table: Table, others: Iterable[Table]) -> bool:
    return bool(_taken([table]) & _taken(others))


def _taken(of: Iterable[Table]) -> set[str]:
    names = [name for table in of for name in (table.name, table.delta_view.name if table.delta_view else table.name)]
    return {name.lower() for name in names}
