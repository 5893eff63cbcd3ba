"""Scores many images in runs of some hundred; a run that fails is halved until the image that ends it stands alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from firstsight.errors import BackendError
from firstsight.metrics.spice.locate import Installation
from firstsight.metrics.spice.options import SpiceOptions
from firstsight.metrics.spice.process import Captions, RunError, run
from firstsight.metrics.spice.results import SpiceResult

__all__ = ["MAX_FAILED", "score"]

MAX_FAILED = 5
"""Scoring ends when this many images have failed alone: it is then hardly their fault."""

_KNOWN_GOOD = Captions("a dog runs on the beach", ("a brown dog is running on a beach",))


def score(
    images: Mapping[bytes, Captions],
    installation: Installation,
    options: SpiceOptions,
    on_results: Callable[[Mapping[bytes, SpiceResult]], None],
) -> dict[bytes, RunError]:
    """Score every image, telling ``on_results`` after each run, and return why the others failed alone.

    The first run that fails is followed by one of a caption that is known to be good, before any image is blamed.

    Args:
        images: Captions by a key of the caller's.
        installation: What to run.
        options: How to run it.
        on_results: Given the results of each run, by key.

    Raises:
        BackendError: The program does not run at all on this machine.
    """
    keys, state = list(images), _State()
    failed: dict[bytes, RunError] = {}

    def attempt(part: Sequence[bytes]) -> None:
        if len(failed) >= MAX_FAILED:
            return
        try:
            results = run([images[key] for key in part], installation, options, use_parses=not state.has_failed)
        except RunError as failure:
            state.has_failed = True
            if not state.is_running:
                _check_machine(installation, options, failure)
                state.is_running = True
            if len(part) == 1:
                failed[part[0]] = failure
                return
            middle = len(part) // 2
            attempt(part[:middle])
            attempt(part[middle:])
        else:
            state.is_running = True
            on_results(dict(zip(part, results, strict=True)))

    for start in range(0, len(keys), options.n_images):
        attempt(keys[start : start + options.n_images])
    return failed


class _State:
    """Whether the program has run well, and whether a run has failed, which its own cache of parses may be behind."""

    def __init__(self) -> None:
        self.is_running = False
        self.has_failed = False


def _check_machine(installation: Installation, options: SpiceOptions, failure: RunError) -> None:
    try:
        run([_KNOWN_GOOD], installation, options, use_parses=False)
    except RunError:
        java = installation.java
        raise BackendError(
            f"SPICE does not run on this machine with Java {java.major} ({java.program}) and a heap of "
            f"{options.heap_mb} MB: {failure}"
        ) from failure
