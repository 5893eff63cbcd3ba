"""Files of candidates and of references, in every format the field uses, as captions by image id.

The format is recognised by content first and by extension second:

====================  =========================================================================================
COCO annotations      one JSON object with ``annotations`` (``image_id``, ``caption``) and perhaps ``images``
JSON list             COCO results, ``[{"image_id": 42, "caption": "..."}]``, or any list of records
JSONL                 one record a line: ``image_id``, and ``captions`` (a list, best first) or ``caption``
Token file            ``photo.jpg#0<TAB>caption`` as in Flickr8k and Flickr30k; the id is ``photo``
CSV, TSV              a header with ``image_id``, ``public_id`` or ``id``, and ``caption`` or ``caption_gt``
====================  =========================================================================================

Ids are text: the JSON number 42, the JSON text "42" and the CSV field 42 are one id, 007 stays 007. A JSON number that
is whole but written with a fraction (42.0) is 42; any other fraction is an error. A CSV field is taken as it stands.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from firstsight.datasets import _json_formats as json_formats
from firstsight.datasets import _text_formats as text_formats
from firstsight.datasets._rows import CaptionRow, Role
from firstsight.datasets._source import CaptionSource, SourceText, quoted, read_source
from firstsight.errors import CaptionFileError

__all__ = [
    "CandidateFile",
    "CaptionFile",
    "CaptionSource",
    "ReferenceFile",
    "Role",
    "read_candidates",
    "read_captions",
    "read_references",
]

_SHOWN_IDS = 5


@dataclass(frozen=True, slots=True)
class CandidateFile:
    """The candidates of one file.

    ``captions`` has the first caption of each image, ``failures`` why an image has none, ``places`` where each id
    stands in the file, such as ``line 3``, and ``files`` the photo's file of each id where the record names it.
    """

    name: str
    format: str
    captions: dict[str, str]
    failures: dict[str, str] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CaptionFile:
    """Every caption of each image of one file, in file order, and where each id stands first.

    ``files`` has the photo's file of each id where the records name it.
    """

    name: str
    format: str
    captions: dict[str, tuple[str, ...]]
    places: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReferenceFile(CaptionFile):
    """The references of one file: no image is without."""


_Rows: TypeAlias = Callable[[SourceText, Role], Iterator[CaptionRow]]


@dataclass(frozen=True, slots=True)
class _Format:
    name: str
    recognises: Callable[[SourceText], bool]
    rows: _Rows


_FORMATS = (  # asked in this order
    _Format("COCO annotations", json_formats.is_coco, json_formats.coco_rows),
    _Format("JSON list", json_formats.is_list, json_formats.list_rows),
    _Format("JSONL", json_formats.is_jsonl, json_formats.json_lines_rows),
    _Format("token file", text_formats.is_token_file, text_formats.token_file_rows),
    _Format("CSV", text_formats.is_table, text_formats.table_rows),
    _Format("JSONL", lambda _: True, json_formats.json_lines_rows),  # JSON by its extension alone: its faults are told
)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Stop the search for cycles: rows have none, and it would look at each of them again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_no_collection()
def read_candidates(source: CaptionSource) -> CandidateFile:
    r"""Return the candidates of a file; of several captions of one image the first is taken.

    Args:
        source: A path, ``-`` for standard input, or a binary stream.

    Returns:
        The captions by image id. A record with ``error``, or with an empty list of captions, is no candidate: it
        stands in ``failures``.

    Raises:
        CaptionFileError: The file cannot be read, or an id stands in it more than once.

    Example:
        >>> import io
        >>> read_candidates(io.BytesIO(b"image_id,caption\n42,A dog runs.\n")).captions
        {'42': 'A dog runs.'}
    """
    text, caption_format, rows = _rows_of(source, "candidates")
    _refuse_duplicates(text.name, rows)
    return CandidateFile(
        name=text.name,
        format=caption_format,
        captions={row.image_id: row.captions[0] for row in rows if row.captions},
        failures={row.image_id: row.failure or "no caption" for row in rows if not row.captions},
        places={row.image_id: row.place for row in rows},
        files={row.image_id: row.file for row in rows if row.file},
    )


@_no_collection()
def read_captions(source: CaptionSource, role: Role = "candidates") -> CaptionFile:
    r"""Return all captions of each image of a file; several records of one id count together.

    Args:
        source: A path, ``-`` for standard input, or a binary stream.
        role: Whose captions are read where a file has both: those of the ``candidates`` or of the ``references``.

    Returns:
        The captions by image id; an image that has none, such as one that failed, has an empty tuple.

    Raises:
        CaptionFileError: The file cannot be read.

    Example:
        >>> import io
        >>> file = io.BytesIO(b'{"image_id": 42, "captions": ["A dog.", "Dogs."]}\n{"image_id": 7, "captions": []}\n')
        >>> read_captions(file).captions
        {'42': ('A dog.', 'Dogs.'), '7': ()}
    """
    return CaptionFile(*_all_captions(source, role))


@_no_collection()
def read_references(source: CaptionSource) -> ReferenceFile:
    r"""Return the references of a file; several records of one id are several references of that image.

    Args:
        source: A path, ``-`` for standard input, or a binary stream.

    Raises:
        CaptionFileError: The file cannot be read, or an image has no reference with a visible character.

    Example:
        >>> import io
        >>> file = io.BytesIO(b"image_id,caption_gt\n42,A dog runs.\n42,A brown dog.\n")
        >>> read_references(file).captions
        {'42': ('A dog runs.', 'A brown dog.')}
    """
    found = ReferenceFile(*_all_captions(source, "references"))
    bare = [image_id for image_id, texts in found.captions.items() if not any(text.strip() for text in texts)]
    if bare:
        shown = ", ".join(f"{quoted(image_id)} ({found.places[image_id]})" for image_id in bare[:_SHOWN_IDS])
        raise CaptionFileError(
            f"{found.name}: {len(bare):,} of {len(found.captions):,} images have no reference caption: {shown}"
            f"{', …' if len(bare) > _SHOWN_IDS else ''}. Give each at least one, or take it out of the file."
        )
    return found


def _all_captions(
    source: CaptionSource, role: Role
) -> tuple[str, str, dict[str, tuple[str, ...]], dict[str, str], dict[str, str]]:
    """Return the fields of a ``CaptionFile``."""
    text, caption_format, rows = _rows_of(source, role)
    captions: dict[str, list[str]] = {}
    places: dict[str, str] = {}
    for row in rows:
        captions.setdefault(row.image_id, []).extend(row.captions)
        places.setdefault(row.image_id, row.place)
    files = {row.image_id: row.file for row in rows if row.file}
    return text.name, caption_format, {key: tuple(texts) for key, texts in captions.items()}, places, files


def _rows_of(source: CaptionSource, role: Role) -> tuple[SourceText, str, list[CaptionRow]]:
    text = read_source(source)
    if not text.text.strip():
        raise text.fault("", "the file is empty (white space only). It should hold captions as JSON, JSONL or CSV.")
    caption_format = next(entry for entry in _FORMATS if entry.recognises(text))
    rows = list(caption_format.rows(text, role))
    if not rows:
        raise CaptionFileError(f"{text.name} holds no records ({caption_format.name}). It should hold {role}.")
    return text, caption_format.name, rows


def _refuse_duplicates(name: str, rows: list[CaptionRow]) -> None:
    places: dict[str, list[str]] = {}
    for row in rows:
        places.setdefault(row.image_id, []).append(row.place)
    repeated = {image_id: found for image_id, found in places.items() if len(found) > 1}
    if not repeated:
        return
    shown = "; ".join(
        f"{quoted(image_id)} at {', '.join(found[:3])}{' …' if len(found) > 3 else ''}"
        for image_id, found in list(repeated.items())[:_SHOWN_IDS]
    )
    raise CaptionFileError(
        f"{name}: {len(repeated):,} image id{'s stand' if len(repeated) > 1 else ' stands'} more than once among the "
        f"candidates: {shown}{'; …' if len(repeated) > _SHOWN_IDS else ''}. Keep one record an image; several captions "
        "of one image belong in the list 'captions', best first."
    )
