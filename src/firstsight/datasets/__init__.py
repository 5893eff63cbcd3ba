"""Readers and writers of caption files."""

from __future__ import annotations

from firstsight.datasets.readers import (
    CandidateFile,
    CaptionFile,
    CaptionSource,
    ReferenceFile,
    Role,
    read_candidates,
    read_captions,
    read_references,
)
from firstsight.datasets.writers import (
    FORMAT_NAMES,
    CsvFormat,
    JsonFormat,
    JsonlFormat,
    RecordFormat,
    TextFormat,
    format_of,
    record_from_json,
)

__all__ = [
    "FORMAT_NAMES",
    "CandidateFile",
    "CaptionFile",
    "CaptionSource",
    "CsvFormat",
    "JsonFormat",
    "JsonlFormat",
    "RecordFormat",
    "ReferenceFile",
    "Role",
    "TextFormat",
    "format_of",
    "read_candidates",
    "read_captions",
    "read_references",
    "record_from_json",
]
