"""What a decoder offers to the search for a sentence."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


class Steps(Protocol):
    """A decoder at work on n images with b beams each.

    The search calls ``advance`` with the last word of every beam and, from the second call on, with the beam that each
    one continues.
    """

    n_images: int
    start: int
    """The number of the word in front of every sentence."""
    end: int
    """The number of the word behind every sentence."""
    max_words: int
    """The longest sentence, its end counted."""

    def advance(self, words: Ints, parents: Ints | None) -> Floats:
        """Return the log-probabilities (n, b, vocabulary) of the next word.

        Args:
            words: (n, b) the last word of each beam.
            parents: (n, b) the beam of the call before that each beam continues; None at the first call.
        """
        ...
