"""The statements of the ledger, in GoogleSQL. `{ledger}` stands for the table; every identifier is in backticks."""

from __future__ import annotations

_DAYS = """
WITH `attempts` AS (
  SELECT
    `table_id`, `table_created`, `day`, `generation`,
    COUNTIF(`event` = 'prepared') > 0 AND COUNTIF(`event` = 'abandoned') = 0 AS `live`,
    COUNTIF(`event` = 'committed') > 0 OR MAX(ARRAY_LENGTH(`streams`)) = 0 AS `done`,
    MAX(`row_count`) AS `row_count`,
    MAX(`time_zone`) AS `time_zone`
  FROM `{ledger}`
  WHERE `table_id` IN UNNEST(@table_ids)
  GROUP BY `table_id`, `table_created`, `day`, `generation`
),
`days` AS (
  SELECT
    `table_id`, `table_created`, `day`, `generation`, `live`, `row_count`, `time_zone`,
    MIN(`day`) OVER (PARTITION BY `table_id`, `table_created`) AS `first_day`,
    SUM(IF(`live`, 1, 0)) OVER (PARTITION BY `table_id`, `table_created` ORDER BY `day`, `generation`) AS `live_before`
  FROM `attempts`
)
"""

READ = (
    _DAYS
    + """
SELECT
  'table' AS `kind`, `table_id`, `table_created`, MIN(`first_day`) AS `day`, 0 AS `generation`,
  MAX(IF(`live` AND DATE_DIFF(`day`, `first_day`, DAY) = `live_before` - 1, `day`, NULL)) AS `head`,
  SUM(IF(`live`, `row_count`, 0)) AS `row_count`, CAST([] AS ARRAY<STRING>) AS `streams`,
  '' AS `run_id`, MAX(`time_zone`) AS `time_zone`
FROM `days`
GROUP BY `table_id`, `table_created`
UNION ALL
SELECT
  'abandoned', `table_id`, `table_created`, `day`, MAX(`generation`), CAST(NULL AS DATE), 0,
  CAST([] AS ARRAY<STRING>), '', ''
FROM `attempts`
GROUP BY `table_id`, `table_created`, `day`
HAVING COUNTIF(`live`) = 0
UNION ALL
SELECT
  'in doubt', `prepared`.`table_id`, `prepared`.`table_created`, `prepared`.`day`, `prepared`.`generation`,
  CAST(NULL AS DATE), `prepared`.`row_count`, `prepared`.`streams`, `prepared`.`run_id`, ''
FROM `{ledger}` AS `prepared`
JOIN `attempts`
  ON `attempts`.`table_id` = `prepared`.`table_id`
  AND `attempts`.`table_created` = `prepared`.`table_created`
  AND `attempts`.`day` = `prepared`.`day`
  AND `attempts`.`generation` = `prepared`.`generation`
WHERE `prepared`.`event` = 'prepared' AND `attempts`.`live` AND NOT `attempts`.`done`
ORDER BY `table_id`, `day`
"""
)

APPEND = """
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

UNLESS_LIVE = """
WHERE NOT EXISTS (
  SELECT `live`.`day`
  FROM `{ledger}` AS `live`
  WHERE `live`.`table_id` = @table_id AND `live`.`table_created` = @table_created AND `live`.`day` IN UNNEST(@days)
  GROUP BY `live`.`day`, `live`.`generation`
  HAVING COUNTIF(`live`.`event` = 'prepared') > 0 AND COUNTIF(`live`.`event` = 'abandoned') = 0
)
"""

WINNER = """
SELECT `day`, `generation`, `row_count`, `streams`, `run_id`
FROM `{ledger}`
WHERE `table_id` = @table_id AND `table_created` = @table_created AND `event` = 'prepared' AND `run_id` IN (
  SELECT `live`.`run_id`
  FROM `{ledger}` AS `live`
  WHERE `live`.`table_id` = @table_id AND `live`.`table_created` = @table_created
    AND `live`.`day` = @first_day AND `live`.`generation` = @generation AND `live`.`event` = 'prepared'
)
ORDER BY `day`
"""

PREPARED_AT = """
SELECT MAX(`recorded_at`) AS `prepared_at`, CURRENT_TIMESTAMP() AS `now`
FROM `{ledger}`
WHERE `table_id` = @table_id AND `table_created` = @table_created AND `day` IN UNNEST(@days)
  AND `generation` = @generation AND `event` = @event AND `run_id` = @run_id
"""
