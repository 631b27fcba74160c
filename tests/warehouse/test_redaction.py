"""What a forgotten person leaves in a text: found in whatever spelling, and nothing of anybody else is touched."""

from __future__ import annotations

import json
import unicodedata

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.redaction import FORGOTTEN, Redaction, Whose

LETTER = 'Hej "alle",\ndet virker ikke på min maskine, og nu er det den tredje gang.'
REDACTION = Redaction(
    {"søren@ærø.dk": "forgotten-abc@ærø.dk", "anna@x.dk": "forgotten-1@x.dk"},
    frozenset({"Søren Åberg"}),
    frozenset({LETTER}),
)


def fits(text: str) -> bool:
    return any(pc.match_substring_regex(pa.array([text]), pattern)[0].as_py() for pattern in REDACTION.patterns())


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("SØREN@ærø.DK", "forgotten-abc@ærø.dk"),
        ("<mailto:anna@x.dk>, anna@x.dk.", "<mailto:forgotten-1@x.dk>, forgotten-1@x.dk."),
        ("Med venlig hilsen\nsøren  åberg", "Med venlig hilsen\n[forgotten]"),
        (unicodedata.normalize("NFD", "Søren Åberg"), "[forgotten]"),
        ("Re: " + LETTER + " Bo", "Re: [forgotten] Bo"),
    ],
)
def test_it_is_replaced_in_any_spelling(text: str, cleaned: str) -> None:
    assert fits(text)
    assert REDACTION.clean(text) == cleaned


@pytest.mark.parametrize(
    "text", ["hanna@x.dk", "anna@x.dk.example", "anna@x.dkk", "x.anna@x.dk", "Søren Åbergsen", "Søren"]
)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert REDACTION.clean(text) == text


@pytest.mark.parametrize("ensure_ascii", [True, False])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_it_is_found_in_json_however_escaped_and_nested(depth: int, ensure_ascii: bool) -> None:
    record: object = {"a": "søren@ærø.dk", "b": "Kh Søren Åberg", "c": LETTER, "d": "\nanna@x.dk", "e": 1.10}
    for _ in range(depth):
        record = json.dumps(record, ensure_ascii=ensure_ascii)
    text = str(record)
    assert fits(text)
    cleaned: object = REDACTION.clean(text)
    for _ in range(depth):
        cleaned = json.loads(str(cleaned))
    assert cleaned == {
        "a": "forgotten-abc@ærø.dk",
        "b": "Kh [forgotten]",
        "c": FORGOTTEN,
        "d": "\nforgotten-1@x.dk",
        "e": 1.1,
    }


def test_the_rest_of_a_record_stays_byte_for_byte() -> None:
    record = r'{ "price" : 1.10, "n": 1e400, "a":"s\u00f8ren@\u00e6r\u00f8.dk" , "other": "caf\u00e9 \/ x", "a": null }'
    assert REDACTION.clean(record) == record.replace(r"s\u00f8ren@\u00e6r\u00f8.dk", "forgotten-abc@ærø.dk")


def test_texts_of_a_record_of_theirs_are_replaced_where_they_are_all_of_a_text() -> None:
    record = '{"subject": "Hj\\u00e6lp", "tag": "Hjælp mig", "name": "Anna"}'
    assert (
        REDACTION.clean(record, {"Hjælp", "Anna"})
        == '{"subject": "[forgotten]", "tag": "Hjælp mig", "name": "[forgotten]"}'
    )
    assert REDACTION.clean(record) == record


def test_in_the_record_of_somebody_else_of_that_name_the_name_stays() -> None:
    text = "Søren Åberg <soren.aaberg@y.dk>, cc anna@x.dk"
    assert (
        REDACTION.clean(text, whose=Whose(is_other=True, has_the_name=True))
        == "Søren Åberg <soren.aaberg@y.dk>, cc forgotten-1@x.dk"
    )


def test_somebody_elses_text_of_the_same_words_stays_and_a_quotation_goes() -> None:
    other = Whose(is_other=True)
    assert REDACTION.clean(LETTER, whose=other) == LETTER
    assert REDACTION.clean(f"> {LETTER}", whose=other) == "> [forgotten]"
    assert REDACTION.clean(json.dumps({"body": LETTER}), whose=other) == json.dumps({"body": LETTER})


def test_the_words_of_a_comment_that_stands_with_its_author_in_one_cell_are_replaced() -> None:
    assert REDACTION.clean("09/Jun/26 10:00;anna;Tak", {"Tak"}) == "09/Jun/26 10:00;anna;[forgotten]"


@given(st.text(), st.text())
def test_wherever_it_stands_it_is_gone_and_twice_is_once(before: str, after: str) -> None:
    for text in (f"{before} anna@x.dk {after}", json.dumps({before: f"{after} Søren Åberg"})):
        cleaned = REDACTION.clean(text)
        assert fits(text)
        assert "anna@x.dk" not in cleaned
        assert "åberg" not in json.dumps(cleaned, ensure_ascii=False).lower()
        assert REDACTION.clean(cleaned) == cleaned
