"""Definitions of the ratios, once: actual and simulated ledgers both go through these functions."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def ratio(part: npt.ArrayLike, whole: npt.ArrayLike) -> Floats:
    """Part of a whole as float64; NaN where the whole is 0."""
    part, whole = np.broadcast_arrays(np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64))
    return np.asarray(np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole != 0))


def grr(kept: npt.ArrayLike, opening: npt.ArrayLike) -> Floats:
    """Gross revenue retention: `sum min(ARR now, ARR then) / sum ARR then` over the accounts of then, a share of 1.

    Frozen-cohort form (SaaS Metrics Standards Board): accounts that churned stay in at 0, new ones never enter,
    growth does not count; so it is never above 1. NaN where `opening` is 0.

    Example:
        >>> float(grr(80, 100))
        0.8
    """
    return ratio(kept, opening)


def nrr(net: npt.ArrayLike, opening: npt.ArrayLike) -> Floats:
    """Net revenue retention: `sum ARR now / sum ARR then` over the accounts of then; NaN where `opening` is 0.

    Frozen-cohort form of the SaaS Metrics Standards Board: no new logos, and no reactivation.
    """
    return ratio(net, opening)


def logo_retention(kept: npt.ArrayLike, opening: npt.ArrayLike) -> Floats:
    """Share of the accounts of then that are still customers, without a churn in between; NaN where `opening` is 0."""
    return ratio(kept, opening)


def utilisation(busy: npt.ArrayLike, available: npt.ArrayLike) -> Floats:
    """Hours served per hour available (`rho` of queueing theory); NaN where nothing was available."""
    return ratio(busy, available)


def quick_ratio(
    new: npt.ArrayLike, expansion: npt.ArrayLike, churn: npt.ArrayLike, contraction: npt.ArrayLike
) -> Floats:
    """SaaS quick ratio: `(new + expansion) / (churn + contraction)`, all positive amounts; NaN where nothing was lost.

    The convention of Hamid (2015); reactivation is left out, which some count as new.
    """
    return ratio(np.add(new, expansion), np.add(churn, contraction))
