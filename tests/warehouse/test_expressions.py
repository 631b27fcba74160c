"""The expressions of contracts: one row's value, from that row, the same every night."""

from __future__ import annotations

import pytest

from warehouse.errors import ConfigurationError
from warehouse.expressions import check, columns_of


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "coalesce(a, b - 1)",
        "case when A = 'x' then b end",
        "a in ('x', 'y') and b is not null",
        "try_cast(a as double) / nullif(b, 0)",
        "list_sum(list_transform(a, lambda item: item + 1))",
        "json_extract_string(a, '$.score')",
        "a + interval 12 hour",
        "lower(a) like '%x%' -- said in lower case",
    ],
)
def test_a_scalar_expression_over_known_columns_is_taken_as_written(text: str) -> None:
    assert check(text, ["a", "b"]) == text


@pytest.mark.parametrize(
    "text",
    [
        "now()",
        "current_date",
        "random()",
        "uuid()",
        "getenv('HOME')",
        "a in (select 1)",
        "max(a)",
        "row_number() over ()",
        "unnest(a)",
        "read_text('/etc/hosts')",
        "nextval('s')",
    ],
)
def test_what_reads_elsewhere_or_changes_from_night_to_night_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="one row's value"):
        check(text, ["a"])


@pytest.mark.parametrize(
    "text", ["a) from (select 1) --", "a; drop table b", "a), (b", "drop table a", "(select 1)", "", "a +"]
)
def test_what_is_not_one_expression_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="not one SQL expression"):
        check(text, ["a", "b"])


def test_an_unknown_column_is_named_with_those_that_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"reads colour.*declares a, b"):
        check("colour = 'red'", ["b", "a"])


def test_a_qualified_column_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"write a, not t\.a"):
        check("t.a", ["a"])


def test_the_columns_that_an_expression_reads_leave_out_its_own_names() -> None:
    assert columns_of("list_filter(A, lambda item: item > b)") == {"a", "b"}
