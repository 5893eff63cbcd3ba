"""SPICE over the original program against its recorded scores; needs Java, its jars and the data sets.

Recorded with spice-1.0.jar and the jars of pycocoevalcap 1.2 and stanford-corenlp 3.6.0 under OpenJDK 17:
``java -cp ... edu.anu.spice.SpiceScorer in.json -out out.json -subset -detailed -silent``.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from firstsight.errors import BackendError
from firstsight.metrics import Corpus
from firstsight.metrics.spice import CATEGORIES, Spice

NAME = "A_fakecap1000"


@pytest.fixture
def spice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spice:
    monkeypatch.setenv("FIRSTSIGHT_CACHE", str(tmp_path))
    metric = Spice()
    try:
        metric.prepare(Corpus.from_tokens([["a"]], [[["a"]]]))
    except BackendError as error:
        pytest.skip(str(error))
    return metric


@pytest.mark.soak
def test_a_thousand_images_equal_the_original(shared: Path, spice: Spice):
    golden = shared / "golden"
    tokens = json.loads((golden / f"{NAME}.tokens.json").read_text(encoding="utf-8"))
    recorded = json.loads(gzip.decompress((golden / f"{NAME}.spice.raw.json.gz").read_bytes()))
    variants = json.loads((golden / f"{NAME}.spice.variants.json").read_text(encoding="utf-8"))
    original = {entry["image_id"]: entry for entry in recorded}
    corpus = Corpus.from_tokens(
        [caption.split(" ") for caption in tokens["hyps"]],
        [[caption.split(" ") for caption in group] for group in tokens["refs"]],
    )

    table = spice.corpus_statistics(corpus)
    assert spice.from_statistics(table.sum(axis=0))[0] == pytest.approx(variants["mean_variants"][0], abs=1e-5)
    for image_id, row, result in zip(tokens["ids"], table, spice.results(corpus), strict=True):
        entry = original[image_id]
        if image_id == variants["image_id"]:
            assert min(abs(row[0] - f) for f in variants["f_variants"]) < 1e-12
            continue
        assert row[0] == pytest.approx(entry["scores"]["All"]["f"], abs=1e-12)
        assert [list(parts) for parts, _ in result.candidate_tuples] == [t["tuple"] for t in entry["test_tuples"]]
        assert [list(parts) for parts, _ in result.reference_tuples] == [t["tuple"] for t in entry["ref_tuples"]]
        for name, key in CATEGORIES.items():
            f = entry["scores"][key]["f"]
            assert result.categories[name].is_defined == (f is not None)
            assert f is None or result.categories[name].f == pytest.approx(f, abs=1e-12)

    # What is kept is given again, to the bit, without running the program.
    np.testing.assert_array_equal(spice.corpus_statistics(corpus), table)
