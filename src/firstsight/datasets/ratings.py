"""Files of human ratings of captions: plain tables, and the published files of Flickr8k."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from firstsight.datasets._records import no_column, record_id, records
from firstsight.datasets._source import STDIN, CaptionSource, SourceText, quoted, read_source
from firstsight.datasets.readers import CandidateFile, ReferenceFile, read_candidates, read_references
from firstsight.errors import CaptionFileError, UnknownNameError, UsageError

__all__ = ["PROTOCOLS", "RatedCaption", "RatingFile", "read_ratings"]

_CAPTION, _RATING, _RATER = "caption", "rating", "rater"
_N_EXPERTS = 3


@dataclass(frozen=True, slots=True)
class RatedCaption:
    """One rating of one caption of one image; ``rater`` is empty where the file names none."""

    image_id: str
    caption: str
    rating: float
    rater: str = ""


@dataclass(frozen=True, slots=True)
class RatingFile:
    """Ratings with the references against which the rated captions are scored.

    Attributes:
        name: The file, as messages call it.
        protocol: How it was read, one of ``PROTOCOLS``.
        ratings: In the order of the file.
        references: The references of each rated image, without those that the protocol leaves out.
        notes: What a reader of the results must know.
    """

    name: str
    protocol: str
    ratings: tuple[RatedCaption, ...]
    references: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Material:
    """What a protocol reads beside the ratings."""

    references: ReferenceFile
    candidates: CandidateFile | None
    captions: Mapping[str, str] = field(default_factory=dict)
    """Captions by their own id, such as ``photo.jpg#2``."""


def read_ratings(
    ratings: CaptionSource,
    references: CaptionSource,
    *,
    protocol: str = "plain",
    captions: CaptionSource | None = None,
) -> RatingFile:
    """Return human ratings of captions and the references of their images.

    ================  =============================================================================================
    plain             CSV, TSV or JSONL with ``image_id``, ``caption``, ``rating`` and perhaps ``rater``
    flickr8k-expert   ``ExpertAnnotations.txt``: image, caption id and three ratings; captions that are references of
                      the image itself are left out, and each rating counts for itself
    flickr8k-cf       ``CrowdFlowerAnnotations.txt``: image, caption id and the share of yes; an image's own rated
                      captions are no references of it, for any caption that is rated with it
    ================  =============================================================================================

    Args:
        ratings: The file of ratings, ``-`` or a binary stream.
        references: The file of references; for the two files of Flickr8k its ``Flickr8k.token.txt``, which has the
            rated captions too.
        protocol: How the ratings are written and used.
        captions: For plain ratings without a ``caption``: the candidate of each image.

    Raises:
        CaptionFileError: A file cannot be read, a rating is no finite number, or a rated image has no references.
        UnknownNameError: There is no such protocol.
        UsageError: A protocol of Flickr8k is asked for and the references are no file.

    The protocols are those with which CLIPScore (Hessel, Holtzman, Forbes, Le Bras and Choi, EMNLP 2021, section 4.1)
    and papers after it publish tau-c and tau-b. Data: Hodosh, Young and Hockenmaier, "Framing image description as a
    ranking task", Journal of Artificial Intelligence Research 47, 2013.
    """
    if protocol not in PROTOCOLS:
        raise UnknownNameError("protocol of ratings", protocol, PROTOCOLS)
    if protocol != "plain" and (references == STDIN or not isinstance(references, str | Path)):
        raise UsageError(f"The protocol {protocol} needs the name of Flickr8k.token.txt as references, not a stream.")
    text = read_source(ratings)
    material = _Material(
        references=read_references(references),
        candidates=None if captions is None else read_candidates(captions),
        captions={} if protocol == "plain" else _captions_by_id(read_source(references)),
    )
    file = PROTOCOLS[protocol](text, material)
    if not file.ratings:
        raise CaptionFileError(f"{text.name} holds no ratings.")
    absent = sorted({rated.image_id for rated in file.ratings} - set(file.references))
    if absent:
        raise CaptionFileError(
            f"{text.name}: {len(absent):,} rated images have no references in {material.references.name}: "
            f"{', '.join(map(quoted, absent[:5]))}{', …' if len(absent) > 5 else ''}. "
            "Check that the files belong together."
        )
    return file


def _plain(text: SourceText, material: _Material) -> RatingFile:
    ratings = tuple(
        RatedCaption(
            record_id(text, place, row), _caption(text, place, row, material), _number(text, place, row), rater
        )
        for place, row in records(text)
        for rater in [str(row.get(_RATER) or "")]
    )
    rated = dict.fromkeys(item.image_id for item in ratings)
    known = material.references.captions
    return RatingFile(
        text.name, "plain", ratings, {image_id: known[image_id] for image_id in rated if image_id in known}
    )


def _expert(text: SourceText, material: _Material) -> RatingFile:
    ratings: list[RatedCaption] = []
    n_own = 0
    for place, fields in _annotations(text, 2 + _N_EXPERTS):
        image, caption_id = fields[:2]
        if _photo_of(caption_id) == image:
            n_own += 1
            continue
        caption = _caption_of_id(text, place, caption_id, material)
        for rater, value in enumerate(fields[2:], 1):
            rating = _finite(text, place, "rating", value)
            ratings.append(RatedCaption(_id_of_photo(image), caption, rating, f"expert {rater}"))
    rated = dict.fromkeys(item.image_id for item in ratings)
    known = material.references.captions
    references = {image_id: known[image_id] for image_id in rated if image_id in known}
    notes = (f"{n_own:,} rated captions that are references of their own image were left out.",) if n_own else ()
    return RatingFile(text.name, "flickr8k-expert", tuple(ratings), references, notes)


def _crowd_flower(text: SourceText, material: _Material) -> RatingFile:
    ratings: list[RatedCaption] = []
    own: dict[str, set[str]] = {}
    for place, fields in _annotations(text, 5):
        image, caption_id = fields[:2]
        caption = _caption_of_id(text, place, caption_id, material)
        ratings.append(RatedCaption(_id_of_photo(image), caption, _finite(text, place, "share of yes", fields[2])))
        if _photo_of(caption_id) == image:
            own.setdefault(_id_of_photo(image), set()).add(caption_id)
    references = {}
    for image_id in dict.fromkeys(item.image_id for item in ratings):
        removed = [material.captions[caption_id] for caption_id in own.get(image_id, ())]
        kept = list(material.references.captions.get(image_id, ()))
        for caption in removed:
            kept.remove(caption)
        if kept:
            references[image_id] = tuple(kept)
    note = f"{sum(map(len, own.values())):,} references are rated captions of their own image and were taken out of it."
    return RatingFile(text.name, "flickr8k-cf", tuple(ratings), references, (note,) if own else ())


PROTOCOLS: Mapping[str, Callable[[SourceText, _Material], RatingFile]] = MappingProxyType(
    {"plain": _plain, "flickr8k-expert": _expert, "flickr8k-cf": _crowd_flower}
)
"""How ratings are written and used, by name."""


def _caption(text: SourceText, place: str, row: Mapping[str, Any], material: _Material) -> str:
    if isinstance(row.get(_CAPTION), str):
        return str(row[_CAPTION])
    if material.candidates is None:
        raise text.fault(place, f"{no_column('caption', (_CAPTION,), row)} Or give the captions with --captions.")
    image_id = record_id(text, place, row)
    if image_id not in material.candidates.captions:
        raise text.fault(place, f"the image {quoted(image_id)} has no caption in {material.candidates.name}.")
    return material.candidates.captions[image_id]


def _number(text: SourceText, place: str, row: Mapping[str, Any]) -> float:
    if _RATING not in row:
        raise text.fault(place, no_column("rating", (_RATING,), row))
    return _finite(text, place, _RATING, row[_RATING])


def _finite(text: SourceText, place: str, name: str, value: object) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise text.fault(place, f"the {name} must be a number, got {quoted(value)}. Leave captions without one out.")
    return number


def _annotations(text: SourceText, n_fields: int) -> Iterator[tuple[str, list[str]]]:
    """Yield the place and the fields of each line of a file of Flickr8k."""
    for number, line in enumerate(text.text.split("\n"), 1):
        if not line.strip():
            continue
        fields = line.strip().split("\t")
        if len(fields) != n_fields or "#" not in fields[1]:
            raise text.fault(
                f"line {number}",
                f"expected a photo, the id of a caption (photo.jpg#0) and {n_fields - 2} numbers, separated by tabs, "
                f"got {quoted(line)}.",
            )
        yield f"line {number}", fields


def _captions_by_id(text: SourceText) -> dict[str, str]:
    pairs = (line.removesuffix("\r").partition("\t") for line in text.text.split("\n") if "\t" in line)
    found = {caption_id: caption for caption_id, _, caption in pairs if "#" in caption_id}
    if not found:
        raise text.fault("line 1", "expected photo.jpg#0, a tab and a caption, as Flickr8k.token.txt has.")
    return found


def _caption_of_id(text: SourceText, place: str, caption_id: str, material: _Material) -> str:
    caption = material.captions.get(caption_id)
    if caption is None:
        raise text.fault(place, f"the caption {quoted(caption_id)} is not in {material.references.name}.")
    return caption


def _photo_of(caption_id: str) -> str:
    return caption_id.rpartition("#")[0]


def _id_of_photo(name: str) -> str:
    return name.rpartition(".")[0] or name
