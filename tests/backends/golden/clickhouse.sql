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
  CASE WHEN "t1"."flag" = TRUE THEN 1 ELSE CAST(NULL AS Nullable(Int8)) END AS "field0",
  CASE
    WHEN "t1"."flag" = TRUE
    THEN CASE
      WHEN isNull(
        CASE
          WHEN ABS("t1"."amount") <= 1.7976931348623157e+308
          THEN "t1"."amount"
          ELSE CAST(NULL AS Nullable(Float64))
        END
      )
      THEN CAST(NULL AS Nullable(UInt64))
      ELSE xxHash64(
        CAST(CASE
          WHEN ABS("t1"."amount") <= 1.7976931348623157e+308
          THEN "t1"."amount"
          ELSE CAST(NULL AS Nullable(Float64))
        END + 0.0 AS Nullable(String))
      )
    END
    ELSE CAST(NULL AS Nullable(UInt64))
  END AS "field1",
  CASE
    WHEN isNull("t1"."kind")
    THEN CAST(NULL AS Nullable(UInt64))
    ELSE xxHash64("t1"."kind")
  END AS "field2",
  CASE
    WHEN isNull("t1"."units")
    THEN CAST(NULL AS Nullable(UInt64))
    ELSE xxHash64("t1"."units")
  END AS "field3",
  CASE
    WHEN "t1"."flag" = TRUE
    THEN CASE
      WHEN ABS("t1"."amount") <= 1.7976931348623157e+308
      THEN "t1"."amount"
      ELSE CAST(NULL AS Nullable(Float64))
    END
    ELSE CAST(NULL AS Nullable(Float64))
  END AS "field4",
  "t1"."units" AS "field5",
  "t1"."kind" AS "field6",
  (
    (
      CAST(CAST(FLOOR(ABS("t1"."price")) AS Nullable(Decimal(18, 4))) AS Nullable(Int64)) * 10000
    ) + CAST(CAST(ROUND(
      (
        ABS("t1"."price") - CAST(FLOOR(ABS("t1"."price")) AS Nullable(Decimal(18, 4)))
      ) * 10000,
      0
    ) AS Nullable(Decimal(18, 0))) AS Nullable(Int64))
  ) * CASE WHEN "t1"."price" < 0 THEN -1 ELSE 1 END AS "field7",
  "t1"."units" AS "field8"
FROM (
  SELECT
    "t0"."happened" AS "happened",
    "t0"."kind" AS "kind",
    "t0"."flag" AS "flag",
    "t0"."amount" AS "amount",
    "t0"."units" AS "units",
    "t0"."small" AS "small",
    "t0"."price" AS "price",
    (
      (
        (
          (
            (
              (
                (
                  (
                    CAST(FLOOR(
                      (
                        CAST(toYear("t0"."happened") AS Nullable(Int64)) - CASE WHEN CAST(toMonth("t0"."happened") AS Nullable(Int64)) <= 2 THEN 1 ELSE 0 END
                      ) / (
                        400
                      )
                    ) AS Nullable(Int64)) * 146097
                  ) + (
                    (
                      (
                        CAST(toYear("t0"."happened") AS Nullable(Int64)) - CASE WHEN CAST(toMonth("t0"."happened") AS Nullable(Int64)) <= 2 THEN 1 ELSE 0 END
                      ) - (
                        CAST(FLOOR(
                          (
                            CAST(toYear("t0"."happened") AS Nullable(Int64)) - CASE WHEN CAST(toMonth("t0"."happened") AS Nullable(Int64)) <= 2 THEN 1 ELSE 0 END
                          ) / (
                            400
                          )
                        ) AS Nullable(Int64)) * 400
                      )
                    ) * 365
                  ) + CAST(FLOOR(
                    (
                      (
                        CAST(toYear("t0"."happened") AS Nullable(Int64)) - CASE WHEN CAST(toMonth("t0"."happened") AS Nullable(Int64)) <= 2 THEN 1 ELSE 0 END
                      ) - (
                        CAST(FLOOR(
                          (
                            CAST(toYear("t0"."happened") AS Nullable(Int64)) - CASE WHEN CAST(toMonth("t0"."happened") AS Nullable(Int64)) <= 2 THEN 1 ELSE 0 END
                          ) / (
                            400
                          )
                        ) AS Nullable(Int64)) * 400
                      )
                    ) / (
                      4
                    )
                  ) AS Nullable(Int64))
                ) - CAST(FLOOR(
                  (
                    (
                      CAST(toYear("t0"."happened") AS Nullable(Int64)) - CASE WHEN CAST(toMonth("t0"."happened") AS Nullable(Int64)) <= 2 THEN 1 ELSE 0 END
                    ) - (
                      CAST(FLOOR(
                        (
                          CAST(toYear("t0"."happened") AS Nullable(Int64)) - CASE WHEN CAST(toMonth("t0"."happened") AS Nullable(Int64)) <= 2 THEN 1 ELSE 0 END
                        ) / (
                          400
                        )
                      ) AS Nullable(Int64)) * 400
                    )
                  ) / (
                    100
                  )
                ) AS Nullable(Int64))
              ) + (
                (
                  CAST(FLOOR(
                    (
                      (
                        (
                          (
                            CAST(toMonth("t0"."happened") AS Nullable(Int64)) + 9
                          ) % 12
                        ) * 153
                      ) + 2
                    ) / (
                      5
                    )
                  ) AS Nullable(Int64)) + CAST(toDayOfMonth("t0"."happened") AS Nullable(Int64))
                ) - 1
              )
            ) - 719468
          ) * 86400
        ) + (
          CAST(toHour("t0"."happened") AS Nullable(Int64)) * 3600
        ) + (
          CAST(toMinute("t0"."happened") AS Nullable(Int64)) * 60
        ) + CAST(toSecond("t0"."happened") AS Nullable(Int64))
      ) * 1000000
    ) + CAST(CAST(toUnixTimestamp64Micro(CAST("t0"."happened" AS Nullable(DateTime64(6)))) % 1000000 AS Nullable(Int32)) AS Nullable(Int64)) AS "aggflow_micros"
  FROM "events" AS "t0"
  WHERE
    "t0"."happened" >= parseDateTimeBestEffort('2024-01-01T00:00:00')
    AND "t0"."happened" < parseDateTimeBestEffort('2024-02-01T00:00:00')
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
  "t0"."bucket" AS "bucket",
  "t0"."by0" AS "by0",
  "t0"."by1" AS "by1",
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
    AVG("t0"."field4") + 0.0
  ) / 1.0 AS "state10_mean",
  (
    varPop("t0"."field4") * COUNT("t0"."field4")
  ) / 1.0 AS "state10_m2",
  COUNT("t0"."field5") AS "state11_n",
  (
    AVG(CAST("t0"."field5" AS Nullable(Float64))) + 0.0
  ) / 1.0 AS "state11_mean",
  (
    varPop(CAST("t0"."field5" AS Nullable(Float64))) * COUNT("t0"."field5")
  ) / 1.0 AS "state11_m2",
  COUNT("t0"."field4") AS "seen12",
  COUNT("t0"."field4") AS "state13_n",
  SUM("t0"."field4") AS "state13_sum",
  COUNT("t0"."field7") AS "state14_n",
  SUM(
    bitShiftRight(CAST("t0"."field7" AS Nullable(Int64)), CAST(32 AS Nullable(Int64)))
  ) AS "state14_high",
  SUM(bitAnd("t0"."field7", 4294967295)) AS "state14_low",
  COUNT("t0"."field8") AS "state15_n",
  SUM(
    bitShiftRight(CAST("t0"."field8" AS Nullable(Int64)), CAST(32 AS Nullable(Int64)))
  ) AS "state15_high",
  SUM(bitAnd("t0"."field8", 4294967295)) AS "state15_low"
FROM "staged" AS "t0"
GROUP BY
  "t0"."bucket",
  "t0"."by0",
  "t0"."by1";

-- distinct(amount where @.flag == true)
SELECT
  "t1"."bucket" AS "bucket",
  "t1"."by0" AS "by0",
  "t1"."by1" AS "by1",
  "t1"."key_" AS "key_",
  MAX(
    COALESCE(
      nullIf(
        bitAnd(
          bitAnd(
            bitShiftRight(CAST("t1"."field1" AS Nullable(UInt64)), CAST(12 AS Nullable(UInt64))),
            4503599627370495
          ),
          -(
            bitAnd(
              bitShiftRight(CAST("t1"."field1" AS Nullable(UInt64)), CAST(12 AS Nullable(UInt64))),
              4503599627370495
            )
          )
        ),
        0
      ),
      4503599627370496
    )
  ) AS "weight_",
  COUNT(*) AS "rows_"
FROM (
  SELECT
    "t0"."bucket" AS "bucket",
    "t0"."by0" AS "by0",
    "t0"."by1" AS "by1",
    "t0"."time_us" AS "time_us",
    "t0"."field0" AS "field0",
    "t0"."field1" AS "field1",
    "t0"."field2" AS "field2",
    "t0"."field3" AS "field3",
    "t0"."field4" AS "field4",
    "t0"."field5" AS "field5",
    "t0"."field6" AS "field6",
    "t0"."field7" AS "field7",
    "t0"."field8" AS "field8",
    CAST(bitAnd("t0"."field1", 4095) AS Nullable(Int16)) AS "key_"
  FROM "staged" AS "t0"
  WHERE
    isNotNull("t0"."field1")
) AS "t1"
GROUP BY
  "t1"."bucket",
  "t1"."by0",
  "t1"."by1",
  "t1"."key_";

-- distinct(kind)
SELECT
  "t1"."bucket" AS "bucket",
  "t1"."by0" AS "by0",
  "t1"."by1" AS "by1",
  "t1"."key_" AS "key_",
  MAX(
    COALESCE(
      nullIf(
        bitAnd(
          bitAnd(
            bitShiftRight(CAST("t1"."field2" AS Nullable(UInt64)), CAST(12 AS Nullable(UInt64))),
            4503599627370495
          ),
          -(
            bitAnd(
              bitShiftRight(CAST("t1"."field2" AS Nullable(UInt64)), CAST(12 AS Nullable(UInt64))),
              4503599627370495
            )
          )
        ),
        0
      ),
      4503599627370496
    )
  ) AS "weight_",
  COUNT(*) AS "rows_"
FROM (
  SELECT
    "t0"."bucket" AS "bucket",
    "t0"."by0" AS "by0",
    "t0"."by1" AS "by1",
    "t0"."time_us" AS "time_us",
    "t0"."field0" AS "field0",
    "t0"."field1" AS "field1",
    "t0"."field2" AS "field2",
    "t0"."field3" AS "field3",
    "t0"."field4" AS "field4",
    "t0"."field5" AS "field5",
    "t0"."field6" AS "field6",
    "t0"."field7" AS "field7",
    "t0"."field8" AS "field8",
    CAST(bitAnd("t0"."field2", 4095) AS Nullable(Int16)) AS "key_"
  FROM "staged" AS "t0"
  WHERE
    isNotNull("t0"."field2")
) AS "t1"
GROUP BY
  "t1"."bucket",
  "t1"."by0",
  "t1"."by1",
  "t1"."key_";

-- distinct(units)
SELECT
  "t1"."bucket" AS "bucket",
  "t1"."by0" AS "by0",
  "t1"."by1" AS "by1",
  "t1"."key_" AS "key_",
  MAX(
    COALESCE(
      nullIf(
        bitAnd(
          bitAnd(
            bitShiftRight(CAST("t1"."field3" AS Nullable(UInt64)), CAST(12 AS Nullable(UInt64))),
            4503599627370495
          ),
          -(
            bitAnd(
              bitShiftRight(CAST("t1"."field3" AS Nullable(UInt64)), CAST(12 AS Nullable(UInt64))),
              4503599627370495
            )
          )
        ),
        0
      ),
      4503599627370496
    )
  ) AS "weight_",
  COUNT(*) AS "rows_"
FROM (
  SELECT
    "t0"."bucket" AS "bucket",
    "t0"."by0" AS "by0",
    "t0"."by1" AS "by1",
    "t0"."time_us" AS "time_us",
    "t0"."field0" AS "field0",
    "t0"."field1" AS "field1",
    "t0"."field2" AS "field2",
    "t0"."field3" AS "field3",
    "t0"."field4" AS "field4",
    "t0"."field5" AS "field5",
    "t0"."field6" AS "field6",
    "t0"."field7" AS "field7",
    "t0"."field8" AS "field8",
    CAST(bitAnd("t0"."field3", 4095) AS Nullable(Int16)) AS "key_"
  FROM "staged" AS "t0"
  WHERE
    isNotNull("t0"."field3")
) AS "t1"
GROUP BY
  "t1"."bucket",
  "t1"."by0",
  "t1"."by1",
  "t1"."key_";

-- first(amount where @.flag == true)
SELECT
  "t3"."bucket" AS "bucket",
  "t3"."by0" AS "by0",
  "t3"."by1" AS "by1",
  MAX("t3"."time_us") AS "time",
  MIN("t3"."value_") AS "value"
FROM (
  SELECT
    *
  FROM (
    SELECT
      "t1"."bucket" AS "bucket",
      "t1"."by0" AS "by0",
      "t1"."by1" AS "by1",
      "t1"."time_us" AS "time_us",
      "t1"."value_" AS "value_",
      MIN("t1"."time_us") OVER (
        PARTITION BY "t1"."bucket", "t1"."by0", "t1"."by1"
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
      ) AS "best_"
    FROM (
      SELECT
        "t0"."bucket" AS "bucket",
        "t0"."by0" AS "by0",
        "t0"."by1" AS "by1",
        "t0"."time_us" AS "time_us",
        "t0"."field4" AS "value_"
      FROM "staged" AS "t0"
      WHERE
        isNotNull("t0"."field4")
    ) AS "t1"
  ) AS "t2"
  WHERE
    "t2"."time_us" = "t2"."best_"
) AS "t3"
GROUP BY
  "t3"."bucket",
  "t3"."by0",
  "t3"."by1";

-- first(kind)
SELECT
  "t3"."bucket" AS "bucket",
  "t3"."by0" AS "by0",
  "t3"."by1" AS "by1",
  MAX("t3"."time_us") AS "time",
  MIN("t3"."value_") AS "value"
FROM (
  SELECT
    *
  FROM (
    SELECT
      "t1"."bucket" AS "bucket",
      "t1"."by0" AS "by0",
      "t1"."by1" AS "by1",
      "t1"."time_us" AS "time_us",
      "t1"."value_" AS "value_",
      MIN("t1"."time_us") OVER (
        PARTITION BY "t1"."bucket", "t1"."by0", "t1"."by1"
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
      ) AS "best_"
    FROM (
      SELECT
        "t0"."bucket" AS "bucket",
        "t0"."by0" AS "by0",
        "t0"."by1" AS "by1",
        "t0"."time_us" AS "time_us",
        "t0"."field6" AS "value_"
      FROM "staged" AS "t0"
      WHERE
        isNotNull("t0"."field6")
    ) AS "t1"
  ) AS "t2"
  WHERE
    "t2"."time_us" = "t2"."best_"
) AS "t3"
GROUP BY
  "t3"."bucket",
  "t3"."by0",
  "t3"."by1";

-- last(amount where @.flag == true)
SELECT
  "t3"."bucket" AS "bucket",
  "t3"."by0" AS "by0",
  "t3"."by1" AS "by1",
  MAX("t3"."time_us") AS "time",
  MAX("t3"."value_") AS "value"
FROM (
  SELECT
    *
  FROM (
    SELECT
      "t1"."bucket" AS "bucket",
      "t1"."by0" AS "by0",
      "t1"."by1" AS "by1",
      "t1"."time_us" AS "time_us",
      "t1"."value_" AS "value_",
      MAX("t1"."time_us") OVER (
        PARTITION BY "t1"."bucket", "t1"."by0", "t1"."by1"
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
      ) AS "best_"
    FROM (
      SELECT
        "t0"."bucket" AS "bucket",
        "t0"."by0" AS "by0",
        "t0"."by1" AS "by1",
        "t0"."time_us" AS "time_us",
        "t0"."field4" AS "value_"
      FROM "staged" AS "t0"
      WHERE
        isNotNull("t0"."field4")
    ) AS "t1"
  ) AS "t2"
  WHERE
    "t2"."time_us" = "t2"."best_"
) AS "t3"
GROUP BY
  "t3"."bucket",
  "t3"."by0",
  "t3"."by1";

-- last(price)
SELECT
  "t3"."bucket" AS "bucket",
  "t3"."by0" AS "by0",
  "t3"."by1" AS "by1",
  MAX("t3"."time_us") AS "time",
  MAX("t3"."value_") AS "value"
FROM (
  SELECT
    *
  FROM (
    SELECT
      "t1"."bucket" AS "bucket",
      "t1"."by0" AS "by0",
      "t1"."by1" AS "by1",
      "t1"."time_us" AS "time_us",
      "t1"."value_" AS "value_",
      MAX("t1"."time_us") OVER (
        PARTITION BY "t1"."bucket", "t1"."by0", "t1"."by1"
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
      ) AS "best_"
    FROM (
      SELECT
        "t0"."bucket" AS "bucket",
        "t0"."by0" AS "by0",
        "t0"."by1" AS "by1",
        "t0"."time_us" AS "time_us",
        "t0"."field7" AS "value_"
      FROM "staged" AS "t0"
      WHERE
        isNotNull("t0"."field7")
    ) AS "t1"
  ) AS "t2"
  WHERE
    "t2"."time_us" = "t2"."best_"
) AS "t3"
GROUP BY
  "t3"."bucket",
  "t3"."by0",
  "t3"."by1";

-- quantile(amount where @.flag == true)
SELECT
  "t1"."bucket" AS "bucket",
  "t1"."by0" AS "by0",
  "t1"."by1" AS "by1",
  "t1"."key_" AS "key_",
  COUNT(*) AS "weight_",
  COUNT(*) AS "rows_"
FROM (
  SELECT
    "t0"."bucket" AS "bucket",
    "t0"."by0" AS "by0",
    "t0"."by1" AS "by1",
    "t0"."time_us" AS "time_us",
    "t0"."field0" AS "field0",
    "t0"."field1" AS "field1",
    "t0"."field2" AS "field2",
    "t0"."field3" AS "field3",
    "t0"."field4" AS "field4",
    "t0"."field5" AS "field5",
    "t0"."field6" AS "field6",
    "t0"."field7" AS "field7",
    "t0"."field8" AS "field8",
    CASE
      WHEN "t0"."field4" > 0
      THEN CAST(CAST(CEIL(LN(nullIf(ABS("t0"."field4"), 0.0)) / 0.009950330853168092) AS Nullable(Int64)) + 80000 AS Nullable(Int32))
      WHEN "t0"."field4" < 0
      THEN -(
        CAST(CAST(CEIL(LN(nullIf(ABS("t0"."field4"), 0.0)) / 0.009950330853168092) AS Nullable(Int64)) + 80000 AS Nullable(Int32))
      )
      ELSE 0
    END AS "key_"
  FROM "staged" AS "t0"
  WHERE
    isNotNull("t0"."field4")
) AS "t1"
GROUP BY
  "t1"."bucket",
  "t1"."by0",
  "t1"."by1",
  "t1"."key_";

