"""The decoder of the embedded captioner in torch: a small transformer over the encoder's grid and concept words."""

from __future__ import annotations

from dataclasses import dataclass

from firstsight.captioners.embedded.concepts import N_LEVELS
from firstsight.errors import MissingDependencyError

try:
    import torch
    from torch import Tensor, nn
    from torch.nn import functional
except ImportError as error:
    raise MissingDependencyError("training", extra="train") from error


@dataclass(frozen=True)
class NetworkOptions:
    """Sizes of the network."""

    n_words: int
    n_cells: int = 81
    grid_channels: int = 1280
    width: int = 256
    n_heads: int = 8
    n_layers: int = 3
    max_words: int = 21
    dropout: float = 0.2


class Attention(nn.Module):
    """Multi-head attention whose keys and values can be computed once and used by many queries."""

    def __init__(self, options: NetworkOptions) -> None:
        """Make it with random weights."""
        super().__init__()
        self.n_heads = options.n_heads
        self.query = nn.Linear(options.width, options.width)
        self.key_value = nn.Linear(options.width, 2 * options.width)
        self.output = nn.Linear(options.width, options.width)

    def heads(self, x: Tensor) -> Tensor:
        """Split (n, length, width) into (n, heads, length, width / heads)."""
        n, length, _ = x.shape
        return x.view(n, length, self.n_heads, -1).transpose(1, 2)

    def keys_values(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Return keys and values, each (n, heads, length, width / heads)."""
        keys, values = self.key_value(memory).chunk(2, dim=-1)
        return self.heads(keys), self.heads(values)

    def forward(
        self, x: Tensor, keys: Tensor, values: Tensor, *, mask: Tensor | None = None, is_causal: bool = False
    ) -> Tensor:
        """Attend from ``x`` (n, length, width); ``mask`` is True where a key may be seen."""
        mixed = functional.scaled_dot_product_attention(
            self.heads(self.query(x)),
            keys,
            values,
            attn_mask=mask,
            is_causal=is_causal,
        )
        output: Tensor = self.output(mixed.transpose(1, 2).flatten(2))
        return output


def feed_forward(options: NetworkOptions) -> nn.Sequential:
    """Two linear layers, four times the width between them."""
    return nn.Sequential(
        nn.Linear(options.width, 4 * options.width),
        nn.GELU(),
        nn.Dropout(options.dropout),
        nn.Linear(4 * options.width, options.width),
    )


class EncoderLayer(nn.Module):
    """Lets the cells of the grid and the concept words look at each other."""

    def __init__(self, options: NetworkOptions) -> None:
        """Make it with random weights."""
        super().__init__()
        self.norm_self = nn.LayerNorm(options.width)
        self.attention = Attention(options)
        self.norm_feed = nn.LayerNorm(options.width)
        self.feed = feed_forward(options)
        self.dropout = nn.Dropout(options.dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return (n, length, width) for ``x`` of that shape; ``mask`` (n, 1, 1, length) is True where there is one."""
        normed = self.norm_self(x)
        x = x + self.dropout(self.attention(normed, *self.attention.keys_values(normed), mask=mask))
        result: Tensor = x + self.dropout(self.feed(self.norm_feed(x)))
        return result


class DecoderLayer(nn.Module):
    """Attends to the words so far, then to the memory."""

    def __init__(self, options: NetworkOptions) -> None:
        """Make it with random weights."""
        super().__init__()
        self.norm_self = nn.LayerNorm(options.width)
        self.self_attention = Attention(options)
        self.norm_cross = nn.LayerNorm(options.width)
        self.cross_attention = Attention(options)
        self.norm_feed = nn.LayerNorm(options.width)
        self.feed = feed_forward(options)
        self.dropout = nn.Dropout(options.dropout)

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, mask: Tensor, n_captions: int) -> Tensor:
        """Return (n · captions, length, width); the memory's keys and values are of n images."""
        normed = self.norm_self(x)
        own = self.self_attention.keys_values(normed)
        x = x + self.dropout(self.self_attention(normed, *own, is_causal=True))
        queries = self.norm_cross(x).unflatten(0, (-1, n_captions)).flatten(1, 2)
        seen = self.cross_attention(queries, keys, values, mask=mask)
        x = x + self.dropout(seen.unflatten(1, (n_captions, -1)).flatten(0, 1))
        result: Tensor = x + self.dropout(self.feed(self.norm_feed(x)))
        return result


@dataclass(frozen=True)
class Inputs:
    """What is known of n images.

    ``grid`` (n, cells, channels) float, or None for captions without an image; ``concepts`` (n, k) word numbers;
    ``levels`` (n, k) how sure each is, 0 to 7 for keywords and ImageNet classes apart (``concepts.py``);
    ``has_grid`` and ``has_concepts`` (n,) bool.
    """

    grid: Tensor | None
    concepts: Tensor
    levels: Tensor
    has_grid: Tensor
    has_concepts: Tensor


class CaptionNetwork(nn.Module):
    """From the encoder's grid and concept words to the next word."""

    def __init__(self, options: NetworkOptions) -> None:
        """Make it with random weights."""
        super().__init__()
        self.options = options
        self.words = nn.Embedding(options.n_words, options.width)
        nn.init.normal_(self.words.weight, std=options.width**-0.5)
        self.word_places = nn.Parameter(torch.randn(options.max_words, options.width) * 0.02)
        self.grid_input = nn.Linear(options.grid_channels, options.width)
        self.grid_norm = nn.LayerNorm(options.width)
        self.mean_input = nn.Linear(options.grid_channels, options.width)
        self.mean_norm = nn.LayerNorm(options.width)
        self.cell_places = nn.Parameter(torch.randn(options.n_cells + 1, options.width) * 0.02)
        self.concept_input = nn.Linear(options.width, options.width)
        self.concept_norm = nn.LayerNorm(options.width)
        self.concept_levels = nn.Embedding(2 * N_LEVELS, options.width)
        self.encoder = EncoderLayer(options)
        self.memory_norm = nn.LayerNorm(options.width)
        self.layers = nn.ModuleList(DecoderLayer(options) for _ in range(options.n_layers))
        self.norm = nn.LayerNorm(options.width)
        self.word_bias = nn.Parameter(torch.zeros(options.n_words))
        self.dropout = nn.Dropout(options.dropout)

    def memory(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """Return the memory (n, length, width) and its mask (n, 1, 1, length), True where it may be attended to."""
        concepts = self.concept_norm(self.concept_input(self.words(inputs.concepts)))
        parts = [concepts + self.concept_levels(inputs.levels)]
        masks = [inputs.has_concepts[:, None].expand(inputs.concepts.shape)]
        if inputs.grid is not None:
            cells = self.grid_norm(self.grid_input(inputs.grid))
            mean = self.mean_norm(self.mean_input(inputs.grid.mean(1, keepdim=True)))
            parts.insert(0, torch.cat([mean, cells], 1) + self.cell_places)
            masks.insert(0, inputs.has_grid[:, None].expand(-1, cells.shape[1] + 1))
        mask = torch.cat(masks, 1)[:, None, None, :]
        x = self.encoder(self.dropout(torch.cat(parts, 1)), mask)
        return self.memory_norm(x), mask

    def hidden(self, inputs: Inputs, words: Tensor) -> Tensor:
        """Return the last states (n · captions, length, width) for ``words`` (n, captions, length)."""
        memory, mask = self.memory(inputs)
        n_captions, length = words.shape[1:]
        x = self.dropout(self.words(words.flatten(0, 1)) * self.options.width**0.5 + self.word_places[:length])
        for layer in self.layers:
            assert isinstance(layer, DecoderLayer)
            x = layer(x, *layer.cross_attention.keys_values(memory), mask, n_captions)
        states: Tensor = self.norm(x)
        return states

    def logits(self, states: Tensor) -> Tensor:
        """Return the logits (..., words) of states (..., width)."""
        return functional.linear(states, self.words.weight, self.word_bias)
