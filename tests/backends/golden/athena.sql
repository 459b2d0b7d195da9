-- rows
SELECT
  "t1"."aggflow_micros" - (
    (
      (
        "t1"."aggflow_micros" % 3600000000
      ) + 3600000000
    ) % 3600000000
  ) AS "bucket",
  "t1"."kind" AS "by0",
  "t1"."flag" AS "by1",
  "t1"."aggflow_micros" AS "time_us",
  IF("t1"."flag" = TRUE, 1, CAST(NULL AS TINYINT)) AS "field0",
  IF(
    "t1"."flag" = TRUE,
    IF(
      ABS("t1"."amount") <= CAST(1.7976931348623157e+308 AS DOUBLE),
      "t1"."amount",
      CAST(NULL AS DOUBLE)
    ),
    CAST(NULL AS DOUBLE)
  ) AS "field1",
  "t1"."kind" AS "field2",
  "t1"."units" AS "field3",
  IF(
    "t1"."flag" = TRUE,
    IF(
      ABS("t1"."amount") <= CAST(1.7976931348623157e+308 AS DOUBLE),
      "t1"."amount",
      CAST(NULL AS DOUBLE)
    ),
    CAST(NULL AS DOUBLE)
  ) AS "field4",
  "t1"."units" AS "field5",
  "t1"."kind" AS "field6",
  (
    (
      CAST(CAST(FLOOR(ABS("t1"."price")) AS DECIMAL(18, 4)) AS BIGINT) * 10000
    ) + CAST(CAST(ROUND(
      (
        ABS("t1"."price") - CAST(FLOOR(ABS("t1"."price")) AS DECIMAL(18, 4))
      ) * 10000,
      0
    ) AS DECIMAL(18, 0)) AS BIGINT)
  ) * IF("t1"."price" < 0, -1, 1) AS "field7",
  "t1"."units" AS "field8"
FROM (
  SELECT
    "t0"."happened",
    "t0"."kind",
    "t0"."flag",
    "t0"."amount",
    "t0"."units",
    "t0"."small",
    "t0"."price",
    (
      (
        (
          (
            (
              (
                (
                  (
                    CAST(FLOOR(
                      CAST((
                        CAST(EXTRACT(year FROM "t0"."happened") AS BIGINT) - IF(CAST(EXTRACT(month FROM "t0"."happened") AS BIGINT) <= 2, 1, 0)
                      ) AS DOUBLE) / (
                        400
                      )
                    ) AS BIGINT) * 146097
                  ) + (
                    (
                      (
                        CAST(EXTRACT(year FROM "t0"."happened") AS BIGINT) - IF(CAST(EXTRACT(month FROM "t0"."happened") AS BIGINT) <= 2, 1, 0)
                      ) - (
                        CAST(FLOOR(
                          CAST((
                            CAST(EXTRACT(year FROM "t0"."happened") AS BIGINT) - IF(CAST(EXTRACT(month FROM "t0"."happened") AS BIGINT) <= 2, 1, 0)
                          ) AS DOUBLE) / (
                            400
                          )
                        ) AS BIGINT) * 400
                      )
                    ) * 365
                  ) + CAST(FLOOR(
                    CAST((
                      (
                        CAST(EXTRACT(year FROM "t0"."happened") AS BIGINT) - IF(CAST(EXTRACT(month FROM "t0"."happened") AS BIGINT) <= 2, 1, 0)
                      ) - (
                        CAST(FLOOR(
                          CAST((
                            CAST(EXTRACT(year FROM "t0"."happened") AS BIGINT) - IF(CAST(EXTRACT(month FROM "t0"."happened") AS BIGINT) <= 2, 1, 0)
                          ) AS DOUBLE) / (
                            400
                          )
                        ) AS BIGINT) * 400
                      )
                    ) AS DOUBLE) / (
                      4
                    )
                  ) AS BIGINT)
                ) - CAST(FLOOR(
                  CAST((
                    (
                      CAST(EXTRACT(year FROM "t0"."happened") AS BIGINT) - IF(CAST(EXTRACT(month FROM "t0"."happened") AS BIGINT) <= 2, 1, 0)
                    ) - (
                      CAST(FLOOR(
                        CAST((
                          CAST(EXTRACT(year FROM "t0"."happened") AS BIGINT) - IF(CAST(EXTRACT(month FROM "t0"."happened") AS BIGINT) <= 2, 1, 0)
                        ) AS DOUBLE) / (
                          400
                        )
                      ) AS BIGINT) * 400
                    )
                  ) AS DOUBLE) / (
                    100
                  )
                ) AS BIGINT)
              ) + (
                (
                  CAST(FLOOR(
                    CAST((
                      (
                        (
                          (
                            CAST(EXTRACT(month FROM "t0"."happened") AS BIGINT) + 9
                          ) % 12
                        ) * 153
                      ) + 2
                    ) AS DOUBLE) / (
                      5
                    )
                  ) AS BIGINT) + CAST(EXTRACT(day FROM "t0"."happened") AS BIGINT)
                ) - 1
              )
            ) - 719468
          ) * 86400
        ) + (
          CAST(EXTRACT(hour FROM "t0"."happened") AS BIGINT) * 3600
        ) + (
          CAST(EXTRACT(minute FROM "t0"."happened") AS BIGINT) * 60
        ) + CAST(EXTRACT(second FROM "t0"."happened") AS BIGINT)
      ) * 1000000
    ) + CAST(CAST(DATE_FORMAT("t0"."happened", '%f') AS INTEGER) AS BIGINT) AS "aggflow_micros"
  FROM "events" AS "t0"
  WHERE
    "t0"."happened" >= CAST(FROM_ISO8601_TIMESTAMP('2024-01-01T00:00:00') AS TIMESTAMP)
    AND "t0"."happened" < CAST(FROM_ISO8601_TIMESTAMP('2024-02-01T00:00:00') AS TIMESTAMP)
    AND "t0"."units" > 1
    AND "t0"."kind" <> 'a'
) AS "t1";

-- survey
SELECT
  COUNT(*) AS "n",
  MIN("t0"."field4") AS "least_field4",
  MAX("t0"."field4") AS "most_field4",
  MIN("t0"."field5") AS "least_field5",
  MAX("t0"."field5") AS "most_field5"
FROM "staged" AS "t0";

-- cells 0
SELECT
  "t0"."bucket",
  "t0"."by0",
  "t0"."by1",
  COUNT(*) AS "rows_",
  COUNT("t0"."field0") AS "state0_rows",
  COUNT("t0"."field1") AS "seen1",
  COUNT("t0"."field2") AS "seen2",
  COUNT("t0"."field3") AS "seen3",
  MIN("t0"."field4") AS "state4_min",
  MAX("t0"."field4") AS "state4_max",
  MIN("t0"."field5") AS "state5_min",
  MAX("t0"."field5") AS "state5_max",
  COUNT("t0"."field4") AS "state10_n",
  (
    AVG("t0"."field4") + CAST(0.0 AS DOUBLE)
  ) / CAST(1.0 AS DOUBLE) AS "state10_mean",
  (
    VAR_POP("t0"."field4") * COUNT("t0"."field4")
  ) / CAST(1.0 AS DOUBLE) AS "state10_m2",
  COUNT("t0"."field5") AS "state11_n",
  (
    AVG(CAST("t0"."field5" AS DOUBLE)) + CAST(0.0 AS DOUBLE)
  ) / CAST(1.0 AS DOUBLE) AS "state11_mean",
  (
    VAR_POP(CAST("t0"."field5" AS DOUBLE)) * COUNT("t0"."field5")
  ) / CAST(1.0 AS DOUBLE) AS "state11_m2",
  COUNT("t0"."field4") AS "seen12",
  COUNT("t0"."field4") AS "state13_n",
  SUM("t0"."field4") AS "state13_sum",
  COUNT("t0"."field7") AS "state14_n",
  SUM(BITWISE_ARITHMETIC_SHIFT_RIGHT("t0"."field7", 32)) AS "state14_high",
  SUM(BITWISE_AND("t0"."field7", 4294967295)) AS "state14_low",
  COUNT("t0"."field8") AS "state15_n",
  SUM(BITWISE_ARITHMETIC_SHIFT_RIGHT("t0"."field8", 32)) AS "state15_high",
  SUM(BITWISE_AND("t0"."field8", 4294967295)) AS "state15_low"
FROM "staged" AS "t0"
GROUP BY
  1,
  2,
  3;

-- distinct(amount where @.flag == true)
SELECT
  "t1"."bucket",
  "t1"."by0",
  "t1"."by1",
  "t1"."field1",
  COUNT(*) AS "rows_"
FROM (
  SELECT
    *
  FROM "staged" AS "t0"
  WHERE
    "t0"."field1" IS NOT NULL
) AS "t1"
GROUP BY
  1,
  2,
  3,
  4;

-- distinct(kind)
SELECT
  "t1"."bucket",
  "t1"."by0",
  "t1"."by1",
  "t1"."field2",
  COUNT(*) AS "rows_"
FROM (
  SELECT
    *
  FROM "staged" AS "t0"
  WHERE
    "t0"."field2" IS NOT NULL
) AS "t1"
GROUP BY
  1,
  2,
  3,
  4;

-- distinct(units)
SELECT
  "t1"."bucket",
  "t1"."by0",
  "t1"."by1",
  "t1"."field3",
  COUNT(*) AS "rows_"
FROM (
  SELECT
    *
  FROM "staged" AS "t0"
  WHERE
    "t0"."field3" IS NOT NULL
) AS "t1"
GROUP BY
  1,
  2,
  3,
  4;

-- first(amount where @.flag == true)
SELECT
  "t3"."bucket",
  "t3"."by0",
  "t3"."by1",
  MAX("t3"."time_us") AS "time",
  MIN("t3"."value_") AS "value"
FROM (
  SELECT
    *
  FROM (
    SELECT
      "t1"."bucket",
      "t1"."by0",
      "t1"."by1",
      "t1"."time_us",
      "t1"."value_",
      MIN("t1"."time_us") OVER (
        PARTITION BY "t1"."bucket", "t1"."by0", "t1"."by1"
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
      ) AS "best_"
    FROM (
      SELECT
        "t0"."bucket",
        "t0"."by0",
        "t0"."by1",
        "t0"."time_us",
        "t0"."field4" AS "value_"
      FROM "staged" AS "t0"
      WHERE
        "t0"."field4" IS NOT NULL
    ) AS "t1"
  ) AS "t2"
  WHERE
    "t2"."time_us" = "t2"."best_"
) AS "t3"
GROUP BY
  1,
  2,
  3;

-- first(kind)
SELECT
  "t3"."bucket",
  "t3"."by0",
  "t3"."by1",
  MAX("t3"."time_us") AS "time",
  MIN("t3"."value_") AS "value"
FROM (
  SELECT
    *
  FROM (
    SELECT
      "t1"."bucket",
      "t1"."by0",
      "t1"."by1",
      "t1"."time_us",
      "t1"."value_",
      MIN("t1"."time_us") OVER (
        PARTITION BY "t1"."bucket", "t1"."by0", "t1"."by1"
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
      ) AS "best_"
    FROM (
      SELECT
        "t0"."bucket",
        "t0"."by0",
        "t0"."by1",
        "t0"."time_us",
        "t0"."field6" AS "value_"
      FROM "staged" AS "t0"
      WHERE
        "t0"."field6" IS NOT NULL
    ) AS "t1"
  ) AS "t2"
  WHERE
    "t2"."time_us" = "t2"."best_"
) AS "t3"
GROUP BY
  1,
  2,
  3;

-- last(amount where @.flag == true)
SELECT
  "t3"."bucket",
  "t3"."by0",
  "t3"."by1",
  MAX("t3"."time_us") AS "time",
  MAX("t3"."value_") AS "value"
FROM (
  SELECT
    *
  FROM (
    SELECT
      "t1"."bucket",
      "t1"."by0",
      "t1"."by1",
      "t1"."time_us",
      "t1"."value_",
      MAX("t1"."time_us") OVER (
        PARTITION BY "t1"."bucket", "t1"."by0", "t1"."by1"
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
      ) AS "best_"
    FROM (
      SELECT
        "t0"."bucket",
        "t0"."by0",
        "t0"."by1",
        "t0"."time_us",
        "t0"."field4" AS "value_"
      FROM "staged" AS "t0"
      WHERE
        "t0"."field4" IS NOT NULL
    ) AS "t1"
  ) AS "t2"
  WHERE
    "t2"."time_us" = "t2"."best_"
) AS "t3"
GROUP BY
  1,
  2,
  3;

-- last(price)
SELECT
  "t3"."bucket",
  "t3"."by0",
  "t3"."by1",
  MAX("t3"."time_us") AS "time",
  MAX("t3"."value_") AS "value"
FROM (
  SELECT
    *
  FROM (
    SELECT
      "t1"."bucket",
      "t1"."by0",
      "t1"."by1",
      "t1"."time_us",
      "t1"."value_",
      MAX("t1"."time_us") OVER (
        PARTITION BY "t1"."bucket", "t1"."by0", "t1"."by1"
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
      ) AS "best_"
    FROM (
      SELECT
        "t0"."bucket",
        "t0"."by0",
        "t0"."by1",
        "t0"."time_us",
        "t0"."field7" AS "value_"
      FROM "staged" AS "t0"
      WHERE
        "t0"."field7" IS NOT NULL
    ) AS "t1"
  ) AS "t2"
  WHERE
    "t2"."time_us" = "t2"."best_"
) AS "t3"
GROUP BY
  1,
  2,
  3;

-- quantile(amount where @.flag == true)
SELECT
  "t1"."bucket",
  "t1"."by0",
  "t1"."by1",
  "t1"."key_",
  COUNT(*) AS "weight_",
  COUNT(*) AS "rows_"
FROM (
  SELECT
    "t0"."bucket",
    "t0"."by0",
    "t0"."by1",
    "t0"."time_us",
    "t0"."field0",
    "t0"."field1",
    "t0"."field2",
    "t0"."field3",
    "t0"."field4",
    "t0"."field5",
    "t0"."field6",
    "t0"."field7",
    "t0"."field8",
    CASE
      WHEN "t0"."field4" > 0
      THEN CAST(CAST(CEIL(
        LN(NULLIF(ABS("t0"."field4"), CAST(0.0 AS DOUBLE))) / CAST(0.009950330853168092 AS DOUBLE)
      ) AS BIGINT) + 80000 AS INTEGER)
      WHEN "t0"."field4" < 0
      THEN -(
        CAST(CAST(CEIL(
          LN(NULLIF(ABS("t0"."field4"), CAST(0.0 AS DOUBLE))) / CAST(0.009950330853168092 AS DOUBLE)
        ) AS BIGINT) + 80000 AS INTEGER)
      )
      ELSE 0
    END AS "key_"
  FROM "staged" AS "t0"
  WHERE
    "t0"."field4" IS NOT NULL
) AS "t1"
GROUP BY
  1,
  2,
  3,
  4;

