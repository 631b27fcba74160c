"""Of several versions of one record the newest stays, whatever the order in which the files came."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.engine import Engine, literal
from warehouse.versions import keep_newest


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("versions")
    made = Engine.open(folder / "warehouse.duckdb", threads=2, memory="500MB", query_seconds=30)
    made.execute(f"attach {literal(str(folder / 'staged.duckdb'))} as staged")
    yield made
    made.close()


Version = tuple[str, str | None, str, str, int, str]


def staged(engine: Engine, rows: list[Version]) -> None:
    """staged.ticket of (id, updated, landed, file, row, status)."""
    engine.execute(
        "create or replace table staged.ticket (source_system varchar, source_id varchar, source_updated_at timestamp, "
        "landed_at timestamp, known_at timestamp, drop_at timestamp, sha256 varchar, member varchar, row_number bigint, "
        "status varchar)"
    )
    for source_id, updated, landed, file, row, status in rows:
        engine.execute(
            "insert into staged.ticket values ('desk', ?, ?, ?, ?, ?, ?, '', ?, ?)",
            [source_id, updated, landed, landed, landed, file, row, status],
        )


def kept(engine: Engine) -> list[tuple[str, str]]:
    return engine.execute("select source_id, status from staged.ticket order by source_id").fetchall()


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        # The source's own clock decides, even when the older file was landed later.
        (("1", "2026-01-01", "2026-06-02", "b", 1, "old"), ("1", "2026-01-02", "2026-06-01", "a", 1, "new")),
        # Where the source has no clock, the later drop.
        (("1", None, "2026-06-01", "b", 1, "old"), ("1", None, "2026-06-02", "a", 1, "new")),
        # Within one drop the file's hash, and within a file the later row.
        (("1", None, "2026-06-01", "a", 9, "old"), ("1", None, "2026-06-01", "b", 1, "new")),
        (("1", None, "2026-06-01", "a", 1, "old"), ("1", None, "2026-06-01", "a", 2, "new")),
        # A version that does not say when it changed is as old as its drop.
        (("1", "2026-01-01", "2026-06-01", "a", 1, "old"), ("1", None, "2026-06-02", "b", 1, "new")),
        (("1", None, "2026-06-02", "b", 1, "old"), ("1", "2026-06-03", "2026-06-04", "a", 1, "new")),
    ],
)
def test_the_newest_version_stays_in_either_order(engine: Engine, older: Version, newer: Version) -> None:
    for rows in ([older, newer], [newer, older]):
        staged(engine, rows)
        assert keep_newest(engine, ["ticket"]) == {"ticket": 1}
        assert kept(engine) == [("1", "new")]


def test_the_same_id_in_two_systems_is_two_records(engine: Engine) -> None:
    staged(engine, [("1", None, "2026-06-01", "a", 1, "desk's")])
    engine.execute(
        "insert into staged.ticket select 'other' as source_system, * exclude (source_system) from staged.ticket"
    )
    assert keep_newest(engine, ["ticket"]) == {"ticket": 0}


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from("123"),
            st.sampled_from([None, "2026-01-01", "2026-01-02"]),
            st.sampled_from(["2026-06-01", "2026-06-02"]),
            st.sampled_from("ab"),
            st.integers(1, 3),
            st.just("x"),
        ),
        min_size=1,
        max_size=8,
        unique_by=lambda row: row[:5],
    ),
    shuffle=st.randoms(use_true_random=False),
)
def test_any_landing_order_converges(engine: Engine, rows: list[Version], shuffle) -> None:  # type: ignore[no-untyped-def]
    def outcome(order: list[Version]) -> list[tuple[object, ...]]:
        staged(engine, order)
        keep_newest(engine, ["ticket"])
        return engine.execute("select * from staged.ticket order by all").fetchall()

    mixed = list(rows)
    shuffle.shuffle(mixed)
    first = outcome(rows)
    assert first == outcome(mixed)
    assert len(first) == len({row[0] for row in rows})
