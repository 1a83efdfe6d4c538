"""A plan of Terraform as JSON → what it would do, in words, for `codegen.review`.

`document` reads the plan into `Change`s; `tables`, `datasets`, `views`, `grants`, `job` and `others` put a change into
words, each a `Finding`; `entries` asks the one that knows the resource; `verdict` sums up; `report` makes the Markdown.
The standard library is all that is needed: a pipeline that plans has neither Django nor Jinja.
"""

from __future__ import annotations
