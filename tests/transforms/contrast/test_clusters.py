"""Who is not independent of whom."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.contrast.clusters import connected


def numbered(rows):
    frame = pd.DataFrame(rows, columns=["account_id", "owner_id", "parent_id"], dtype=object)
    return connected(frame, "account_id", "owner_id", "parent_id").tolist()


@pytest.mark.parametrize(
    ("rows", "clusters"),
    [
        ([("a", "o1", None), ("b", "o2", None)], [0, 1]),
        ([("a", "o1", None), ("b", "o1", None)], [0, 0]),
        ([("a", "o1", "p"), ("b", "o2", "p")], [0, 0]),
        # a and b share a manager, b and c a parent: all three hang together.
        ([("a", "o1", None), ("b", "o1", "p"), ("c", "o2", "p"), ("d", "o3", None)], [0, 0, 0, 1]),
        # The parent is an account itself.
        ([("a", "o1", "c"), ("b", "o2", None), ("c", "o3", None)], [0, 1, 0]),
        # Nobody's accounts are not one manager's.
        ([("a", None, None), ("b", None, None)], [0, 1]),
        # A manager and a parent of the same name are two things.
        ([("a", "x", None), ("b", "y", "x")], [0, 1]),
        ([], []),
    ],
)
def test_accounts_share_a_cluster_when_a_manager_or_parent_joins_them(rows, clusters):
    assert numbered(rows) == clusters


def test_absent_columns_join_nobody():
    frame = pd.DataFrame({"account_id": ["a", "b"]})
    assert connected(frame, "account_id", "owner_id", "parent_id").tolist() == [0, 1]


keys = st.none() | st.sampled_from("pqrs")


@given(st.lists(st.tuples(keys, keys), max_size=12))
def test_clusters_are_the_reachable_sets(links):
    rows = [(f"a{i}", owner, parent) for i, (owner, parent) in enumerate(links)]
    found = numbered(rows)
    expected = list(range(len(rows)))
    for _ in rows:
        for i, (_, owner, parent) in enumerate(rows):
            for j, (_, other_owner, other_parent) in enumerate(rows):
                if (owner and owner == other_owner) or (parent and parent == other_parent):
                    expected[i] = expected[j] = min(expected[i], expected[j])
    assert [found.index(cluster) for cluster in found] == [expected.index(cluster) for cluster in expected]
