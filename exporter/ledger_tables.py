"""Days of the ledger → what a run has to know of each table, in GoogleSQL. Its rows are of four kinds.

`{ledger}` stands for the table; every identifier is in backticks.
"""

from __future__ import annotations

from exporter.ledger_days import WITH_DAYS

# A day counts among its own `live_before`: with no gap before it, they are one more than the days since the first.
_COUNTED = """
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
)"""

_TABLES = """
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
"""

_ABANDONED = """
SELECT
  'abandoned', `table_id`, `table_created`, `day`, `generation`, CAST(NULL AS DATE), CAST(NULL AS DATE), 0,
  CAST([] AS ARRAY<STRING>), '', '', 0
FROM `days`
WHERE NOT `live`
"""

_IN_DOUBT = """
SELECT
  'in doubt', `prepared`.`table_id`, `prepared`.`table_created`, `prepared`.`day`, `prepared`.`generation`,
  CAST(NULL AS DATE), CAST(NULL AS DATE), `prepared`.`row_count`, `prepared`.`streams`, `prepared`.`run_id`, '', 0
FROM `{ledger}` AS `prepared`
JOIN `days`
  ON `days`.`table_id` = `prepared`.`table_id`
  AND `days`.`table_created` = `prepared`.`table_created`
  AND `days`.`day` = `prepared`.`day`
  AND `days`.`generation` = `prepared`.`generation`
WHERE `prepared`.`event` = 'prepared' AND `days`.`live` AND NOT `days`.`done`
"""

_UNDONE = """
SELECT
  'undone', `replacing`.`table_id`, `replacing`.`table_created`, `replacing`.`day`, `replacing`.`generation`,
  CAST(NULL AS DATE), CAST(NULL AS DATE), `replacing`.`row_count`, `replacing`.`streams`, `replacing`.`run_id`, '', 0
FROM `{ledger}` AS `replacing`
JOIN `numbers`
  ON `numbers`.`table_id` = `replacing`.`table_id`
  AND `numbers`.`table_created` = `replacing`.`table_created`
  AND `numbers`.`day` = `replacing`.`day`
  AND `numbers`.`number` = `replacing`.`generation`
WHERE `replacing`.`event` = 'replacing' AND NOT `numbers`.`replaced` AND NOT `numbers`.`expired`
"""

READ = (
    f"{WITH_DAYS},{_COUNTED}{_TABLES}UNION ALL{_ABANDONED}UNION ALL{_IN_DOUBT}UNION ALL{_UNDONE}"
    "ORDER BY `table_id`, `day`\n"
)
