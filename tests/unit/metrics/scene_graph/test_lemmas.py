"""Base forms and synonyms of WordNet words."""

from __future__ import annotations

import pytest

from firstsight.metrics.scene_graph.lemmas import lexicon


@pytest.mark.parametrize(
    ("form", "lemma"),
    [
        ("dogs", "dog"),
        ("planes", "plane"),  # not "plan"
        ("kites", "kite"),  # not "kit"
        ("dishes", "dish"),
        ("boxes", "box"),
        ("puppies", "puppy"),
        ("leaves", "leaf"),
        ("women", "woman"),
        ("children", "child"),
        ("geese", "goose"),
        ("glasses", "glass"),
        ("scissors", "scissors"),
        ("people", "people"),
        ("bus", "bus"),
        ("grass", "grass"),
        ("tennis", "tennis"),
        ("selfies", "selfy"),  # in no dictionary: by its ending
        ("drones", "drone"),
        ("zzyzxes", "zzyzx"),
        ("s", "s"),
        ("", ""),
    ],
)
def test_noun_lemma(form: str, lemma: str):
    assert lexicon().noun_lemma(form) == lemma


@pytest.mark.parametrize(
    ("form", "tag", "lemma"),
    [
        ("sit", "v", "sit"),
        ("sits", "z", "sit"),
        ("watches", "z", "watch"),
        ("flies", "z", "fly"),
        ("sitting", "g", "sit"),
        ("riding", "g", "ride"),  # not "rid"
        ("lying", "g", "lie"),
        ("skiing", "g", "ski"),
        ("parked", "e", "park"),
        ("tied", "e", "tie"),
        ("held", "e", "hold"),
        ("zorbing", "g", "zorb"),
        ("ing", "g", "ing"),
    ],
)
def test_verb_lemma(form: str, tag: str, lemma: str):
    assert lexicon().verb_lemma(form, tag) == lemma


def test_synonyms_share_a_set_in_any_sense():
    words = lexicon()
    assert words.are_synonyms("sofa", "couch")
    assert words.are_synonyms("television", "tv")
    assert words.are_synonyms("zzyzx", "zzyzx")
    assert not words.are_synonyms("dog", "cat")
    assert not words.are_synonyms("zzyzx", "cat")


def test_people_and_animals_live_and_things_do_not():
    words = lexicon()
    assert all(map(words.is_living, ["person", "man", "woman", "dog", "people", "crowd"]))
    assert not any(map(words.is_living, ["table", "kite", "water", "zzyzx"]))


def test_a_word_that_wordnet_lacks_has_no_entry():
    assert lexicon().word("zzyzx") is None
    assert lexicon().count("zzyzx", "n") == 0
    assert not lexicon().has("dog", "r")
