"""The protocol: what ships, what a project may change, and that no change goes unseen."""

import pandas as pd
import pytest

from transforms.contrast.errors import ContrastError
from transforms.contrast.protocol import SHIPPED, Group, Protocol, Thresholds


@pytest.fixture
def override(tmp_path):
    def write(text):
        path = tmp_path / "protocol.toml"
        path.write_text(text, encoding="utf-8")
        return [path]

    return write


def test_the_shipped_protocol_holds_the_constants_of_the_measures():
    protocol = Protocol.load()
    assert (protocol.low, protocol.high) == (0.40, 0.60)
    assert (protocol.style_window_months, protocol.value_window_months) == (12, 6)
    assert protocol.smallest_effect == 0.2
    assert protocol.gates.effective_accounts == 30
    assert (protocol.primary_comparison, protocol.primary_outcome) == ("partnership_high_vs_low", "mutual_value")
    assert protocol.covariates[:5] == ("segment", "log_mrr", "seats", "tenure_months", "logging_intensity")
    assert [comparison.name for comparison in protocol.comparisons] == [
        "partnership_high_vs_low",
        "partnership_vs_transactional",
    ]


def test_no_covariate_is_an_outcome():
    protocol = Protocol.load()
    assert not set(protocol.covariates) & {outcome.name for outcome in protocol.outcomes}


def test_less_is_better_for_waiting_paying_late_and_discounts():
    directions = {outcome.name: outcome.direction for outcome in Protocol.load().outcomes}
    down = {name for name, direction in directions.items() if direction == "down"}
    assert down == {"days_beyond_terms", "discount_depth", "first_response", "full_resolution", "reopen_rate"}
    assert directions["tilt"] == "none"


def test_the_hash_is_a_sha256_and_the_same_on_every_load():
    first, second = Protocol.load().hash, Protocol.load().hash
    assert first == second
    assert len(first) == 64
    assert set(first) <= set("0123456789abcdef")


def test_layout_and_comments_do_not_change_the_hash(override):
    text = SHIPPED.read_text(encoding="utf-8")
    bare = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    assert Protocol.load(override(bare)).hash == Protocol.load().hash


@pytest.mark.parametrize(
    "change",
    [
        "smallest_effect = 0.3",
        "seed = 1",
        "[thresholds]\nlow = 0.35",
        "[gates]\neffective_accounts = 20",
        'covariates = ["seats", "log_mrr"]',
        'covariates = ["log_mrr", "seats"]',
        '[primary]\noutcome = "customer_value"',
    ],
)
def test_every_change_changes_the_hash(override, change):
    assert Protocol.load(override(change)).hash != Protocol.load().hash


def test_the_order_of_covariates_is_part_of_the_protocol(override):
    one = Protocol.load(override('covariates = ["seats", "log_mrr"]')).hash
    assert one != Protocol.load(override('covariates = ["log_mrr", "seats"]')).hash


def test_a_project_changes_single_keys_and_keeps_the_rest(override):
    protocol = Protocol.load(override("[thresholds]\nhigh = 0.7"))
    assert (protocol.low, protocol.high) == (0.40, 0.70)
    assert protocol.outcomes == Protocol.load().outcomes


def test_of_two_files_the_later_counts(tmp_path):
    first, second = tmp_path / "a.toml", tmp_path / "b.toml"
    first.write_text("seed = 1\nsmallest_effect = 0.1")
    second.write_text("seed = 2")
    protocol = Protocol.load([first, second])
    assert (protocol.seed, protocol.smallest_effect) == (2, 0.1)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("smalest_effect = 0.3", "smalest_effect: Extra inputs"),
        ("smallest_effect = 0", "smallest_effect: .*greater than 0"),
        ("[thresholds]\nlow = 0.7", r"low \(0.7\) must be under high \(0.6\)"),
        ('covariates = ["seats", "seats"]', "covariates name seats twice"),
        ("covariates = []", "covariates: .*at least 1"),
        ('[primary]\ncomparison = "before_after"', "primary.comparison 'before_after' is none of the comparisons"),
        ('[primary]\noutcome = "joy"', "primary.outcome 'joy' is none of the outcomes"),
        ("seed = ", "is not valid TOML"),
    ],
)
def test_a_wrong_protocol_is_refused_with_its_file_and_key(override, text, complaint):
    paths = override(text)
    with pytest.raises(ContrastError, match=complaint) as caught:
        Protocol.load(paths)
    assert str(paths[0]) in str(caught.value)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(ContrastError, match=r"there is no protocol .*nowhere\.toml"):
        Protocol.load([tmp_path / "nowhere.toml"])


def test_thresholds_belong_to_their_group_and_nulls_to_none():
    column = pd.Series([0.39, 0.40, 0.41, 0.59, 0.60, 0.61, None])
    thresholds = Thresholds(low=0.4, high=0.6)
    low, high = Group(label="low", threshold="low"), Group(label="high", threshold="high")
    assert low.holds(column, thresholds).tolist() == [True, True, False, False, False, False, False]
    assert high.holds(column, thresholds).tolist() == [False, False, False, False, True, True, False]


def test_a_style_belongs_to_the_group_of_its_name():
    column = pd.Series(["Partnership", "Demanding partner", None, "Transactional"], dtype="str")
    group = Group(label="Partnership", equals="Partnership")
    assert group.holds(column, Thresholds(low=0.4, high=0.6)).tolist() == [True, False, False, False]


@pytest.mark.parametrize("keys", [{}, {"threshold": "low", "equals": "Dormant"}])
def test_a_group_has_exactly_one_condition(keys):
    with pytest.raises(ValueError, match="needs either threshold or equals"):
        Group(label="x", **keys)
