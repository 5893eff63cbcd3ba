"""METEOR on data of a few words, written by hand, in the two files that the original's data come in."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from firstsight import _core
from firstsight.metrics.meteor import Meteor
from firstsight.metrics.meteor.build import build_index
from firstsight.metrics.meteor.index import MeteorIndex
from firstsight.metrics.meteor.sources import Sources

MEMBERS = {
    "synonym/english.synsets": "dog\n101 102\nhound\n102\nboat\n103\nship\n103 104\nchild\n105\nkid\n105\n",
    "synonym/english.exceptions": "child\nchildren\n",
    "function/english.words": "a\nthe\nin\nof\n",
    "nonbreaking/english.prefixes": "# who keeps a dot\nst\nno #NUMERIC_ONLY#\n",
}
PARAPHRASES = "0.5\nin front of\nbefore\n0.3\nnext to\nbeside\n0.1\nnext to\nnear\n"


def write_sources(folder: Path, paraphrases: str = PARAPHRASES, **members: str) -> Sources:
    """Write a folder that looks like the installed package; ``members`` replace some of the jar's by their last name.

    An empty member is left out of the jar.
    """
    package = folder / "pycocoevalcap"
    sources = Sources(package / "meteor" / "meteor-1.5.jar", package / "meteor" / "data" / "paraphrase-en.gz")
    sources.paraphrases.parent.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text("raise ImportError('the package is read, never imported')\n")
    with zipfile.ZipFile(sources.jar, "w", zipfile.ZIP_DEFLATED) as jar:
        for name, text in MEMBERS.items():
            if content := members.get(name.rpartition(".")[2], text):
                jar.writestr(name, content)
    sources.paraphrases.write_bytes(gzip.compress(paraphrases.encode(), mtime=0))
    return sources


@pytest.fixture
def make_sources(tmp_path: Path) -> Callable[..., Sources]:
    """Write the small data, or others, to ``tmp_path / "data"``; again and again if asked."""
    return lambda *args, **members: write_sources(tmp_path / "data", *args, **members)


@pytest.fixture
def sources(make_sources: Callable[..., Sources]) -> Sources:
    """The small data."""
    return make_sources()


@pytest.fixture(scope="session")
def tiny_index(tmp_path_factory: pytest.TempPathFactory) -> MeteorIndex:
    """An index of the small data."""
    folder = tmp_path_factory.mktemp("tiny-meteor")
    data = write_sources(folder)
    build_index(data, folder / "index")
    return MeteorIndex(folder / "index", data.identity())


@pytest.fixture(params=["python", "native"])
def tiny(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tiny_index: MeteorIndex) -> Meteor:
    """METEOR on the small data, by either core."""
    if request.param == "native" and _core.core_name() != "native":
        pytest.skip("needs the native core")
    monkeypatch.setenv(_core.VARIABLE, request.param)
    return Meteor(tiny_index)
