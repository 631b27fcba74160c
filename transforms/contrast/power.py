"""What a study can find: accounts for a difference, churn events for a hazard ratio. Printed before any result.

Every test here is two-sided at 5 %, as are the intervals of the contrast.
"""

from __future__ import annotations

import math

from scipy import stats
from scipy.optimize import brentq

from transforms.contrast.errors import ContrastError, NotEstimable

LEVEL = 0.05
POWER = 0.8
# Two accounts in each arm reach a power of .9999 at a noncentrality of 14; larger arms need less.
FAR = 50.0


def accounts_needed(g: float, power: float = POWER) -> int:
    """Accounts per arm, in equal arms, for a t-test to find a standardised difference of `g`, in either direction.

    Exact, by the noncentral t (Cohen 1988, Statistical Power Analysis, 2.4): .2 needs 394, .5 64, .8 26.

    Raises:
        ContrastError: `g` is 0 or no number, or the power is not between the level and 1.
    """
    if not (math.isfinite(g) and g != 0):
        raise ContrastError(f"accounts_needed needs a difference other than 0, got {g:g}")
    _require_power(power)
    if _power(g, 2, 2) >= power:
        return 2
    enough = 4
    while _power(g, enough, enough) < power:
        enough *= 2
    return math.ceil(float(brentq(lambda n: _power(g, n, n) - power, 2, enough)))


def detectable(n_treated: float, n_control: float, power: float = POWER) -> float:
    """The smallest standardised difference that a t-test between arms of these sizes finds, always positive.

    Sizes may be effective ones (Kish), which need not be whole.

    Raises:
        ContrastError: the power is not between the level and 1.
        NotEstimable: an arm has fewer than 2 accounts.
    """
    _require_power(power)
    if not min(n_treated, n_control) >= 2:
        raise NotEstimable(f"the arms have {n_treated:g} and {n_control:g} accounts; 2 needed in each")
    per_root = math.sqrt(1 / n_treated + 1 / n_control)
    return float(brentq(lambda far: _power(far * per_root, n_treated, n_control) - power, 0, FAR)) * per_root


def events_needed(hazard_ratio: float, share_treated: float = 0.5, power: float = POWER) -> int:
    """Churn events, in both arms together, for a log-rank or Cox test to find `hazard_ratio`.

    Schoenfeld (1983, Biometrics 39:499): (z_level/2 + z_power)^2 / (p (1 - p) log(HR)^2). .6 needs 121 in equal arms.

    Args:
        hazard_ratio: of treated to control; .6 needs as many as 1 / .6.
        share_treated: of the accounts.
        power: to be reached.

    Raises:
        ContrastError: the ratio is not positive or is 1, the share is not between 0 and 1, or the power is not between
            the level and 1.
    """
    if not (0 < hazard_ratio < math.inf and hazard_ratio != 1):
        raise ContrastError(f"events_needed needs a positive hazard ratio other than 1, got {hazard_ratio:g}")
    if not 0 < share_treated < 1:
        raise ContrastError(f"the share of treated accounts must be between 0 and 1, got {share_treated:g}")
    _require_power(power)
    quantiles = float(stats.norm.ppf(1 - LEVEL / 2) + stats.norm.ppf(power))
    return math.ceil((quantiles / math.log(hazard_ratio)) ** 2 / (share_treated * (1 - share_treated)))


def _power(g: float, n_treated: float, n_control: float) -> float:
    """Chance to find `g` with its right sign; the wrong sign adds less than 1e-5 at any power worth having."""
    degrees = n_treated + n_control - 2
    limit = float(stats.t.ppf(1 - LEVEL / 2, degrees))
    return float(stats.nct.sf(limit, degrees, abs(g) / math.sqrt(1 / n_treated + 1 / n_control)))


def _require_power(power: float) -> None:
    if not LEVEL < power < 1:
        raise ContrastError(f"the power must be between {LEVEL:g} and 1, got {power:g}")
