"""Counts of matching tuples, derived by hand."""

from __future__ import annotations

from firstsight.metrics.scene_graph.lemmas import lexicon
from firstsight.metrics.scene_graph.matching import Counts, compare
from firstsight.metrics.scene_graph.parser import SceneGraphTuples


def graph(objects: str, attributes: str = "", relations: str = "") -> SceneGraphTuples:
    """Write "cat mat", "cat.black", "cat-sit on-mat; ..."."""
    return SceneGraphTuples(
        tuple(objects.split()),
        tuple(tuple(pair.split(".")) for pair in attributes.split()),
        tuple(tuple(part.strip().split("-")) for part in relations.split(";") if part.strip()),
    )


EMPTY = graph("")


def test_equal_graphs_match_whole():
    one = graph("cat mat", "cat.black", "cat-sit on-mat")
    assert compare(one, [one], lexicon()) == (Counts(2, 2, 2, 2), Counts(1, 1, 1, 1), Counts(1, 1, 1, 1))


def test_references_are_one_set_without_doubles():
    references = [graph("cat mat", "cat.black"), graph("cat rug", "cat.black cat.small")]
    objects, attributes, _ = compare(graph("cat rug"), references, lexicon())
    assert objects == Counts(2, 3, 2, 2)
    assert attributes == Counts(0, 2, 0, 0)


def test_synonyms_of_the_references_are_one_object():
    references = [graph("sofa", "sofa.red"), graph("couch", "couch.red")]
    objects, attributes, _ = compare(graph("couch", "couch.red"), references, lexicon())
    assert objects == Counts(1, 1, 1, 1)
    assert attributes == Counts(1, 1, 1, 1)


def test_synonyms_of_the_candidate_are_one_object():
    objects, _, _ = compare(graph("sofa couch"), [graph("couch")], lexicon())
    assert objects == Counts(1, 1, 1, 1)


def test_an_attribute_matches_with_its_object_only():
    _, attributes, _ = compare(graph("cat dog", "dog.black"), [graph("cat dog", "cat.black")], lexicon())
    assert attributes == Counts(1, 1, 0, 0)


def test_a_relation_matches_in_its_direction_only():
    _, _, relations = compare(graph("cat dog", "", "dog-chase-cat"), [graph("cat dog", "", "cat-chase-dog")], lexicon())
    assert relations == Counts(1, 1, 0, 0)


def test_a_relation_matches_by_its_verb_and_the_same_preposition():
    references = [graph("man rope roof", "", "man-lift-rope; man-sit on-roof")]
    candidate = graph("man rope roof", "", "man-raise-rope; man-sit under-roof")
    assert compare(candidate, references, lexicon())[2] == Counts(2, 2, 1, 1)


def test_empty_graphs_count_nothing():
    assert compare(EMPTY, [EMPTY], lexicon()) == (Counts(0, 0, 0, 0),) * 3
    assert compare(EMPTY, [graph("cat")], lexicon())[0] == Counts(0, 1, 0, 0)
    assert compare(graph("cat"), [EMPTY], lexicon())[0] == Counts(1, 0, 0, 0)


def test_matches_equal_those_of_comparing_every_pair():
    words = lexicon()
    candidate = graph("man boy couch tv", "man.large tv.old boy.small", "man-watch-tv; boy-sit on-couch; boy-in-tv")
    references = [
        graph("boy sofa television", "boy.little", "boy-sit on-sofa"),
        graph("person television", "television.old", "person-watch-television"),
    ]

    def same(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
        return all(words.are_synonyms(one, other) for one, other in zip(left, right, strict=True))

    for category, (mine, theirs) in enumerate(
        zip(
            [[(word,) for word in candidate.objects], candidate.attributes, candidate.relations],
            [
                [(word,) for ref in references for word in ref.objects],
                [pair for ref in references for pair in ref.attributes],
                [triple for ref in references for triple in ref.relations],
            ],
            strict=True,
        )
    ):
        counts = compare(candidate, references, words)[category]
        assert counts.n_candidate_matched == sum(any(same(one, other) for other in theirs) for one in mine)
