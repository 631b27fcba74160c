-- Scalar functions that the models share; made anew on every connection that builds, never stored for readers.

-- The standard normal distribution function, to about 1e-15 (G. West, "Better approximations to cumulative normal
-- functions", Wilmott 2005, after J. F. Hart 1968). DuckDB has no erf.
create or replace temp macro normal_cdf(z) as
    case
        when z is null then null
        when abs(z) > 37 then case when z > 0 then 1.0::double else 0.0::double end
        when z > 0 then 1 - normal_tail(abs(z))
        else normal_tail(abs(z))
    end;

create or replace temp macro normal_tail(x) as
    exp(-x * x / 2) * case
        when x < 7.07106781186547
            then ((((((3.52624965998911e-02 * x + 0.700383064443688) * x + 6.37396220353165) * x
                + 33.912866078383) * x + 112.079291497871) * x + 221.213596169931) * x + 220.206867912376)
                / (((((((8.83883476483184e-02 * x + 1.75566716318264) * x + 16.064177579207) * x
                + 86.7807322029461) * x + 296.564248779674) * x + 637.333633378831) * x
                + 793.826512519948) * x + 440.413735824752)
        else 1 / (x + 1 / (x + 2 / (x + 3 / (x + 4 / (x + 0.65))))) / 2.506628274631
    end;

-- The standard normal density.
create or replace temp macro normal_pdf(z) as exp(-z * z / 2) / sqrt(2 * pi());

-- The first day of the month in which a UTC instant falls, in the given zone.
create or replace temp macro local_month(instant, zone) as
    cast(date_trunc('month', instant at time zone 'UTC' at time zone zone) as date);

-- The day on which a UTC instant falls, in the given zone.
create or replace temp macro local_day(instant, zone) as cast(instant at time zone 'UTC' at time zone zone as date);

-- When a record became known. What came in a system's first drop was known before, since it was created; what comes
-- later is known since its drop. Never the record's last change: that would select on the future.
create or replace temp macro became_known(known_at, first_known_at, created_at) as
    case when known_at = first_known_at then created_at else known_at end;

-- Whole months from the first-of-month `a` to the first-of-month `b` (date_diff counts differ between engines).
create or replace temp macro months_between(a, b) as (year(b) * 12 + month(b)) - (year(a) * 12 + month(a));

-- A sum over DOUBLE depends on the order in which threads add; over DECIMAL it does not.
create or replace temp macro exact(x) as cast(x as decimal(38, 12));

-- HMAC-SHA256 (RFC 2104) of the trimmed text in lower case, by the project's key (warehouse/keys.py sets the variables).
create or replace temp macro keyed_hash(text) as sha256(
    coalesce(getvariable('keyed_hash_outer'), cast(error('the project key is not set on this connection') as blob))
    || unhex(sha256(
        coalesce(getvariable('keyed_hash_inner'), cast(error('the project key is not set on this connection') as blob))
        || encode(lower(trim(text)))
    ))
);

-- The published id of a person. Some exports know a person by an address, or by the plain hash of an address or name
-- (their contracts say which); either could be guessed, so it is hashed with the key.
create or replace temp macro person_key(source_system, source_id) as source_system || ':' || case
    when contains(source_id, '@') or (length(source_id) = 64 and regexp_full_match(source_id, '[0-9a-f]{64}'))
        then keyed_hash(source_id)
    else source_id
end;

-- The first word of a name that is long enough to mean something and no legal form.
create or replace temp macro lead_word(name) as
    list_filter(
        string_split_regex(strip_accents(name), '[^a-z0-9]+'),
        lambda word: length(word) >= 3 and word not in (
            'aps', 'ivs', 'amba', 'fmba', 'gmbh', 'ltd', 'inc', 'llc', 'plc', 'oyj', 'asa', 'sarl', 'the', 'den', 'det', 'die'
        )
    )[1];

-- The first word of a company's name that tells it from others, as a domain would begin with it: the Danish
-- letters written as two and as one (ø is oe or o).
create or replace temp macro lead_words(name) as
    list_distinct([
        lead_word(replace(replace(replace(lower(name), 'æ', 'ae'), 'ø', 'oe'), 'å', 'aa')),
        lead_word(replace(replace(replace(lower(name), 'æ', 'ae'), 'ø', 'o'), 'å', 'a'))
    ]);
