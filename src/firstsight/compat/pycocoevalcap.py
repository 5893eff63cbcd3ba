"""The calls of pycocoevalcap 1.2, with the same numbers, without Java.

Change the imports and nothing else::

    from pycocoevalcap.eval import COCOEvalCap                     # before
    from firstsight.compat.pycocoevalcap import COCOEvalCap        # after

Differences, all of them deliberate:

- Nothing is printed and no file is written; ``verbose`` is accepted.
- A wrong argument raises `UsageError` with what was got, where the original has a bare assertion.
- CIDEr of a single image is 0 as there, and a warning says why.
- Scores of single images always belong to their image. The original gives SPICE in another order than the ids.
- `Spice` gives F-scores, where the original gives a list of dictionaries of categories.
- `COCOEvalCap` leaves METEOR out, with a warning, where its data (the extra ``meteor``) are not installed.
- `COCOEvalCap` leaves SPICE out unless it is asked for with ``spice=True``: it needs Java and takes minutes to hours.
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from firstsight.errors import UsageError
from firstsight.metrics import METRICS, Corpus
from firstsight.tokenizers import TOKENIZERS

__all__ = ["Bleu", "COCOEvalCap", "Cider", "Meteor", "PTBTokenizer", "Rouge", "Spice"]

Captions: TypeAlias = Mapping[Hashable, Sequence[str]]
"""Tokenised captions by image id; tokens are joined by spaces."""
Floats: TypeAlias = npt.NDArray[np.float64]


class PTBTokenizer:
    """The tokenizer of the original, in this process.

    Example:
        >>> PTBTokenizer().tokenize({7: [{"caption": "A man's dog."}, {"caption": "Two dogs!"}]})
        {7: ["a man 's dog", 'two dogs']}
    """

    def tokenize(self, captions_for_image: Mapping[Hashable, Sequence[Mapping[str, Any]]]) -> dict[Hashable, list[str]]:
        """Return the tokens of each caption, joined by spaces, without punctuation.

        Args:
            captions_for_image: By image id, a list of ``{"caption": text}``.
        """
        texts = [annotation["caption"] for captions in captions_for_image.values() for annotation in captions]
        table = TOKENIZERS.load("ptb")().table(texts)
        rows = iter(range(len(table)))
        return {
            image_id: [" ".join(table[next(rows)]) for _ in captions]
            for image_id, captions in captions_for_image.items()
            if captions
        }


class Bleu:
    """BLEU-1 to BLEU-n.

    Example:
        >>> gts, res = {1: ["a dog is running"]}, {1: ["a dog runs"]}
        >>> score, scores = Bleu(4).compute_score(gts, res)
        >>> [round(value, 3) for value in score], len(scores), len(scores[0])
        ([0.478, 0.414, 0.0, 0.0], 4, 1)
    """

    def __init__(self, n: int = 4) -> None:
        """Choose the longest n-gram, 1 to 4."""
        if n not in (1, 2, 3, 4):
            raise UsageError(f"Bleu(n={n!r}): n is 1, 2, 3 or 4.")
        self._n = n

    def compute_score(self, gts: Captions, res: Captions, verbose: int = 1) -> tuple[list[float], list[list[float]]]:  # noqa: ARG002
        """Return n corpus scores and, for each, the scores of the images."""
        corpus, images = _scores("bleu", gts, res)
        return corpus[: self._n].tolist(), images.T[: self._n].tolist()

    def method(self) -> str:
        """Return the name that the original prints."""
        return "Bleu"


class Rouge:
    """ROUGE-L."""

    def compute_score(self, gts: Captions, res: Captions) -> tuple[np.float64, Floats]:
        """Return the corpus score and the scores of the images, array (n_images,)."""
        corpus, images = _scores("rouge_l", gts, res)
        return np.float64(corpus[0]), images[:, 0]

    def method(self) -> str:
        """Return the name that the original prints."""
        return "Rouge"


class Cider:
    """What the original calls CIDEr, which is CIDEr-D."""

    def __init__(self, test: object = None, refs: object = None, n: int = 4, sigma: float = 6.0) -> None:  # noqa: ARG002
        """Accept the arguments of the original; ``test`` and ``refs`` mean nothing there either."""
        if (n, sigma) != (4, 6.0):
            raise UsageError(f"Cider(n={n!r}, sigma={sigma!r}): only n=4 and sigma=6.0 are defined here.")

    def compute_score(self, gts: Captions, res: Captions) -> tuple[np.float64, Floats]:
        """Return the corpus score and the scores of the images, array (n_images,)."""
        if len(_checked(gts, res)) == 1:
            warnings.warn(
                "CIDEr of one image is 0 whatever the caption says: its weights come from the images of the corpus. "
                "Score at least two images, or use a scoring card.",
                stacklevel=2,
            )
            return np.float64(0.0), np.zeros(1)
        corpus, images = _scores("cider_d", gts, res)
        return np.float64(corpus[0]), images[:, 0]

    def method(self) -> str:
        """Return the name that the original prints."""
        return "CIDEr"


class Meteor:
    """METEOR 1.5; needs the extra ``meteor``, and no Java."""

    def compute_score(self, gts: Captions, res: Captions) -> tuple[float, list[float]]:
        """Return the corpus score and the scores of the images."""
        corpus, images = _scores("meteor", gts, res)
        return float(corpus[0]), images[:, 0].tolist()

    def method(self) -> str:
        """Return the name that the original prints."""
        return "METEOR"


class Spice:
    """SPICE; runs the original Java, see the metric ``spice``."""

    def compute_score(self, gts: Captions, res: Captions) -> tuple[np.float64, Floats]:
        """Return the corpus score and the F-scores of the images, array (n_images,), in the order of ``gts``."""
        corpus, images = _scores("spice", gts, res)
        return np.float64(corpus[0]), images[:, 0]

    def method(self) -> str:
        """Return the name that the original prints."""
        return "SPICE"


class COCOEvalCap:
    """The evaluation of a COCO result file.

    Attributes:
        eval: The corpus scores, keys ``Bleu_1`` to ``Bleu_4``, ``METEOR``, ``ROUGE_L``, ``CIDEr`` and, if asked for,
            ``SPICE``.
        imgToEval: The scores of each image by image id, with ``image_id``.
        evalImgs: The values of ``imgToEval``.
        params: ``image_id``, the images to evaluate; all of ``coco`` unless it is set.
    """

    def __init__(self, coco: Any, cocoRes: Any, *, spice: bool = False) -> None:  # noqa: N803
        """Take two objects with ``getImgIds()`` and ``imgToAnns``, such as those of pycocotools.

        Args:
            coco: The references.
            cocoRes: The candidates.
            spice: Whether SPICE is computed too.
        """
        self.coco, self.cocoRes = coco, cocoRes
        self.params: dict[str, Any] = {"image_id": coco.getImgIds()}
        self.eval: dict[str, float] = {}
        self.imgToEval: dict[Hashable, dict[str, Any]] = {}
        self.evalImgs: list[dict[str, Any]] = []
        self._with_spice = spice

    def evaluate(self) -> None:
        """Fill ``eval``, ``imgToEval`` and ``evalImgs``."""
        image_ids = list(self.params["image_id"])
        tokenizer = PTBTokenizer()
        gts = tokenizer.tokenize({image_id: self.coco.imgToAnns[image_id] for image_id in image_ids})
        res = tokenizer.tokenize({image_id: self.cocoRes.imgToAnns[image_id] for image_id in image_ids})
        self.imgToEval = {image_id: {"image_id": image_id} for image_id in gts}
        for n, (bleu, bleu_of_images) in enumerate(zip(*Bleu(4).compute_score(gts, res), strict=True), start=1):
            self._set(f"Bleu_{n}", bleu, bleu_of_images)
        others: list[tuple[str, Meteor | Rouge | Cider | Spice]]
        others = [("ROUGE_L", Rouge()), ("CIDEr", Cider())]
        if METRICS.load("meteor").is_available():
            others.insert(0, ("METEOR", Meteor()))
        else:
            warnings.warn('METEOR is left out: run  pip install "firstsight[meteor]"', stacklevel=2)
        for name, scorer in [*others, *([("SPICE", Spice())] if self._with_spice else [])]:
            score, scores = scorer.compute_score(gts, res)
            self._set(name, score, scores)
        self.evalImgs = list(self.imgToEval.values())

    def _set(self, name: str, score: float, scores: Sequence[float] | Floats) -> None:
        self.eval[name] = score
        for entry, value in zip(self.imgToEval.values(), scores, strict=True):
            entry[name] = value


def _scores(name: str, gts: Captions, res: Captions) -> tuple[Floats, Floats]:
    """Return the scores of the corpus (score,) and of the images (image, score)."""
    image_ids = _checked(gts, res)
    candidates = [res[image_id][0].split(" ") for image_id in image_ids]
    references = [[reference.split(" ") for reference in gts[image_id]] for image_id in image_ids]
    corpus, metric = Corpus.from_tokens(candidates, references), METRICS.load(name)()
    metric.prepare(corpus)
    table = metric.corpus_statistics(corpus)
    return metric.from_statistics(table.sum(axis=0)), metric.from_statistics(table)


def _checked(gts: Captions, res: Captions) -> list[Hashable]:
    """Return the image ids in the order of ``gts``.

    Raises:
        UsageError: The ids differ, or an image has not exactly one candidate or no reference.
    """
    if gts.keys() != res.keys():
        apart = sorted(map(repr, gts.keys() ^ res.keys()))
        raise UsageError(
            f"gts has {len(gts)} images and res {len(res)}; {len(apart)} ids are in one of them only, such as "
            f"{', '.join(apart[:3])}. Give both the same ids."
        )
    for image_id in gts:
        for kind, captions in (("gts", gts[image_id]), ("res", res[image_id])):
            if isinstance(captions, str) or not all(isinstance(caption, str) for caption in captions):
                raise UsageError(f"{kind}[{image_id!r}] must be a list of texts; tokenize the captions first.")
        if len(res[image_id]) != 1:
            raise UsageError(f"res[{image_id!r}] has {len(res[image_id])} candidates; give exactly one.")
        if len(gts[image_id]) == 0:
            raise UsageError(f"gts[{image_id!r}] has no reference; give at least one.")
    return list(gts)
