"""``firstsight train``: a captioner of one's own, from photos with captions."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypedDict, Unpack

import click

from firstsight._files import cache_folder
from firstsight._text import visible
from firstsight.cli._options import overwrite_option, quiet_option, seed_option
from firstsight.cli._progress import progress_bar, shows_progress
from firstsight.cli._text import warning
from firstsight.errors import MissingDependencyError, OutputError, UsageError

if TYPE_CHECKING:
    from tqdm import tqdm

    from firstsight.datasets.pairs import Pair
    from firstsight.training.recipe import RecipeOptions

__all__ = ["train"]

_PATH = click.Path(path_type=Path)
_DEV_SHARE = 0.1
_MAX_DEV = 1000


class _Settings(TypedDict):
    """The options that are passed on to the recipe."""

    n_steps: int
    n_self_critical: int
    members: int
    name: str
    licence: str
    cache: Path | None
    seed: int


@click.command(
    epilog="Example:  firstsight train captions.jsonl --images photos/ -o my-model   "
    "then  firstsight caption --captioner embedded:my-model photo.jpg"
)
@click.argument("pairs", type=_PATH)
@click.option("--images", type=_PATH, metavar="FOLDER", help="Photos, found by id.  [the folder of PAIRS]")
@click.option("-o", "--output", type=_PATH, required=True, metavar="MODEL", help="Folder of the new model.")
@click.option("--text", "texts", type=_PATH, multiple=True, metavar="FILE", help="Captions without photos; repeatable.")
@click.option("--train", "train_ids", type=_PATH, metavar="IDS", help="Ids to learn from.  [all others]")
@click.option("--dev", type=_PATH, metavar="IDS", help="Ids kept apart and scored.  [a tenth of the photos]")
@click.option("--test", type=_PATH, metavar="IDS", help="Ids kept apart and scored at the end.")
@click.option(
    "--steps",
    "n_steps",
    type=click.IntRange(min=1),
    metavar="N",
    default=4000,
    show_default=True,
    help="Training steps.",
)
@click.option(
    "--reward-steps",
    "n_self_critical",
    type=click.IntRange(min=0),
    metavar="N",
    default=300,
    show_default=True,
    help="Then steps that reward CIDEr-D.",
)
@click.option(
    "--members", type=click.IntRange(1, 4), metavar="N", default=1, show_default=True, help="Decoders that vote."
)
@click.option("--name", metavar="NAME", default="own", show_default=True, help="Name that records state.")
@click.option("--licence", metavar="TERMS", default="not stated", show_default=True, help="Terms of the weights.")
@click.option("--cache", type=_PATH, metavar="FOLDER", help="Features and checkpoints.  [~/.cache/firstsight]")
@seed_option
@overwrite_option
@quiet_option
def train(
    pairs: Path,
    images: Path | None,
    output: Path,
    texts: tuple[Path, ...],
    dev: Path | None,
    test: Path | None,
    train_ids: Path | None,
    quiet: bool,
    overwrite: bool,
    **settings: Unpack[_Settings],
) -> None:
    """Train a captioner on PAIRS: a caption file in any format that references may have, and its photos.

    The same command goes on where it was interrupted or killed. It needs the extra "train".
    """
    if output.exists() and not output.is_dir():
        raise OutputError(f"{output} is a file; -o names the folder of the new model.")
    if output.exists() and any(output.iterdir()) and not overwrite:
        raise OutputError(f"{output} exists; say --overwrite to replace the model in it, or name another folder.")
    from firstsight.datasets.pairs import read_ids, read_pairs
    from firstsight.datasets.readers import read_references

    try:
        from firstsight.training.card import measure, write_card
        from firstsight.training.recipe import Progress, train_model
    except ImportError as error:
        raise MissingDependencyError("firstsight train", extra="train") from error

    found, missing = read_pairs(pairs, images or pairs.parent)
    if missing:
        warning(f"{len(missing)} ids of {pairs} have no photo and are left out, such as {missing[0]!r}.")
    text_sets = [list(text) for file in texts for text in read_references(file).captions.values()]
    lists = [read_ids(file) if file else None for file in (train_ids, dev, test)]
    splits = _split(found, *lists, seed=settings["seed"])
    cache = settings["cache"] or cache_folder()
    bars = _Bars(quiet=quiet)
    train_model(
        splits[0],
        text_sets,
        output,
        cache,
        _options(settings),
        Progress(bars.step, lambda file, reason: warning(f"{file} is left out: {reason}")),
    )
    data = [f"{len(splits[0])} photos with captions of {pairs.name}"]
    data += [f"{len(text_sets)} sets of captions without photos"] if text_sets else []
    measured = [
        measure(output, name, part, partial(bars.count, f"score {name}"))
        for name, part in (("dev", splits[1]), ("test", splits[2]))
        if part
    ]
    write_card(output, data, measured)
    bars.close()
    for entry in measured:
        scores = "  ".join(f"{s.name} {s.value:.4f}" for s in entry.evaluation.scores if s.value is not None)
        click.echo(f"{entry.name:5} {entry.evaluation.n_images} images  {scores}")
    click.echo(f"model {visible(str(output))}")


def _options(settings: _Settings) -> RecipeOptions:
    from firstsight.training.loop import LoopOptions
    from firstsight.training.model_folder import ModelName
    from firstsight.training.recipe import RecipeOptions
    from firstsight.training.self_critical import SelfCriticalOptions

    return RecipeOptions(
        name=ModelName(settings["name"], "1", settings["licence"]),
        loop=LoopOptions(
            n_steps=settings["n_steps"],
            seed=settings["seed"],
            self_critical=SelfCriticalOptions(n_steps=settings["n_self_critical"]),
        ),
        n_members=settings["members"],
    )


def _split(
    found: list[Pair], train: list[str] | None, dev: list[str] | None, test: list[str] | None, *, seed: int
) -> list[list[Pair]]:
    """Return the pairs to learn from, the dev pairs and the test pairs."""
    import numpy as np

    of_test, named = set(test or ()), set(train or ())
    if dev is None:
        others = [pair.image_id for pair in found if pair.image_id not in of_test | named]
        n_dev = min(int(len(others) * _DEV_SHARE), _MAX_DEV)
        dev = [others[index] for index in np.random.default_rng(seed).permutation(len(others))[:n_dev]]
    of_dev = set(dev)
    of_train = {pair.image_id for pair in found} - of_dev - of_test if train is None else named
    for first, second, both in (
        ("--dev", "--test", of_dev & of_test),
        ("--train", "--dev", of_train & of_dev),
        ("--train", "--test", of_train & of_test),
    ):
        if both:
            raise UsageError(f"{len(both)} ids are in {first} and {second}, such as {min(both)!r}; keep them apart.")
    return [[pair for pair in found if pair.image_id in ids] for ids in (of_train, of_dev, of_test)]


class _Bars:
    """One progress bar a step, on a terminal only."""

    def __init__(self, *, quiet: bool) -> None:
        self._is_silent = not shows_progress(quiet=quiet)
        self._name = ""
        self._bar: tqdm[NoReturn] | None = None

    def step(self, name: str, done: int, total: int, remark: str) -> None:
        """Move the bar of the step ``name``, opening it if it is another than before."""
        if self._is_silent:
            return
        if name != self._name or self._bar is None:
            self.close()
            self._name = name
            self._bar = progress_bar(total, name=name, unit=" steps", done=max(done - 1, 0))
        self._bar.set_postfix_str(remark, refresh=False)
        self._bar.update(done - self._bar.n)

    def count(self, name: str, done: int, total: int) -> None:
        """Move the bar of a step that has nothing to remark."""
        self.step(name, done, total, "")

    def close(self) -> None:
        """End the bar that is open."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
