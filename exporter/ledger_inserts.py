"""What happens to days → rows of the ledger, in GoogleSQL: INSERTs, each with the condition under which it appends.

`{ledger}` stands for the table; every identifier is in backticks.
"""

from __future__ import annotations

_APPEND = """
INSERT INTO `{ledger}` (
  `table_id`, `table_created`, `day`, `generation`, `event`, `row_count`,
  `streams`, `run_id`, `time_zone`, `recorded_at`
)
SELECT
  @table_id, @table_created, `day`, @generation, @event, `row_count`,
  @streams, @run_id, @time_zone, CURRENT_TIMESTAMP()
FROM UNNEST(@days) AS `day` WITH OFFSET AS `day_position`
JOIN UNNEST(@row_counts) AS `row_count` WITH OFFSET AS `count_position` ON `day_position` = `count_position`
"""

_ROWS_OF_TABLE = "SELECT `event` FROM `{ledger}` WHERE `table_id` = @table_id AND `table_created` = @table_created AND "

# No day twice in one generation, and none that is live in its latest.
PREPARE = f"""{_APPEND}
WHERE NOT EXISTS (
  {_ROWS_OF_TABLE} `day` IN UNNEST(@days) AND `event` IN ('prepared', 'adopted') AND `generation` >= @generation
)
AND NOT EXISTS (
  SELECT `day`
  FROM (
    SELECT
      `day`, `generation`, MAX(`generation`) OVER (PARTITION BY `day`) AS `latest`,
      COUNTIF(`event` = 'committed') > 0 OR COUNTIF(`event` = 'abandoned') = 0 AS `live`
    FROM `{{ledger}}`
    WHERE `table_id` = @table_id AND `table_created` = @table_created AND `day` IN UNNEST(@days)
      AND `event` IN ('prepared', 'committed', 'abandoned', 'adopted')
    GROUP BY `day`, `generation`
  )
  WHERE `generation` = `latest` AND `live`
)
"""

_OF_THESE_DAYS = f"{_ROWS_OF_TABLE} `day` IN UNNEST(@days) AND `generation` = @generation AND `event` = "

# The ledger may have been lost since it was begun. Then it is adopted with the rest, and a mark alone would make days
# that are neither live nor open.
MARK_UNIT = f"{_APPEND} WHERE EXISTS ({_OF_THESE_DAYS} 'prepared')"
MARK_REPLACEMENT = f"{_APPEND} WHERE EXISTS ({_OF_THESE_DAYS} 'replacing')"

ABANDON = f"{MARK_UNIT} AND NOT EXISTS ({_OF_THESE_DAYS} 'committed')"

# Who has only counted rows has seen no commit: after an "abandoned" they may be those of the next generation.
MARK_FOUND = f"{MARK_UNIT} AND NOT EXISTS ({_OF_THESE_DAYS} 'abandoned')"

# While nothing was exported: what was in the table then is not ours.
ADOPT = f"""{_APPEND}
WHERE NOT EXISTS ({_ROWS_OF_TABLE} `event` = 'prepared')
AND NOT EXISTS ({_ROWS_OF_TABLE} `event` = 'adopted' AND `day` IN UNNEST(@days))
"""

BEGIN_REPLACING = f"""{_APPEND}
WHERE NOT EXISTS ({_ROWS_OF_TABLE} `event` = 'replacing' AND `generation` >= @generation)
"""
