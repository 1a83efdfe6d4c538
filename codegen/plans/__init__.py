"""A plan of Terraform as JSON → what it would do, in words, for `codegen.review`.

`plan` reads it into `Change`s; `tables`, `grants`, `job` and `others` say what each does, in `Finding`s; `entry` asks
the one that knows the resource; `verdict` sums up; `report` makes the Markdown, `rationing` keeps it short enough. The
standard library is all that is needed: a pipeline that plans has neither Django nor Jinja.
"""

from __future__ import annotations
