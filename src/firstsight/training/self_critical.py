"""Self-critical training: the network says sentences of its own, and those above the average of their image win.

Rennie et al. 2017, "Self-critical sequence training for image captioning" (https://arxiv.org/abs/1612.00563); the
baseline is the mean reward of the image's other samples, as in Luo 2020 (https://arxiv.org/abs/2003.09971). The reward
is CIDEr-D against the image's captions, the end of the sentence counted as a word so that it is not dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from firstsight.captioners.embedded.vocabulary import END, NEVER_SAID, PAD, START, Vocabulary
from firstsight.metrics import Corpus
from firstsight.metrics.cider import CiderD
from firstsight.training.network import CaptionNetwork, DecoderLayer, Inputs

_END_WORD = "<end>"


@dataclass(frozen=True)
class SelfCriticalOptions:
    """How long the stage is and how strong; ``n_steps`` 0 leaves it out."""

    n_steps: int = 0
    n_samples: int = 5
    learning_rate: float = 5e-5
    average: float = 0.98
    """Decay of the moving average of the weights in this stage."""
    share: float = 0.5
    """Where the final weights lie between those before the stage (0) and those behind it (1): a point between scores
    higher than both (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models", https://arxiv.org/abs/2109.01903).
    """


class Reward:
    """CIDEr-D of sampled sentences against the captions of training images."""

    def __init__(self, captions: Sequence[Sequence[Sequence[str]]], vocabulary: Vocabulary) -> None:
        """Learn the document frequencies of the training captions."""
        self._vocabulary = vocabulary
        self._references = [[[*caption, _END_WORD] for caption in image] for image in captions]
        self._metric = CiderD()
        self._metric.prepare(Corpus.from_tokens([[]] * len(captions), self._references))

    def __call__(self, rows: Sequence[int], samples: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Tensor:
        """Return (n, samples) rewards of samples (n, samples, length) of the training images ``rows``."""
        rewards = np.zeros(samples.shape[:2], np.float32)
        for image, row in enumerate(rows):
            for place, sample in enumerate(samples[image]):
                words = [self._vocabulary.words[number] for number in sample if number not in (PAD, START, END)]
                if END in sample:
                    words.append(_END_WORD)
                totals = self._metric.statistics(words, self._references[row])
                rewards[image, place] = self._metric.from_statistics(totals)[0]
        return torch.from_numpy(rewards)


@torch.no_grad()
def sample(network: CaptionNetwork, inputs: Inputs, n_samples: int) -> Tensor:
    """Return sampled word numbers (n, samples, length): START, the words, END, and PAD behind it."""
    memory, mask = network.memory(inputs)
    layers = [layer for layer in network.layers if isinstance(layer, DecoderLayer)]
    crosses = [layer.cross_attention.keys_values(memory) for layer in layers]
    pasts: list[tuple[Tensor, Tensor] | None] = [None] * len(layers)
    n, width = len(memory), network.options.width
    words = torch.full((n * n_samples, 1), START)
    is_done = torch.zeros(n * n_samples, dtype=torch.bool)
    forbidden = torch.tensor(NEVER_SAID)
    for place in range(network.options.max_words - 1):
        x = network.words(words[:, -1:]) * width**0.5 + network.word_places[place]
        for number, layer in enumerate(layers):
            normed = layer.norm_self(x)
            keys, values = layer.self_attention.keys_values(normed)
            past = pasts[number]
            if past is not None:
                keys, values = torch.cat([past[0], keys], 2), torch.cat([past[1], values], 2)
            pasts[number] = (keys, values)
            x = x + layer.self_attention(normed, keys, values)
            queries = layer.norm_cross(x).view(n, n_samples, width)
            x = x + layer.cross_attention(queries, *crosses[number], mask=mask).view(-1, 1, width)
            x = x + layer.feed(layer.norm_feed(x))
        logits = network.logits(network.norm(x[:, 0])).float()
        logits[:, forbidden] = float("-inf")
        drawn = torch.multinomial(functional.softmax(logits, -1), 1)[:, 0].masked_fill(is_done, PAD)
        words = torch.cat([words, drawn[:, None]], 1)
        is_done |= drawn == END
        if bool(is_done.all()):
            break
    return words.view(n, n_samples, -1)


def self_critical_loss(network: CaptionNetwork, inputs: Inputs, samples: Tensor, rewards: Tensor) -> Tensor:
    """Return the policy-gradient loss, the mean over the sampled words.

    Args:
        network: The network, without dropout: the samples were drawn so.
        inputs: The images.
        samples: (n, samples, length) as ``sample`` gives them.
        rewards: (n, samples).
    """
    n_samples = samples.shape[1]
    others = (rewards.sum(1, keepdim=True) - rewards) / (n_samples - 1)
    advantage = (rewards - others).flatten()
    states = network.hidden(inputs, samples[:, :, :-1])
    targets = samples[:, :, 1:].flatten(0, 1)
    is_word = targets != PAD
    log_probs = functional.log_softmax(network.logits(states[is_word]).float(), -1)
    chosen = log_probs.gather(1, targets[is_word][:, None])[:, 0]
    weights = advantage[:, None].expand(targets.shape)[is_word]
    return -(weights * chosen).mean()
