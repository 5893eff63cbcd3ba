"""Trains the network: batches, steps, moving average, checkpoints."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from firstsight.captioners.embedded.concepts import Ints
from firstsight.captioners.embedded.vocabulary import END, PAD, START
from firstsight.training.concepts import ImaginedConcepts
from firstsight.training.features import silent
from firstsight.training.network import CaptionNetwork, Inputs
from firstsight.training.self_critical import Reward, SelfCriticalOptions, sample, self_critical_loss

_DROP_GRID, _DROP_CONCEPTS = 0.1, 0.15
_LABEL_SMOOTHING = 0.1
_GRADIENT_NORM = 1.0


@dataclass(frozen=True)
class LoopOptions:
    """How long and how fast to learn."""

    n_steps: int = 4000
    images_per_step: int = 32
    texts_per_step: int = 24
    captions_per_text: int = 4
    learning_rate: float = 8e-4
    warmup_steps: int = 300
    weight_decay: float = 0.05
    average: float = 0.999
    """Decay of the moving average of the weights."""
    checkpoint_every: int = 100
    seed: int = 0
    self_critical: SelfCriticalOptions = field(default_factory=SelfCriticalOptions)
    """The stage behind the last step."""


@dataclass(frozen=True)
class PairData:
    """Images with captions: features by view, concept lists by view, padded captions.

    ``grid`` (N, views, cells, channels) float16, of which ``rows`` (n,) are used; ``concepts`` and ``levels``
    (n, views, k); ``words`` (n, captions, length) with START in front and END behind, PAD after it; an absent caption
    is all PAD.
    """

    grid: npt.NDArray[np.float16]
    rows: Ints
    concepts: Ints
    levels: Ints
    words: Ints


@dataclass(frozen=True)
class TextData:
    """Caption sets without images: ``words`` as in ``PairData``, concept lists drawn anew at each step."""

    words: Ints
    imagined: ImaginedConcepts


def pad_words(captions: Sequence[Sequence[Sequence[int]]], max_words: int) -> Ints:
    """Return (n, captions, max_words) of word numbers; captions that do not fit with START and END are left out."""
    n_captions = max(len(image) for image in captions)
    words = np.full((len(captions), n_captions, max_words), PAD, np.int64)
    for row, image in enumerate(captions):
        fitting = [caption for caption in image if 0 < len(caption) <= max_words - 2]
        for place, caption in enumerate(fitting):
            words[row, place, : len(caption) + 2] = [START, *caption, END]
    return words


def batch_loss(network: CaptionNetwork, inputs: Inputs, words: Tensor) -> tuple[Tensor, int]:
    """Return the summed cross-entropy of the words behind the first, with label smoothing, and their number."""
    length = max(int((words != PAD).sum(-1).max()), 2)
    words = words[:, :, :length]
    states = network.hidden(inputs, words[:, :, :-1])
    targets = words[:, :, 1:].flatten(0, 1)
    is_word = targets != PAD
    logits = network.logits(states[is_word]).float()
    loss = functional.cross_entropy(logits, targets[is_word], label_smoothing=_LABEL_SMOOTHING, reduction="sum")
    return loss, int(is_word.sum())


class Trainer:
    """One training run, resumable at every checkpoint: batches depend on the seed and the step alone."""

    def __init__(
        self,
        network: CaptionNetwork,
        data: tuple[PairData, TextData | None],
        reward: Reward,
        options: LoopOptions,
        checkpoint: Path,
    ) -> None:
        """Begin at step 0, or where ``checkpoint`` stands if there is one."""
        self.network, self.options = network, options
        self.pairs, self.texts = data
        self._reward = reward
        self.average = {name: value.detach().clone() for name, value in network.state_dict().items()}
        self._before_reward = self.average
        """The average behind the first stage."""
        self.step = 0
        self._checkpoint = checkpoint
        decayed = [p for p in network.parameters() if p.ndim > 1]
        other = [p for p in network.parameters() if p.ndim <= 1]
        self._optimizer = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": options.weight_decay}, {"params": other, "weight_decay": 0.0}],
            lr=options.learning_rate,
            betas=(0.9, 0.98),
        )
        if checkpoint.exists():
            self._load()

    def run(self, on_step: Callable[[int, float], None] = silent) -> None:
        """Learn to the last step of both stages, writing a checkpoint now and then.

        ``on_step`` gets the step and its loss; in the self-critical stage, minus the mean reward.
        """
        n_steps = self.options.n_steps
        n_all = n_steps + self.options.self_critical.n_steps
        while self.step < n_all:
            if self.step == n_steps:  # the second stage starts from the average of the first
                self.network.load_state_dict(self.average)
                self._before_reward = {name: value.clone() for name, value in self.average.items()}
            loss = self._learn() if self.step < n_steps else self._learn_by_reward()
            self.step += 1
            self._update_average()
            if self.step % self.options.checkpoint_every == 0 or self.step in (n_steps, n_all):
                self._save()
            on_step(self.step, loss)

    def averaged(self) -> CaptionNetwork:
        """Return a network with the moving average of the weights, ready for use.

        Behind the self-critical stage it is drawn back by ``share`` to the average before that stage.
        """
        network = CaptionNetwork(self.network.options)
        share = self.options.self_critical.share if self.step > self.options.n_steps else 1.0
        before = self._before_reward
        network.load_state_dict({name: before[name].lerp(value, share) for name, value in self.average.items()})
        return network.eval()

    def _learn(self) -> float:
        random = np.random.default_rng([self.options.seed, self.step])
        torch.manual_seed(int(random.integers(2**31)))
        for group in self._optimizer.param_groups:
            group["lr"] = self.options.learning_rate * self._rate()
        self._optimizer.zero_grad(set_to_none=True)
        self.network.train()
        batches = [self._pair_batch(random)[1:]] + ([self._text_batch(random)] if self.texts else [])
        n_words = sum(int((words[:, :, 1:] != PAD).sum()) for _, words in batches)
        total = 0.0
        for inputs, words in batches:
            with torch.autocast("cpu", torch.bfloat16):
                loss, _ = batch_loss(self.network, inputs, words)
            (loss / n_words).backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _GRADIENT_NORM)
        self._optimizer.step()
        return total / n_words

    def _learn_by_reward(self) -> float:
        options = self.options.self_critical
        random = np.random.default_rng([self.options.seed, self.step])
        torch.manual_seed(int(random.integers(2**31)))
        for group in self._optimizer.param_groups:
            group["lr"] = options.learning_rate
        self._optimizer.zero_grad(set_to_none=True)
        rows, inputs, _ = self._pair_batch(random, drop=False)
        self.network.eval()
        with torch.autocast("cpu", torch.bfloat16):
            samples = sample(self.network, inputs, options.n_samples)
            rewards = self._reward(rows.tolist(), samples.numpy())
            loss = self_critical_loss(self.network, inputs, samples, rewards)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _GRADIENT_NORM)
        self._optimizer.step()
        return -float(rewards.mean())

    def _rate(self) -> float:
        """Warm-up, then a cosine to nearly nothing."""
        if self.step < self.options.warmup_steps:
            return (self.step + 1) / self.options.warmup_steps
        done = (self.step - self.options.warmup_steps) / max(self.options.n_steps - self.options.warmup_steps, 1)
        return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done))

    def _pair_batch(self, random: np.random.Generator, *, drop: bool = True) -> tuple[Ints, Inputs, Tensor]:
        """Return rows, inputs and captions of a step's images; ``drop`` hides grid or concepts now and then."""
        n = len(self.pairs.words)
        size = min(self.options.images_per_step, n)
        steps_per_epoch = max(n // size, 1)
        epoch, place = divmod(self.step, steps_per_epoch)
        order = np.random.default_rng([self.options.seed, 1, epoch]).permutation(n)
        rows = np.sort(order[place * size : (place + 1) * size])
        views = random.integers(self.pairs.grid.shape[1], size=size)
        draw = random.random(size)
        inputs = Inputs(
            grid=torch.from_numpy(self.pairs.grid[self.pairs.rows[rows], views].astype(np.float32)),
            concepts=torch.from_numpy(self.pairs.concepts[rows, views]),
            levels=torch.from_numpy(self.pairs.levels[rows, views]),
            has_grid=torch.from_numpy(draw >= (_DROP_GRID if drop else 0)),
            has_concepts=torch.from_numpy(draw < (1 - _DROP_CONCEPTS if drop else 1)),
        )
        return rows, inputs, torch.from_numpy(self.pairs.words[rows])

    def _text_batch(self, random: np.random.Generator) -> tuple[Inputs, Tensor]:
        assert self.texts is not None
        n, n_captions = self.texts.words.shape[:2]
        rows = random.integers(n, size=self.options.texts_per_step)
        places = random.random((len(rows), n_captions)).argsort(1)[:, : self.options.captions_per_text]
        drawn = [self.texts.imagined.draw(int(row), random) for row in rows]
        inputs = Inputs(
            grid=None,
            concepts=torch.from_numpy(np.stack([concepts for concepts, _ in drawn])),
            levels=torch.from_numpy(np.stack([levels for _, levels in drawn])),
            has_grid=torch.zeros(len(rows), dtype=torch.bool),
            has_concepts=torch.ones(len(rows), dtype=torch.bool),
        )
        return inputs, torch.from_numpy(self.texts.words[rows[:, None], places])

    def _update_average(self) -> None:
        is_late = self.step > self.options.n_steps
        target = self.options.self_critical.average if is_late else self.options.average
        decay = min(target, (1 + self.step) / (10 + self.step))
        for name, value in self.network.state_dict().items():
            self.average[name].lerp_(value.detach(), 1 - decay)

    def _save(self) -> None:
        temporary = self._checkpoint.with_name(self._checkpoint.name + ".part")
        state = {
            "step": self.step,
            "network": self.network.state_dict(),
            "average": self.average,
            "before_reward": self._before_reward,
            "optimizer": self._optimizer.state_dict(),
        }
        torch.save(state, temporary)
        temporary.replace(self._checkpoint)

    def _load(self) -> None:
        state: dict[str, Any] = torch.load(self._checkpoint, weights_only=True)
        self.step = state["step"]
        self.network.load_state_dict(state["network"])
        self.average = state["average"]
        self._before_reward = state["before_reward"]
        self._optimizer.load_state_dict(state["optimizer"])
