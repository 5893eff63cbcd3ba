"""The signature that travels with every score: one line from which the number can be made again.

A signature is a list of ``key:value`` joined by ``|``, in this order:

=============  ======================================================================================================
metric         name of the score, such as ``BLEU-4``
version        version of the definition of the metric
params         what the definition fixes beyond its version, ``name=value`` joined by commas, sorted; ``-`` for none
better         direction: ``higher``, ``lower``, or ``neither`` of what describes captions and is no quality
range          lowest and highest value, such as ``0..10``
card           first 12 hex digits of the hash of the scoring card; only of metrics that learn, where one was given
tok            tokenizer and its version, such as ``ptb@1``
lang           code of the language of the captions, such as ``en``
images         number of images that were scored
refs           number of their references
refset         first 12 hex digits of the hash of ids and references, see ``reference_set_hash``
missing        what was done with images without a candidate: ``error``, ``skip`` or ``empty``
absent         how many those were; only where it is not 0
human          ``leave-one-out`` where the candidates are the references themselves; else absent
boot           number of bootstrap resamples of the interval
seed           seed of the resamples; only where there are any
core           ``native`` or ``python``: which core computed; both give the same numbers
firstsight     version of firstsight
=============  ======================================================================================================

Keys may be added, none is renamed. The characters ``%``, ``|``, ``:``, ``,``, ``=``, white space and everything outside
printable ASCII are percent-encoded in values (``:`` alone stands in none).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from firstsight import _core
from firstsight.types import Json

if TYPE_CHECKING:
    from firstsight.metrics import Metric

__all__ = ["corpus_part", "metric_part", "parse_signature", "reference_set_hash", "shared_part", "signature_lines"]

_SAFE = "@.+-_*/()[]"
_SHARED_FROM = "tok"
HASH_DIGITS = 12


def reference_set_hash(image_ids: Sequence[str], references: Sequence[Sequence[str]]) -> str:
    """Return the SHA-256 (64 hex digits) of a set of references.

    Images are taken in the order of their ids and references of one image in the order of their text, both as UTF-8
    bytes, so that the order of a file does not matter; each text is preceded by its length in bytes and each image by
    the number of its references (8 bytes, big-endian), so that no two sets give the same bytes. Lone surrogates are
    encoded as if they were characters.

    Example:
        >>> reference_set_hash(["1", "2"], [["a", "b"], ["c"]]) == reference_set_hash(["2", "1"], [["c"], ["b", "a"]])
        True
    """
    core = _core.native()
    if core is not None and len(set(image_ids)) == len(image_ids) == len(references):
        return hashlib.sha256(core.reference_set_bytes(image_ids, references)).hexdigest()
    digest = hashlib.sha256()
    images = sorted((_bytes(image_id), captions) for image_id, captions in zip(image_ids, references, strict=True))
    for image_id, captions in images:
        digest.update(_length(len(image_id)) + image_id + _length(len(captions)))
        for caption in sorted(map(_bytes, captions)):
            digest.update(_length(len(caption)) + caption)
    return digest.hexdigest()


def metric_part(metric: Metric, score_name: str, card: str = "") -> str:
    """Return what belongs to one score: metric, version, parameters, direction, range and the hash of its card."""
    low, high = metric.score_range
    parameters = metric.parameters
    shown = ",".join(f"{_safe(name)}={_safe(_plain(parameters[name]))}" for name in sorted(parameters))
    return _joined(
        {
            "metric": _safe(score_name),
            "version": _safe(metric.version),
            "params": shown or "-",
            "better": "neither" if not metric.is_quality else "higher" if metric.higher_is_better else "lower",
            "range": f"{low:g}..{high:g}",
            **({"card": card[:HASH_DIGITS]} if card else {}),
        }
    )


def corpus_part(fields: Mapping[str, object]) -> str:
    """Return what all scores of one evaluation share, in the order given."""
    return _joined({key: _safe(str(value)) for key, value in fields.items()})


def parse_signature(signature: str) -> dict[str, str]:
    """Return the fields of a signature by key.

    Example:
        >>> parse_signature("metric:BLEU-4|tok:ptb@1")
        {'metric': 'BLEU-4', 'tok': 'ptb@1'}
    """
    pairs = (part.partition(":") for part in signature.split("|"))
    return {key: unquote(value) for key, _, value in pairs}


def signature_lines(part: str, width: int = 100, indents: tuple[str, str] = ("  ", "    ")) -> list[str]:
    """Return a part of a signature in lines that end with a bar or a comma: joined, they give it back.

    Args:
        part: A signature, or a half of it.
        width: The most characters of a line, unless one parameter alone has more.
        indents: What stands before the first line, and before each further one.

    Example:
        >>> signature_lines("metric:CIDEr-D|params:max_n=4,sigma=6|better:higher", 32)
        ['  metric:CIDEr-D|params:max_n=4,', '    sigma=6|better:higher']
    """
    lines = [indents[0]]
    for field in re.findall(r"[^|,]*[|,]|[^|,]+$", part):
        if len(lines[-1]) + len(field) > width and lines[-1].strip():
            lines.append(indents[1])
        lines[-1] += field
    return lines


def shared_part(signature: str) -> tuple[str, str]:
    """Return the two halves of a signature: what belongs to the score, and what the whole evaluation shares."""
    own, mark, shared = signature.partition(f"|{_SHARED_FROM}:")
    return own, f"{mark[1:]}{shared}"


def _joined(fields: Mapping[str, str]) -> str:
    return "|".join(f"{key}:{value}" for key, value in fields.items())


def _safe(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe=_SAFE)


def _plain(value: Json) -> str:
    if isinstance(value, float):
        return f"{value:.17g}" if float(f"{value:g}") != value else f"{value:g}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _length(n_bytes: int) -> bytes:
    return n_bytes.to_bytes(8, "big")
