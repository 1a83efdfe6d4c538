"""What happens to days → rows of the ledger, in GoogleSQL: INSERTs, each with the condition under which it appends.

`{ledger}` stands for the table; every identifier is in backticks.
"""

from __future__ import annotations

_INSERT = """
INSERT INTO `{ledger}` (
  `table_id`, `table_created`, `day`, `generation`, `event`, `row_count`,
  `streams`, `run_id`, `time_zone`, `recorded_at`
)"""

# One text for the row counts of all days: an array would be a value for each of a year's days.
_BEGIN = f"""{_INSERT}
SELECT
  @table_id, @table_created, DATE_ADD(@first_day, INTERVAL `position` DAY), @generation, @event,
  CAST(`row_count` AS INT64), @streams, @run_id, @time_zone, CURRENT_TIMESTAMP()
FROM UNNEST(SPLIT(@row_counts, ',')) AS `row_count` WITH OFFSET AS `position`
"""

_OF_TABLE = "`table_id` = @table_id AND `table_created` = @table_created"
_OF_DAYS = f"{_OF_TABLE} AND `day` BETWEEN @first_day AND @last_day"
_ROWS_OF_TABLE = f"SELECT `event` FROM `{{ledger}}` WHERE {_OF_TABLE} AND "

# No day twice in one generation, and none that is live in its latest.
PREPARE = f"""{_BEGIN}
WHERE NOT EXISTS (
  SELECT `day`
  FROM `{{ledger}}`
  WHERE {_OF_DAYS} AND `event` IN ('prepared', 'committed', 'abandoned', 'adopted')
  GROUP BY `day`
  HAVING MAX(IF(`event` IN ('prepared', 'adopted'), `generation`, -1)) >= @generation
    OR MAX(IF(`event` = 'committed', `generation`, -1)) = MAX(`generation`)
    OR MAX(IF(`event` = 'abandoned', `generation`, -1)) < MAX(`generation`)
)
"""

# While nothing was exported: what was in the table then is not ours.
ADOPT = f"""{_BEGIN}
WHERE NOT EXISTS (
  {_ROWS_OF_TABLE} (`event` = 'prepared' OR `event` = 'adopted' AND `day` BETWEEN @first_day AND @last_day)
)
"""

BEGIN_REPLACING = f"""{_BEGIN}
WHERE NOT EXISTS ({_ROWS_OF_TABLE} `event` = 'replacing' AND `generation` >= @generation)
"""

# The rows that it began with, once more. The ledger may have been lost since then: what it was about is adopted with
# the rest, and a mark alone would make days that are neither live nor open.
_MARK = f"""{_INSERT}
SELECT
  `table_id`, `table_created`, `day`, `generation`, @event, `row_count`,
  `streams`, `run_id`, `time_zone`, CURRENT_TIMESTAMP()
FROM `{{ledger}}`
WHERE {_OF_DAYS} AND `generation` = @generation AND `run_id` = @run_id AND `event` = """

MARK_UNIT = f"{_MARK} 'prepared'"
MARK_REPLACEMENT = f"{_MARK} 'replacing'"

_OF_THIS_GENERATION = f"SELECT `event` FROM `{{ledger}}` WHERE {_OF_DAYS} AND `generation` = @generation AND `event` = "

ABANDON = f"{MARK_UNIT} AND NOT EXISTS ({_OF_THIS_GENERATION} 'committed')"

# Who has only counted rows has seen no commit: after an "abandoned" they may be those of the next generation.
MARK_FOUND = f"{MARK_UNIT} AND NOT EXISTS ({_OF_THIS_GENERATION} 'abandoned')"
