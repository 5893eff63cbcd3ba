"""Which images are scored: candidates and references joined by image id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

from firstsight.datasets import CandidateFile, ReferenceFile
from firstsight.errors import CaptionFileError, UsageError
from firstsight.evaluation._options import MissingRule

__all__ = ["JoinedCaptions", "file_places", "join"]

_SHOWN_IDS = 5
_MAX_ID_CHARS = 60

Place = Callable[[str], tuple[str, str]]
"""From an image id to the file and the place in it, such as ``line 3``; both empty where that is not known."""


@dataclass(frozen=True, slots=True)
class JoinedCaptions:
    """The images that are scored, in the order of the references."""

    image_ids: tuple[str, ...]
    candidates: tuple[str, ...]
    references: tuple[tuple[str, ...], ...]
    n_absent: int
    """How many images with references had no candidate, whether they were left out or scored as empty."""
    notes: tuple[str, ...]
    """What a reader of the scores must know: candidates that were left out, images that had none."""


def join(
    candidates: Mapping[str, str],
    references: Mapping[str, Sequence[str]],
    missing: MissingRule,
    place: Place = lambda _: ("", ""),
) -> JoinedCaptions:
    """Return the images that are scored.

    Args:
        candidates: One caption an image.
        references: At least one caption an image.
        missing: What is done with an image that has references and no candidate.
        place: Where an id without a candidate stands, for messages.

    Raises:
        CaptionFileError: An image has no candidate and ``missing`` is ``error``, or nothing is left to score.
        UsageError: A caption or an id is not text, or an image has no reference.
    """
    if not _are_plain(candidates, references):
        _check_types(candidates, references)
    absent = [image_id for image_id in references if image_id not in candidates]
    extra = [image_id for image_id in candidates if image_id not in references]
    if not references:
        raise CaptionFileError("There are no references, so nothing can be scored.")
    if len(absent) == len(references) and (missing == "skip" or extra):
        raise CaptionFileError(_nothing_in_common(candidates, references, absent, extra))
    if absent and missing == "error":
        raise CaptionFileError(_missing(absent, extra, len(references), place))
    left_out = frozenset(absent if missing == "skip" else ())
    image_ids = tuple(image_id for image_id in references if image_id not in left_out)
    return JoinedCaptions(
        image_ids=image_ids,
        candidates=tuple(map(candidates.get, image_ids, repeat(""))),
        references=tuple(map(tuple, map(references.__getitem__, image_ids))),
        n_absent=len(absent),
        notes=tuple(_notes(absent, extra, len(references), missing)),
    )


def file_places(candidates: CandidateFile, references: ReferenceFile) -> Place:
    """Return the function that says where an image without a candidate stands."""

    def place(image_id: str) -> tuple[str, str]:
        if image_id in candidates.failures:
            return candidates.name, f"{candidates.places[image_id]}: {_shown(candidates.failures[image_id])}"
        return references.name, references.places[image_id]

    return place


def _are_plain(candidates: Mapping[str, str], references: Mapping[str, Sequence[str]]) -> bool:
    """Tell without a look at each entry whether all are texts in lists or tuples, as they nearly always are."""
    groups = references.values()
    if not set(map(type, groups)) <= {list, tuple} or not all(groups):
        return False
    texts = chain(candidates, candidates.values(), references, chain.from_iterable(groups))
    return set(map(type, texts)) <= {str}


def _check_types(candidates: Mapping[str, str], references: Mapping[str, Sequence[str]]) -> None:
    for kind, ids in (("candidate", candidates), ("reference", references)):
        wrong = next((image_id for image_id in ids if not isinstance(image_id, str)), None)
        if wrong is not None:
            raise UsageError(f"Image ids are text; a {kind} has {wrong!r} of type {type(wrong).__name__}. Use str(id).")
    for image_id, caption in candidates.items():
        if not isinstance(caption, str):
            raise UsageError(f"The candidate of {image_id!r} must be one text, got {type(caption).__name__}.")
    for image_id, captions in references.items():
        if isinstance(captions, str) or not all(isinstance(caption, str) for caption in captions):
            raise UsageError(f"The references of {image_id!r} must be a list of texts.")
        if not captions:
            raise UsageError(f"The image {image_id!r} has an empty list of references; give each at least one.")


def _missing(absent: list[str], extra: list[str], n_images: int, place: Place) -> str:
    shown, last_file = [], ""
    for image_id in absent[:_SHOWN_IDS]:
        file, where = place(image_id)
        where = where if file == last_file else f"{file}, {where}"  # a file is named once for all that stand in it
        shown.append(f"{_shown(image_id)} ({where})" if where else _shown(image_id))
        last_file = file
    return (
        f"{_count(absent, n_images)} no candidate: {', '.join(shown)}{', …' if len(absent) > _SHOWN_IDS else ''}. "
        f"Add what is missing, or go on with --missing skip (score the other {n_images - len(absent):,}) or "
        f"--missing empty (score each as a caption without words).{_likeness(absent, extra)}"
    )


def _nothing_in_common(
    candidates: Mapping[str, str], references: Mapping[str, Sequence[str]], absent: list[str], extra: list[str]
) -> str:
    return (
        f"No image has both a candidate and references. Ids of candidates ({len(candidates):,}): "
        f"{_shown_list(candidates) or 'none'}; of references ({len(references):,}): {_shown_list(references)}. "
        f"Check that the two belong together.{_likeness(absent, extra)}"
    )


def _notes(absent: list[str], extra: list[str], n_images: int, missing: MissingRule) -> Iterable[str]:
    if absent:
        done = "was left out" if missing == "skip" else "was scored as a caption without words"
        done = done if len(absent) == 1 else done.replace("was", "were")
        yield f"{_count(absent, n_images)} no candidate and {done}: {_shown_list(absent)}."
    if extra:
        have, were = ("has", "was") if len(extra) == 1 else ("have", "were")
        noun = "candidate" if len(extra) == 1 else "candidates"
        yield f"{len(extra):,} {noun} {have} no references and {were} left out: {_shown_list(extra)}."


def _likeness(absent: list[str], extra: list[str]) -> str:
    """Say how the ids of the two sides differ, where one plain change would make them meet."""
    wanted = set(absent)
    changes: tuple[tuple[str, Callable[[str], str]], ...] = (
        ("as a whole number", lambda text: text.removesuffix(".0")),
        ("without its file extension", lambda text: text.rpartition(".")[0]),
        ("without spaces around it", str.strip),
        ("without zeros in front", lambda text: text.lstrip("0")),
        ("in the other letter case", str.lower),
    )
    for words, change in changes:
        reverse = {change(image_id): image_id for image_id in absent}
        for image_id in extra:
            if (changed := change(image_id)) in wanted:
                return f" The candidate {_shown(image_id)} is {_shown(changed)} {words}: make the ids alike."
            if image_id in reverse:
                reference = _shown(reverse[image_id])
                return f" The reference id {reference} is {_shown(image_id)} {words}: make the ids alike."
    return ""


def _count(absent: list[str], n_images: int) -> str:
    return f"{len(absent):,} of {n_images:,} image{'s' * (n_images != 1)} {'has' if len(absent) == 1 else 'have'}"


def _shown_list(image_ids: Iterable[str]) -> str:
    listed = list(image_ids)
    return ", ".join(map(_shown, listed[:_SHOWN_IDS])) + (", …" if len(listed) > _SHOWN_IDS else "")


def _shown(image_id: str) -> str:
    return repr(image_id if len(image_id) <= _MAX_ID_CHARS else image_id[: _MAX_ID_CHARS - 1] + "…")
