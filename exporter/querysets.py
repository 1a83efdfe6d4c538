"""A QuerySet a day → the rows of an extractor."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, TypeGuard

from exporter.extractors import BaseExtractor, D

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from django.db.models import QuerySet


class QuerySetExtractor(BaseExtractor[D]):
    """Its rows are those of a QuerySet, which has a column for each field of the dataclass, by name.

    With the extra `adbc`, an export takes them from PostgreSQL or a file of SQLite without making Python objects of
    them. Otherwise, and wherever that would not give the same, it takes what `extract()` yields.
    """

    @abstractmethod
    def get_queryset(self, date_start: datetime, date_end: datetime) -> QuerySet[Any, Any]:
        """The rows of one day, which is as in `extract()`.

        Either with `.values_list(…)` or `.values(…)` of exactly the dataclass's fields, in any order, or of models that
        have them as fields or annotations. It is asked of the database that `get_database()` names.
        """

    def extract(self, date_start: datetime, date_end: datetime) -> Iterator[D]:
        # Imported here: Django's models are not there yet when `exporter` is.
        from exporter.selection import select  # noqa: PLC0415

        return select(self, date_start, date_end).rows(self.get_dataclass())


def yields_its_queryset(extractor: BaseExtractor[Any]) -> TypeGuard[QuerySetExtractor[Any]]:
    """Whether its rows are those of get_queryset(): `extract()` is the one above."""
    return getattr(extractor.extract, "__func__", None) is QuerySetExtractor.extract
