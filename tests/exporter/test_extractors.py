"""What a team subclasses → a table's name, columns and layout, or what is wrong with them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, make_dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pytest

from exporter import BaseExtractor, ExtractorType, QuerySetExtractor, SchemaError, SettingsError, sq_field
from exporter.extractors import load_extractors, path_of
from exporter.tables import refuse_clashes, table_columns

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")
U = TypeVar("U")


@dataclass
class User:
    """Accounts.

    Ever registered, and still there.
    """

    users: int = sq_field(differentiate=True)
    country: str | None = None


@dataclass
class Email:
    timestamp: datetime
    type: str


class UserExtractor(BaseExtractor[User]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.date_aggregated

    def extract(self, date_start: datetime, date_end: datetime) -> Iterable[User]:
        raise NotImplementedError


class EmailExtractor(BaseExtractor[Email]):
    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.individual_rows

    def extract(self, date_start: datetime, date_end: datetime) -> Iterable[Email]:
        raise NotImplementedError


class Abstract(BaseExtractor[User]):
    """Without extract()."""

    def get_extractor_type(self) -> ExtractorType:
        return ExtractorType.date_aggregated


class Abstracted(QuerySetExtractor[User]):
    """Without get_extractor_type() and get_queryset()."""


class Demanding(UserExtractor):
    def __init__(self, country: str) -> None:
        self.country = country


class Untold(BaseExtractor):  # type: ignore[type-arg]
    """Of no dataclass that anybody knows."""

    get_extractor_type = UserExtractor.get_extractor_type
    extract = UserExtractor.extract


def of(base: type[BaseExtractor[Any]], **returned: Any) -> BaseExtractor[Any]:
    """An instance of a class `shop.Extractor`, with methods that return these."""
    methods = {name: (lambda _self, value=value: value) for name, value in returned.items()}
    extractor: BaseExtractor[Any] = type("Extractor", (base,), {"__module__": "shop", **methods})()
    return extractor


def individual(*fields: Any, **returned: Any) -> BaseExtractor[Any]:
    return of(EmailExtractor, get_dataclass=make_dataclass("Email", fields), **returned)


def aggregated(*fields: Any, **returned: Any) -> BaseExtractor[Any]:
    return of(UserExtractor, get_dataclass=make_dataclass("User", fields), **returned)


def refused(extractor: BaseExtractor[Any]) -> str:
    with pytest.raises(SchemaError) as refusal:
        table_columns(extractor)
    return str(refusal.value)


def drawn(extractor: BaseExtractor[Any]) -> list[str]:
    return [f"{column.name} {column.mode} {column.type}" for column in table_columns(extractor)]


def test_aggregated_table_gets_a_date_column_first() -> None:
    assert drawn(UserExtractor()) == ["date REQUIRED DATE", "users REQUIRED INTEGER", "country NULLABLE STRING"]
    assert table_columns(UserExtractor())[0].description == "The day that the row describes."


def test_aggregated_table_gets_the_date_column_that_it_names() -> None:
    extractor = of(UserExtractor, get_date_field="day")

    assert drawn(extractor) == ["day REQUIRED DATE", "users REQUIRED INTEGER", "country NULLABLE STRING"]


def test_individual_rows_have_their_own_date_column() -> None:
    assert drawn(EmailExtractor()) == ["timestamp REQUIRED TIMESTAMP", "type REQUIRED STRING"]


@pytest.mark.parametrize(("annotation", "expected"), [(datetime, "TIMESTAMP"), (date, "DATE")])
def test_individual_rows_can_name_their_date_column(annotation: type, expected: str) -> None:
    columns = drawn(individual(("type", str), ("sent", annotation), get_date_field="sent"))

    assert columns == ["type REQUIRED STRING", f"sent REQUIRED {expected}"]


@pytest.mark.parametrize(
    ("docstring", "description"),
    [("Order(s) placed in the shop.", "Order(s) placed in the shop."), (None, ""), ("", "")],
)
def test_a_docstring_that_begins_as_a_signature_would(docstring: str | None, description: str) -> None:
    row_class = type("Order", (), {"__annotations__": {"number": int, "note": "str | None"}, "__doc__": docstring})

    assert of(EmailExtractor, get_dataclass=dataclass(row_class)).get_description() == description


def test_defaults() -> None:
    extractors = (UserExtractor(), EmailExtractor())

    assert [
        (
            one.get_table_name(),
            one.get_date_field(),
            one.get_description(),
            one.get_partitioning(),
            one.get_partition_expiration(),
            one.get_clustering_fields(),
            one.get_database(),
        )
        for one in extractors
    ] == [
        ("user", "date", "Accounts.\n\nEver registered, and still there.", None, None, (), "default"),
        ("email", "timestamp", "", "DAY", None, (), "default"),
    ]


def test_path_is_as_settings_write_it() -> None:
    assert path_of(UserExtractor()) == f"{__name__}.UserExtractor"


class Middle(BaseExtractor[T], ABC):
    get_extractor_type = UserExtractor.get_extractor_type

    @abstractmethod
    def country(self) -> str: ...

    def extract(self, date_start: datetime, date_end: datetime) -> Iterable[T]:
        raise NotImplementedError


class OfMiddle(Middle[User]):
    def country(self) -> str:
        return "FR"


class Mixin(Generic[U]):
    pass


class WithMixin(Mixin[int], OfMiddle):
    pass


class Derived(EmailExtractor):
    pass


@pytest.mark.parametrize(
    ("extractor", "expected"),
    [(UserExtractor, User), (OfMiddle, User), (WithMixin, User), (Derived, Email)],
)
def test_dataclass_is_the_generic_argument(extractor: type[BaseExtractor[Any]], expected: type) -> None:
    assert extractor().get_dataclass() is expected


@pytest.mark.parametrize("argument", [None, T, "User", int | None], ids=str)
def test_dataclass_that_nobody_named(argument: Any) -> None:
    base = Untold if argument is None else BaseExtractor[argument]
    extractor: Any = type("Extractor", (Untold,), {"__module__": "shop", "__orig_bases__": (base,)})()

    assert refused(extractor) == (
        "shop.Extractor: its dataclass is not known.\n"
        "  Name it, as in `class UserExtractor(BaseExtractor[User])`, or override get_dataclass()."
    )


@pytest.mark.parametrize(
    ("extractor", "message"),
    [
        (
            of(UserExtractor, get_dataclass=None),
            "shop.Extractor: get_dataclass() returned None.\n  Return the dataclass of a row.",
        ),
        (
            of(UserExtractor, get_dataclass=User(users=1)),
            "shop.Extractor: get_dataclass() returned User(users=1, country=None).\n  Return the dataclass of a row.",
        ),
        (
            of(UserExtractor, get_dataclass=int),
            "builtins.int: not a dataclass.\n  Decorate it with @dataclass.",
        ),
        (
            of(UserExtractor, get_extractor_type="date_aggregated"),
            (
                "shop.Extractor: get_extractor_type() returned 'date_aggregated'.\n"
                "  Return ExtractorType.date_aggregated or ExtractorType.individual_rows."
            ),
        ),
        (
            of(UserExtractor, get_table_name="user-statistics"),
            (
                "shop.Extractor: 'user-statistics' is not a table name. "
                "Use ASCII letters, digits and _, at most 200, no digit first.\n  Override get_table_name()."
            ),
        ),
        (
            of(UserExtractor, get_table_name=None),
            (
                "shop.Extractor: None is not a table name. "
                "Use ASCII letters, digits and _, at most 200, no digit first.\n  Override get_table_name()."
            ),
        ),
        (
            of(UserExtractor, get_table_name="exporter_ledger"),
            (
                "shop.Extractor: 'exporter_ledger' is the name of the exporter's own table in Terraform.\n"
                "  Override get_table_name()."
            ),
        ),
    ],
)
def test_extractor_that_returns_what_cannot_be(extractor: BaseExtractor[Any], message: str) -> None:
    assert refused(extractor) == message


@pytest.mark.parametrize(
    ("extractor", "message"),
    [
        (
            individual(("type", str)),
            (
                "shop.Extractor: the dataclass has no date field 'timestamp'.\n"
                "  Add `timestamp: datetime.datetime` (or datetime.date), or override get_date_field()."
            ),
        ),
        (
            individual(("timestamp", datetime), get_date_field="Timestamp"),
            (
                "shop.Extractor: the dataclass has no date field 'Timestamp'.\n"
                "  Add `Timestamp: datetime.datetime` (or datetime.date), or override get_date_field()."
            ),
        ),
        (
            individual(("timestamp", datetime), get_date_field=None),
            (
                "shop.Extractor: the dataclass has no date field None.\n"
                "  Add `None: datetime.datetime` (or datetime.date), or override get_date_field()."
            ),
        ),
        (
            individual(("timestamp", str)),
            (
                "shop.Extractor, column timestamp: the date field is REQUIRED STRING.\n"
                "  Annotate it with datetime.datetime or datetime.date, not optional and not a list."
            ),
        ),
        (
            individual(("timestamp", str | None)),
            (
                "shop.Extractor, column timestamp: the date field is NULLABLE STRING.\n"
                "  Annotate it with datetime.datetime or datetime.date, not optional and not a list."
            ),
        ),
        (
            individual(("timestamp", datetime | None)),
            (
                "shop.Extractor, column timestamp: the date field is NULLABLE TIMESTAMP.\n"
                "  Annotate it with datetime.datetime or datetime.date, not optional and not a list."
            ),
        ),
        (
            individual(("timestamp", list[date])),
            (
                "shop.Extractor, column timestamp: the date field is REPEATED DATE.\n"
                "  Annotate it with datetime.datetime or datetime.date, not optional and not a list."
            ),
        ),
        (
            individual(("timestamp", datetime), ("Timestamp", str)),
            "types.Email.Timestamp: BigQuery takes 'timestamp' and 'Timestamp' for one column.\n  Rename one of them.",
        ),
        (
            aggregated(("date", date), ("users", int)),
            (
                "shop.Extractor, column date: aggregated tables get a date column 'date', and the dataclass "
                "has one too.\n"
                "  Remove the field, or return another name from get_date_field()."
            ),
        ),
        (
            aggregated(("Date", str), ("users", int)),
            (
                "shop.Extractor, column Date: aggregated tables get a date column 'date', and the dataclass "
                "has one too.\n"
                "  Remove the field, or return another name from get_date_field()."
            ),
        ),
        (
            aggregated(("users", int), get_date_field="Users"),
            (
                "shop.Extractor, column users: aggregated tables get a date column 'Users', and the dataclass "
                "has one too.\n  Remove the field, or return another name from get_date_field()."
            ),
        ),
        (
            aggregated(("users", int), get_date_field="2day"),
            (
                "shop.Extractor: get_date_field(): '2day' is not a column name. "
                "BigQuery takes ASCII letters, digits and _, at most 300, no digit first.\n  Return a column name."
            ),
        ),
        (
            aggregated(("users", int), get_date_field=None),
            (
                "shop.Extractor: get_date_field(): None is not a column name. "
                "BigQuery takes ASCII letters, digits and _, at most 300, no digit first.\n  Return a column name."
            ),
        ),
        (
            individual(("timestamp", datetime), ("total", int, sq_field(differentiate=True))),
            (
                "shop.Extractor, column total: individual rows cannot be differentiated.\n"
                "  Leave differentiate out, or aggregate by date (ExtractorType.date_aggregated)."
            ),
        ),
    ],
)
def test_date_column_that_cannot_be(extractor: BaseExtractor[Any], message: str) -> None:
    assert refused(extractor) == message


RICH = (
    ("timestamp", datetime),
    ("text", str),
    ("number", int | None),
    ("ratio", float),
    ("names", list[str]),
    ("data", dict),
    ("at", date),
)


@pytest.mark.parametrize(
    "returned",
    [
        {"get_partitioning": None},
        {"get_partitioning": "HOUR"},
        {"get_partitioning": "MONTH", "get_partition_expiration": timedelta(days=400)},
        {"get_partitioning": "YEAR", "get_clustering_fields": ("text", "number", "timestamp", "at")},
        {"get_partitioning": "DAY", "get_clustering_fields": ["text"]},
        {"get_date_field": "at", "get_partitioning": "DAY"},
    ],
    ids=str,
)
def test_layout_that_bigquery_takes(returned: dict[str, Any]) -> None:
    assert len(table_columns(individual(*RICH, **returned))) == len(RICH)


@pytest.mark.parametrize(
    ("returned", "problem"),
    [
        ({"get_partitioning": "day"}, "'day' for a TIMESTAMP column."),
        ({"get_partitioning": "WEEK"}, "'WEEK' for a TIMESTAMP column."),
        ({"get_partitioning": True}, "True for a TIMESTAMP column."),
        ({"get_partitioning": "HOUR", "get_date_field": "at"}, "'HOUR' for a DATE column."),
    ],
)
def test_partitioning_that_bigquery_does_not_have(returned: dict[str, Any], problem: str) -> None:
    assert refused(individual(*RICH, **returned)) == (
        f"shop.Extractor: get_partitioning() returned {problem}\n"
        "  Return 'DAY', 'MONTH', 'YEAR', 'HOUR' (TIMESTAMP only) or None."
    )


@pytest.mark.parametrize(
    ("expiration", "partitioning"),
    [(timedelta(days=1), None), (timedelta(0), "DAY"), (timedelta(days=-1), "DAY"), (30, "DAY")],
)
def test_expiration_that_no_partition_has(expiration: Any, partitioning: str | None) -> None:
    extractor = individual(*RICH, get_partition_expiration=expiration, get_partitioning=partitioning)

    assert refused(extractor) == (
        f"shop.Extractor: get_partition_expiration() returned {expiration!r} with partitioning {partitioning!r}.\n"
        "  Return a positive timedelta for a partitioned table, or None."
    )


@pytest.mark.parametrize(
    "fields",
    [
        ["nothing"],
        ["Text"],
        ["ratio"],
        ["names"],
        ["data"],
        ["text", "text"],
        ["a", "b", "c", "d", "e"],
        "text",
    ],
    ids=str,
)
def test_clustering_that_bigquery_does_not_take(fields: Any) -> None:
    assert refused(individual(*RICH, get_clustering_fields=fields)) == (
        f"shop.Extractor: get_clustering_fields() returned {fields!r}.\n"
        "  Return a list of at most four columns of the table, none twice and "
        "none REPEATED, FLOAT, BYTES, TIME, JSON or RECORD."
    )


@pytest.mark.parametrize("clustered", ["date", "users"])
def test_aggregated_table_can_be_clustered(clustered: str) -> None:
    assert drawn(aggregated(("users", int), get_clustering_fields=(clustered,)))[0] == "date REQUIRED DATE"


def named(table: str, class_name: str, *, differentiate: bool = False) -> BaseExtractor[Any]:
    row_class = make_dataclass("User", [("users", int, sq_field(differentiate=differentiate))])
    methods = {"get_table_name": lambda _self: table, "get_dataclass": lambda _self: row_class}
    extractor: BaseExtractor[Any] = type(class_name, (UserExtractor,), {"__module__": "shop", **methods})()
    return extractor


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (
            named("user", "A"),
            named("user", "B"),
            "shop.B: 'user' is the table of shop.B and also the table of shop.A.",
        ),
        (
            named("user", "A"),
            named("User", "B"),
            "shop.B: 'User' is the table of shop.B and also the table of shop.A.",
        ),
        (
            named("user", "A", differentiate=True),
            named("user_delta", "B"),
            "shop.B: 'user_delta' is the table of shop.B and also the delta view of shop.A.",
        ),
        (
            named("USER_DELTA", "A"),
            named("user", "B", differentiate=True),
            "shop.B: 'user_delta' is the delta view of shop.B and also the table of shop.A.",
        ),
    ],
)
def test_two_tables_of_one_name(first: BaseExtractor[Any], second: BaseExtractor[Any], message: str) -> None:
    with pytest.raises(SchemaError) as refusal:
        refuse_clashes([first, second])

    assert str(refusal.value) == f"{message}\n  Override get_table_name() of one of them."


def test_names_that_do_not_clash() -> None:
    tables = [named("user", "A"), named("user_delta", "B"), named("users", "C", differentiate=True)]

    refuse_clashes(tables)


def test_extractors_are_loaded_in_the_order_of_the_setting() -> None:
    extractors = load_extractors([f"{__name__}.EmailExtractor", f"{__name__}.UserExtractor"])

    assert [type(one).__name__ for one in extractors] == ["EmailExtractor", "UserExtractor"]


def reason_why_not(extractor: Any) -> str:
    """As this Python words it."""
    with pytest.raises(TypeError) as refusal:
        extractor()
    return str(refusal.value)


DOTTED = "Write 'package.module.ExtractorClass', importable from the project."


@pytest.mark.parametrize(
    ("path", "problem", "remedy"),
    [
        (UserExtractor, f"{UserExtractor!r} is not a string.", "Write 'package.module.ExtractorClass'."),
        (None, "None is not a string.", "Write 'package.module.ExtractorClass'."),
        ("nowhere", "cannot import 'nowhere': nowhere doesn't look like a module path.", DOTTED),
        ("nowhere.X", "cannot import 'nowhere.X': No module named 'nowhere'.", DOTTED),
        (".X", "cannot import '.X': ValueError: Empty module name.", DOTTED),
        (
            ".extractors.X",
            (
                "cannot import '.extractors.X': TypeError: the 'package' argument is required to perform a relative "
                "import for '.extractors'."
            ),
            DOTTED,
        ),
        (
            "flights.models.Nothing",
            (
                "cannot import 'flights.models.Nothing': "
                'Module "flights.models" does not define a "Nothing" attribute/class.'
            ),
            DOTTED,
        ),
        (
            "flights.models.Flight",
            "'flights.models.Flight' is not a subclass of exporter.BaseExtractor.",
            "Name an extractor class.",
        ),
        (
            "flights.settings.DATABASES",
            "'flights.settings.DATABASES' is not a subclass of exporter.BaseExtractor.",
            "Name an extractor class.",
        ),
        (
            f"{__name__}.Abstract",
            f"'{__name__}.Abstract' cannot be made: {reason_why_not(Abstract)}.",
            "Implement extract().",
        ),
        (
            f"{__name__}.Abstracted",
            f"'{__name__}.Abstracted' cannot be made: {reason_why_not(Abstracted)}.",
            "Implement get_extractor_type() and get_queryset().",
        ),
        (
            f"{__name__}.Demanding",
            f"'{__name__}.Demanding' cannot be made: {reason_why_not(Demanding)}.",
            "Let __init__() take no arguments, and work without a database.",
        ),
    ],
    ids=str,
)
def test_path_that_leads_to_no_extractor(path: Any, problem: str, remedy: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        load_extractors([f"{__name__}.UserExtractor", path])

    assert str(refusal.value) == f"SMOLQWERY_EXTRACTORS[1]: {problem}\n  {remedy}"
