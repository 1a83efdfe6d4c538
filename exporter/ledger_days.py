"""Rows of the ledger → days, each in its latest generation, in GoogleSQL.

`{ledger}` stands for the table; every identifier is in backticks.
"""

from __future__ import annotations

# One row for each generation of a day. "committed" outweighs "abandoned": who wrote it had seen the commit succeed, or
# its rows before there was an "abandoned".
_ATTEMPTS = """
  SELECT
    `table_id`, `table_created`, `day`, `generation`,
    COUNTIF(`event` IN ('prepared', 'adopted')) > 0
      AND (COUNTIF(`event` = 'committed') > 0 OR COUNTIF(`event` = 'abandoned') = 0) AS `live`,
    COUNTIF(`event` IN ('committed', 'adopted')) > 0 OR MAX(ARRAY_LENGTH(`streams`)) = 0 AS `done`,
    COUNTIF(`event` = 'adopted') > 0 AS `adopted`,
    MAX(`row_count`) AS `row_count`,
    MAX(`time_zone`) AS `time_zone`
  FROM `{ledger}`
  WHERE `table_id` IN UNNEST(@table_ids) AND `event` IN ('prepared', 'committed', 'abandoned', 'adopted')
  GROUP BY `table_id`, `table_created`, `day`, `generation`
"""

# The latest generation of each day is what counts, and the last replacement that is done says how many rows it has.
WITH_DAYS = f"""
WITH `attempts` AS ({_ATTEMPTS}),
`ranked` AS (
  SELECT *, MAX(`generation`) OVER (PARTITION BY `table_id`, `table_created`, `day`) AS `latest` FROM `attempts`
),
`numbers` AS (
  SELECT
    `table_id`, `table_created`, `day`, `generation` AS `number`, MAX(`row_count`) AS `row_count`,
    COUNTIF(`event` = 'replaced') > 0 AS `replaced`, COUNTIF(`event` = 'expired') > 0 AS `expired`
  FROM `{{ledger}}`
  WHERE `table_id` IN UNNEST(@table_ids) AND `event` IN ('replacing', 'replaced', 'expired')
  GROUP BY `table_id`, `table_created`, `day`, `generation`
),
`replacements` AS (
  SELECT *, MAX(`number`) OVER (PARTITION BY `table_id`, `table_created`, `day`) AS `latest`
  FROM `numbers` WHERE `replaced`
),
`days` AS (
  SELECT
    `ranked`.`table_id`, `ranked`.`table_created`, `ranked`.`day`, `ranked`.`generation`,
    `ranked`.`live`, `ranked`.`done`, `ranked`.`adopted`, `ranked`.`time_zone`,
    COALESCE(`replacements`.`row_count`, `ranked`.`row_count`) AS `row_count`,
    `replacements`.`number`
  FROM `ranked`
  LEFT JOIN `replacements`
    ON `replacements`.`table_id` = `ranked`.`table_id`
    AND `replacements`.`table_created` = `ranked`.`table_created`
    AND `replacements`.`day` = `ranked`.`day`
    AND `replacements`.`number` = `replacements`.`latest`
  WHERE `ranked`.`generation` = `ranked`.`latest`
)"""

DAYS = f"""{WITH_DAYS},
`undone` AS (
  SELECT `table_id`, `table_created`, `day`, `number` FROM `numbers` WHERE NOT `replaced` AND NOT `expired`
)
SELECT
  `days`.`day`, `days`.`generation`, `days`.`row_count`,
  `days`.`number` AS `replacement`, `undone`.`number` AS `undone`,
  CASE
    WHEN NOT `live` THEN 'abandoned' WHEN `adopted` THEN 'adopted' WHEN `done` THEN 'committed' ELSE 'prepared'
  END AS `state`
FROM `days`
LEFT JOIN `undone`
  ON `undone`.`table_id` = `days`.`table_id`
  AND `undone`.`table_created` = `days`.`table_created`
  AND `undone`.`day` = `days`.`day`
WHERE `days`.`table_created` = @table_created
ORDER BY `days`.`day`
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
