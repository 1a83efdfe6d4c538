"""What can be wrong with the plan that a review is asked for, or with how it is asked."""

from __future__ import annotations

SHOW = "Make it with `terraform plan -out=plan.bin` and `terraform show -json plan.bin`."


class PlanError(Exception):
    """`location` is a file, and within it a path; nothing was printed."""

    def __init__(self, *, location: str, problem: str, remedy: str) -> None:
        super().__init__(f"{location}: {problem}\n  {remedy}")
        self.location = location
        self.problem = problem
        self.remedy = remedy
