"""The systems of a comparison: their names, the images that all of them are scored on, and one corpus a system."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from firstsight._text import visible
from firstsight.datasets import CandidateFile, ReferenceFile, read_candidates
from firstsight.errors import CaptionFileError, UsageError
from firstsight.evaluation._options import MissingRule
from firstsight.evaluation.join import JoinedCaptions, Place, file_places, join
from firstsight.metrics import Corpus
from firstsight.tokenizers import Tokenizer, TokenTable

__all__ = ["SystemFile", "corpora", "join_systems", "named_files", "read_systems"]

_NAMED = re.compile(r"([^=/\\]+)=(.+)")
_STDIO = "-"


@dataclass(frozen=True, slots=True)
class SystemFile:
    """One system: its name and where its candidates are."""

    name: str
    path: str


def named_files(arguments: Sequence[str]) -> list[SystemFile]:
    """Return the name of each system: what ``NAME=FILE`` says, else the file's name without extension.

    Names that would be the same are told apart by as many folders in front as it takes.

    Raises:
        UsageError: A name is given twice, or one file is given twice without names.

    Example:
        >>> [system.name for system in named_files(["a/out.json", "b/out.json", "ours=c.json", "d.csv"])]
        ['a/out', 'b/out', 'ours', 'd']
    """
    given: list[tuple[str | None, str]] = []
    for argument in arguments:
        match = None if Path(argument).exists() else _NAMED.fullmatch(argument)
        given.append((match[1], match[2]) if match else (None, argument))
    taken = [name for name, _ in given if name is not None]
    twice = next((name for name, n in Counter(taken).items() if n > 1), None)
    if twice is not None:
        raise UsageError(f"The name {twice!r} is given to two systems; give each its own.")
    files = [path for name, path in given if name is None]
    names = iter(_stems(files, frozenset(taken)))
    return [SystemFile(visible(name if name is not None else next(names)), path) for name, path in given]


def _stems(paths: Sequence[str], taken: frozenset[str]) -> list[str]:
    """Return a name for each path: its last parts, as many as make all of them differ."""
    parts = [("standard input",) if path == _STDIO else Path(path).with_suffix("").parts for path in paths]
    deepest = max((len(part) for part in parts), default=1)
    n_parts = [1] * len(paths)
    for _ in range(deepest):
        names = ["/".join(part[-n:]) for part, n in zip(parts, n_parts, strict=True)]
        counts = Counter(names)
        clashes = [at for at, name in enumerate(names) if counts[name] > 1 or name in taken]
        if not clashes:
            return names
        for at in clashes:
            n_parts[at] += 1
    with_suffix = [Path(path).as_posix() for path in paths]
    twice = next((path for path, n in Counter(with_suffix).items() if n > 1), None)
    if twice is None:
        return with_suffix
    raise UsageError(f"The file {twice!r} is given twice; name what differs with NAME=FILE.")


def read_systems(files: Sequence[SystemFile]) -> dict[str, CandidateFile]:
    """Return the candidates of each system by its name, in order."""
    return {system.name: read_candidates(system.path) for system in files}


def join_systems(
    systems: Mapping[str, Mapping[str, str]],
    references: Mapping[str, Sequence[str]],
    missing: MissingRule,
    places: Mapping[str, Place] | None = None,
) -> dict[str, JoinedCaptions]:
    """Return the joined captions of each system, all with the same images in the order of the references.

    With ``missing`` as ``skip`` an image is left out for all systems where one of them has no candidate.

    Raises:
        CaptionFileError: A system has no candidate for an image and ``missing`` is ``error``, or nothing is left.
        UsageError: A caption or an id is not text, or an image has no reference.
    """
    joined = {}
    for name, candidates in systems.items():
        place = (places or {}).get(name, _nowhere)
        try:
            joined[name] = join(candidates, references, missing, place)
        except CaptionFileError as error:
            raise CaptionFileError(f"{name}: {error}") from None
    kept = [image_id for image_id in references if all(image_id in candidates for candidates in systems.values())]
    if missing != "skip" or len(kept) == len(references):
        return joined
    if not kept:
        raise CaptionFileError("No image has a candidate of every system; nothing can be compared.")
    common = {image_id: references[image_id] for image_id in kept}
    again = {name: join(candidates, common, "skip") for name, candidates in systems.items()}
    return {
        name: JoinedCaptions(each.image_ids, each.candidates, each.references, len(references) - len(kept), notes.notes)
        for (name, each), notes in zip(again.items(), joined.values(), strict=True)
    }


def places_of(systems: Mapping[str, CandidateFile], references: ReferenceFile) -> dict[str, Place]:
    """Return for each system the function that says where an image without a candidate stands."""
    return {name: file_places(file, references) for name, file in systems.items()}


def corpora(
    joined: Sequence[JoinedCaptions],
    tokenizer: Tokenizer,
    *,
    images: Mapping[str, Path] | None = None,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> Iterable[Corpus]:
    """Yield the corpus of each system in the order of the image ids; references are cut into tokens once."""
    image_ids = joined[0].image_ids
    order = sorted(range(len(image_ids)), key=lambda index: image_ids[index])
    references = [joined[0].references[index] for index in order]
    once = _ReferencesOnce(tokenizer, len(order))
    for system in joined:
        yield Corpus(
            [system.candidates[index] for index in order],
            references,
            once,
            image_ids=[image_ids[index] for index in order],
            images=images,
            on_progress=on_progress,
        )


class _ReferencesOnce(Tokenizer):
    """A tokenizer of corpora that share their references: these are cut for the first corpus alone."""

    def __init__(self, tokenizer: Tokenizer, n_candidates: int) -> None:
        self.name, self.version = tokenizer.name, tokenizer.version  # type: ignore[misc]
        self._tokenizer, self._n_candidates = tokenizer, n_candidates
        self._references: TokenTable | None = None

    def tokenize(self, caption: str) -> list[str]:
        return self._tokenizer.tokenize(caption)

    def table(self, captions: Iterable[str]) -> TokenTable:
        texts = list(captions)
        candidates = self._tokenizer.table(texts[: self._n_candidates])
        if self._references is None:
            self._references = self._tokenizer.table(texts[self._n_candidates :])
        return joined_tables(candidates, self._references)


def joined_tables(first: TokenTable, second: TokenTable) -> TokenTable:
    """Return one table with the captions of both, as if they had been cut together.

    Example:
        >>> tables = [TokenTable.from_tokens([["a", "dog"]]), TokenTable.from_tokens([["dog", "runs"], []])]
        >>> [joined_tables(*tables)[at] for at in range(3)]
        [['a', 'dog'], ['dog', 'runs'], []]
    """
    places = {word: place for place, word in enumerate(first.words)}
    renamed = np.array([places.setdefault(word, len(places)) for word in second.words], dtype=np.int32)
    ids = np.concatenate([first.ids, renamed[second.ids]]) if len(second.ids) else first.ids
    return TokenTable(list(places), ids, np.concatenate([first.offsets, second.offsets[1:] + first.offsets[-1]]))


def _nowhere(_: str) -> tuple[str, str]:
    return "", ""
