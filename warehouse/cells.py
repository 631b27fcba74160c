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

SQL_TYPES: Mapping[StagedType, str] = {
    "text": "varchar",
    "texts": "varchar[]",
    "integer": "bigint",
    "number": "double",
    "decimal": "decimal(18,4)",
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
    "date": "unparseable_date",
    "timestamp": "unparseable_date",
    "boolean": "not_a_boolean",
    "enum": "enum_unmapped",
    "duration": "not_a_duration",
}

# https://docs.stripe.com/currencies#minor-units: amounts of these have no minor unit. ISK and UGX are not here: Stripe
# writes both with two decimals, although neither has a minor unit any more.
ZERO_DECIMAL = ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
THREE_DECIMAL = ["BHD", "JOD", "KWD", "OMR", "TND"]

# Blanks that spreadsheets and forms leave around a value: space, tab, line ends, no-break space.
_BLANKS = (" ", "\t", "\n", "\r", "\u00a0")

_DAY = r"\d{4}-\d{2}-\d{2}"
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
    """
    point = re.escape(column.decimal)
    whole = r"\d+"
    if column.thousands:
        whole = rf"(\d+|\d{{1,3}}({re.escape(column.thousands)}\d{{3}})+)"
    fraction = rf"({point}0+)?" if sql_type == "bigint" else rf"({point}\d+)?"
    exponent = r"([eE][+-]?\d+)?" if sql_type == "double" else ""
    plain = f"replace({text}, {literal(column.thousands)}, '')" if column.thousands else text
    plain = plain if column.decimal == "." else f"replace({plain}, {literal(column.decimal)}, '.')"
    return (
        f"case when regexp_full_match({text}, {literal(rf'[+-]?{whole}{fraction}{exponent}')}) "
        f"then try_cast({plain} as {sql_type}) end"
    )


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
    return f"try_cast({amount} * cast({factor} as decimal(4,3)) as decimal(18,4))"


def currency_code(text: str) -> str:
    """An ISO 4217 code in upper case; null for anything else (`kr.`, `$`)."""
    return f"case when regexp_full_match({text}, '[A-Za-z]{{3}}') then upper({text}) end"


def whole_id(text: str) -> str:
    """An id, null where a spreadsheet has turned it into `1.03006E+13`: its digits are lost."""
    broken = f"contains({text}, '+') and regexp_full_match({text}, '\\d(\\.\\d+)?[eE]\\+\\d+')"
    return f"case when {broken} then null else {text} end"


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
    return f"case when {_at(earlier, zone)} = {local} then {earlier} else {later} end"


def day(instant: str, zone: str) -> str:
    """The day on which a UTC time falls in the zone."""
    return f"cast({_at(instant, zone)} as date)"


def _at(instant: str, zone: str) -> str:
    """The local time of a UTC time."""
    return instant if zone in _UTC_NAMES else f"timezone({literal(zone)}, timezone('UTC', {instant}))"


def needs_zone(column: Column) -> bool:
    """Whether texts of this time column mean nothing without a zone."""
    form = column.format or ""
    if form.startswith("unix") or "%z" in form:
        return False
    if column.type == "timestamp":
        return True
    return form != "iso" and _has_time(form)


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
    return number(column, text, "decimal(18,4)")


def _boolean(column: Column, text: str, _: Place) -> str:
    low = f"lower({text})"
    return f"case when {low} in ({_lower(column.true)}) then true when {low} in ({_lower(column.false)}) then false end"


def _enum(column: Column, text: str, _: Place) -> str:
    """The mapped value; `unknown` for a text that the map does not have."""
    branches = " ".join(f"when {literal(raw.lower())} then {literal(mapped)}" for raw, mapped in column.map.items())
    return f"case when {text} is null then null else case lower({text}) {branches} else 'unknown' end end"


def _duration(column: Column, text: str, _: Place) -> str:
    """Minutes."""
    if column.format == "h:mm":
        parts = rf"string_split(ltrim({text}, '-'), ':')"
        hours, minutes, seconds = (f"coalesce(cast({parts}[{position}] as double), 0)" for position in (1, 2, 3))
        minutes = f"{hours} * 60 + {minutes} + {seconds} / 60"
        sign = f"case when starts_with({text}, '-') then -1 else 1 end"
        return f"case when regexp_full_match({text}, '-?\\d{{1,6}}:[0-5]\\d(:[0-5]\\d)?') then {sign} * ({minutes}) end"
    scale = {"hours": "* 60", "seconds": "/ 60"}.get(column.format or "", "")
    return f"({number(column, text, 'double')}) {scale}"


def _timestamp(column: Column, text: str, place: Place) -> str:
    form = column.format or "iso"
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
    # 12 digits of seconds end in the year 33658; more are no time (a DuckDB timestamp would overflow).
    digits = "15" if form == "unix_ms" else "12"
    return (
        f"case when regexp_full_match({text}, '-?\\d{{1,{digits}}}') "
        f"then make_timestamp(cast({text} as bigint) * {scale}) end"
    )


def _iso(text: str, place: Place) -> str:
    with_offset = f"make_timestamp(epoch_us(try_cast({text} as timestamptz)))"
    branches = [f"when regexp_full_match({text}, {literal(_DAY + _TIME + _OFFSET)}) then {with_offset}"]
    if place.zone:
        local = utc(f"try_cast({text} as timestamp)", place.zone)
        branches.append(f"when regexp_full_match({text}, {literal(f'{_DAY}({_TIME})?')}) then {local}")
    return f"case {' '.join(branches)} end"


def _strptime(text: str, form: str) -> str:
    parsed = f"try_strptime({text}, {literal(form)})"
    # strptime reads `1-2-24` under %Y as the year 24.
    return f"case when year({parsed}) >= 1000 then {parsed} end" if "%Y" in form else parsed


def _date(column: Column, text: str, place: Place) -> str:
    """A day as written; a time's day in the project's zone. A midnight without a zone is a day written as a time."""
    form = column.format or "iso"
    if form.startswith("unix") or "%z" in form:
        return day(_timestamp(column, text, place), place.project_zone)
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


def _lower(tokens: Sequence[str]) -> str:
    return ", ".join(literal(token.lower()) for token in tokens)


_READERS: Mapping[str, Callable[[Column, str, Place], str]] = {
    "text": _text,
    "texts": _texts,
    "integer": _integer,
    "number": _number,
    "decimal": _decimal,
    "boolean": _boolean,
    "enum": _enum,
    "duration": _duration,
    "date": _date,
    "timestamp": _timestamp,
}
