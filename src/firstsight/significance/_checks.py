"""Checks of what the functions of this package are given."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from firstsight.errors import UsageError

__all__ = ["Floats", "check_confidence", "check_draws", "checked_statistics"]

Floats: TypeAlias = npt.NDArray[np.float64]


def checked_statistics(statistics: npt.ArrayLike, axes: tuple[str, ...]) -> Floats:
    """Return statistics as float64.

    Args:
        statistics: What was given.
        axes: The names of the axes that it must have, the image first.

    Raises:
        UsageError: There are other axes, no image, or a value that is not finite.
    """
    array: Floats = np.asarray(statistics, dtype=np.float64)
    if array.ndim != len(axes) or 0 in array.shape:
        rest = "" if len(axes) < 3 else f", {axes[1]}"
        raise UsageError(
            f"Statistics have shape {array.shape}; allowed is ({', '.join(axes)}) with at least one image{rest}."
        )
    if not np.isfinite(array).all():
        raise UsageError("Statistics hold a value that is not finite; give finite statistics of every image.")
    return array


def check_draws(n_resamples: Any, seed: Any) -> None:
    """Check the number of resamples and the seed.

    Raises:
        UsageError: The number is below 1 or the seed below 0.
    """
    if n_resamples < 1:
        raise UsageError(f"Number of resamples is {n_resamples}; allowed is 1 or more. Leave the interval out for 0.")
    if seed < 0:
        raise UsageError(f"Seed is {seed}; allowed is 0 or more.")


def check_confidence(confidence: float) -> None:
    """Check a confidence.

    Raises:
        UsageError: It is not between 0 and 1.
    """
    if not 0.0 < confidence < 1.0:
        raise UsageError(f"Confidence is {confidence}; allowed is a number above 0 and below 1, such as 0.95.")
