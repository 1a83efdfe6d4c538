"""Row dataclasses → columns, or what to write instead."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, InitVar, dataclass, field, make_dataclass
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import (  # noqa: UP035 - the old spellings are what is tested
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Dict,
    Final,
    Generic,
    List,
    Literal,
    NamedTuple,
    NewType,
    Optional,
    Tuple,
    TypedDict,
    TypeVar,
    Union,
)

import pytest
from django.db.models import IntegerChoices, TextChoices
from typing_extensions import TypeAliasType

from exporter import SchemaError, sq_field
from exporter.schema import Column, columns_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")

SUPPORTED = (
    "\n  Use bool, int, float, Decimal, str, an Enum or Literal of str, UUID, bytes, date, datetime, time, "
    "dict or list[Any] (JSON), list[T], tuple[T, ...], a dataclass, or one of these | None."
)


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Size(StrEnum):
    SMALL = "small"


class State(TextChoices):
    NEW = "new", "New"


class Priority(IntegerChoices):
    LOW = 1


class Level(IntEnum):
    ONE = 1


class Mixed(Enum):
    A = "a"
    B = 2


class Empty(Enum):
    pass


class Text(str):
    __slots__ = ()


class Pair(NamedTuple):
    a: int


class Described(TypedDict):
    a: int


@dataclass
class Leg:
    miles: int
    stops: list[str]
    gate: str | None


@dataclass
class Of(Generic[T]):
    value: T


Cents = NewType("Cents", int)
Name = NewType("Name", Optional[str])  # type: ignore[valid-newtype]  # noqa: UP045
Alias = TypeAliasType("Alias", list[Cents])


def drawn(columns: Iterable[Column]) -> str:
    """`name MODE TYPE(precision, scale)` of each column, RECORDs with theirs in parentheses."""
    return ", ".join(f"{column.name} {column.mode} {column.type}" + "".join(_details(column)) for column in columns)


def _details(column: Column) -> Iterator[str]:
    if column.precision is not None:
        yield f"({column.precision}, {column.scale})"
    if column.fields:
        yield f" ({drawn(column.fields)})"


def row_of(annotation: Any, **options: Any) -> type:
    """A dataclass `shop.Row` with one field, `value`."""
    return made("Row", ("value", annotation, sq_field(**options)))


def made(name: str, *fields: Any) -> type:
    """A dataclass of a module `shop`."""
    row_class = make_dataclass(name, fields)
    row_class.__module__ = "shop"
    return row_class


def refused(row_class: Any) -> str:
    with pytest.raises(SchemaError) as refusal:
        columns_of(row_class)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        # exactly these classes: a bool is an int, a datetime is a date
        (bool, "REQUIRED BOOLEAN"),
        (int, "REQUIRED INTEGER"),
        (float, "REQUIRED FLOAT"),
        (Decimal, "REQUIRED NUMERIC"),
        (str, "REQUIRED STRING"),
        (uuid.UUID, "REQUIRED STRING"),
        (bytes, "REQUIRED BYTES"),
        (dt.date, "REQUIRED DATE"),
        (dt.datetime, "REQUIRED TIMESTAMP"),
        (dt.time, "REQUIRED TIME"),
        (Leg, "REQUIRED RECORD (miles REQUIRED INTEGER, stops REPEATED STRING, gate NULLABLE STRING)"),
        # text that is one of some
        (Colour, "REQUIRED STRING"),
        (Size, "REQUIRED STRING"),
        (State, "REQUIRED STRING"),
        (Literal["a", "b"], "REQUIRED STRING"),
        (Optional[Literal["a"]], "NULLABLE STRING"),  # noqa: UP045
        (Literal["a"] | None, "NULLABLE STRING"),
        # JSON
        (dict, "REQUIRED JSON"),
        (dict[str, Any], "REQUIRED JSON"),
        (Dict[str, int], "REQUIRED JSON"),  # noqa: UP006
        (list, "REQUIRED JSON"),
        (List, "REQUIRED JSON"),  # noqa: UP006
        (list[Any], "REQUIRED JSON"),
        (dict[str, Any] | None, "NULLABLE JSON"),
        (list[Any] | None, "NULLABLE JSON"),
        (list[dict[str, Any]], "REPEATED JSON"),
        (list[dict], "REPEATED JSON"),  # type: ignore[type-arg]
        (list[list[Any]], "REPEATED JSON"),
        # NULLABLE
        (Optional[int], "NULLABLE INTEGER"),  # noqa: UP045
        (int | None, "NULLABLE INTEGER"),
        (None | int, "NULLABLE INTEGER"),
        (Union[None, int], "NULLABLE INTEGER"),  # noqa: UP007
        (Optional[Optional[int]], "NULLABLE INTEGER"),  # noqa: PYI016, UP045
        (State | None, "NULLABLE STRING"),
        (Leg | None, "NULLABLE RECORD (miles REQUIRED INTEGER, stops REPEATED STRING, gate NULLABLE STRING)"),
        # REPEATED
        (list[int], "REPEATED INTEGER"),
        (List[int], "REPEATED INTEGER"),  # noqa: UP006
        (tuple[str, ...], "REPEATED STRING"),
        (Tuple[str, ...], "REPEATED STRING"),  # noqa: UP006
        (list[Colour], "REPEATED STRING"),
        (list[Leg], "REPEATED RECORD (miles REQUIRED INTEGER, stops REPEATED STRING, gate NULLABLE STRING)"),
        # names for types
        (Annotated[int, "cents"], "REQUIRED INTEGER"),
        (Annotated[int | None, "cents"], "NULLABLE INTEGER"),
        (Annotated[int, "cents"] | None, "NULLABLE INTEGER"),
        (list[Annotated[int, "cents"]], "REPEATED INTEGER"),
        (Cents, "REQUIRED INTEGER"),
        (Cents | None, "NULLABLE INTEGER"),
        (list[Cents], "REPEATED INTEGER"),
        (Name, "NULLABLE STRING"),
        (Alias, "REPEATED INTEGER"),
        (Annotated[Alias, "cents"], "REPEATED INTEGER"),
        # annotations as text, as `from __future__ import annotations` leaves them
        ("int", "REQUIRED INTEGER"),
        ("int | None", "NULLABLE INTEGER"),
        ("list['int']", "REPEATED INTEGER"),
    ],
    ids=str,
)
def test_annotation_becomes_column(annotation: Any, expected: str) -> None:
    assert drawn(columns_of(row_of(annotation))) == f"value {expected}"


@pytest.mark.parametrize(
    ("annotation", "written"),
    [
        (object, "object"),
        (Any, "Any"),
        (None, "NoneType"),
        (complex, "complex"),
        (dt.timedelta, "timedelta"),
        (bytearray, "bytearray"),
        (memoryview, "memoryview"),
        (set[str], "set[str]"),
        (frozenset, "frozenset"),
        (Text, "Text"),
        (type, "type"),
        # two types, or none
        (int | str, "int | str"),
        (int | str | None, "int | str | None"),
        (T, "~T"),
        (Final[int], "Final[int]"),
        # like a list, but not one
        (tuple, "tuple"),
        (tuple[int, str], "tuple[int, str]"),
        (tuple[Any, ...], "Any"),
        (Sequence[int], "collections.abc.Sequence[int]"),
        (Mapping[str, int], "collections.abc.Mapping[str, int]"),
        (Pair, "Pair"),
        (Described, "Described"),
        # enumerations of something else than text
        (Empty, "Empty"),
        (Mixed, "Mixed"),
        (Level, "Level"),
        (Priority, "Priority"),
        (Literal[1], "Literal[1]"),
        (Literal["a", 1], "Literal['a', 1]"),
        (Literal["a", None], "Literal['a', None]"),  # noqa: PYI061
        (Literal[Size.SMALL], "Literal[<Size.SMALL: 'small'>]"),
        (Of[int], f"{__name__}.Of[int]"),
        # not types at all
        (3, "3"),
        ([str], "[<class 'str'>]"),
        ({}, "{}"),
    ],
    ids=str,
)
def test_annotation_without_a_column_type_says_which_have_one(annotation: Any, written: str) -> None:
    assert refused(row_of(annotation)) == f"shop.Row.value: BigQuery has no column type for {written}.{SUPPORTED}"


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        (
            list[int] | None,
            (
                "BigQuery has no NULL list, so list[int] | None has no column type.\n"
                "  Use list[int] and yield an empty list."
            ),
        ),
        (
            tuple[str, ...] | None,
            (
                "BigQuery has no NULL list, so tuple[str, ...] | None has no column type.\n"
                "  Use tuple[str, ...] and yield an empty list."
            ),
        ),
        (
            list[int | None],
            (
                "BigQuery's lists hold no NULL, so list[int | None] has no column type.\n"
                "  Leave None out of the list, or use a list of a dataclass with an optional field."
            ),
        ),
        (
            list[list[int]],
            (
                "BigQuery has no list of lists, so list[list[int]] has no column type.\n"
                "  Use a list of a dataclass with a list in it, or list[Any], which is kept as JSON."
            ),
        ),
    ],
    ids=str,
)
def test_list_that_bigquery_does_not_have(annotation: Any, message: str) -> None:
    assert refused(row_of(annotation)) == f"shop.Row.value: {message}"


def test_python_type_is_the_annotation_without_its_mode() -> None:
    annotations = (int | None, list[Colour], Literal["b", "a"], dict[str, int], Cents, list[Leg])

    columns = [columns_of(row_of(annotation))[0] for annotation in annotations]

    assert [column.python_type for column in columns] == [int, Colour, str, dict, int, Leg]
    assert [column.choices for column in columns] == [(), (), ("b", "a"), (), (), ()]


def test_options_become_the_columns() -> None:
    @dataclass
    class Row:
        """One row."""

        total: int = sq_field(differentiate=True, description="Ever.", policy_tags=["projects/p/policyTags/1"])
        ratio: float | None = sq_field(default=None, allow_nan=True)
        names: list[str] = sq_field(default_factory=list, policy_tags="projects/p/policyTags/2")

    total, ratio, names = columns_of(Row)

    assert (total.differentiate, total.description, total.policy_tags) == (True, "Ever.", ("projects/p/policyTags/1",))
    assert (ratio.differentiate, ratio.description, ratio.allow_nan) == (False, "", True)
    assert (names.policy_tags, names.allow_nan) == (("projects/p/policyTags/2",), False)
    assert Row(total=1) == Row(total=1, ratio=None, names=[])


@pytest.mark.parametrize(
    ("precision", "scale", "expected"),
    [
        (None, None, "NUMERIC"),
        (1, None, "NUMERIC(1, 0)"),
        (10, 2, "NUMERIC(10, 2)"),
        (9, 9, "NUMERIC(9, 9)"),
        (29, 0, "NUMERIC(29, 0)"),
        (38, 9, "NUMERIC(38, 9)"),
        (30, 0, "BIGNUMERIC(30, 0)"),
        (10, 10, "BIGNUMERIC(10, 10)"),
        (38, 0, "BIGNUMERIC(38, 0)"),
        (76, 38, "BIGNUMERIC(76, 38)"),
    ],
)
def test_digits_choose_the_decimal_type(precision: int | None, scale: int | None, expected: str) -> None:
    column = columns_of(row_of(Decimal | None, precision=precision, scale=scale))

    assert drawn(column) == f"value NULLABLE {expected}"


@pytest.mark.parametrize(
    ("precision", "scale"), [(0, 0), (-1, None), (None, 2), (2, 3), (39, 0), (77, 38), (76, 39), (50, 10), (10, -1)]
)
def test_digits_that_no_decimal_type_has(precision: int | None, scale: int | None) -> None:
    assert refused(row_of(Decimal, precision=precision, scale=scale)) == (
        f"shop.Row.value: BigQuery has no decimal of precision {precision} and scale {scale or 0}.\n"
        "  precision counts all digits, scale those after the point: at most 38 after the point and 38 before it, "
        "scale <= precision, no scale without a precision."
    )


@pytest.mark.parametrize("annotation", [int, float, Decimal, int | None, Annotated[Decimal | None, "euros"]], ids=str)
def test_numbers_can_be_differentiated(annotation: Any) -> None:
    assert columns_of(row_of(annotation, differentiate=True))[0].differentiate


@pytest.mark.parametrize(
    ("annotation", "options", "message"),
    [
        (bool, {"differentiate": True}, "a BOOLEAN column cannot be differentiated."),
        (str, {"differentiate": True}, "a STRING column cannot be differentiated."),
        (Level | None, {"differentiate": True}, f"BigQuery has no column type for Level.{SUPPORTED}"),
        (dt.date, {"differentiate": True}, "a DATE column cannot be differentiated."),
        (dict, {"differentiate": True}, "a JSON column cannot be differentiated."),
        (Leg, {"differentiate": True}, "a RECORD column cannot be differentiated."),
        (list[int], {"differentiate": True}, "a REPEATED INTEGER column cannot be differentiated."),
        (int, {"allow_nan": True}, "allow_nan says nothing about an INTEGER column."),
        (int, {"precision": 5}, "precision and scale say nothing about an INTEGER column."),
        (str, {"scale": 5}, "precision and scale say nothing about a STRING column."),
    ],
)
def test_option_of_another_type(annotation: Any, options: dict[str, Any], message: str) -> None:
    remedies = {
        "differentiate": (
            "\n  Differentiate int, float or Decimal columns of the table itself, or leave differentiate out."
        ),
        "allow_nan": "\n  Leave allow_nan out: only float has NaN and infinities.",
        "precision": "\n  Leave them out, or annotate the field with Decimal.",
        "scale": "\n  Leave them out, or annotate the field with Decimal.",
    }
    remedy = "" if SUPPORTED in message else remedies[next(iter(options))]

    assert refused(row_of(annotation, **options)) == f"shop.Row.value: {message}{remedy}"


def test_column_inside_a_record_cannot_be_differentiated() -> None:
    inner = row_of(int, differentiate=True)

    assert refused(made("Outer", ("inner", inner))) == (
        "shop.Row.value: an INTEGER column inside a RECORD cannot be differentiated.\n"
        "  Differentiate int, float or Decimal columns of the table itself, or leave differentiate out."
    )


def test_columns_come_in_the_order_of_fields_base_class_first() -> None:
    @dataclass(slots=True)
    class Base:
        b: int
        a: str

    @dataclass(slots=True, kw_only=True)
    class Derived(Base):
        CONSTANT: ClassVar[int] = 1
        c: float = 0.0
        a: str | None = None  # type: ignore[assignment]
        start: InitVar[int] = 3
        _: KW_ONLY
        d: bool = field(init=False)

        def __post_init__(self, start: int) -> None:
            self.d = bool(start)

    assert drawn(columns_of(Derived)) == ("b REQUIRED INTEGER, a NULLABLE STRING, c REQUIRED FLOAT, d REQUIRED BOOLEAN")


def test_columns_come_in_the_order_of_fields_many_of_them() -> None:
    names = [f"column_{number}" for number in range(300)]

    columns = columns_of(made("Wide", *((name, int) for name in names)))

    assert [column.name for column in columns] == names


def test_class_derived_from_a_dataclass_without_fields_of_its_own() -> None:
    class Leg2(Leg):
        """Only another name, for another table."""

    assert drawn(columns_of(Leg2)) == drawn(columns_of(Leg))


def test_class_derived_from_a_dataclass_that_forgot_to_be_one() -> None:
    class Leg2(Leg):
        seats: int

    Leg2.__qualname__ = "Leg2"

    assert refused(Leg2) == (
        f"{__name__}.Leg2: annotates fields that its base class, which is a dataclass, does not know.\n"
        "  Decorate it with @dataclass too."
    )


@pytest.mark.parametrize(("thing", "written"), [(int, "builtins.int"), (Pair, f"{__name__}.Pair"), (None, "None")])
def test_not_a_dataclass(thing: Any, written: str) -> None:
    assert refused(thing) == f"{written}: not a dataclass.\n  Decorate it with @dataclass."


def test_dataclass_without_fields() -> None:
    assert refused(made("Row")) == ("shop.Row: has no fields.\n  Give it at least one annotated field.")


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        ("Unknown", "name 'Unknown' is not defined"),
        ("list[Unknown]", "name 'Unknown' is not defined"),
    ],
)
def test_annotation_that_cannot_be_resolved(annotation: str, reason: str) -> None:
    assert refused(row_of(annotation)) == (
        f"shop.Row: its annotations cannot be resolved: {reason}.\n"
        "  Import the named types in the module where the dataclass is defined."
    )


@dataclass
class Node:
    children: list[Node]


def test_dataclass_that_contains_itself() -> None:
    assert refused(Node) == (
        f"{__name__}.Node: contains itself, and a RECORD cannot.\n"
        "  Flatten it, or keep the inner part as JSON in a column of type dict."
    )


def test_dataclass_can_be_two_columns() -> None:
    columns = columns_of(made("Trip", ("there", Leg), ("back", Leg | None)))

    assert [(column.name, column.mode, column.fields) for column in columns] == [
        ("there", "REQUIRED", columns_of(Leg)),
        ("back", "NULLABLE", columns_of(Leg)),
    ]


def nested(levels: int) -> type:
    """A dataclass with so many RECORDs in each other."""
    row_class = made("Innermost", ("value", int))
    for _ in range(levels):
        row_class = made("Outer", ("inner", list[row_class]))  # type: ignore[valid-type]
    return row_class


def test_records_can_be_nested_15_levels_deep() -> None:
    assert drawn(columns_of(nested(15))).count("RECORD") == 15


def test_records_cannot_be_nested_deeper() -> None:
    assert refused(nested(16)) == (
        "shop.Innermost: nested more than 15 levels deep, which BigQuery refuses.\n"
        "  Flatten it, or keep the inner part as JSON in a column of type dict."
    )


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (
            "größe",
            "'größe' is not a column name. BigQuery takes ASCII letters, digits and _, at most 300, no digit first.",
        ),
        ("_table_x", "'_table_x' begins with _TABLE_, which BigQuery keeps for itself."),
    ],
)
def test_column_name_that_bigquery_refuses(name: str, problem: str) -> None:
    row_class = made("Row", (name, int))

    assert refused(row_class) == f"shop.Row.{name}: {problem}\n  Rename the field."


def test_column_names_differ_by_more_than_case() -> None:
    row_class = made("Row", ("total", int), ("Total", int))

    assert refused(row_class) == (
        "shop.Row.Total: BigQuery takes 'total' and 'Total' for one column.\n  Rename one of them."
    )


def test_refusal_inside_a_record_names_the_inner_class() -> None:
    inner = row_of(set[int])

    assert refused(made("Outer", ("inner", list[inner]))) == (  # type: ignore[valid-type]
        f"shop.Row.value: BigQuery has no column type for set[int].{SUPPORTED}"
    )
