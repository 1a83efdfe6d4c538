"""Row dataclass → BigQuery columns."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from dataclasses import MISSING, dataclass
from typing import Any

from exporter.annotations import Mode, Type, mode_of, type_of
from exporter.errors import SchemaError
from exporter.names import column_name_problem

if typing.TYPE_CHECKING:
    from collections.abc import Callable, Iterable


DIFFERENTIABLE = frozenset({Type.INTEGER, Type.FLOAT, Type.NUMERIC, Type.BIGNUMERIC})

_MAX_DEPTH = 15  # https://cloud.google.com/bigquery/docs/nested-repeated#limitations


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One BigQuery column, in BigQuery's words."""

    name: str
    type: Type
    mode: Mode
    description: str = ""
    policy_tags: tuple[str, ...] = ()
    precision: int | None = None
    """Digits in all of a NUMERIC or BIGNUMERIC; None: as many as the type has."""
    scale: int | None = None
    """Digits after the point, of `precision`."""
    differentiate: bool = False
    allow_nan: bool = False
    python_type: Any
    """What one value is in Python: the annotation without Optional and list."""
    choices: tuple[str, ...] = ()
    """The values of a Literal; empty: any."""
    fields: tuple[Column, ...] = ()
    """The columns of a RECORD."""


def sq_field(  # noqa: PLR0913 - dataclasses.field has as many
    *,
    differentiate: bool = False,
    description: str = "",
    policy_tags: Iterable[str] = (),
    precision: int | None = None,
    scale: int | None = None,
    allow_nan: bool = False,
    default: Any = MISSING,
    default_factory: Callable[[], Any] | Any = MISSING,
    init: bool = True,
    repr: bool = True,  # noqa: A002 - the name that dataclasses.field gives it
    hash: bool | None = None,  # noqa: A002 - as above
    compare: bool = True,
) -> Any:
    """A thin shortcut to `dataclasses.field`.

    `differentiate`: the table gets a delta view with this running total differentiated day by day.
    `description` and `policy_tags` become the column's. `precision` and `scale`: digits of a Decimal, in all and after
    the point. `allow_nan`: a float column takes NaN and infinities. The rest is `dataclasses.field`'s.
    """
    options = {
        "differentiate": differentiate,
        "description": description,
        # A lone string is an iterable of strings too, of one letter each.
        "policy_tags": (policy_tags,) if isinstance(policy_tags, str) else tuple(policy_tags),
        "precision": precision,
        "scale": scale,
        "allow_nan": allow_nan,
    }
    return dataclasses.field(
        default=default,
        default_factory=default_factory,
        init=init,
        repr=repr,
        hash=hash,
        compare=compare,
        metadata={"sq": options},
    )


def columns_of(row_class: type, *, _outer: tuple[type, ...] = ()) -> tuple[Column, ...]:
    """The columns of a dataclass, in the order of its fields.

    Raises SchemaError: not a dataclass, an annotation without a BigQuery type, a name BigQuery would refuse.
    """
    path = _path(row_class)
    if not (isinstance(row_class, type) and dataclasses.is_dataclass(row_class)):
        raise SchemaError(location=path, problem="not a dataclass.", remedy="Decorate it with @dataclass.")
    if "__dataclass_fields__" not in vars(row_class) and inspect.get_annotations(row_class):
        raise SchemaError(
            location=path,
            problem="annotates fields that its base class, which is a dataclass, does not know.",
            remedy="Decorate it with @dataclass too.",
        )
    if row_class in _outer:
        raise SchemaError(
            location=path,
            problem="contains itself, and a RECORD cannot.",
            remedy="Flatten it, or keep the inner part as JSON in a column of type dict.",
        )
    if len(_outer) > _MAX_DEPTH:
        raise SchemaError(
            location=path,
            problem=f"nested more than {_MAX_DEPTH} levels deep, which BigQuery refuses.",
            remedy="Flatten it, or keep the inner part as JSON in a column of type dict.",
        )
    try:
        hints = typing.get_type_hints(row_class, include_extras=True)
    except Exception as error:
        raise SchemaError(
            location=path,
            problem=f"its annotations cannot be resolved: {error}.",
            remedy="Import the named types in the module where the dataclass is defined.",
        ) from error
    columns = tuple(_column(row_class, field, hints[field.name], _outer) for field in dataclasses.fields(row_class))
    if not columns:
        raise SchemaError(location=path, problem="has no fields.", remedy="Give it at least one annotated field.")
    refuse_duplicates(path, columns)
    return columns


def refuse_duplicates(path: str, columns: Iterable[Column]) -> None:
    """BigQuery's column names differ by more than case."""
    seen: dict[str, str] = {}
    for column in columns:
        other = seen.setdefault(column.name.lower(), column.name)
        if other is not column.name:
            raise SchemaError(
                location=f"{path}.{column.name}",
                problem=f"BigQuery takes {other!r} and {column.name!r} for one column.",
                remedy="Rename one of them.",
            )


def _column(row_class: type, field: dataclasses.Field[Any], annotation: Any, outer: tuple[type, ...]) -> Column:
    path = f"{_path(row_class)}.{field.name}"
    if problem := column_name_problem(field.name):
        raise SchemaError(location=path, problem=f"{problem}.", remedy="Rename the field.")
    options: dict[str, Any] = dict(field.metadata.get("sq", {}))
    annotation, mode = mode_of(path, annotation)
    python_type, column_type, choices = type_of(path, annotation)
    fields = columns_of(python_type, _outer=(*outer, row_class)) if column_type is Type.RECORD else ()
    column = Column(
        name=field.name,
        type=column_type,
        mode=mode,
        description=options.get("description", ""),
        policy_tags=tuple(options.get("policy_tags", ())),
        precision=options.get("precision"),
        scale=options.get("scale"),
        differentiate=options.get("differentiate", False),
        allow_nan=options.get("allow_nan", False),
        python_type=python_type,
        choices=choices,
        fields=fields,
    )
    return _with_options_checked(path, column, nested=bool(outer))


def _with_options_checked(path: str, column: Column, *, nested: bool) -> Column:
    if column.differentiate and (nested or column.type not in DIFFERENTIABLE or column.mode is Mode.REPEATED):
        where = " inside a RECORD" if nested else ""
        raise SchemaError(
            location=path,
            problem=f"{_described(column)} column{where} cannot be differentiated.",
            remedy="Differentiate int, float or Decimal columns of the table itself, or leave differentiate out.",
        )
    if column.allow_nan and column.type is not Type.FLOAT:
        raise SchemaError(
            location=path,
            problem=f"allow_nan says nothing about {_described(column)} column.",
            remedy="Leave allow_nan out: only float has NaN and infinities.",
        )
    if column.precision is None and column.scale is None:
        return column
    if column.type is not Type.NUMERIC:
        raise SchemaError(
            location=path,
            problem=f"precision and scale say nothing about {_described(column)} column.",
            remedy="Leave them out, or annotate the field with Decimal.",
        )
    return dataclasses.replace(
        column, type=_decimal_type(path, column.precision, column.scale), scale=column.scale or 0
    )


def _decimal_type(path: str, precision: int | None, scale: int | None) -> Type:
    # https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#parameterized_decimal_type
    scale = scale or 0
    if precision is not None and precision >= 1 and scale >= 0:
        for column_type, max_scale, max_whole in ((Type.NUMERIC, 9, 29), (Type.BIGNUMERIC, 38, 38)):
            if scale <= max_scale and max(1, scale) <= precision <= scale + max_whole:
                return column_type
    raise SchemaError(
        location=path,
        problem=f"BigQuery has no decimal of precision {precision} and scale {scale}.",
        remedy="precision counts all digits, scale those after the point: at most 38 after the point and 38 before it, "
        "scale <= precision, no scale without a precision.",
    )


def _described(column: Column) -> str:
    words = f"{column.mode} {column.type}" if column.mode is Mode.REPEATED else str(column.type)
    return f"an {words}" if words.startswith("I") else f"a {words}"


def _path(row_class: Any) -> str:
    if isinstance(row_class, type):
        return f"{row_class.__module__}.{row_class.__qualname__}"
    return repr(row_class)
