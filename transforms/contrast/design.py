"""From covariate columns to a design matrix: indicators, missing values, and what does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from transforms.contrast.errors import ContrastError

Floats = NDArray[np.float64]
NOT_RECORDED = "not recorded"


@dataclass(frozen=True)
class Design:
    """A design matrix of n rows and p columns, none constant, none a sum of others.

    Attributes:
        values: n x p, without intercept.
        names: of the columns: `seats`, `industry=Retail`, `seats (not recorded)`.
        sources: the covariate that each column comes from.
        absent: covariates that drop out: no such column, nothing recorded, or the same throughout.
    """

    values: Floats
    names: list[str]
    sources: list[str]
    absent: list[str]

    def only(self, covariates: Sequence[str]) -> Design:
        """The columns that come from `covariates`."""
        kept = [place for place, source in enumerate(self.sources) if source in covariates]
        return Design(self.values[:, kept], [self.names[i] for i in kept], [self.sources[i] for i in kept], self.absent)


def build(frame: pd.DataFrame, covariates: Sequence[str], segment: str | None = None) -> Design:
    """Make the design of `covariates`, in their order.

    A categorical column becomes indicators, the most frequent level being the reference. A number that is missing in
    part is the median of its `segment` (of all rows, where the segment has none), and an indicator says so; a missing
    category has an indicator too. A column that is absent, empty, constant, or a sum of earlier ones drops out.

    Raises:
        ContrastError: a covariate holds dates or other values that are neither number nor category.
    """
    medians_by = frame[segment] if segment is not None and segment in frame else None
    parts = {name: _columns(frame[name], medians_by) for name in covariates if name in frame}
    labelled = [(name, label, column) for name, columns in parts.items() for label, column in columns.items()]
    values = np.column_stack([column for _, _, column in labelled]) if labelled else np.empty((len(frame), 0))
    kept = _independent(values)
    sources = [labelled[place][0] for place in kept]
    return Design(
        values[:, kept], [labelled[place][1] for place in kept], sources, [n for n in covariates if n not in sources]
    )


def leading(design: Design, covariates: Sequence[str], columns: int) -> list[str]:
    """The longest beginning of `covariates` whose design columns number at most `columns`."""
    kept: list[str] = []
    for name in covariates:
        if sum(source in (*kept, name) for source in design.sources) > columns:
            break
        kept.append(name)
    return [name for name in kept if name in design.sources]


def one_armed(frame: pd.DataFrame, covariates: Sequence[str], treated: Floats) -> NDArray[np.bool_]:
    """Rows whose level of some covariate occurs in one arm only.

    Levels are categories, and recorded against not recorded. There is nobody to compare such a row with: the propensity
    goes to 0 or 1, and its overlap weight to 0.
    """
    outside = np.zeros(len(frame), dtype=bool)
    for name in covariates:
        column = frame[name]
        codes = column.isna().to_numpy().astype(np.int64) if is_number(column) else pd.factorize(column)[0] + 1
        with_treated = np.bincount(codes, weights=treated)
        with_control = np.bincount(codes, weights=1 - treated)
        outside |= ((with_treated == 0) | (with_control == 0))[codes]
    return outside


def smd(values: Floats, treated: Floats, weight: Floats | None = None) -> Floats:
    """Standardised mean difference of each column (n x p -> p), by the deviations of the unweighted arms.

    The deviation stays that of the unweighted sample after weighting, or a change of spread would look like balance
    (Stuart 2010, Statistical Science 25:1).
    """
    inside, outside = values[treated > 0], values[treated == 0]
    spread = np.sqrt((inside.var(axis=0, ddof=1) + outside.var(axis=0, ddof=1)) / 2)
    weight = np.ones(len(treated)) if weight is None else weight
    means = (weight * treated) @ values / (weight @ treated)
    others = (weight * (1 - treated)) @ values / (weight @ (1 - treated))
    gap = means - others
    # A column that varies in neither arm differs either not at all or beyond any measure.
    beyond = np.where(gap == 0, 0.0, np.copysign(np.inf, gap))
    return np.asarray(np.divide(gap, spread, out=beyond, where=spread > 0), dtype=float)


def is_number(column: pd.Series) -> bool:
    """Whether a column holds numbers or booleans, Decimals in an object column included."""
    if pd.api.types.is_numeric_dtype(column):
        return True
    return pd.api.types.infer_dtype(column, skipna=True) in {
        "decimal",
        "integer",
        "floating",
        "mixed-integer-float",
        "boolean",
    }


def _columns(column: pd.Series, medians_by: pd.Series | None) -> dict[str, Floats]:
    """The design columns of one covariate, by name; none where nothing is recorded."""
    if column.isna().all():
        return {}
    parts: dict[str, Floats]
    if is_number(column):
        parts = {str(column.name): _completed(column, medians_by)}
    elif isinstance(column.dtype, pd.CategoricalDtype) or pd.api.types.infer_dtype(column, skipna=True) == "string":
        parts = _indicators(column)
    else:
        kind = pd.api.types.infer_dtype(column, skipna=True)
        raise ContrastError(f"covariate {column.name!r} holds {kind}: give numbers or text")
    if column.isna().any():
        parts[f"{column.name} ({NOT_RECORDED})"] = np.asarray(column.isna(), dtype=np.float64)
    return parts


def _completed(column: pd.Series, medians_by: pd.Series | None) -> Floats:
    if not column.isna().any():
        return np.asarray(column, dtype=np.float64)
    numbers = column.astype(object).where(column.notna(), np.nan).astype(float)
    typical = pd.Series(float(numbers.median()), index=numbers.index)
    if medians_by is not None:
        within = numbers.groupby(medians_by.to_numpy()).transform("median")
        typical = within.where(within.notna(), typical)
    return np.asarray(numbers.where(numbers.notna(), typical), dtype=np.float64)


def _indicators(column: pd.Series) -> dict[str, Floats]:
    text = column.astype(object).where(column.notna(), None)
    counts = text.value_counts()
    levels = sorted(counts.index, key=lambda level: (-int(counts[level]), str(level)))
    return {f"{column.name}={level}": (text == level).to_numpy(dtype=float) for level in levels[1:]}


def _independent(values: Floats) -> list[int]:
    """Places of the columns that neither the intercept nor earlier columns explain."""
    spread = values.std(axis=0) if len(values) else np.zeros(values.shape[1])
    varying = [int(place) for place in np.flatnonzero(spread > 1e-12 * np.abs(values).max(axis=0, initial=1.0))]
    if not varying:
        return []
    scaled = (values[:, varying] - values[:, varying].mean(axis=0)) / spread[varying]
    kept: list[int] = []
    basis = np.empty((len(values), 0))
    for place, column in zip(varying, scaled.T, strict=True):
        # Twice, since once loses digits when columns are nearly parallel.
        left = column - basis @ (basis.T @ column)
        left = left - basis @ (basis.T @ left)
        size = float(np.linalg.norm(left))
        if size > 1e-7 * np.sqrt(len(values)):
            kept.append(place)
            basis = np.column_stack([basis, left / size])
    return kept
