"""What a corpus does not have, counted by hand and against sets."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstsight.errors import UsageError
from firstsight.metrics.diversity import CaptionGroups
from firstsight.metrics.novelty import novelty_measures, untold_nouns
from firstsight.tokenizers import TokenTable

WORD = st.sampled_from(["a", "dog", "cat", "runs", "on"])
CAPTIONS = st.lists(st.lists(WORD, max_size=6), min_size=1, max_size=6)


def groups_of(*groups: list[str]) -> CaptionGroups:
    return CaptionGroups.from_tokens([[caption.split() for caption in group] for group in groups])


def table_of(*captions: str) -> TokenTable:
    return TokenTable.from_tokens(caption.split() for caption in captions)


def test_shares_of_captions_and_ngrams():
    groups = groups_of(["a dog runs", "a cat"], ["two dogs"])
    found = {m.name: m for m in novelty_measures(groups, table_of("a cat", "the dog runs"))}
    assert found["new_captions"].value == float(Fraction(2, 3))
    assert found["new_1_grams"].value == float(Fraction(2, 7))  # two, dogs
    assert found["new_2_grams"].value == float(Fraction(2, 4))  # a-dog and two-dogs, not dog-runs and a-cat
    assert found["new_3_grams"].value == 1
    assert (found["new_4_grams"].value, found["new_4_grams"].reason) == (None, "No caption has 4 words.")


def test_a_corpus_without_captions_is_an_error():
    with pytest.raises(UsageError, match="The corpus has no caption"):
        novelty_measures(groups_of(["a"]), table_of())


def test_a_corpus_of_empty_captions_knows_nothing():
    found = {m.name: m.value for m in novelty_measures(groups_of(["a dog"]), table_of("", ""))}
    assert found["new_captions"] == found["new_1_grams"] == found["new_2_grams"] == 1


@given(CAPTIONS, CAPTIONS)
def test_shares_equal_those_of_sets(own: list[list[str]], corpus: list[list[str]]):
    found = novelty_measures(CaptionGroups.from_tokens([[caption] for caption in own]), TokenTable.from_tokens(corpus))
    for n, measure in enumerate(found[1:], 1):
        known = {tuple(words[i : i + n]) for words in corpus for i in range(len(words) - n + 1)}
        ours = [tuple(words[i : i + n]) for words in own for i in range(len(words) - n + 1)]
        expected = sum(ngram not in known for ngram in ours) / len(ours) if ours else None
        assert measure.value == (expected if expected is None else pytest.approx(expected))


def nouns(tokens: Sequence[str]) -> list[str]:
    bases = {"dogs": "dog", "zebras": "zebra", "okapi": "okapi", "zebra": "zebra", "dog": "dog"}
    return [bases[token] for token in tokens if token in bases]


def test_recall_of_nouns_that_the_corpus_never_has():
    candidates = groups_of(["zebras on grass", "a horse"], ["a dog"], ["a horse"])
    references = [[["two", "zebras"], ["a", "zebra", "and", "a", "dog"]], [["an", "okapi"]], [["a", "dog"]]]
    found = untold_nouns(candidates, references, table_of("dogs run", "a horse"), nouns)
    # The corpus has dogs, so that of the first image zebra is untold and named, of the second okapi and not named.
    assert found.value == 0.5
    assert found.statistics is not None
    assert found.statistics.tolist() == [[1, 1], [0, 1]]


def test_a_word_that_is_no_noun_by_itself_is_known_all_the_same():
    def nouns_in_context(tokens: Sequence[str]) -> list[str]:
        return [token for token in tokens if token == "run" and len(tokens) > 1]

    found = untold_nouns(groups_of(["a run"]), [[["a", "run"]]], table_of("dogs run"), nouns_in_context)
    assert found.value is None


def test_where_the_corpus_has_every_noun_it_is_undefined():
    found = untold_nouns(groups_of(["a dog"]), [[["a", "dog"]]], table_of("dogs"), nouns)
    assert (found.value, found.reason) == (None, "The corpus has every noun of the references.")


def test_with_the_nouns_of_scene_graphs():
    scene_graph = pytest.importorskip("firstsight.metrics.scene_graph")
    references = [["two giraffes eat leaves".split()], ["a dog on a sofa".split()]]
    candidates = groups_of(["a giraffe by a tree"], ["a dog"])
    found = untold_nouns(candidates, references, table_of("a dog eats leaves on a sofa"), scene_graph.nouns)
    assert found.value == 1  # giraffe


def test_images_must_be_the_same():
    with pytest.raises(UsageError, match="candidates of 1 images and references of 2"):
        untold_nouns(groups_of(["a"]), [[["a"]], [["b"]]], table_of("c"), nouns)
