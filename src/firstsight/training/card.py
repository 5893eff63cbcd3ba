"""Measures a trained model and writes its model card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from firstsight.captioners.embedded import EmbeddedCaptioner
from firstsight.captioners.embedded.model import read_description
from firstsight.datasets.pairs import Pair
from firstsight.errors import ImageError
from firstsight.evaluation import Evaluation, evaluate
from firstsight.images import load_image
from firstsight.training.features import silent
from firstsight.types import Score

CARD_FILE = "README.md"


@dataclass(frozen=True)
class Measured:
    """The scores of one set."""

    name: str
    evaluation: Evaluation
    examples: tuple[tuple[str, str], ...]
    """Some image ids with the model's caption."""


def measure(model: Path, name: str, pairs: Sequence[Pair], on_step: Callable[[int, int], None] = silent) -> Measured:
    """Caption the photos of ``pairs`` with the model in folder ``model`` and score the captions."""
    captioner = EmbeddedCaptioner(model=model)
    candidates: dict[str, str] = {}
    for done, pair in enumerate(pairs, 1):
        try:
            image = load_image(pair.file, fit_px=captioner.image_size_px)
        except ImageError:
            continue
        candidates[pair.image_id] = captioner.caption_batch([image])[0].captions[0]
        on_step(done, len(pairs))
    references = {pair.image_id: list(pair.captions) for pair in pairs if pair.image_id in candidates}
    examples = tuple(list(candidates.items())[:: max(len(candidates) // 6, 1)][:6])
    return Measured(name, evaluate(candidates, references), examples)


def write_card(model: Path, data: Sequence[str], measured: Sequence[Measured]) -> None:
    """Write the model card beside the model's files.

    Args:
        model: The model's folder.
        data: One line for each set that the model learnt from.
        measured: Scores on photos that it did not learn from.
    """
    description = read_description(model)
    size_bytes = sum(file.stat().st_size for file in model.iterdir() if file.name != CARD_FILE)
    lines = [
        f"# {description.name} {description.version}",
        "",
        "An image captioner for firstsight: EfficientNet-Lite2 reads the photo (260 × 260 px), a linear head and the",
        "ImageNet classes name concept words, and a small transformer makes an English sentence of grid and words.",
        "",
        f"- Licence of the weights: {description.licence}",
        "- Encoder: ImageNet weights of EfficientNet-Lite2 (Apache-2.0), not changed by the training",
        f"- Decoder: {description.n_members} × {description.n_layers} layers of width {description.width}, "
        f"{len(description.words)} words",
        f"- Size of the files: {size_bytes / 1e6:.1f} MB; weights stored as float16, computed in float32",
        *(f"- Learnt from: {line}" for line in data),
        "",
        "## Measured",
        "",
        "Beam 3; scores as fractions, CIDEr-D from 0 to 10, with 95 % bootstrap intervals.",
        "",
        "| set | images | " + " | ".join(score.name for score in measured[0].evaluation.scores) + " |"
        if measured
        else "Nothing: no photos were kept apart.",
    ]
    if measured:
        lines.append("|---|---:|" + "---:|" * len(measured[0].evaluation.scores))
    for entry in measured:
        cells = " | ".join(_cell(score) for score in entry.evaluation.scores)
        lines.append(f"| {entry.name} | {entry.evaluation.n_images} | {cells} |")
    lines += [
        "",
        "## Limits",
        "",
        "It says the most likely sentence about everyday photos. It reads no text, counts badly, guesses gender and",
        "colour from little, and takes what it has not learnt for something similar that it has. Captions are drafts.",
        "",
    ]
    (model / CARD_FILE).write_text("\n".join(lines), encoding="utf-8")


def _cell(score: Score) -> str:
    if score.value is None:
        return "undefined"
    interval = f" ({score.low:.3f} to {score.high:.3f})" if score.low is not None and score.high is not None else ""
    return f"{score.value:.4f}{interval}"
