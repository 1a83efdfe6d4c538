"""A year of flights, from Django's database to BigQuery's tables: every step that a team would take, on one machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from rich.console import Console
from rich.table import Table

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests"))

from terraform.provider import provider_environ  # noqa: E402 - found only now

if TYPE_CHECKING:
    from collections.abc import Sequence

DEMO = REPOSITORY / ".demo"
MANAGE = REPOSITORY / "tests" / "example" / "manage.py"
LAST_DAY = "2025-12-31"
WEEK = (date(2025, 11, 1), date(2025, 11, 7))  # with the day of 25 hours

console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)


def main() -> None:
    shutil.rmtree(DEMO, ignore_errors=True)
    DEMO.mkdir()
    started = time.monotonic()
    environ = os.environ | {
        "FLIGHTS_DATABASE": str(DEMO / "flights.sqlite3"),
        "DJANGO_SETTINGS_MODULE": "flights.settings",
    }
    environ |= {"PYTHONPATH": os.pathsep.join((str(REPOSITORY), str(MANAGE.parent)))}

    _title("1. The team's database: every flight from New York in a year")
    _run([sys.executable, MANAGE, "migrate", "--verbosity", "0"], environ)
    _run([sys.executable, MANAGE, "load_flights"], environ)

    _title("2. Extractors → Terraform")
    _run([sys.executable, "-m", "codegen"], environ)

    _title("3. Terraform → dataset, tables, delta view, access")
    terraform = DEMO / "terraform"
    shutil.copytree(REPOSITORY / "terraform", terraform, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    environ |= provider_environ() | {"TF_VAR_project": environ["GOOGLE_CLOUD_PROJECT"], "TF_IN_AUTOMATION": "1"}
    _run(["terraform", f"-chdir={terraform}", "init", "-input=false", "-no-color"], environ, quiet=True)
    _run(
        ["terraform", f"-chdir={terraform}", "apply", "-auto-approve", "-input=false", "-no-color"], environ, quiet=True
    )

    _title("4. Rows → BigQuery")
    _run([sys.executable, MANAGE, "smolqwery_extract", "--to", LAST_DAY], environ)
    _run([sys.executable, MANAGE, "smolqwery_extract", "--to", LAST_DAY], environ)

    _title("5. What is in BigQuery now")
    _show(environ)
    console.print(f"\nDone in {time.monotonic() - started:.0f} s.", style="bold")


def _show(environ: dict[str, str]) -> None:
    client = bigquery.Client(
        project=environ["GOOGLE_CLOUD_PROJECT"],
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": environ["BIGQUERY_EMULATOR_HOST"]},
    )
    tables = sorted(item.table_id for item in client.list_tables("flights") if item.table_type == "TABLE")
    counts = [(name, next(iter(_query(client, f"SELECT COUNT(*) FROM `flights.{name}`")))[0]) for name in tables]
    _print_table("Rows", ["table", "rows"], [(name, f"{count:,}") for name, count in counts])
    names = ("departures", "cancellations", "distance_miles")
    selected = ", ".join(f"total.`{name}`, delta.`{name}` AS `{name}_delta`" for name in names)
    week = _query(
        client,
        f"SELECT total.`date`, {selected} FROM `flights.traffic` AS total "
        "JOIN `flights.traffic_delta` AS delta ON delta.`date` = total.`date` "
        f"WHERE total.`date` BETWEEN '{WEEK[0]}' AND '{WEEK[1]}' ORDER BY total.`date`",
    )
    headings = ["date", *(heading for name in names for heading in (name, "of the day"))]
    rows = [[str(row[0]), *(f"{value:,}" for value in row.values()[1:])] for row in week]
    _print_table("A week of `traffic`, beside its delta view `traffic_delta`", headings, rows)
    places = {
        "extractors": MANAGE.parent / "flights" / "extractors.py",
        "generated Terraform": REPOSITORY / "terraform" / "warehouse",
        "Terraform's state": DEMO / "terraform" / "terraform.tfstate",
        "the team's database": DEMO / "flights.sqlite3",
    }
    _print_table(
        "Where things are", ["", ""], [(name, str(path.relative_to(REPOSITORY))) for name, path in places.items()]
    )
    console.print("BigQuery was an emulator on this machine; it is gone when this command ends.")


def _query(client: bigquery.Client, sql: str) -> list[Any]:
    return list(client.query(sql).result())


def _print_table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(title=title, title_justify="left", title_style="bold", show_header=any(headings))
    for position, heading in enumerate(headings):
        table.add_column(heading, justify="right" if position and heading else "left")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _title(text: str) -> None:
    console.print(f"\n{text}", style="bold")


def _run(command: Sequence[str | Path], environ: dict[str, str], *, quiet: bool = False) -> None:
    """Show the command as a person would type it, and run it. The demo ends where one fails."""
    shown = [str(part).replace(f"{REPOSITORY}/", "").replace(sys.executable, "python") for part in command]
    console.print(f"$ {' '.join(shown)}", style="cyan")
    done = subprocess.run(command, cwd=REPOSITORY, env=environ, check=False, capture_output=quiet, text=True)
    if quiet:
        summary = [
            line for line in done.stdout.splitlines() if line.startswith(("Apply complete", "Terraform has been"))
        ]
        console.print("\n".join(summary) if done.returncode == 0 else done.stdout + done.stderr)
    if done.returncode:
        raise SystemExit(f"This step failed with exit code {done.returncode}: {' '.join(shown)}")


if __name__ == "__main__":
    main()
