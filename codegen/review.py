"""`python -m codegen.review`: a Terraform plan as JSON → Markdown for a pull request, an exit code that stops it."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from codegen.plans.drift import drift_entries
from codegen.plans.entry import entry_of
from codegen.plans.errors import PlanError
from codegen.plans.markdown import visible
from codegen.plans.plan import read_plan
from codegen.plans.report import report
from codegen.plans.verdict import is_stopped, stopped_addresses

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from codegen.plans.entry import Entry
    from codegen.plans.plan import Plan

_DESCRIPTION = """\
Say in words what a Terraform plan does to datasets, tables, views, access and the job.

  terraform plan -out=plan.bin
  terraform show -json plan.bin | python -m codegen.review
"""
_EXIT_CODES = """\
exit codes:
  0  nothing is lost
  1  stop: a table or dataset would be deleted or replaced, a column dropped, rows would expire, access would be open to
     anyone, a protection taken away, BigQuery would refuse a change, or the plan is not complete
  2  this is no plan, or the command line cannot be used
"""
_STDIN = "standard input"


def main(arguments: Sequence[str] | None = None) -> int:
    """One review: Markdown on stdout, what is wrong on stderr, returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        location = _STDIN if options.plan == "-" else options.plan
        plan = read_plan(_content(options.plan), location)
        entries = [entry_of(change) for change in plan.changes]
        entries += [entry_of(deferred.change) for deferred in plan.deferred]
        _check_allowed(entries, options.allow)
        text = report(plan, entries, list(drift_entries(plan)), options.allow)
    except PlanError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except RecursionError:
        sys.stderr.write(f"{location}: is nested too deeply for a plan.\n  Make it with `terraform show -json`.\n")
        return 2
    _write(text)
    sys.stderr.write(_unfinished(plan, location))
    return 1 if is_stopped(plan, entries, options.allow) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m codegen.review",
        description=_DESCRIPTION,
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "plan",
        nargs="?",
        default="-",
        metavar="PLAN",
        help="what `terraform show -json plan.bin` printed (default: standard input)",
    )
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="a resource to which the dangerous thing that the plan does is meant; can be given several times",
    )
    return parser


def _content(plan: str) -> bytes:
    if plan == "-":
        if sys.stdin.isatty():
            raise PlanError(
                location=_STDIN,
                problem="is a terminal.",
                remedy="Run `terraform show -json plan.bin | python -m codegen.review`, or name a file.",
            )
        return sys.stdin.buffer.read()
    try:
        return Path(plan).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        remedy = "Write it with `terraform show -json plan.bin > plan.json`."
        raise PlanError(location=visible(plan), problem=f"cannot be read: {reason}.", remedy=remedy) from error


def _check_allowed(entries: Sequence[Entry], allowed: Collection[str]) -> None:
    """An --allow that is not needed any more would allow the next such change unseen."""
    stopped = stopped_addresses(entries)
    for address in allowed:
        if address in stopped:
            continue
        is_there = any(entry.change.address == address for entry in entries)
        problem = (
            "the plan does nothing to it that has to be allowed." if is_there else "is not an address in the plan."
        )
        likely = [one for one in sorted(stopped) if one.endswith(f".{address}")] or sorted(stopped)[:5]
        meant = f"Leave it out, or name one of: {', '.join(map(visible, likely))}" if likely else "Leave it out."
        raise PlanError(location=f"--allow {visible(address)}", problem=problem, remedy=meant)


def _unfinished(plan: Plan, location: str) -> str:
    if plan.is_errored:
        return (
            f"{location}: Terraform could not finish this plan (it is marked as errored).\n"
            "  Mend what `terraform plan` reports, and plan again.\n"
        )
    if not plan.is_complete:
        return (
            f"{location}: this plan is not complete: it was made with -target, or Terraform puts changes off.\n"
            "  Plan without -target; what is put off, apply and plan again.\n"
        )
    return ""


def _write(text: str) -> None:
    """In UTF-8 whatever the locale is. A reader that has seen enough is no failure."""
    try:
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Python would try again at exit, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
