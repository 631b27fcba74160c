"""Who can be compared with whom, and what the accounts can carry: the gates before any outcome is read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from transforms.contrast.design import Design, build, leading, one_armed
from transforms.contrast.errors import NotEstimable
from transforms.contrast.protocol import Gates

Floats = NDArray[np.float64]

# What the arms are called in a refusal: treated, control.
Labels = tuple[str, str]


def comparable(
    frame: pd.DataFrame,
    treated: Floats,
    covariates: Sequence[str],
    segment: str | None,
    gates: Gates,
    labels: Labels,
) -> tuple[Design, list[str], NDArray[np.bool_]]:
    """The design over the rows that have a counterpart, the covariates adjusted for, and who has none (length n).

    Leaving a row out can leave another without counterpart, and lower the number of columns that fit: hence again until
    nothing changes.

    Args:
        frame: n rows.
        treated: 0 or 1, length n.
        covariates: in the order in which they are given up, from the end.
        segment: a column within which the median stands in for a missing numeric covariate.

    Raises:
        NotEstimable: an arm is too small, nothing is recorded, or the first covariates do not fit.
    """
    outside = np.zeros(len(frame), dtype=bool)
    while True:
        inside, arm = frame[~outside], treated[~outside]
        _require_size(arm, gates, labels)
        design = build(inside, covariates, segment)
        kept = _fitting(design, arm, covariates, gates)
        alone = one_armed(inside, kept, arm)
        if not alone.any():
            return design, kept, outside
        outside[np.flatnonzero(~outside)[alone]] = True


def require_effective(sizes: tuple[float, float], gates: Gates, labels: Labels) -> None:
    """Raises NotEstimable where the weights leave an arm too few effective accounts."""
    for label, size in zip(labels, sizes, strict=True):
        if size < gates.effective_accounts:
            raise NotEstimable(
                f"overlap leaves {size:.1f} effective accounts in the {label} arm; {gates.effective_accounts:g} needed"
            )


def _require_size(treated: Floats, gates: Gates, labels: Labels) -> None:
    sizes = dict(zip(labels, (int(treated.sum()), int((1 - treated).sum())), strict=True))
    short = [f"{size} accounts in the {label} arm" for label, size in sizes.items() if size < gates.effective_accounts]
    if short:
        both = " in each" if len(short) > 1 else ""
        raise NotEstimable(f"{' and '.join(short)}; {gates.effective_accounts:g} needed{both}")


def _fitting(design: Design, treated: Floats, covariates: Sequence[str], gates: Gates) -> list[str]:
    """The covariates whose columns the smaller arm can carry, given up from the end of the list."""
    if not design.names:
        raise NotEstimable("no covariate is recorded: there is nothing to adjust for")
    smaller = int(min(treated.sum(), (1 - treated).sum()))
    allowed = smaller // gates.accounts_per_column
    kept = leading(design, covariates, allowed)
    required = covariates[: gates.required_covariates]
    lacking = [name for name in required if name in design.sources and name not in kept]
    if lacking or not kept:
        needed = len(design.only(required).names) or 1
        raise NotEstimable(
            f"{smaller} accounts in the smaller arm allow {allowed} columns; {', '.join(required)} need {needed}"
        )
    return kept
