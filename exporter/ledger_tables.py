"""Days of the ledger → spans of consecutive ones in one state, in GoogleSQL: years of exported days are a few rows.

`{ledger}` stands for the table; every identifier is in backticks.
"""

from __future__ import annotations

from exporter.ledger_days import WITH_RANKED

# A day and its position both grow by one from each day to the next: their difference tells one span from the other. A
# day in any other state is a span of its own, for its generation and its streams. Of replacements that are done or have
# expired, numbers are all there is to know.
READ = f"""{WITH_RANKED},
`positions` AS (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY `table_id`, `table_created`, `state` ORDER BY `day`) AS `position`
  FROM `ranked`
  WHERE `replaces` OR `generation` = `latest`
)
SELECT
  `table_id`, `table_created`, `state`, MIN(`day`) AS `first_day`, MAX(`day`) AS `last_day`,
  COUNT(DISTINCT `day`) AS `days`, MAX(`generation`) AS `generation`,
  SUM(`row_count`) AS `row_count`, SUM(`rows_of_day`) AS `rows_of_days`,
  MAX(`streams`) AS `streams`, MAX(`run_id`) AS `run_id`, MAX(`time_zone`) AS `time_zone`
FROM `positions`
GROUP BY
  `table_id`, `table_created`, `state`,
  CASE `state`
    WHEN 'committed' THEN UNIX_DATE(`day`) - `position` WHEN 'replaced' THEN 0 WHEN 'expired' THEN 0 ELSE `position`
  END
"""
