"""The native core of BLEU, ROUGE-L, CIDEr and CIDEr-D gives the bits of the Python core, whatever it is given."""

from __future__ import annotations

import gc
import json
import pickle
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from firstsight import _core
from firstsight.metrics import Corpus, Metric
from firstsight.metrics._ngrams import DocumentFrequencies, native_index
from firstsight.metrics.bleu import Bleu
from firstsight.metrics.cider import Cider, CiderD
from firstsight.metrics.rouge_l import RougeL

METRICS = (Bleu, RougeL, CiderD, Cider)
EACH_METRIC = pytest.mark.parametrize("metric_class", METRICS, ids=lambda metric: metric.name)
VARIANTS = pytest.mark.parametrize("metric_class", [CiderD, Cider], ids=lambda metric: metric.name)


@pytest.fixture(autouse=True)
def native_core(monkeypatch: pytest.MonkeyPatch) -> None:
    if _core._compiled() is None:
        pytest.skip("this installation has no native core")
    monkeypatch.setenv(_core.VARIABLE, "native")


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch):
    return lambda core: monkeypatch.setenv(_core.VARIABLE, core)


def random_corpus(n_images: int, seed: int, *, prefix: str = "w") -> Corpus:
    """Captions of 0 to 12 words of a vocabulary in which few words are frequent, with 1 to 4 references."""
    rng = np.random.default_rng(seed)

    def caption() -> list[str]:
        return [f"{prefix}{number}" for number in np.minimum(rng.zipf(1.3, rng.integers(0, 13)), 4000)]

    references = [[caption() for _ in range(rng.integers(1, 5))] for _ in range(n_images)]
    return Corpus.from_tokens([caption() for _ in range(n_images)], references)


def fresh(corpus: Corpus) -> Corpus:
    """Return the same corpus with nothing kept of it."""
    tokens, images = corpus.tokens, range(len(corpus))
    return Corpus.from_tokens([tokens.candidate(i) for i in images], [tokens.references(i) for i in images])


def table_of(metric: Metric, corpus: Corpus) -> np.ndarray:
    metric.prepare(corpus)
    return metric.corpus_statistics(corpus)


@EACH_METRIC
def test_any_number_of_threads_gives_the_bits_of_the_python_core(metric_class, use, monkeypatch):
    corpus = random_corpus(3000, 1)
    assert len(corpus.tokens.table.ids) > 4 * 8192  # several parts, several tasks
    use("python")
    expected = table_of(metric_class(), corpus)
    use("native")
    for n_threads in ("1", "2", "5"):
        monkeypatch.setenv("OMP_NUM_THREADS", n_threads)
        np.testing.assert_array_equal(table_of(metric_class(), fresh(corpus)), expected)


@pytest.mark.parametrize("name", ["A_fakecap1000", "B_lstm972"])
@EACH_METRIC
def test_the_cores_agree_on_captions_of_photos(metric_class, name: str, shared: Path, use):
    tokens = json.loads((shared / "golden" / f"{name}.tokens.json").read_text(encoding="utf-8"))
    references = [[caption.split(" ") for caption in group] for group in tokens["refs"]]
    corpus = Corpus.from_tokens([caption.split(" ") for caption in tokens["hyps"]], references)
    found = table_of(metric_class(), corpus)
    use("python")
    np.testing.assert_array_equal(found, table_of(metric_class(), corpus))


@VARIANTS
@pytest.mark.parametrize(("learns", "scores"), [("python", "native"), ("native", "python"), ("native", "native")])
def test_a_card_of_one_core_serves_the_other(metric_class, learns: str, scores: str, use):
    corpus, others = random_corpus(60, 2), random_corpus(40, 3)
    use(learns)
    maker = metric_class()
    table = table_of(maker, corpus)
    learnt = maker.learnt()
    use(scores)
    user = metric_class()
    user.restore(learnt)
    np.testing.assert_array_equal(user.corpus_statistics(corpus), table)
    use(learns)
    elsewhere = maker.corpus_statistics(others)  # other words, in another order
    use(scores)
    np.testing.assert_array_equal(user.corpus_statistics(others), elsewhere)
    np.testing.assert_array_equal(maker.corpus_statistics(others), elsewhere)


def test_both_cores_learn_the_same_arrays(use):
    corpus = random_corpus(200, 4)
    learnt = []
    for core in ("python", "native"):
        use(core)
        metric = CiderD()
        metric.prepare(corpus)
        learnt.append(metric.learnt())
    assert learnt[0]["words"] == learnt[1]["words"]
    for key, dtype in (("ngrams", np.int32), ("counts", np.int64), ("n_images", np.int64)):
        assert learnt[0][key].dtype == learnt[1][key].dtype == dtype
        np.testing.assert_array_equal(learnt[0][key], learnt[1][key])


@VARIANTS
def test_one_image_alone_scores_as_among_the_others(metric_class):
    corpus = random_corpus(50, 5)
    metric = metric_class()
    table = table_of(metric, corpus)
    for image in range(len(corpus)):
        candidate, references = corpus.tokens.candidate(image), corpus.tokens.references(image)
        np.testing.assert_array_equal(metric.statistics(candidate, references), table[image])
        alone = Corpus.from_tokens([candidate], [references])
        np.testing.assert_array_equal(metric.corpus_statistics(alone), table[[image]])


def test_words_that_were_never_learnt_have_the_frequency_zero():
    metric = CiderD()
    metric.prepare(random_corpus(50, 6))
    strangers = random_corpus(20, 7, prefix="new")
    for image, row in enumerate(metric.corpus_statistics(strangers)):
        alone = metric.statistics(strangers.tokens.candidate(image), strangers.tokens.references(image))
        np.testing.assert_array_equal(row, alone)


def test_a_prepared_metric_can_be_copied_to_another_process():
    corpus = random_corpus(50, 8)
    metric = CiderD()
    table = table_of(metric, corpus)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(metric)).corpus_statistics(corpus), table)


def test_the_numbering_of_a_corpus_is_shared_and_outlives_it_where_it_is_needed():
    corpus = random_corpus(50, 9)
    assert native_index(corpus) is native_index(corpus)
    frequencies = DocumentFrequencies.of_references(corpus)
    counts, total = frequencies.table.counts, frequencies.table.counts.sum()
    del corpus, frequencies
    gc.collect()
    assert counts.sum() == total > 0


class _AlwaysOne(Bleu):
    def statistics(self, candidate, references):
        return np.ones(10)


class _Half(RougeL):
    def statistics(self, candidate, references):
        return super().statistics(candidate, references) / 2


class _Longer(Cider):
    def statistics(self, candidate, references):
        return super().statistics([*candidate, "end"], references)


def test_a_subclass_with_statistics_of_its_own_is_asked_for_them():
    corpus = random_corpus(20, 10)
    assert (_AlwaysOne().corpus_statistics(corpus) == 1).all()
    np.testing.assert_array_equal(_Half().corpus_statistics(corpus), RougeL().corpus_statistics(corpus) / 2)
    assert not np.array_equal(table_of(_Longer(), corpus), table_of(Cider(), corpus))


def test_progress_is_told_once_all_images_are_done():
    calls = []
    for metric_class in METRICS:
        corpus = random_corpus(20, 11)
        corpus._on_progress = lambda *call: calls.append(call)
        table_of(metric_class(), corpus)
    assert calls == [(metric_class.name, 20, 20) for metric_class in METRICS]


def test_captions_of_a_megabyte():
    # 120,000 distinct words against every second of them, in order, and against a caption of one word.
    words = [f"word{number:04x}" for number in range(120_000)]
    assert len(" ".join(words)) > 1_000_000
    long, short = words[::2], ["word0003"]
    corpus = Corpus.from_tokens([words, short, words], [[long, short], [words], [words]])
    rouge = RougeL().corpus_statistics(corpus)[:, 0]
    # Precision 1/2 from the first reference, recall 1 from either.
    assert rouge[0] == pytest.approx(float(Fraction(244, 100) / 2 / (1 + Fraction(144, 200))), rel=1e-12)
    assert rouge[2] == 1
    bleu = Bleu().corpus_statistics(corpus)
    assert bleu[0].tolist() == [120_000, 60_000, 60_001, 0, 0, 0, 120_000, 119_999, 119_998, 119_997]
    assert bleu[1].tolist() == [1, 120_000, 1, 0, 0, 0, 1, 0, 0, 0]
    # N-grams of the long captions are in the references of two images or of all three, whose weight is 0.
    assert table_of(CiderD(), corpus)[2, 0] == pytest.approx(10, rel=1e-12)


def test_many_small_images():
    images = [(["a", "b"], [["a", "c"]]), ([], [["b"], []]), (["c"], [["c"]]), (["new"], [["a", "b", "a"]])]
    candidates, references = zip(*(images * 25_000), strict=True)
    corpus = Corpus.from_tokens(candidates, references)
    for metric_class in METRICS:
        metric = metric_class()
        table = table_of(metric, corpus)
        expected = [metric.statistics(*image) for image in images]
        np.testing.assert_array_equal(table, expected * 25_000)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ids": [0, 1, 2]}, "a token has no word"),
        ({"ids": [0, -1, 1]}, "a token has no word"),
        ({"ids": [0]}, "do not cover the tokens"),
        ({"offsets": [1, 2, 3]}, "do not cover the tokens"),
        ({"offsets": [0, 4, 3]}, "do not ascend"),
        ({"offsets": []}, "offsets are empty"),
        ({"reference_offsets": []}, "offsets are empty"),
        ({"reference_offsets": [0, 2]}, "begin among the candidates"),
        ({"reference_offsets": [1, 1]}, "an image has no reference"),
        ({"reference_offsets": [1, 3]}, "fewer captions than references"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused_before_they_are_read(change: dict, message: str):
    core = _core.native()
    assert core is not None
    arrays = {"ids": [0, 1, 1], "offsets": [0, 2, 3], "reference_offsets": [1, 2], **change}
    types = {"ids": np.int32, "offsets": np.int64, "reference_offsets": np.int64}
    given = {name: np.array(values, dtype=types[name]) for name, values in arrays.items()}
    with pytest.raises(ValueError, match=message):
        core.NGramIndex(**given, n_words=2, n_threads=1)
    with pytest.raises(ValueError, match=message):
        core.rouge_l_statistics(**given, n_words=2, empty=2, beta_squared=1.44, n_threads=1)


def test_counts_that_are_not_one_for_each_ngram_are_refused():
    core = _core.native()
    assert core is not None
    index = native_index(random_corpus(5, 12))
    assert index is not None
    none = np.zeros(0, dtype=np.int64)
    with pytest.raises(ValueError, match="one count for each n-gram"):
        index.cider_statistics(none, 5, sigma=None, scale=10.0, n_threads=1)
    with pytest.raises(ValueError, match="one count for each n-gram"):
        core.NGramCounts(np.zeros((1, 4), dtype=np.int32), none)
    with pytest.raises(ValueError, match="a word has no number"):
        core.NGramCounts(np.zeros((0, 4), dtype=np.int32), none).of(index, np.zeros(0, dtype=np.int32))
    with pytest.raises(ValueError, match="the empty token has no number"):
        core.rouge_l_statistics(
            np.zeros(0, np.int32),
            np.zeros(1, np.int64),
            np.zeros(1, np.int64),
            n_words=0,
            empty=1,
            beta_squared=1.44,
            n_threads=1,
        )
