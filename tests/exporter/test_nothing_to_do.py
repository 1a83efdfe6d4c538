"""What a command imports: neither Arrow nor the write client before there is something to do.

And both, where an extractor asks BigQuery itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conftest import PROCESS_SECONDS
from exporter_cases import shop
from exporter_cases.shop import OrderExtractor, Total, TotalExtractor, order

if TYPE_CHECKING:
    from conftest import MakeWarehouse, RunCommand
    from emulator.warehouse import WarehouseCopy

REPOSITORY = Path(__file__).resolve().parents[2]
ARROW, WRITE_CLIENT = ("pyarrow", "numpy", "pandas", "exporter.batches"), ("google.cloud.bigquery_storage_v1", "proto")
HEAVY = (*ARROW, *WRITE_CLIENT, "rich")
NOTHING_NEW = "order  nothing new, exported to 2025-01-01\ntotal  nothing new, exported to 2025-01-01\n"
EXPORTED = "total  2025-01-01  1 row  committed"
MANAGE = f"""\
import sys
from django.core.management import execute_from_command_line
try:
    execute_from_command_line(sys.argv)
finally:
    print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""
SETTINGS = """\
from flights.settings import *
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}}
SMOLQWERY_EXTRACTORS = {extractors!r}
SMOLQWERY_DATASET = {dataset!r}
"""
ASKING = """\
{module_top}
from exporter_cases.shop import Total, TotalExtractor

def client():
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import bigquery
    return bigquery.Client("example-project", AnonymousCredentials())

class AskingExtractor(TotalExtractor):
    def extract(self, date_start, date_end):
        {in_extract}
        yield Total(orders=orders)
"""
TO_ARROW = 'orders = client().query("SELECT 42 AS n").result().to_arrow(create_bqstorage_client=False)["n"][0].as_py()'
READ_CLIENT = (
    "from google.cloud import bigquery, bigquery_storage; orders = 42; reader = client()._ensure_bqstorage_client(); "
    "assert isinstance(reader, bigquery_storage.BigQueryReadClient)"
)
TYPES = """\
import pyarrow
        from google.cloud.bigquery import SchemaField, _pandas_helpers
        from google.cloud.bigquery_storage_v1 import types
        assert _pandas_helpers.bq_to_arrow_data_type(SchemaField("n", "INTEGER")) == pyarrow.int64()
        assert _pandas_helpers._ARROW_COMPRESSION_SUPPORT
        codec = types.ArrowSerializationOptions.CompressionCodec
        assert _pandas_helpers.ArrowSerializationOptions.CompressionCodec(1) is codec.LZ4_FRAME
        orders = 42"""
MORE_AT_ONCE = """\
from pathlib import Path
text = Path("exporter/bigquery_library.py").read_text("utf-8")
assert text != (text := text.replace(', f"{_LIBRARY}._pyarrow_helpers"', ""))
exec(text)
"""
WHOLE = """
import sys, pyarrow
from google.cloud import bigquery_storage_v1
from google.cloud.bigquery import SchemaField, _pandas_helpers, table
assert not any("Placeholder" in repr(found) for found in [pyarrow, bigquery_storage_v1, *sys.meta_path])
assert _pandas_helpers.bq_to_arrow_data_type(SchemaField("n", "INTEGER")) == table.pyarrow.int64() == pyarrow.int64()
"""
DB_DTYPES = """\
import pyarrow.compute
assert "Placeholder" not in repr(pyarrow)
class DateDtype: name = "dbdate"
class TimeDtype: name = "dbtime"
print("imported")
"""
OF_MODULE_TOP = "from google.cloud import bigquery"


@pytest.fixture
def warehouse(make_warehouse: MakeWarehouse) -> WarehouseCopy:
    return make_warehouse(OrderExtractor, TotalExtractor)


@pytest.fixture
def project(tmp_path: Path, warehouse: WarehouseCopy) -> Path:
    paths = ["exporter_cases.shop.OrderExtractor", "exporter_cases.shop.TotalExtractor"]
    write_settings(tmp_path, warehouse, paths)
    return tmp_path


def write_settings(directory: Path, warehouse: WarehouseCopy, extractors: list[str], top: str = "") -> None:
    text = top + SETTINGS.format(extractors=extractors, dataset=warehouse.dataset)
    (directory / "nothing_settings.py").write_text(text, "utf-8")


def run(project: Path, warehouse: WarehouseCopy, *argv: str) -> tuple[str, str, int]:
    """In a process of its own: stdout, stderr with the heavy modules that it has imported, exit code."""
    paths = [project, REPOSITORY, REPOSITORY / "tests", REPOSITORY / "tests" / "example"]
    ended = subprocess.run(
        [sys.executable, "-P", "-c", MANAGE, *argv],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={
            **warehouse.clients.emulator.environ,
            "DJANGO_SETTINGS_MODULE": "nothing_settings",
            "HOME": str(project),
            "PYTHONPATH": ":".join(map(str, paths)),
        },
        timeout=PROCESS_SECONDS,
    )
    return ended.stdout, ended.stderr, ended.returncode


@pytest.mark.parametrize("workers", ["1", "4"])
def test_a_run_with_nothing_to_do_needs_neither_arrow_nor_the_write_client(
    project: Path, warehouse: WarehouseCopy, run_command: RunCommand, workers: str
) -> None:
    shop.orders.put("2025-01-01", order("2025-01-01", 1))
    shop.totals.put("2025-01-01", Total(orders=1))
    run_command("smolqwery_extract", "--to", "2025-01-01")

    result = run(project, warehouse, "smolqwery_extract", "--to", "2025-01-01", "--workers", workers)

    assert result == (NOTHING_NEW, "[]\n", 0)


def test_nor_does_a_look_at_the_status(project: Path, warehouse: WarehouseCopy) -> None:
    stdout, stderr, exit_code = run(project, warehouse, "smolqwery_status", "--format", "json")

    assert ('"table": "order"' in stdout, stderr, exit_code) == (True, "['rich']\n", 0)


@pytest.mark.parametrize("top", ["", OF_MODULE_TOP], ids=["imported late", "imported early"])
@pytest.mark.parametrize("code", [TO_ARROW, READ_CLIENT, TYPES], ids=["to_arrow", "read client", "types"])
def test_an_extractor_uses_the_whole_library(project: Path, warehouse: WarehouseCopy, top: str, code: str) -> None:
    (project / "asking.py").write_text(ASKING.format(module_top=top, in_extract=code), "utf-8")
    write_settings(project, warehouse, ["asking.AskingExtractor"])

    stdout, stderr, exit_code = run(project, warehouse, "smolqwery_extract", "--to", "2025-01-01")

    assert (stdout[: len(EXPORTED)], stderr.splitlines()[:-1], exit_code) == (EXPORTED, [], 0)
    assert warehouse.rows("total", "orders") == [(42,)]


@pytest.mark.parametrize("module", ["pyarrow", "google.cloud.bigquery"])
def test_what_settings_have_imported_stays_as_it_is(project: Path, warehouse: WarehouseCopy, module: str) -> None:
    checks = f"""\
from google.cloud.bigquery import table
        import pyarrow
        assert table.pyarrow is pyarrow
        {TO_ARROW}"""
    (project / "asking.py").write_text(ASKING.format(module_top="", in_extract=checks), "utf-8")
    write_settings(project, warehouse, ["asking.AskingExtractor"], f"import {module}\n")

    stdout, stderr, exit_code = run(project, warehouse, "smolqwery_extract", "--to", "2025-01-01")

    assert (stdout[: len(EXPORTED)], stderr.splitlines()[:-1], exit_code) == (EXPORTED, [], 0)
    assert warehouse.rows("total", "orders") == [(42,)]


def python(code: str, directory: Path = REPOSITORY) -> tuple[str, str, int]:
    ended = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=False,
        cwd=REPOSITORY,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(directory)},
        timeout=PROCESS_SECONDS,
    )
    return ended.stdout, ended.stderr, ended.returncode


def test_a_library_that_asks_arrow_for_more_while_it_is_imported_gets_it() -> None:
    """As one does that makes its table of Arrow's types elsewhere than in the module that is put off, too."""
    assert python(MORE_AT_ONCE + WHOLE) == ("", "", 0)


def test_what_the_library_imports_besides_finds_the_real_arrow(tmp_path: Path) -> None:
    """As db-dtypes does, where it is installed, through pandas, whose modules need each other in their order."""
    (tmp_path / "db_dtypes.py").write_text(DB_DTYPES, "utf-8")

    assert python(f"import exporter.bigquery_library\n{WHOLE}", tmp_path) == ("imported\n", "", 0)
