"""The lexicon: how a stem is read, and how well all of them read subjects that were labelled without knowing them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml

from benchmarks.lexicon import overall, page, qualities, read, signals

ROOT = Path(__file__).parents[2]
SUBJECTS = read()
CLASSES = yaml.safe_load((ROOT / "transforms" / "lexicon.yml").read_text(encoding="utf-8"))


def test_the_labelled_set_is_large_in_two_languages_and_has_every_class() -> None:
    assert len(SUBJECTS) >= 400
    assert len({subject.text.casefold() for subject in SUBJECTS}) == len(SUBJECTS)
    assert min(Counter(subject.language for subject in SUBJECTS).values()) >= 150
    counts = Counter(name for subject in SUBJECTS for name in subject.classes)
    assert counts.keys() == CLASSES.keys()
    assert min(counts.values()) >= 25
    assert sum(not subject.classes for subject in SUBJECTS) >= 100


def test_every_class_is_read_well_enough_to_be_counted() -> None:
    for row in qualities(SUBJECTS):
        assert row.precision >= 0.55, row
        assert row.recall >= 0.6, row
    total = overall(qualities(SUBJECTS))
    assert total.precision >= 0.8
    assert total.recall >= 0.75


def test_the_page_says_what_is_measured_today() -> None:
    written = (ROOT / "docs" / "lexicon.md").read_text(encoding="utf-8")
    assert written == page(SUBJECTS), "run `python -m benchmarks.lexicon > docs/lexicon.md`"


SYNTAX = [
    # Stem, texts that it fits, texts that it does not.
    ("rabat", ["Rabat?", "spørgsmål om rabat", "rabatten"], ["mængderabat"]),
    ("~kursus", ["kursus", "superbrugerkursus i maj"], ["kurser"]),
    ("beta.", ["beta", "vores beta: kom med"], ["betaling", "alphabeta"]),
    ("design_session", ["design session", "design-session", "design_session"], ["design  session", "designsession"]),
    ("fejl*faktur", ["fejl i jeres seneste faktura", "fejlfaktura"], ["faktura med fejl", "fejl" + " meget" * 6 + " faktura"]),
    ("c++", ["c++ i klienten"], ["ccc"]),
]  # fmt: skip


@pytest.mark.parametrize(("stem", "fits", "others"), SYNTAX)
def test_a_stem_is_read_as_the_lexicon_says(stem: str, fits: list[str], others: list[str]) -> None:
    found = signals([*fits, *others], {"mine": [stem]})
    assert ["mine" in classes for classes in found] == [True] * len(fits) + [False] * len(others)


def test_what_takes_a_class_away_goes_before_what_gives_it() -> None:
    texts = ["pilot hos jer", "pilot hos en anden kunde", "pilot"]
    found = signals(texts, {"pilot": ["!anden_kunde"]})
    assert ["pilot" in classes for classes in found] == [True, False, True]


def test_a_subject_may_have_several_classes_or_none() -> None:
    assert signals(["Rabat ved fornyelse af kontrakt", "Hej"]) == [{"discount_request", "negotiation"}, set()]
