"""METEOR finds its data in the installed package and says so where they are not there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from firstsight.errors import MetricUndefinedError, MissingDependencyError
from firstsight.metrics import Corpus
from firstsight.metrics.meteor import Meteor
from firstsight.metrics.meteor import sources as module
from firstsight.metrics.meteor.build import index_path
from firstsight.metrics.meteor.index import MeteorIndex
from firstsight.metrics.meteor.sources import Sources, find_sources
from firstsight.tokenizers.ptb import PtbTokenizer

CORPUS = Corpus.from_tokens([["a", "dog"]], [[["a", "hound"]]])


@pytest.fixture
def installed(sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sources:
    """The small data as the installed package, and a cache folder of its own."""
    monkeypatch.setenv("FIRSTSIGHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delitem(sys.modules, "pycocoevalcap", raising=False)
    monkeypatch.syspath_prepend(sources.jar.parents[2])
    return sources


def test_the_data_of_the_installed_package_are_used_and_never_imported(installed: Sources):
    assert find_sources() == installed
    assert Meteor.is_available()
    metric = Meteor()
    metric.prepare(CORPUS)
    assert metric.corpus_statistics(CORPUS)[0, 21:].tolist() == [2, 2, 0]
    assert "pycocoevalcap" not in sys.modules


def test_the_signature_states_the_data_before_and_after_the_index_is_made(installed: Sources):
    stated = Meteor().parameters
    assert stated["data"] == installed.digest().hex()[:12]
    assert not index_path().exists()
    Meteor().prepare(CORPUS)
    assert index_path().exists()
    assert Meteor().parameters == stated


def test_the_signature_states_other_data(installed: Sources, tiny_index: MeteorIndex):
    assert Meteor(tiny_index).parameters["data"] == tiny_index.digest.hex()[:12]
    with installed.jar.open("ab") as jar:
        jar.write(b"\0")
    assert Meteor().parameters["data"] != Meteor(tiny_index).parameters["data"]


def test_reading_the_data_is_reported(installed: Sources):
    seen: list[tuple[str, int]] = []
    texts = [""] * 2000
    corpus = Corpus(
        *(texts, [[text] for text in texts], PtbTokenizer()),
        on_progress=lambda stage, done, _: seen.append((stage, done)),
    )
    Meteor().prepare(corpus)
    assert {stage for stage, _ in seen} == {"read METEOR's data"}
    shares = [done for _, done in seen]
    assert shares == sorted(shares)
    assert (shares[0], len(set(shares)) > 1) == (0, True)


@pytest.mark.parametrize("missing", ["package", "jar", "paraphrases"])
def test_missing_data_name_the_extra(installed: Sources, missing: str, monkeypatch: pytest.MonkeyPatch):
    if missing == "package":
        monkeypatch.setattr(module, "find_spec", lambda name: None)
    else:
        getattr(installed, missing).unlink()
    assert not Meteor.is_available()
    for use in (lambda: Meteor().prepare(CORPUS), lambda: Meteor().parameters):
        with pytest.raises(MissingDependencyError, match=r"firstsight\[meteor\]") as caught:
            use()
        assert caught.value.extra == "meteor"


def test_a_corpus_of_no_images_has_no_score(tiny: Meteor):
    with pytest.raises(MetricUndefinedError, match="no images"):
        tiny.prepare(Corpus.from_tokens([], []))
