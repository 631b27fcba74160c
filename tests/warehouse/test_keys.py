"""The project's key: hashes as Python's own hmac gives them, and a key that nobody sees."""

from __future__ import annotations

import hashlib
import hmac
import stat
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.lake import project
from tests.tables import Example
from warehouse.engine import Engine
from warehouse.errors import ConfigurationError
from warehouse.keys import VARIABLE, keyed_hash, project_key, use_key
from warehouse.models import define_macros

MakeExample = Callable[..., Example]

ADDRESSES = ("a@b.dk", " Anna.Hansen@Firma.DK ", "søren@ærø.dk", "", "x" * 300)
KEYS = (b"k" * 16, bytes(range(64)), b"longer than one block of sha-256 " * 4, "nøgle på dansk".encode() * 2)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    made = Engine.open(tmp_path / "warehouse.duckdb", threads=1, memory="500MB", query_seconds=60)
    define_macros(made)
    return made


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("address", ADDRESSES)
def test_sql_and_python_give_the_hash_of_hmac(engine: Engine, key: bytes, address: str) -> None:
    use_key(engine.connection, key)
    [(made,)] = engine.execute("select keyed_hash(?)", [address]).fetchall()
    assert made == hmac.new(key, address.strip().lower().encode(), hashlib.sha256).hexdigest()
    assert keyed_hash(key, address) == made


def test_nothing_has_no_hash(engine: Engine) -> None:
    use_key(engine.connection, KEYS[0])
    assert engine.execute("select keyed_hash(null)").fetchall() == [(None,)]


def test_without_a_key_there_is_an_error_and_no_hash(engine: Engine) -> None:
    with pytest.raises(duckdb.Error, match="the project key is not set"):
        engine.execute("select keyed_hash('a@b.dk')")


def test_the_key_is_in_no_file_of_the_build_and_in_no_message(engine: Engine) -> None:
    key = b"a key that is to be found nowhere"
    use_key(engine.connection, key)
    engine.execute("create table person as select keyed_hash('a@b.dk') as email_hash")
    engine.execute("checkpoint")
    with pytest.raises(duckdb.Error) as raised:
        engine.execute("select cast(keyed_hash(email_hash) as integer) from person")
    pads = [bytes(byte ^ pad for byte in key) for pad in (0x36, 0x5C)]
    files = b"".join(path.read_bytes() for path in engine.path.parent.rglob("*") if path.is_file())
    for secret in (key, key.hex().encode(), *pads):
        assert secret not in files
        assert secret.decode("latin-1") not in str(raised.value)


class TestWhereTheKeyComesFrom:
    def test_the_environment_goes_first(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(VARIABLE, "from the environment")
        assert project_key(project(tmp_path)) == b"from the environment"
        assert not (tmp_path / "identity").exists()

    def test_else_it_is_made_once_for_its_owner_alone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(VARIABLE)
        first = project_key(project(tmp_path))
        path = tmp_path / "identity" / "key"
        assert first == project_key(project(tmp_path))
        assert len(bytes.fromhex(first.decode())) == 32
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [each.name for each in path.parent.iterdir()] == ["key"]

    def test_two_projects_have_two_keys(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(VARIABLE)
        assert project_key(project(tmp_path / "a")) != project_key(project(tmp_path / "b"))

    @pytest.mark.parametrize("text", ["", "  ", "too short"])
    def test_a_short_one_is_refused_without_being_shown(
        self, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(VARIABLE, text)
        with pytest.raises(ConfigurationError, match="shorter than 16 characters") as raised:
            project_key(project(tmp_path))
        assert not text.strip() or text not in str(raised.value)

    def test_a_short_one_in_the_file_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(VARIABLE)
        (tmp_path / "identity").mkdir()
        (tmp_path / "identity" / "key").write_text("abc\n")
        with pytest.raises(ConfigurationError, match="identity/key is shorter"):
            project_key(project(tmp_path))


class TestPeopleInThePublishedTables:
    def test_have_a_keyed_hash_and_are_one_over_all_systems(self, example: MakeExample) -> None:
        world = example()
        world.put(
            "person",
            "source_system | source_id | side | email\ncrm | 1 | customer | Anna@b.dk\ndesk | 9 | customer | anna@B.dk",
        )
        world.run("canonical.human")
        expected = keyed_hash(project_key(world.project), "anna@b.dk")
        assert world.rows("select distinct human_id from canonical.human") == [(expected,)]
        assert world.rows("select distinct email_hash from canonical.person") == [(expected,)]

    def test_whose_own_id_is_an_address_or_the_hash_of_a_name_have_that_hashed_too(self, example: MakeExample) -> None:
        world = example()
        name = hashlib.sha256(b"anna hansen").hexdigest()
        world.put("person", f"source_id | side\n{name} | vendor\nanna@b.dk | customer\n0031 | customer")
        world.put(
            "activity",
            "source_id | kind | started_at | status | person_source_id | owner_source_id\n"
            f"1 | call | 2026-01-05 10:00:00 | held | anna@b.dk | {name}",
        )
        world.run("canonical.activity", "canonical.human")
        key = project_key(world.project)
        people = {f"crm:{keyed_hash(key, name)}", f"crm:{keyed_hash(key, 'anna@b.dk')}", "crm:0031"}
        assert {row[0] for row in world.rows("select person_id from canonical.person")} == people
        [pair] = world.rows("select customer_person_id, vendor_person_id from canonical.activity")
        assert set(pair) == people - {"crm:0031"}
