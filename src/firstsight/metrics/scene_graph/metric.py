"""The metric SceneGraph and the parse of one caption."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from firstsight.errors import MetricUndefinedError
from firstsight.metrics.base import TokenMetric, Tokens
from firstsight.metrics.scene_graph.lemmas import lexicon
from firstsight.metrics.scene_graph.matching import Counts, compare
from firstsight.metrics.scene_graph.parser import SceneGraphTuples, parse_tokens
from firstsight.types import Json

__all__ = ["SceneGraph", "parse_caption"]

_parsed = lru_cache(maxsize=8192)(parse_tokens)


def parse_caption(caption: str) -> SceneGraphTuples:
    """Return what a caption says there is: objects, their attributes, and relations between them.

    The caption is cut by the tokenizer ``ptb`` first, as in an evaluation: lower case, without punctuation. Never
    fails, whatever the caption holds; time grows linearly with its length.

    Example:
        >>> found = parse_caption("A young girl in a red coat is feeding two ducks.")
        >>> found.objects
        ('girl', 'coat', 'duck')
        >>> found.attributes
        (('girl', 'young'), ('coat', 'red'), ('duck', 'two'))
        >>> found.relations
        (('girl', 'in', 'coat'), ('girl', 'feed', 'duck'))
    """
    from firstsight.tokenizers.ptb import PtbTokenizer

    return parse_tokens(PtbTokenizer().tokenize(caption))


class SceneGraph(TokenMetric):
    r"""SceneGraph of a corpus: F1 of the facts that candidate and references state, the mean over images, 0 to 1.

    Every caption is parsed into a set of tuples: objects, attributes (object, attribute) and relations (subject,
    relation, object). With :math:`T(c)` the tuples of the candidate, :math:`T(R)` the union of those of all references,
    and :math:`\otimes` the tuples of the first set that match one of the second, for one image

    .. math::
        P = \frac{|T(c) \otimes T(R)|}{|T(c)|}, \quad R = \frac{|T(R) \otimes T(c)|}{|T(R)|}, \quad
        \text{SceneGraph} = \frac{2 P R}{P + R}

    Two words match if they have the same base form or share a WordNet set of synonyms, in any sense; tuples match word
    by word. Words of the references that match one another are one object before anything is counted.

    Scores: the mean of F1, of precision and of recall; and the mean of F1 over objects, attributes or relations alone.
    Two empty sets agree (1, 1, 1); where one alone is empty, all three are 0. So an image whose captions state no
    attribute counts 1 for attributes: right to state none. SPICE leaves such an image out of that category's mean. A
    candidate that states nothing at all scores 0 in every category, unless the references state nothing either.

    Captions are read as English. A negation is not read: "without a hat" states a hat. Numbers are attributes.

    Higher is better; papers print SPICE, which this follows, times 100.

    Example:
        >>> metric = SceneGraph()
        >>> row = metric.statistics("a black dog on a couch".split(), ["a small black dog on a sofa".split()])
        >>> precision, recall = 4 / 4, 4 / 5  # dog, couch, black dog, dog on couch; the references add: small dog
        >>> [round(float(value), 4) for value in row[:3]]
        [0.8889, 1.0, 0.8]

    Follows SPICE (Anderson, Fernando, Johnson, Gould: "SPICE: semantic propositional image caption evaluation", ECCV
    2016, section 3) in what a tuple is and how tuples match, and needs no Java. The numbers are not SPICE's: SPICE 1.0
    reads captions with the Stanford parser, whose mistakes differ. ``benchmarks/scene_graph_agreement.py`` measures how
    far the two agree, per image and with human ratings.
    """

    name: ClassVar[str] = "scene_graph"
    version: ClassVar[str] = "1"
    score_names: ClassVar[tuple[str, ...]] = (
        "SceneGraph",
        "SceneGraph-precision",
        "SceneGraph-recall",
        "SceneGraph-object",
        "SceneGraph-attribute",
        "SceneGraph-relation",
    )
    score_range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    languages: ClassVar[tuple[str, ...] | None] = ("en",)

    @property
    def parameters(self) -> dict[str, Json]:
        """The dictionary that says which words are synonyms."""
        return {"synonyms": "wordnet-3.0"}

    def statistics(self, candidate: Tokens, references: Sequence[Tokens]) -> npt.NDArray[np.float64]:
        """Return the six scores of one image and the count 1.

        Args:
            candidate: The tokens of the caption that is scored; may be empty.
            references: The tokens of at least one reference.

        Returns:
            Array (7,) float64: the scores in the order of ``score_names``, each from 0 to 1; 1.
        """
        graphs = [_parsed(tuple(reference)) for reference in references]
        counts = compare(_parsed(tuple(candidate)), graphs, lexicon())
        total = Counts(*map(sum, zip(*counts, strict=True)))
        if total.n_candidate == 0 and total.n_references > 0:
            return np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0])
        precision, recall, f1 = _scores(total)
        return np.array([f1, precision, recall, *(_scores(category)[2] for category in counts), 1.0])

    def from_statistics(self, totals: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the means over images.

        Args:
            totals: Array (..., 7) float64: sums of the images' six scores; number of images.

        Returns:
            Array (..., 6) float64 from 0 to 1, in the order of ``score_names``.

        Raises:
            MetricUndefinedError: The number of images is zero.
        """
        totals = np.asarray(totals, dtype=np.float64)
        if np.any(totals[..., -1] == 0):
            raise MetricUndefinedError(f"{self.name} is undefined: it is a mean over images and there is none.")
        means: npt.NDArray[np.float64] = totals[..., :-1] / totals[..., -1:]
        return means


def _scores(counts: Counts) -> tuple[float, float, float]:
    """Return precision, recall and F1."""
    if counts.n_candidate == 0 and counts.n_references == 0:
        return 1.0, 1.0, 1.0
    precision = counts.n_candidate_matched / counts.n_candidate if counts.n_candidate else 0.0
    recall = counts.n_references_matched / counts.n_references if counts.n_references else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return precision, recall, f1
