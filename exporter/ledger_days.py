"""Rows of the ledger → days, each in its latest generation, in GoogleSQL.

`{ledger}` stands for the table; every identifier is in backticks.
"""

from __future__ import annotations

# One row for each generation of a day, and one for each replacement of it. "committed" outweighs "abandoned": who wrote
# it had seen the commit succeed, or its rows before there was an "abandoned". Streams are one text: arrays have no MAX,
# and no name of a stream or a table has a comma.
_GENERATIONS = """
  SELECT
    `table_id`, `table_created`, `day`, `generation`,
    `event` IN ('replacing', 'replaced', 'expired') AS `replaces`,
    CASE
      WHEN LOGICAL_OR(`event` = 'replaced') THEN 'replaced'
      WHEN LOGICAL_OR(`event` = 'expired') THEN 'expired'
      WHEN LOGICAL_OR(`event` = 'replacing') THEN 'replacing'
      WHEN LOGICAL_OR(`event` = 'adopted') THEN 'adopted'
      WHEN NOT LOGICAL_OR(`event` = 'prepared') THEN 'abandoned'
      WHEN LOGICAL_OR(`event` = 'committed') THEN 'committed'
      WHEN LOGICAL_OR(`event` = 'abandoned') THEN 'abandoned'
      WHEN MAX(ARRAY_LENGTH(`streams`)) = 0 THEN 'committed'
      ELSE 'prepared'
    END AS `state`,
    MAX(`row_count`) AS `row_count`, MAX(ARRAY_TO_STRING(`streams`, ',')) AS `streams`,
    MAX(`run_id`) AS `run_id`, MAX(`time_zone`) AS `time_zone`
  FROM `{ledger}`
  WHERE `table_id` IN UNNEST(@table_ids)
  GROUP BY `table_id`, `table_created`, `day`, `generation`, `replaces`
"""

# The latest generation of each day is what counts, and the last replacement that is done says how many rows it has.
WITH_RANKED = f"""
WITH `generations` AS ({_GENERATIONS}),
`ranked` AS (
  SELECT
    *,
    MAX(`generation`) OVER (PARTITION BY `table_id`, `table_created`, `day`, `replaces`) AS `latest`,
    FIRST_VALUE(`row_count`) OVER (
      PARTITION BY `table_id`, `table_created`, `day`
      ORDER BY `state` = 'replaced' DESC, `replaces`, `generation` DESC
    ) AS `rows_of_day`
  FROM `generations`
)"""

DAYS = f"""{WITH_RANKED},
`replaced` AS (
  SELECT
    *,
    MAX(IF(`state` = 'replaced', `generation`, NULL)) OVER (PARTITION BY `day`) AS `replacement`,
    MIN(IF(`state` = 'replacing', `generation`, NULL)) OVER (PARTITION BY `day`) AS `undone`
  FROM `ranked`
  WHERE `table_created` = @table_created
)
SELECT `day`, `generation`, `rows_of_day` AS `row_count`, `replacement`, `undone`, `state`
FROM `replaced`
WHERE NOT `replaces` AND `generation` = `latest`
ORDER BY `day`
"""

# The rows of one prepare, and of no other, were recorded at one instant.
HOLDERS = """
SELECT `day`, `generation`, `row_count`, `streams`, `run_id`
FROM `{ledger}`
WHERE `table_id` = @table_id AND `table_created` = @table_created AND `event` = 'prepared'
  AND `generation` >= @generation AND `recorded_at` IN (
    SELECT `holder`.`recorded_at`
    FROM `{ledger}` AS `holder`
    WHERE `holder`.`table_id` = @table_id AND `holder`.`table_created` = @table_created
      AND `holder`.`day` = @first_day AND `holder`.`event` = 'prepared' AND `holder`.`generation` >= @generation
  )
ORDER BY `generation`, `day`
"""

STATE = """
SELECT
  MAX(IF(`event` = 'prepared' AND `generation` = @generation, `recorded_at`, NULL)) AS `prepared_at`,
  CURRENT_TIMESTAMP() AS `now`,
  COUNTIF(`event` = 'committed' AND `generation` = @generation) > 0 AS `committed`,
  COUNTIF(`event` = 'abandoned' AND `generation` = @generation) > 0
    OR COUNTIF(`event` = 'prepared' AND `generation` = @generation) = 0
    OR COUNTIF(`generation` > @generation) > 0 AS `abandoned`
FROM `{ledger}`
WHERE `table_id` = @table_id AND `table_created` = @table_created AND `day` = @first_day
  AND `event` IN ('prepared', 'committed', 'abandoned')
"""
