"""How long a run may take."""

from __future__ import annotations

from firstsight.metrics.spice import SpiceOptions
from firstsight.metrics.spice.process import Captions, time_limit_s


def limit(n_words: int, n_images: int = 1, **options: float) -> float:
    image = Captions(" ".join(["a"] * n_words), ("a dog",))
    return time_limit_s([image] * n_images, SpiceOptions(**options))  # type: ignore[arg-type]


def test_the_limit_grows_with_captions_and_their_words():
    start = time_limit_s([], SpiceOptions(start_limit_s=7))
    assert start == 7
    assert limit(10, 500) - limit(10, 250) > 500
    assert limit(200) - limit(100) > 100
    assert limit(100_000) == limit(10_000) < 3600


def test_a_hard_limit_bounds_it():
    assert limit(100, 500, limit_s=60.0) == 60.0
    assert limit(1, 1, limit_s=1e9) < 200
