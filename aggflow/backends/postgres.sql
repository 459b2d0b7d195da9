-- What Postgres lacks, as functions of one session: they live in its temporary schema and are gone with it.
-- Microseconds since the epoch, exact; infinite times have none.
CREATE OR REPLACE FUNCTION pg_temp.aggflow_micros(timestamp) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN isfinite($1) THEN (extract(epoch FROM $1) * 1000000)::bigint END $$;
CREATE OR REPLACE FUNCTION pg_temp.aggflow_micros(timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN isfinite($1) THEN (extract(epoch FROM $1) * 1000000)::bigint END $$;
CREATE OR REPLACE FUNCTION pg_temp.aggflow_micros(date) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN isfinite($1) THEN ($1 - date '1970-01-01')::bigint * 86400000000 END $$;

CREATE OR REPLACE FUNCTION pg_temp.aggflow_hash(text) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT hashtextextended($1 COLLATE "C", 0) $$;
CREATE OR REPLACE FUNCTION pg_temp.aggflow_hash(bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT hashint8extended($1, 0) $$;

-- Letters of all languages, where the order of texts is that of their code points.
CREATE OR REPLACE FUNCTION pg_temp.aggflow_lower(text) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT lower($1 COLLATE "und-x-icu") $$;
CREATE OR REPLACE FUNCTION pg_temp.aggflow_upper(text) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT upper($1 COLLATE "und-x-icu") $$;
CREATE OR REPLACE FUNCTION pg_temp.aggflow_find(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS
$$ SELECT regexp_like($1 COLLATE "und-x-icu", $2) $$;

-- The part of that number of a text that is cut at a separator.
CREATE OR REPLACE FUNCTION pg_temp.aggflow_part(text, text, bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN $1 = '' AND $3 = 0 THEN '' ELSE (string_to_array($1, $2))[$3::integer + 1] END $$;

-- The number that a text reads as; null where it is none, or beyond the range of floats.
CREATE OR REPLACE FUNCTION pg_temp.aggflow_number(digits text) RETURNS double precision LANGUAGE plpgsql IMMUTABLE AS
$$
BEGIN
    IF digits !~ '^\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*$' THEN RETURN NULL; END IF;
    RETURN digits::double precision;
EXCEPTION WHEN numeric_value_out_of_range THEN RETURN NULL;
END
$$;

-- What is at a path of a JSON text; null where there is nothing, or no JSON at all.
CREATE OR REPLACE FUNCTION pg_temp.aggflow_at(document text, VARIADIC parts text[]) RETURNS json
LANGUAGE plpgsql IMMUTABLE AS
$$
DECLARE
    found json;
    part text;
BEGIN
    found := document::json;
    FOREACH part IN ARRAY parts LOOP
        IF json_typeof(found) <> 'object' THEN RETURN NULL; END IF;
        found := found -> part;
    END LOOP;
    RETURN found;
EXCEPTION WHEN invalid_text_representation OR untranslatable_character THEN RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION pg_temp.aggflow_json(document text, VARIADIC parts text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS
$$
BEGIN
    RETURN pg_temp.aggflow_at(document, VARIADIC parts) #>> '{}';
EXCEPTION WHEN untranslatable_character THEN RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION pg_temp.aggflow_json_length(document text, VARIADIC parts text[]) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE AS
$$
DECLARE
    found json := pg_temp.aggflow_at(document, VARIADIC parts);
BEGIN
    RETURN CASE WHEN json_typeof(found) = 'array' THEN json_array_length(found)
                WHEN json_typeof(found) <> 'null' THEN 0 END;
END
$$;
