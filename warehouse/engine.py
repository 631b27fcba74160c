"""DuckDB behind a small interface: bounded memory, queries that a timeout really stops."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from warehouse.errors import MutualValueError

Setup = Callable[[duckdb.DuckDBPyConnection], object]

# The oldest storage format that the drivers inside BI tools still read.
STORAGE_VERSION = "v1.2.0"
# A build is new or it is nothing: what is lost when it dies need not be found again.
NO_LOG = "recovery_mode 'no_wal_writes'"
_INTERRUPT_SECONDS = 0.02


class QueryTimeout(MutualValueError):
    """A query ran longer than limits.query_seconds and was interrupted."""

    exit_code = 1


def quoted(identifier: str) -> str:
    """The identifier as SQL, whatever is in it."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """The text as an SQL literal, for the few statements that take no parameters."""
    return "'" + text.replace("'", "''") + "'"


def connect(threads: int, memory: str, spill: Path, *, keeps_order: bool = False) -> duckdb.DuckDBPyConnection:
    """An empty database in memory: bounded, quiet, in UTC; it downloads no extension.

    What it must spill, people's data too, goes into the folder `spill`. Without `keeps_order` rows come in any order,
    so that bulk inserts stream.
    """
    connection = duckdb.connect(
        config={
            "threads": threads,
            "memory_limit": memory,
            "temp_directory": str(spill),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "preserve_insertion_order": str(keeps_order).lower(),
        }
    )
    _settle(connection)
    return connection


def _settle(connection: duckdb.DuckDBPyConnection) -> None:
    """What is not a setting of the database, but of each connection to it."""
    connection.execute("set timezone = 'UTC'")
    # On by default: printed among a night's lines, or where programs read what a command says.
    connection.execute("set enable_progress_bar = false")


def named_rows(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Any = None) -> list[dict[str, Any]]:
    """The rows of a query, each by its columns' names."""
    cursor = connection.execute(sql, parameters)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


class Engine:
    """One DuckDB file being built, and the connection that builds it; with `crew`, several."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, path: Path, query_seconds: float, threads: int = 1
    ) -> None:
        self.connection = connection
        self.path = path
        self.query_seconds = query_seconds
        self.threads = threads
        self._setups: list[Setup] = [_settle]
        self._others: list[Engine] = []

    @classmethod
    def open(cls, path: Path, *, threads: int, memory: str, query_seconds: float) -> Engine:
        """Open or make the database file at `path`; the connection's default database is that file.

        Spills go to a folder beside the file.
        """
        connection = connect(threads, memory, path.parent / "spill")
        connection.execute(
            f"attach {literal(str(path))} as {quoted(path.stem)} (storage_version {literal(STORAGE_VERSION)}, {NO_LOG})"
        )
        engine = cls(connection, path, query_seconds, threads)
        engine.prepare(lambda each: each.execute(f"use {quoted(path.stem)}"))
        return engine

    @contextmanager
    def using(self, database: str) -> Iterator[None]:
        """Make another attached database the default of the crew in this block."""
        for engine in self.crew():
            engine.connection.execute(f"use {quoted(database)}")
        try:
            yield
        finally:
            for engine in self.crew():
                engine.connection.execute(f"use {quoted(self.path.stem)}")

    def prepare(self, setup: Setup) -> None:
        """Run `setup` on this connection, and on those of the crew: macros and variables are each connection's own."""
        self._setups.append(setup)
        for engine in (self, *self._others):
            setup(engine.connection)

    def crew(self) -> tuple[Engine, ...]:
        """This engine and further ones on the same database, as many as it has threads (warehouse.crew.together)."""
        while len(self._others) < self.threads - 1:
            other = Engine(self.connection.cursor(), self.path, self.query_seconds)
            for setup in self._setups:
                setup(other.connection)
            self._others.append(other)
        return (self, *self._others)

    def execute(self, sql: str, parameters: Sequence[Any] | None = None) -> duckdb.DuckDBPyConnection:
        """Run one statement; interrupt it after `query_seconds`.

        Raises:
            QueryTimeout: it took longer. (A timeout around the call would wait for the query to end by itself.)
        """
        with self.deadline(sql):
            return self.connection.execute(sql, parameters)

    @contextmanager
    def deadline(self, what: str) -> Iterator[None]:
        """Interrupt whatever the crew does in this block once `query_seconds` are over; `what` names it.

        Raises:
            QueryTimeout: it was interrupted.
        """
        done = threading.Event()
        watch = threading.Thread(target=self._interrupt_until, args=(done,), daemon=True)
        watch.start()
        try:
            yield
        except duckdb.InterruptException as error:
            raise QueryTimeout(
                f"interrupted after {self.query_seconds:g} s (limits.query_seconds): {' '.join(what.split())[:120]}"
            ) from error
        finally:
            done.set()
            # So that no late interrupt meets the next query.
            watch.join()

    def _interrupt_until(self, done: threading.Event) -> None:
        """Once the time is over interrupt again and again: an interrupt between two queries stops neither."""
        if not done.wait(self.query_seconds):
            while not done.wait(_INTERRUPT_SECONDS):
                for engine in (self, *self._others):
                    engine.connection.interrupt()

    def close(self) -> None:
        for engine in (*self._others, self):
            engine.connection.close()
