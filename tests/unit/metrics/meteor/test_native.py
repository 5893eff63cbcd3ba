"""The native core of METEOR gives the statistics of the Python core, on random words that match in every way."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstsight import _core
from firstsight.metrics import Corpus
from firstsight.metrics.meteor import Meteor
from firstsight.metrics.meteor.native import MAX_WORDS, normalised
from firstsight.metrics.meteor.vocabulary import line_of

pytestmark = [
    pytest.mark.skipif(not Meteor.is_available(), reason="needs the data of the extra meteor"),
    pytest.mark.skipif(_core.core_name() != "native", reason="needs the native core"),
]

# Equal, of one stem, synonyms, and phrases of the table, again and again, so that matches compete.
WORDS = st.sampled_from(
    "a the dog dogs dog's puppy hound runs running ran run in on top of front next to beside sits sitting seated "
    "person man men people group bunch of couple two 2 street road bike bicycle motorcycle 's n't - , . u.s. st. no. 7 "
    "well-known ' '' 22\u00a03/4 caf\u00e9 \uac00 ||| -lrb- 10,000".split(" ")
)
CAPTION = st.lists(WORDS, max_size=14)
IMAGES = st.lists(st.tuples(CAPTION, st.lists(CAPTION, min_size=1, max_size=4)), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def metric() -> Meteor:
    """One metric for all examples: the index is opened once."""
    return Meteor()


def python_rows(metric: Meteor, corpus: Corpus) -> np.ndarray:
    tokens = corpus.tokens
    return np.stack(
        [metric.statistics(tokens.candidate(image), tokens.references(image)) for image in range(len(corpus))]
    )


def native_rows(metric: Meteor, corpus: Corpus) -> np.ndarray:
    metric.prepare(corpus)
    return metric.corpus_statistics(corpus)


@given(images=IMAGES)
def test_both_cores_agree(metric: Meteor, images: list):
    corpus = Corpus.from_tokens(*zip(*images, strict=True))
    np.testing.assert_array_equal(native_rows(metric, corpus), python_rows(metric, corpus))


@given(captions=st.lists(CAPTION, min_size=2, max_size=8))
def test_tokens_are_normalised_as_whole_captions_are(metric: Meteor, captions: list):
    corpus = Corpus.from_tokens(captions[:1], [captions[1:]])
    metric.prepare(corpus)
    vocabulary = metric._words()
    lines = normalised(vocabulary, corpus)
    expected = [vocabulary.words(line_of(tokens, is_candidate=at == 0)) for at, tokens in enumerate(captions)]
    assert list(lines) == expected


def test_a_long_caption_is_left_to_the_python_core(metric: Meteor):
    longer = ["a", "dog", "and"] * (MAX_WORDS // 3 + 1)
    corpus = Corpus.from_tokens([["a", "dog"], longer, ["two"]], [[["dogs"]], [["the", "dog"]], [longer, ["2", "two"]]])
    np.testing.assert_array_equal(native_rows(metric, corpus), python_rows(metric, corpus))


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_threads_change_nothing(metric: Meteor, n_threads: int, monkeypatch: pytest.MonkeyPatch):
    random = np.random.default_rng(5)
    words = "a the dog dogs puppy runs running in on top of front next to sits sitting man men group of".split()
    captions = [random.choice(words, size=random.integers(0, 12)).tolist() for _ in range(900)]
    corpus = Corpus.from_tokens(captions[:300], [captions[300 + 2 * i : 302 + 2 * i] for i in range(300)])
    monkeypatch.setenv("OMP_NUM_THREADS", str(n_threads))
    np.testing.assert_array_equal(native_rows(metric, corpus), python_rows(metric, corpus))


def test_damaged_phrases_are_found(metric: Meteor):
    core = _core.native()
    assert core is not None
    corpus = Corpus.from_tokens([["a"]], [[["a"]]])
    metric.prepare(corpus)
    words, _, others_of, others = metric._words().index.trie()
    ends_early = core.MeteorTrie(words[:2], np.array([1, 9, 9], np.int32), others_of[:3], others)
    lexicon = core.MeteorLexicon(
        np.zeros(1, np.int32),
        np.zeros(1, np.uint8),
        np.zeros(2, np.int64),
        np.zeros(0, np.int32),
        np.zeros(1, np.int32),
        np.ones(1, np.int32),
    )
    ids, offsets, references = np.zeros(4, np.int32), np.array([0, 2, 4], np.int64), np.array([1, 2], np.int64)
    with pytest.raises(ValueError, match="the index of phrases is damaged"):
        core.meteor_statistics(
            ids, offsets, references, lexicon, ends_early, (0.85, 0.2, 0.6, 0.75), (1, 0.6, 0.8, 0.6), 1
        )


@pytest.mark.parametrize("name", ["A_fakecap1000", "B_lstm972"])
def test_statistics_equal_those_of_the_original(shared: Path, metric: Meteor, name: str):
    tokens = json.loads((shared / "golden" / f"{name}.tokens.json").read_text())
    original = json.loads((shared / "golden" / f"{name}.meteor_stats.json").read_text())
    corpus = Corpus.from_tokens(
        [line.split(" ") for line in tokens["hyps"]], [[line.split(" ") for line in group] for group in tokens["refs"]]
    )
    rows = native_rows(metric, corpus)
    expected = [list(map(float, line.split())) for line in original["stat_lines"]]
    np.testing.assert_array_equal(rows[:, :23], expected)
