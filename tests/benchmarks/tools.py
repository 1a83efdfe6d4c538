"""What is compared: each tool, the script that runs it, and how its table is made."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One way to export the flights."""

    key: str
    """For the command line."""
    name: str
    script: str
    arguments: tuple[str, ...] = ()
    """`{last_day}` is the last day that has flights."""
    environment: str | None = None
    """Of its own, as tests/requirements names it; None: the repository's."""
    environ: tuple[tuple[str, str], ...] = ()
    floor: str | None = None
    """The key of the tool that does the least for the same rows."""
    floor_by_days: str | None = None
    """And of the one that asks for them day by day, too."""
    by_days: bool = False
    """Of a single day there is nothing else to tell."""
    makes_table: bool = False
    model_names: bool = False
    """Its columns are named as the model's fields, not as the dataclass's."""
    needs_emulator: bool = False
    most_rows: int = 1_000_000_000
    """More would take it many minutes: only where it is asked for by name."""


_EXTRACT = ("smolqwery_extract", "--to", "{last_day}")

TOOLS = (
    # First: the first query of an emulator takes it three times as long as any other.
    Tool(key="idle", name="an idle command: smolqwery_status", script="run_ours.py", arguments=("smolqwery_status",)),
    Tool(
        key="queryset",
        name="QuerySet path",
        script="run_ours.py",
        arguments=_EXTRACT,
        environ=(("BENCHMARK_EXTRACTOR", "benchmarks.flight_paths.ByQuerySet"),),
        floor="floor-queryset",
        floor_by_days="floor-queryset-days",
    ),
    Tool(key="floor-queryset", name="its floor: ADBC → Arrow → append", script="run_floor_arrow.py"),
    Tool(
        key="floor-queryset-days",
        name="the same, day by day",
        script="run_floor_arrow.py",
        arguments=("--by-days",),
        by_days=True,
    ),
    Tool(
        key="rows",
        name="row path",
        script="run_ours.py",
        arguments=_EXTRACT,
        environ=(("BENCHMARK_EXTRACTOR", "benchmarks.flight_paths.ByRows"),),
        floor="floor-rows",
        floor_by_days="floor-rows-days",
    ),
    Tool(key="floor-rows", name="its floor: values_list → dataclass → append", script="run_floor_rows.py"),
    Tool(
        key="floor-rows-days",
        name="the same, day by day",
        script="run_floor_rows.py",
        arguments=("--by-days",),
        by_days=True,
    ),
    Tool(
        key="dlt",
        name="dlt 1.31.0, pyarrow, Parquet",
        script="run_dlt.py",
        environment="dlt",
        makes_table=True,
        model_names=True,
        needs_emulator=True,
    ),
    Tool(
        key="django-bigquery-exporter",
        name="django-bigquery-exporter 0.2.4",
        script="run_django_bigquery_exporter.py",
        environment="django_bigquery_exporter",
        environ=(("BENCHMARK_APPS", ""),),
        model_names=True,
        most_rows=500_000,
    ),
    Tool(
        key="smolqwery",
        name="smolqwery 0.1.3",
        script="run_smolqwery.py",
        environment="smolqwery",
        environ=(("BENCHMARK_APPS", "smolqwery"), ("DJANGO_SETTINGS_MODULE", "benchmarks.smolqwery_settings")),
        most_rows=500_000,
    ),
)
