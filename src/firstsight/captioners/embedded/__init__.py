"""The captioner that ships with firstsight: EfficientNet-Lite2 and a small transformer, on one core and offline."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from firstsight.captioners.base import Captioner
from firstsight.captioners.embedded.preprocess import IMAGE_SIZE_PX
from firstsight.errors import CaptionerError, UsageError
from firstsight.types import CaptionResult, Json, Provenance, RgbImage

__all__ = ["EmbeddedCaptioner"]

WEIGHTS_FOLDER = Path(__file__).parent / "weights"


class EmbeddedCaptioner(Captioner):
    """Captions with the weights inside the package, or with a folder that ``firstsight train`` wrote.

    Captions depend on the image and the options alone, never on the batch that an image is in.
    """

    name = "embedded"
    licence = (
        "research and evaluation only: trained on Flickr8k (non-commercial research terms) "
        "and COCO captions (CC BY 4.0)"
    )
    description = "EfficientNet-Lite2 and a small transformer; offline, one core, English sentences"
    image_size_px = IMAGE_SIZE_PX

    def __init__(
        self,
        *,
        model: str | Path | None = None,
        beam_size: int = 3,
        length_penalty: float = 1.0,
        n_captions: int = 1,
    ) -> None:
        """Load the model.

        Args:
            model: Folder of a model; None for the weights inside the package.
            beam_size: How many sentences are weighed at a time, 1 to 64.
            length_penalty: 0 prefers short sentences, 1 the best mean log-probability a word.
            n_captions: How many distinct sentences are given, 1 to ``beam_size``.

        Raises:
            UsageError: An option is out of its range.
            CaptionerError: The model cannot be loaded.
        """
        from firstsight.captioners.decoding import BeamOptions
        from firstsight.captioners.embedded.model import EmbeddedModel
        from firstsight.captioners.embedded.vocabulary import NEVER_SAID

        if not 1 <= n_captions <= beam_size:
            raise UsageError(f"n_captions is {n_captions}; allowed are values from 1 to beam_size ({beam_size}).")
        self._beam = BeamOptions(beam_size=beam_size, length_penalty=length_penalty, forbidden=NEVER_SAID)
        self._n_captions = n_captions
        self._model = EmbeddedModel(Path(model) if model is not None else WEIGHTS_FOLDER)

    @property
    def provenance(self) -> Provenance:
        """The captioner, the version of firstsight, the hash of the weights, and the options of the search."""
        parameters: dict[str, Json] = {
            "model": f"{self._model.description.name} {self._model.description.version}",
            "beam_size": self._beam.beam_size,
            "length_penalty": self._beam.length_penalty,
            "n_captions": self._n_captions,
        }
        return Provenance(self.name, metadata.version("firstsight"), self._model.weights_hash, parameters)

    def caption_batch(self, images: Sequence[RgbImage]) -> list[CaptionResult]:
        """Return one result an image; the number of beams is the same for all."""
        import numpy as np

        from firstsight.captioners.decoding import beam_search
        from firstsight.captioners.embedded.preprocess import to_pixels

        if not images:
            return []
        percepts = self._model.perceive(np.stack([to_pixels(image) for image in images]))
        results = []
        for sentences in beam_search(self._model.steps(percepts), self._beam):
            texts = dict.fromkeys(self._model.vocabulary.sentence(sentence.words) for sentence in sentences)
            if not texts:
                raise CaptionerError("The embedded model found no sentence.")
            results.append(CaptionResult(tuple(texts)[: self._n_captions], sentences[0].score))
        return results
