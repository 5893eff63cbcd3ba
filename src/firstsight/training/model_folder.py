"""Writes the folder of an embedded model."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from firstsight.captioners.embedded.model import (
    ENCODER_FILE,
    FORMAT,
    KEYWORD_FILE,
    MODEL_FILE,
    ModelDescription,
)
from firstsight.captioners.embedded.vocabulary import SPECIAL_WORDS, Vocabulary
from firstsight.training.concepts import ConceptWords, KeywordHead
from firstsight.training.export import export_network
from firstsight.training.network import CaptionNetwork


@dataclass(frozen=True)
class ModelName:
    """How a model is called, and under which terms it may be used."""

    name: str
    version: str
    licence: str


def write_model(
    folder: Path,
    name: ModelName,
    encoder: Path,
    words: tuple[Vocabulary, ConceptWords],
    head: KeywordHead,
    members: Sequence[CaptionNetwork],
) -> None:
    """Write ``model.json``, ``encoder.onnx``, ``keywords.npz`` and the graphs of every member into ``folder``.

    They are written beside it and moved there when all are whole; the files of an earlier model go.
    """
    staging = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    _write_files(staging, name, encoder, words, head, members)
    folder.mkdir(exist_ok=True)
    for old in (*folder.glob("memory-*.onnx"), *folder.glob("decoder-*.onnx"), folder / MODEL_FILE):
        old.unlink(missing_ok=True)
    for file in sorted(staging.iterdir(), key=lambda file: file.name == MODEL_FILE):  # model.json last
        file.replace(folder / file.name)
    staging.rmdir()


def _write_files(
    folder: Path,
    name: ModelName,
    encoder: Path,
    words: tuple[Vocabulary, ConceptWords],
    head: KeywordHead,
    members: Sequence[CaptionNetwork],
) -> None:
    vocabulary, concepts = words
    shutil.copyfile(encoder, folder / ENCODER_FILE)
    scale = np.maximum(np.abs(head.weight).max(0), 1e-12) / 127
    np.savez_compressed(
        folder / KEYWORD_FILE,
        weight=np.rint(head.weight / scale).astype(np.int8),
        scale=scale.astype(np.float32),
        bias=head.bias.astype(np.float32),
    )
    concept_words = np.concatenate(concepts.numbers(vocabulary))
    for number, network in enumerate(members):
        export_network(network, concept_words, folder, number)
    options = members[0].options
    description = ModelDescription(
        format=FORMAT,
        name=name.name,
        version=name.version,
        licence=name.licence,
        n_members=len(members),
        n_layers=options.n_layers,
        n_heads=options.n_heads,
        width=options.width,
        max_words=options.max_words,
        words=list(vocabulary.words[len(SPECIAL_WORDS) :]),
        keywords=list(concepts.keywords),
        class_words=list(concepts.class_words),
        words_of_class=[
            [concepts.class_words[column] for column in np.flatnonzero(row)] for row in concepts.word_of_class
        ],
    )
    (folder / MODEL_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(description), indent=1) + b"\n")
