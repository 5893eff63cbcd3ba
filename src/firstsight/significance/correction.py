"""p-values of several tests at once, corrected so that many tests find no more by chance than one does."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from firstsight.errors import UnknownNameError, UsageError
from firstsight.significance._checks import Floats

__all__ = ["CORRECTIONS", "benjamini_hochberg", "corrected", "holm"]


def holm(p_values: npt.ArrayLike) -> Floats:
    r"""Return p-values (test,) after Holm's step-down correction of the family-wise error rate.

    With the m p-values in ascending order :math:`\tilde p_{(i)} = \max_{j \le i} \min(1, (m - j + 1) p_{(j)})`. Calling
    those below 0.05 significant errs even once in at most 5 % of families of tests, however the tests depend on each
    other.

    Raises:
        UsageError: A p-value is not between 0 and 1.

    Example:
        >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
        [0.03, 0.06, 0.06]

    Paper: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979.
    """
    values = _checked(p_values)
    order = np.argsort(values, kind="stable")
    factors = np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * factors))
    return adjusted


def benjamini_hochberg(p_values: npt.ArrayLike) -> Floats:
    r"""Return p-values (test,) after the step-up correction of the false discovery rate.

    With the m p-values in ascending order :math:`\tilde p_{(i)} = \min_{j \ge i} \min(1, m\,p_{(j)} / j)`. Of the tests
    that are called significant at 0.05, at most 5 % are expected to be so by chance, where the tests are independent or
    positively dependent.

    Raises:
        UsageError: A p-value is not between 0 and 1.

    Example:
        >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(3).tolist()
        [0.03, 0.04, 0.04]

    Paper: Benjamini and Hochberg, "Controlling the false discovery rate", Journal of the Royal Statistical Society B
    57, 1995; under dependence Benjamini and Yekutieli, Annals of Statistics 29, 2001, theorem 1.2.
    """
    values = _checked(p_values)
    order = np.argsort(values, kind="stable")[::-1]
    factors = len(values) / np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(values[order] * factors))
    return adjusted


def corrected(p_values: Floats, correction: str) -> Floats:
    """Return a symmetric table (system, system) of p-values with each pair corrected for the number of pairs.

    Args:
        p_values: As ``PairedTests.p_values[..., score]``.
        correction: ``holm``, ``bh`` (Benjamini and Hochberg) or ``none``.

    Raises:
        UsageError: There is no such correction, or a p-value is not between 0 and 1.

    Example:
        >>> corrected(np.array([[1, 0.01, 0.03], [0.01, 1, 0.04], [0.03, 0.04, 1]]), "holm")[0].round(3).tolist()
        [1.0, 0.03, 0.06]
    """
    if correction not in CORRECTIONS:
        raise UnknownNameError("correction", correction, CORRECTIONS)
    table = np.ones_like(np.asarray(p_values, dtype=np.float64))
    upper = np.triu_indices(len(table), k=1)
    table[upper] = table.T[upper] = CORRECTIONS[correction](p_values[upper])
    return table


def _unchanged(p_values: npt.ArrayLike) -> Floats:
    return _checked(p_values)


def _checked(p_values: npt.ArrayLike) -> Floats:
    values: Floats = np.asarray(p_values, dtype=np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise UsageError("p-values must be one list of numbers from 0 to 1.")
    return values


CORRECTIONS: Mapping[str, Callable[[npt.ArrayLike], Floats]] = {
    "holm": holm,
    "bh": benjamini_hochberg,
    "none": _unchanged,
}
"""The corrections by name."""
