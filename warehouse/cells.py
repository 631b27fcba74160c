"""One cell: how its text becomes a value, in SQL, strictly as the contract declares it.

Every function here takes the SQL of a text and gives the SQL of a value, which is null where the text does not fit.
Nothing is inferred: a number has the declared signs, a date the declared format, and what does not fit is null here
and quarantined by casting.py with its text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from warehouse.contracts import Column, StagedType
from warehouse.engine import literal
from warehouse.locales import month_names

SQL_TYPES: Mapping[StagedType, str] = {
    "text": "varchar",
    "texts": "varchar[]",
    "integer": "bigint",
    "number": "double",
    "decimal": "decimal(18,4)",
    "rate": "decimal(20,10)",
    "date": "date",
    "timestamp": "timestamp",
    "boolean": "boolean",
}

# The rule that a text breaks when it is no value of the type.
RULES: Mapping[str, str] = {
    "text": "excel_broken_id",
    "texts": "not_a_list",
    "integer": "not_a_number",
    "number": "not_a_number",
    "decimal": "not_a_number",
    "money": "not_a_number",
    "rate": "not_a_number",
    "date": "unparseable_date",
    "timestamp": "unparseable_date",
    "boolean": "not_a_boolean",
    "enum": "enum_unmapped",
    "duration": "not_a_duration",
    "salesforce_id": "excel_broken_id",
}

# The rule that a day breaks which fits its pattern only with day and month exchanged. Where some do, those that fit
# either way may be read wrongly.
AMBIGUOUS_DATE = "ambiguous_date"

# https://docs.stripe.com/currencies#minor-units: amounts of these have no minor unit. ISK and UGX are not here: Stripe
# writes both with two decimals, although neither has a minor unit any more.
ZERO_DECIMAL = ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
THREE_DECIMAL = ["BHD", "JOD", "KWD", "OMR", "TND"]

# Blanks that spreadsheets and forms leave around a value: space, tab, line ends, no-break space.
_BLANKS = (" ", "\t", "\n", "\r", "\u00a0")

# Before the year 1000 only the first day of all is one, which .NET writes for no day.
_DAY = r"(0001|[1-9]\d{3})-\d{2}-\d{2}"
_ENDLESS = ("0001-01-01", "9999-12-31")
_TIME = r"[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?"
_OFFSET = r" ?(Z|[+-]\d{2}(:?\d{2})?)"
_TIME_DIRECTIVES = re.compile(r"%-?[HIMSpcXfgn]")
_UTC_NAMES = frozenset({"UTC", "Etc/UTC", "GMT", "Etc/GMT", "Zulu", "Etc/Zulu", "UCT", "Etc/UCT", "Universal"})


@dataclass(frozen=True)
class Place:
    """Where a text was written and where its day counts: IANA zones.

    `zone` is None where neither contract nor configuration says it; only texts that need none are read then.
    """

    zone: str | None
    project_zone: str


def trimmed(text: str) -> str:
    """The text without blanks around it; null when nothing is left. `text` should be a column: it is read repeatedly.

    Nearly every text has no blank to take off, and to see that is several times cheaper than trim: all blanks but the
    no-break space sort before `!`.
    """
    ends = " or ".join(f"ends_with({text}, {literal(blank)})" for blank in _BLANKS)
    blanks = literal("".join(_BLANKS))
    return (
        f"case when {text} >= '!' and not ({ends} or starts_with({text}, {literal(_BLANKS[-1])})) then {text} "
        f"else nullif(trim({text}, {blanks}), '') end"
    )


def without(text: str, tokens: Sequence[str]) -> str:
    """The text, null where it is one of the tokens that mean `not recorded` (any case)."""
    if not tokens:
        return text
    return f"case when lower({text}) not in ({_lower(tokens)}) then {text} end"


def value(column: Column, target: StagedType | None, text: str, place: Place) -> str:
    """SQL of the value of `text` by the contract's column; `target` is the canonical column's type, None for a helper.

    A time may fill a date (its day in the project's zone) and a day a timestamp (its midnight), so of those two the
    target decides. Money is read by `money`, because it needs its row's currency.
    """
    kind = target if column.type in ("date", "timestamp") and target in ("date", "timestamp") else column.type
    return _READERS[kind](column, text, place)


def number(column: Column, text: str, sql_type: str) -> str:
    """A number with the declared decimal and thousands signs, thousands in groups of three; else null.

    `1.234` under a Danish contract is 1234 and `1.5` is none: https://en.wikipedia.org/wiki/Decimal_separator.
    A number may have an exponent (JSON writes small ones so), an amount never: there it is what a spreadsheet left.
    An amount may be negative as accountants write it: `(12.50)`, `12.50-`.
    """
    for sign in column.drop:
        text = f"replace({text}, {literal(sign)}, '')"
    text = f"trim({text})" if column.drop else text
    point, groups = re.escape(column.decimal or "."), _thousands(column)
    whole = rf"(\d+|\d{{1,3}}({groups}\d{{3}})+)" if groups else r"\d+"
    fraction = rf"({point}0+)?" if sql_type == "bigint" else rf"({point}\d+)?"
    exponent = r"([eE][+-]?\d+)?" if sql_type == "double" else ""
    plain = f"regexp_replace({text}, {literal(groups)}, '', 'g')" if groups else text
    plain = plain if column.decimal in (None, ".") else f"replace({plain}, {literal(column.decimal)}, '.')"
    read = (
        f"when regexp_full_match({text}, {literal(rf'[+-]?{whole}{fraction}{exponent}')}) "
        f"then try_cast({plain} as {sql_type})"
    )
    if sql_type.startswith("decimal"):
        accounting = literal(rf"\({whole}{fraction}\)|{whole}{fraction}-")
        read += f" when regexp_full_match({text}, {accounting}) then -try_cast(trim({plain}, '()-') as {sql_type})"
    return f"case {read} end"


def _thousands(column: Column) -> str:
    """A pattern of the thousands sign; a space is any space that does not break."""
    if column.thousands == " ":
        return "[ \\x{00a0}\\x{202f}]"
    return re.escape(column.thousands or "")


def amounts(texts: str, sql_type: str) -> str:
    """The sum of a list of number texts: 0 of an empty list, null where one of them is no number."""
    values = f"try_cast({texts} as {sql_type}[])"
    return (
        f"case when len({texts}) = 0 then cast(0 as {sql_type}) "
        f"when list_count({values}) = len({texts}) then cast(list_sum({values}) as {sql_type}) end"
    )


def money(amount: str, currency: str, unit: str) -> str:
    """The amount in major units; minor units are divided by their currency's own power of ten.

    Without a currency a minor amount is null: whether 5000 is 50 or 5000 is not guessed. All in DECIMAL, never float.
    """
    if unit == "major":
        return f"cast({amount} as decimal(18,4))"
    factor = (
        f"case when {currency} is null then null when {currency} in ({_literals(ZERO_DECIMAL)}) then 1.000 "
        f"when {currency} in ({_literals(THREE_DECIMAL)}) then 0.001 else 0.010 end"
    )
    # As wide as the product can be: of two narrow decimals the engine multiplies 64-bit integers, and overflows.
    return f"try_cast(cast({amount} as decimal(22,4)) * cast({factor} as decimal(4,3)) as decimal(18,4))"


def currency_code(text: str) -> str:
    """An ISO 4217 code in upper case; null for anything else (`kr.`, `$`)."""
    return f"case when regexp_full_match({text}, '[A-Za-z]{{3}}') then upper({text}) end"


def whole_id(text: str) -> str:
    """An id, null where a spreadsheet has turned it into `1.03006E+13`: its digits are lost."""
    broken = f"contains({text}, '+') and regexp_full_match({text}, '\\d(\\.\\d+)?[eE]\\+\\d+')"
    return f"case when {broken} then null else {text} end"


def salesforce_id(value: str, text: str) -> str:
    """The id with 18 characters, which means the same whatever the case; one of 15 gets its three.

    Each of the three tells which of five characters are capitals:
    https://help.salesforce.com/s/articleView?id=000385585 (How to convert 15-digit IDs into 18-digit IDs).
    """
    capitals = (
        "list_sum(list_transform([0, 1, 2, 3, 4], lambda place: "
        f"case when substr({text}, start + place, 1) between 'A' and 'Z' then 1 << place else 0 end))"
    )
    signs = (
        "array_to_string(list_transform([1, 6, 11], lambda start: "
        f"substr('ABCDEFGHIJKLMNOPQRSTUVWXYZ012345', 1 + cast({capitals} as integer), 1)), '')"
    )
    return f"case when regexp_full_match({text}, '[0-9A-Za-z]{{15}}') then {text} || {signs} else {value} end"


def extracted(column: Column, text: str) -> str:
    """What the column's pattern takes of the text; of a text that does not match, nothing (where any text would do) or
    all of it (where it then fits no type and is quarantined)."""
    if column.extract is None:
        return text
    part = f"nullif(trim(regexp_extract({text}, {literal(column.extract)}, 1)), '')"
    if column.type in ("text", "texts", "enum", "salesforce_id"):
        return part
    return f"coalesce({part}, {text})"


def utc(local: str, zone: str) -> str:
    """The UTC time of a local one.

    A time that occurs twice (autumn) is the first of the two, a time that does not occur (spring) is read with the
    offset before the change: in both the earlier offset, as in RFC 5545 and Python's `fold=0`. ICU would take the
    second of two; whether there is an hour earlier with the same local time is asked.
    """
    if zone in _UTC_NAMES:
        return local
    later = f"make_timestamp(epoch_us(timezone({literal(zone)}, {local})))"
    earlier = f"({later} - interval 1 hour)"
    known = f"case when {_at(earlier, zone)} = {local} then {earlier} else {later} end"
    return f"case when {_is_endless(local)} then {local} else {known} end"


def day(instant: str, zone: str) -> str:
    """The day on which a UTC time falls in the zone."""
    if zone in _UTC_NAMES:
        return f"cast({instant} as date)"
    return f"cast(case when {_is_endless(instant)} then {instant} else {_at(instant, zone)} end as date)"


def _at(instant: str, zone: str) -> str:
    """The local time of a UTC time."""
    return instant if zone in _UTC_NAMES else f"timezone({literal(zone)}, timezone('UTC', {instant}))"


def _is_endless(time: str) -> str:
    """Whether a time is on the first or last day that a program can write: it means never, and is so in every zone.

    In another zone it would be in the year 0 or 10000, which neither Python nor a driver of a BI tool can read.
    """
    return f"{time} not between timestamp '0001-01-02' and timestamp '9999-12-30 23:59:59.999999'"


def needs_zone(column: Column) -> bool:
    """Whether texts of this time column mean nothing without a zone."""
    forms = [form for form in column.format if not form.startswith("unix") and "%z" not in form]
    if column.type == "timestamp":
        return bool(forms)
    return any(form != "iso" and _has_time(form) for form in forms)


def _has_time(form: str) -> bool:
    return bool(_TIME_DIRECTIVES.search(form))


def _literals(texts: Sequence[str]) -> str:
    return ", ".join(map(literal, texts))


def _text(_: Column, text: str, __: Place) -> str:
    return text


def _texts(column: Column, text: str, _: Place) -> str:
    """A JSON list, or one cell split by the separator; without either a list of one."""
    split = (
        f"list_filter(list_transform(string_split({text}, {literal(column.separator)}), lambda item: trim(item)), "
        "lambda item: item <> '')"
        if column.separator
        else f"[{text}]"
    )
    is_list = f"starts_with({text}, '[') and json_valid({text})"
    return (
        f"case when {text} is null then null when {is_list} then json_extract_string({text}, '$[*]') else {split} end"
    )


def _integer(column: Column, text: str, _: Place) -> str:
    return number(column, text, "bigint")


def _number(column: Column, text: str, _: Place) -> str:
    return number(column, text, "double")


def _decimal(column: Column, text: str, _: Place) -> str:
    return number(column, text, SQL_TYPES["decimal"])


def _rate(column: Column, text: str, _: Place) -> str:
    return number(column, text, SQL_TYPES["rate"])


def _boolean(column: Column, text: str, _: Place) -> str:
    low = f"lower({text})"
    return f"case when {low} in ({_lower(column.true)}) then true when {low} in ({_lower(column.false)}) then false end"


def _enum(column: Column, text: str, _: Place) -> str:
    """The mapped value; `unknown` for a text that the map does not have."""
    branches = " ".join(f"when {literal(raw.lower())} then {literal(mapped)}" for raw, mapped in column.map.items())
    rest = literal(column.rest or "unknown")
    if not branches:
        return f"case when {text} is not null then {rest} end"
    return f"case when {text} is null then null else case lower({text}) {branches} else {rest} end end"


def _duration(column: Column, text: str, _: Place) -> str:
    """Minutes."""
    form = next(iter(column.format), "minutes")
    if form == "h:mm":
        parts = rf"string_split(ltrim({text}, '-'), ':')"
        hours, minutes, seconds = (f"coalesce(cast({parts}[{position}] as double), 0)" for position in (1, 2, 3))
        minutes = f"{hours} * 60 + {minutes} + {seconds} / 60"
        sign = f"case when starts_with({text}, '-') then -1 else 1 end"
        return f"case when regexp_full_match({text}, '-?\\d{{1,6}}:[0-5]\\d(:[0-5]\\d)?') then {sign} * ({minutes}) end"
    scale = {"hours": "* 60", "seconds": "/ 60", "milliseconds": "/ 60000"}.get(form, "")
    return f"({number(column, text, 'double')}) {scale}"


def _timestamp(column: Column, text: str, place: Place) -> str:
    return _first([_timestamp_as(form, text, place) for form in column.format])


def _first(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"


def _timestamp_as(form: str, text: str, place: Place) -> str:
    if form.startswith("unix"):
        return _unix(text, form)
    if form == "iso":
        return _iso(text, place)
    parsed = _strptime(text, form)
    if "%z" in form:
        return f"make_timestamp(epoch_us({parsed}))"
    return utc(parsed, place.zone) if place.zone else "cast(null as timestamp)"


def _unix(text: str, form: str) -> str:
    scale = "1000" if form == "unix_ms" else "1000000"
    # 11 digits of seconds end in the year 5138, 10 of them before 1970 in 1653; more are no time.
    digits = 14 if form == "unix_ms" else 11
    return (
        f"case when regexp_full_match({text}, '\\d{{1,{digits}}}|-\\d{{1,{digits - 1}}}') "
        f"then make_timestamp(cast({text} as bigint) * {scale}) end"
    )


def _iso(text: str, place: Place) -> str:
    with_offset = (
        f"case when left({text}, 10) in ({_literals(_ENDLESS)}) then cast(left({text}, 10) as timestamp) "
        f"else make_timestamp(epoch_us(try_cast({text} as timestamptz))) end"
    )
    branches = [f"when regexp_full_match({text}, {literal(_DAY + _TIME + _OFFSET)}) then {with_offset}"]
    if place.zone:
        local = utc(f"try_cast({text} as timestamp)", place.zone)
        branches.append(f"when regexp_full_match({text}, {literal(f'{_DAY}({_TIME})?')}) then {local}")
    return f"case {' '.join(branches)} end"


# Spanish and German write the halves of the day in words of their own: `9:26 a. m.`, `9:26 vorm.`
_HALVES = ((r"a\. ?m\.?|vorm\.?", "AM"), (r"p\. ?m\.?|nachm\.?", "PM"))
# What stands between the words since CLDR 42: a no-break or a narrow no-break space.
_NO_BREAK = "\u00a0\u202f"
# A full stop behind a month is taken off with its name.
_MONTH = re.compile(r"%[bB]\.?")


def _strptime(text: str, form: str) -> str:
    # The engine reads `epoch` and `infinity` as 1900-01-01, whatever the pattern.
    is_read = f"regexp_matches({text}, '[0-9]')"
    if _MONTH.search(form):
        text = _with_english_month(text)
        form = _MONTH.sub("%b", form)
    if "%p" in form:
        text = f"translate({text}, {literal(_NO_BREAK)}, '  ')"
        for pattern, half in _HALVES:
            text = f"regexp_replace({text}, {literal(f'(?i) ?({pattern})$')}, {literal(f' {half}')})"
    parsed = f"try_strptime({text}, {literal(form)})"
    # strptime reads `1-2-24` under %Y as the year 24.
    is_read += f" and year({parsed}) between 1000 and 9999" if "%Y" in form else ""
    return f"case when {is_read} then {parsed} end"


def _with_english_month(text: str) -> str:
    """The text with the first word that is a month, in any of the known languages, as strptime knows it."""
    names = month_names()
    listed = f"map([{_literals(list(names))}], [{_literals(list(names.values()))}])"
    word = f"regexp_extract(lower({text}), {literal(_WORD)})"
    return f"regexp_replace(lower({text}), {literal(_WORD + chr(92) + '.?')}, coalesce({listed}[{word}], '?'))"


# `pm` and `am` are no months; every name of a month has three letters or more.
_WORD = "[a-zäéí]{3,}"


def _date(column: Column, text: str, place: Place) -> str:
    """A day as written; a time's day in the project's zone. A midnight without a zone is a day written as a time."""
    return _first([_date_as(form, text, place) for form in column.format])


def _date_as(form: str, text: str, place: Place) -> str:
    if form.startswith("unix") or "%z" in form:
        return day(_timestamp_as(form, text, place), place.project_zone)
    if form == "iso":
        midnight = rf"{_DAY}([T ]00:00(:00(\.0+)?)?)?"
        return (
            f"case when regexp_full_match({text}, {literal(midnight)}) then try_cast(left({text}, 10) as date) "
            f"else {day(_iso(text, place), place.project_zone)} end"
        )
    parsed = _strptime(text, form)
    if not _has_time(form) or place.zone is None:
        return f"cast({parsed} as date)"
    elsewhere = day(utc(parsed, place.zone), place.project_zone)
    return f"case when date_trunc('day', {parsed}) = {parsed} then cast({parsed} as date) else {elsewhere} end"


def fits_exchanged(column: Column, text: str) -> str | None:
    """SQL: whether the text fits a pattern of the column with day and month exchanged; None where no pattern has them.

    Nobody writes the day behind the year and before the month, so patterns that begin with the year have none.
    """
    patterns = [form for form in column.format if {"d", "m"} <= set(_DAY_OR_MONTH.findall(form)) and form[:2] != "%Y"]
    exchanged = [_DAY_OR_MONTH.sub(lambda found: "%m" if found[1] == "d" else "%d", form) for form in patterns]
    return f"{_first([_strptime(text, form) for form in exchanged])} is not null" if exchanged else None


_DAY_OR_MONTH = re.compile(r"%-?([dm])")


def _lower(tokens: Sequence[str]) -> str:
    return ", ".join(literal(token.lower()) for token in tokens)


_READERS: Mapping[str, Callable[[Column, str, Place], str]] = {
    "text": _text,
    "texts": _texts,
    "integer": _integer,
    "number": _number,
    "decimal": _decimal,
    "rate": _rate,
    "boolean": _boolean,
    "enum": _enum,
    "duration": _duration,
    "date": _date,
    "timestamp": _timestamp,
}
