"""An unexpected error is told without what it quotes of a record."""

from __future__ import annotations

import duckdb
import pytest

from warehouse.errors import trace_without_data, without_data


@pytest.mark.parametrize(
    "sql",
    [
        "select cast(x as integer) from (values ('anna hansen')) as t(x)",
        "select json_extract(x, '$.a') from (values ('{\"anna hansen')) as t(x)",
        "select cast(x as date) from (values ('anna hansen')) as t(x)",
        "select strptime(x, '%Y') from (values ('anna hansen')) as t(x)",
        "select error('record of anna@b.dk is wrong')",
    ],
)
def test_what_the_engine_quotes_of_a_value_is_not_told(sql: str) -> None:
    with pytest.raises(duckdb.Error) as raised:
        duckdb.sql(sql).fetchall()
    assert "anna" in str(raised.value)
    for told in (without_data(str(raised.value)), trace_without_data(raised.value)):
        assert " Error: " in told
        assert "anna" not in told


def test_what_it_says_of_names_is_told() -> None:
    with pytest.raises(duckdb.Error) as raised:
        duckdb.sql('select "colour" from (values (1)) as t(x)')
    assert '"colour"' in without_data(str(raised.value))


def test_a_chain_of_errors_has_all_its_messages_without_data() -> None:
    def fail() -> None:
        try:
            int("anna hansen".upper())
        except ValueError as error:
            raise RuntimeError(f"no number of {'anna'}@b.dk in it") from error

    with pytest.raises(RuntimeError) as raised:
        fail()
    told = trace_without_data(raised.value)
    assert "invalid literal for int() with base 10: '…'" in told
    assert "no number of … in it" in told
    assert "in fail" in told
