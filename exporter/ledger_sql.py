"""The statements of the ledger, in GoogleSQL. `{ledger}` stands for the table; every identifier is in backticks."""

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
_DAYS = f"""
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

READ = f"""{_DAYS},
`begins` AS (
  SELECT
    `table_id`, `table_created`, MAX(IF(`adopted`, `day`, NULL)) AS `adopted_day`,
    COALESCE(MAX(IF(`adopted`, `day`, NULL)), MIN(`day`)) AS `first_day`
  FROM `days`
  GROUP BY `table_id`, `table_created`
),
`counted` AS (
  SELECT
    `days`.`table_id`, `days`.`table_created`, `days`.`day`, `days`.`live`, `days`.`row_count`, `days`.`time_zone`,
    `begins`.`first_day`, `begins`.`adopted_day`,
    SUM(IF(`days`.`live`, 1, 0))
      OVER (PARTITION BY `days`.`table_id`, `days`.`table_created` ORDER BY `days`.`day`) AS `live_before`
  FROM `days`
  JOIN `begins`
    ON `begins`.`table_id` = `days`.`table_id` AND `begins`.`table_created` = `days`.`table_created`
  WHERE `days`.`day` >= `begins`.`first_day`
),
`begun` AS (
  SELECT
    `table_id`, `table_created`, MAX(`number`) AS `number`,
    COUNT(DISTINCT IF(`replaced`, `day`, NULL)) AS `replaced_days`
  FROM `numbers` GROUP BY `table_id`, `table_created`
)
SELECT
  'table' AS `kind`, `counted`.`table_id`, `counted`.`table_created`, MIN(`counted`.`first_day`) AS `day`,
  COALESCE(MAX(`begun`.`number`), 0) AS `generation`,
  MAX(
    IF(`live` AND DATE_DIFF(`counted`.`day`, `first_day`, DAY) = `live_before` - 1, `counted`.`day`, NULL)
  ) AS `head`,
  MAX(`counted`.`adopted_day`) AS `adopted_day`,
  SUM(IF(`live`, `row_count`, 0)) AS `row_count`, CAST([] AS ARRAY<STRING>) AS `streams`,
  '' AS `run_id`, MAX(`time_zone`) AS `time_zone`, COALESCE(MAX(`begun`.`replaced_days`), 0) AS `replaced_days`
FROM `counted`
LEFT JOIN `begun`
  ON `begun`.`table_id` = `counted`.`table_id` AND `begun`.`table_created` = `counted`.`table_created`
GROUP BY `counted`.`table_id`, `counted`.`table_created`
UNION ALL
SELECT
  'abandoned', `table_id`, `table_created`, `day`, `generation`, CAST(NULL AS DATE), CAST(NULL AS DATE), 0,
  CAST([] AS ARRAY<STRING>), '', '', 0
FROM `days`
WHERE NOT `live`
UNION ALL
SELECT
  'in doubt', `prepared`.`table_id`, `prepared`.`table_created`, `prepared`.`day`, `prepared`.`generation`,
  CAST(NULL AS DATE), CAST(NULL AS DATE), `prepared`.`row_count`, `prepared`.`streams`, `prepared`.`run_id`, '', 0
FROM `{{ledger}}` AS `prepared`
JOIN `days`
  ON `days`.`table_id` = `prepared`.`table_id`
  AND `days`.`table_created` = `prepared`.`table_created`
  AND `days`.`day` = `prepared`.`day`
  AND `days`.`generation` = `prepared`.`generation`
WHERE `prepared`.`event` = 'prepared' AND `days`.`live` AND NOT `days`.`done`
UNION ALL
SELECT
  'undone', `replacing`.`table_id`, `replacing`.`table_created`, `replacing`.`day`, `replacing`.`generation`,
  CAST(NULL AS DATE), CAST(NULL AS DATE), `replacing`.`row_count`, `replacing`.`streams`, `replacing`.`run_id`, '', 0
FROM `{{ledger}}` AS `replacing`
JOIN `numbers`
  ON `numbers`.`table_id` = `replacing`.`table_id`
  AND `numbers`.`table_created` = `replacing`.`table_created`
  AND `numbers`.`day` = `replacing`.`day`
  AND `numbers`.`number` = `replacing`.`generation`
WHERE `replacing`.`event` = 'replacing' AND NOT `numbers`.`replaced` AND NOT `numbers`.`expired`
ORDER BY `table_id`, `day`
"""

DAYS = f"""{_DAYS},
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

_ROWS_OF_TABLE = "SELECT `event` FROM `{ledger}` WHERE `table_id` = @table_id AND `table_created` = @table_created AND "

# No day twice in one generation, and none that is live in its latest.
PREPARE = f"""{APPEND}
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
MARK_UNIT = f"{APPEND} WHERE EXISTS ({_OF_THESE_DAYS} 'prepared')"
MARK_REPLACEMENT = f"{APPEND} WHERE EXISTS ({_OF_THESE_DAYS} 'replacing')"

ABANDON = f"{MARK_UNIT} AND NOT EXISTS ({_OF_THESE_DAYS} 'committed')"

# Who has only counted rows has seen no commit: after an "abandoned" they may be those of the next generation.
MARK_FOUND = f"{MARK_UNIT} AND NOT EXISTS ({_OF_THESE_DAYS} 'abandoned')"

# While nothing was exported: what was in the table then is not ours.
ADOPT = f"""{APPEND}
WHERE NOT EXISTS ({_ROWS_OF_TABLE} `event` = 'prepared')
AND NOT EXISTS ({_ROWS_OF_TABLE} `event` = 'adopted' AND `day` IN UNNEST(@days))
"""

BEGIN_REPLACING = f"""{APPEND}
WHERE NOT EXISTS ({_ROWS_OF_TABLE} `event` = 'replacing' AND `generation` >= @generation)
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
      AND `holder`.`day` = @day AND `holder`.`event` = 'prepared' AND `holder`.`generation` >= @generation
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
WHERE `table_id` = @table_id AND `table_created` = @table_created AND `day` = @day
  AND `event` IN ('prepared', 'committed', 'abandoned')
"""
