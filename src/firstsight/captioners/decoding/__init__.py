"""Search for the best sentences of any decoder that gives the next word's log-probabilities."""

from __future__ import annotations

from firstsight.captioners.decoding.beam import BeamOptions, Sentence, beam_search
from firstsight.captioners.decoding.steps import Steps

__all__ = ["BeamOptions", "Sentence", "Steps", "beam_search"]
