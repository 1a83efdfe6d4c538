"""A plan's entries → the Markdown of a review, of a length that GitHub takes as a comment.

What stops a plan and what a reviewer should not overlook comes first and is never left out. When the rest is too long,
it is shortened from its end, and the report says by how much.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.plans.change import Action
from codegen.plans.entry import Entry, Subject, is_told, said
from codegen.plans.markdown import code, counted, listed
from codegen.plans.rationing import Item, Section, rationed
from codegen.plans.verdict import verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from codegen.plans.finding import Finding
    from codegen.plans.plan import Plan

_TITLES = {
    Subject.dataset: "Datasets",
    Subject.table: "Tables",
    Subject.view: "Views",
    Subject.access: "Access",
    Subject.job: "The job",
    Subject.other: "Everything else",
}
_STATES = {
    Action.create: "is new",
    Action.update: "changes",
    Action.replace: "is replaced",
    Action.delete: "is deleted",
    Action.forget: "is forgotten",
    Action.read: "is read during the apply",
    Action.nothing: "stays as it is",
    Action.other: "is treated in an unknown way",
}
_NAMED = {Subject.dataset, Subject.table, Subject.view}
_DRIFTED = {Action.update: "was changed", Action.delete: "was deleted"}
_LONGEST_ADDRESS = 400
_MOST = 200  # of what stops one resource, where not all fits
_HOW_TO_ALLOW = (
    "Is this intended? Then run the review with `--allow` and the address in the brackets, once for each of them. "
    "An address with quotes goes into single quotes."
)


def report(plan: Plan, entries: Sequence[Entry], drift: Sequence[Entry], allowed: Collection[str]) -> str:
    """Markdown, the verdict its first line."""
    ordered = sorted(entries, key=lambda entry: (entry.name, entry.change.address))
    told = [entry for entry in ordered if is_told(entry)]
    stopped: list[Entry] = []
    intended: list[Entry] = []
    for entry in told:
        if any(finding.stop for finding in entry.findings):
            (intended if entry.change.address in allowed else stopped).append(entry)
    loud = [entry for entry in (*told, *drift) if any(finding.is_loud for finding in entry.findings)]
    top = [
        Section(title="Stop", items=[_top_item(entry, of_stops=True) for entry in stopped], end=_HOW_TO_ALLOW),
        Section(title="Allowed", items=[_top_item(entry, of_stops=True) for entry in intended]),
        Section(title="Look twice", items=[_top_item(entry, of_stops=False) for entry in loud]),
        Section(title="Conditions that are not met", items=list(_checks(plan))),
    ]
    rest = [
        Section(title=title, items=[_item(entry) for entry in told if entry.subject is subject and _is_in_rest(entry)])
        for subject, title in _TITLES.items()
    ]
    rest.append(Section(title="Put off by Terraform to a later plan", items=list(_deferred(plan))))
    rest.append(
        Section(
            title="Changed outside of Terraform since the last apply",
            items=[_item(entry, _DRIFTED) for entry in drift if _is_in_rest(entry)],
        )
    )
    rest.append(Section(title="Besides", items=list(_besides(plan))))
    return rationed(verdict(plan, entries, allowed, len(drift)), top, rest)


def _top_item(entry: Entry, *, of_stops: bool) -> Item:
    findings = [
        finding for finding in entry.findings if (finding.stop is not None) == of_stops and finding.is_at_the_top
    ]
    what, where = f"{entry.subject.value} {entry.name}", f"({_address(entry)})"
    if entry.subject not in _NAMED:
        what = ""
    if len(findings) == 1:
        full = f"- {_led(what)}{_indented(findings[0].text)} {where}\n"
    else:
        head = f"- {what} {where}:\n" if what else f"- {where[1:-1]}:\n"
        full = head + "".join(f"  - {_indented(finding.text, 4)}\n" for finding in findings)
    shorts = [finding.short or _first_line(finding) for finding in findings[:_MOST]]
    more = [f"{len(findings) - _MOST:,} more"] if len(findings) > _MOST else []
    short = f"- {_led(what)}{'; '.join([*shorts, *more])} {where}\n"
    return Item(full=full, short=short, shortest=f"- {_address(entry)}: {counted(len(findings), 'finding')}\n")


def _address(entry: Entry) -> str:
    """Long enough for `--allow`."""
    return code(entry.change.address, _LONGEST_ADDRESS)


def _led(what: str) -> str:
    return f"{what}: " if what else ""


def _is_in_rest(entry: Entry) -> bool:
    """What has been said at the top in full is not said again."""
    return not entry.findings or not all(finding.is_at_the_top for finding in entry.findings)


def _item(entry: Entry, states: Mapping[Action, str] = _STATES) -> Item:
    findings = [finding for finding in said(entry) if not finding.is_at_the_top]
    address, state = _address(entry), states.get(entry.change.action, _STATES[entry.change.action])
    if entry.subject is Subject.access:
        lines = [f"- {_indented(finding.text)} ({address})\n" for finding in findings]
        full = "".join(lines) or f"- {address} {state}\n"
        return Item(full=full, short=f"- {address} {state}\n", shortest="")
    if entry.subject is Subject.other:
        words = "; ".join(_first_line(finding) for finding in findings)
        full = f"- {address} {state}{': ' * bool(words)}{words}\n"
        return Item(full=full, short=f"- {address} {state}\n", shortest="")
    title = f"**{entry.name}** {state}" + (f" ({address})" if entry.subject in _NAMED else "")
    full = f"{title}\n\n" + "".join(f"- {_indented(finding.text)}\n" for finding in findings) + "\n"
    short = f"- {entry.name} {state}: {counted(len(findings), 'detail')} left out\n"
    return Item(full=full, short=short, shortest="")


def _indented(text: str, by: int = 2) -> str:
    return text.replace("\n", "\n" + " " * by)


def _first_line(finding: Finding) -> str:
    return finding.text.partition("\n")[0]


def _checks(plan: Plan) -> Iterator[Item]:
    for check in plan.failed_checks:
        messages = "; ".join(map(code, check.messages)) or "it could not be evaluated"
        line = f"- {code(check.address)}: {messages}\n"
        yield Item(full=line, short=line, shortest=f"- {code(check.address)}\n")


def _deferred(plan: Plan) -> Iterator[Item]:
    for deferred in plan.deferred:
        reason = f": {code(deferred.reason)}" if deferred.reason else ""
        yield _line(f"- {code(deferred.change.address)}{reason}\n")


def _besides(plan: Plan) -> Iterator[Item]:
    if plan.invocations:
        yield _line(f"- actions that Terraform runs: {_some(plan.invocations)}\n")
    if plan.outputs:
        yield _line(f"- outputs that change: {_some(plan.outputs)}\n")


def _some(names: Iterable[str], most: int = 20) -> str:
    every = list(names)
    more = [f"{len(every) - most:,} more"] if len(every) > most else []
    return listed([*map(code, every[:most]), *more])


def _line(text: str) -> Item:
    return Item(full=text, short=text, shortest="")
