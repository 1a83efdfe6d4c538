"""The options of a field → those of its column, or the reason why BigQuery has no such column."""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING
from typing import TYPE_CHECKING, Any

from exporter.annotations import Mode, Type
from exporter.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from exporter.schema import Column

_DIFFERENTIABLE = frozenset({Type.INTEGER, Type.FLOAT, Type.NUMERIC, Type.BIGNUMERIC})


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


def with_options(path: str, column: Column, field: dataclasses.Field[Any], *, nested: bool) -> Column:
    """The column of this field, which says type and mode so far. Raises SchemaError: options that it cannot have."""
    options = field.metadata.get("sq", {})
    described = dataclasses.replace(
        column,
        description=options.get("description", ""),
        policy_tags=tuple(options.get("policy_tags", ())),
        precision=options.get("precision"),
        scale=options.get("scale"),
        differentiate=options.get("differentiate", False),
        allow_nan=options.get("allow_nan", False),
    )
    return _checked(path, described, nested=nested)


def _checked(path: str, column: Column, *, nested: bool) -> Column:
    if column.differentiate and (nested or column.type not in _DIFFERENTIABLE or column.mode is Mode.REPEATED):
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
