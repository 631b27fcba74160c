"""Which accounts are not independent of each other: those that share a manager or a parent company; sums over them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

# Below this many clusters the sandwich and the normal quantile are too small (Cameron, Gelbach, Miller 2008, REStat
# 90:414): the jackknife then, and Student's t. Their 40 are too few where clusters differ in size: in our worlds a 95 %
# interval of the sandwich holds the truth in 92.7 % at 40 clusters and in 94.3 % at 60.
MANY_CLUSTERS = 100


def connected(frame: pd.DataFrame, account: str, owner: str, parent: str) -> Codes:
    """Number each row's cluster: the connected component of accounts joined by an owner or a parent.

    A parent that is itself a row belongs with its subsidiaries. A missing owner or parent joins nothing, and an absent
    column is missing throughout. Clusters are numbered from 0 in the order of the rows.
    """
    size = len(frame)
    # As objects: a column without a single value comes with whatever type its reader guessed.
    own = frame[account].astype(object)
    family = frame[parent].astype(object).where(frame[parent].notna(), own) if parent in frame else own
    edges = [_edges(family, 0)]
    if owner in frame:
        edges.append(_edges(frame[owner], size))
    rows, columns = (np.concatenate(part) for part in zip(*edges, strict=True))
    graph = coo_array((np.ones(rows.size, dtype=np.int8), (rows, columns)), shape=(3 * size, 3 * size))
    labels = connected_components(graph, directed=False)[1][:size]
    return np.asarray(pd.factorize(labels)[0], dtype=np.int64)


def totals(rows: Floats, clusters: Codes) -> Floats:
    """Sums of `rows` (n x ...) over each of G clusters (G x ...), whose codes number from 0."""
    size = len(clusters)
    member = coo_array((np.ones(size), (clusters, np.arange(size))), shape=(int(clusters.max()) + 1, size))
    summed: Floats = (member @ rows.reshape(size, -1)).reshape(-1, *rows.shape[1:])
    return summed


def degrees_of(count: int) -> float:
    """Degrees of freedom of an error that rests on so many clusters; infinite where the normal quantile serves."""
    return float(count - 1) if count < MANY_CLUSTERS else math.inf


def _edges(keys: pd.Series, offset: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Edges from each row's node to its key's node; nodes of keys are numbered after the rows and `offset`."""
    codes = pd.factorize(keys)[0]
    rows = np.flatnonzero(codes >= 0)
    return rows, codes[rows] + len(keys) + offset
