"""How long significance takes: 21,377 images, 50 systems, 1,000 resamples of every metric's statistics.

    .venv/bin/python benchmarks/compare_speed.py [--images 21377] [--systems 50] [--resamples 1000]

The statistics are random numbers of the size that BLEU, ROUGE-L and CIDEr-D have (10, 2 and 2 of an image and system):
what they are changes no time. Prints seconds of one run of each step and the peak of memory.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from firstsight.metrics import METRICS
from firstsight.significance import (
    corrected,
    indistinguishable_groups,
    paired_bootstrap_test,
    paired_permutation_test,
    percentile_interval,
    rank_intervals,
    resampled_totals,
)

T = TypeVar("T")
_WIDTHS = {"bleu": 10, "rouge_l": 2, "cider_d": 2}


def main() -> None:
    """Time every step for all metrics together."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=21_377)
    parser.add_argument("--systems", type=int, default=50)
    parser.add_argument("--resamples", type=int, default=1_000)
    arguments = parser.parse_args()
    options = {"n_resamples": arguments.resamples, "seed": 0}
    tables = {name: _statistics(name, arguments.images, arguments.systems) for name in _WIDTHS}
    print(f"{arguments.images:,} images, {arguments.systems} systems, {arguments.resamples:,} resamples")
    for name, table in tables.items():
        score = METRICS.load(name)().from_statistics
        drawn = _timed(f"{name}: resample", partial(resampled_totals, table, **options))
        scores = _timed(f"{name}: scores and intervals", partial(_scores, score, drawn))
        permutation = partial(paired_permutation_test, table, score, **options)
        tests = _timed(f"{name}: permutation tests of all pairs", permutation)
        _timed(f"{name}: bootstrap tests of all pairs", partial(paired_bootstrap_test, table, score, **options))
        values = score(table.sum(axis=0))[:, -1]
        _timed(f"{name}: rank intervals", partial(rank_intervals, values, scores[:, :, -1]))
        is_different = corrected(tests.p_values[:, :, -1], "holm") < 0.05
        order = [int(system) for system in np.argsort(-values)]
        _timed(f"{name}: groups", partial(indistinguishable_groups, is_different, order))
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")


def _scores(
    from_statistics: Callable[..., npt.NDArray[np.float64]], drawn: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    scores = from_statistics(drawn)
    percentile_interval(scores)
    return scores


def _statistics(name: str, n_images: int, n_systems: int) -> npt.NDArray[np.float64]:
    """Return random statistics (image, system, statistic) that the metric's formula accepts."""
    rng = np.random.default_rng(1)
    table = rng.random((n_images, n_systems, _WIDTHS[name]))
    if name != "bleu":
        table[..., 1] = 1.0  # the number of images
    return table


def _timed(name: str, work: Callable[[], T]) -> T:
    start = time.perf_counter()
    result = work()
    print(f"  {name:40} {time.perf_counter() - start:7.2f} s")
    return result


if __name__ == "__main__":
    main()
