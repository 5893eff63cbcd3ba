"""Writes a trained network as the two ONNX graphs that the embedded captioner runs.

``memory.onnx`` turns the encoder's grid and concept words into the keys and values that the decoder attends to, once an
image; ``decoder.onnx`` gives the next word's log-probabilities for every beam, with a cache of the words so far.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from firstsight.captioners.embedded.concepts import Ints
from firstsight.training.network import CaptionNetwork, NetworkOptions
from firstsight.training.onnx_files import Graph, save_model

_EPSILON = np.float32(1e-5)

Weights = dict[str, npt.NDArray[np.float32]]
Shape = list[int | str]


class _Exporter:
    """A graph under construction with the weights of the network at hand."""

    def __init__(self, name: str, weights: Weights, options: NetworkOptions) -> None:
        self.graph = Graph(name)
        self.weights = weights
        self.options = options

    def ints(self, *values: int) -> str:
        return self.graph.constant(np.array(values, np.int64))

    def linear(self, x: str, name: str) -> str:
        weight = self.graph.weight(np.ascontiguousarray(self.weights[f"{name}.weight"].T))
        return self.graph.node("Add", self.graph.node("MatMul", x, weight), self.vector(f"{name}.bias"))

    def vector(self, name: str) -> str:
        """A vector keeps its full precision: it is small, and biases and norms are sensitive."""
        return self.graph.constant(self.weights[name])

    def norm(self, x: str, name: str) -> str:
        scale, shift = self.vector(f"{name}.weight"), self.vector(f"{name}.bias")
        return self.graph.node("LayerNormalization", x, scale, shift, axis=-1, epsilon=float(_EPSILON))

    def gelu(self, x: str) -> str:
        scaled = self.graph.node("Mul", x, self.graph.constant(np.float32(1 / math.sqrt(2))))
        inner = self.graph.node("Add", self.graph.node("Erf", scaled), self.graph.constant(np.float32(1)))
        return self.graph.node("Mul", self.graph.node("Mul", x, inner), self.graph.constant(np.float32(0.5)))

    def feed(self, x: str, name: str) -> str:
        return self.linear(self.gelu(self.linear(x, f"{name}.0")), f"{name}.3")

    def add(self, x: str, y: str) -> str:
        return self.graph.node("Add", x, y)

    def heads(self, x: str) -> str:
        """(n, length, width) to (n, heads, length, width / heads)."""
        shape = self.ints(0, 0, self.options.n_heads, self.options.width // self.options.n_heads)
        return self.graph.node("Transpose", self.graph.node("Reshape", x, shape), perm=[0, 2, 1, 3])

    def keys_values(self, x: str, name: str) -> tuple[str, str]:
        halves = self.graph.nodes("Split", 2, self.linear(x, f"{name}.key_value"), axis=-1, num_outputs=2)
        return self.heads(halves[0]), self.heads(halves[1])

    def attend(self, x: str, keys: str, values: str, name: str) -> str:
        """Unmasked attention from x (n, length, width)."""
        query = self.heads(self.linear(x, f"{name}.query"))
        scale = self.graph.constant(np.float32((self.options.width // self.options.n_heads) ** -0.5))
        scores = self.graph.node("MatMul", query, self.graph.node("Transpose", keys, perm=[0, 1, 3, 2]))
        shares = self.graph.node("Softmax", self.graph.node("Mul", scores, scale), axis=-1)
        mixed = self.graph.node("Transpose", self.graph.node("MatMul", shares, values), perm=[0, 2, 1, 3])
        flat = self.graph.node("Reshape", mixed, self.ints(0, 0, self.options.width))
        return self.linear(flat, f"{name}.output")


def export_network(network: CaptionNetwork, concept_words: Ints, folder: Path, member: int = 0) -> None:
    """Write ``memory-MEMBER.onnx`` and ``decoder-MEMBER.onnx`` into ``folder``.

    Args:
        network: The trained network.
        concept_words: (rows,) vocabulary number of each concept word; the graphs know concepts by their row.
        folder: Where the files go.
        member: The number of the decoder among those that vote.
    """
    weights = {name: value.detach().numpy().astype(np.float32) for name, value in network.state_dict().items()}
    with torch.no_grad():
        concepts = network.concept_norm(network.concept_input(network.words(torch.from_numpy(concept_words))))
    weights["concepts"] = concepts.numpy()
    _export_memory(weights, network.options, folder / f"memory-{member}.onnx")
    _export_decoder(weights, network.options, folder / f"decoder-{member}.onnx")


def _export_memory(weights: Weights, options: NetworkOptions, path: Path) -> None:
    """Grid (n, cells, channels), concepts (n, k), levels (n, k) to keys and values (layers, n, heads, length, size)."""
    e = _Exporter("memory", weights, options)
    grid = e.graph.input("grid", np.float32, ["n", options.n_cells, options.grid_channels])
    concepts = e.graph.input("concepts", np.int64, ["n", "k"])
    levels = e.graph.input("levels", np.int64, ["n", "k"])
    cells = e.norm(e.linear(grid, "grid_input"), "grid_norm")
    mean = e.norm(e.linear(e.graph.node("ReduceMean", grid, e.ints(1), keepdims=1), "mean_input"), "mean_norm")
    seen = e.add(e.graph.node("Concat", mean, cells, axis=1), e.graph.weight(weights["cell_places"]))
    named = e.add(
        e.graph.node("Gather", e.graph.weight(weights["concepts"]), concepts),
        e.graph.node("Gather", e.graph.weight(weights["concept_levels.weight"]), levels),
    )
    x = e.graph.node("Concat", seen, named, axis=1)
    normed = e.norm(x, "encoder.norm_self")
    x = e.add(x, e.attend(normed, *e.keys_values(normed, "encoder.attention"), "encoder.attention"))
    x = e.add(x, e.feed(e.norm(x, "encoder.norm_feed"), "encoder.feed"))
    memory = e.norm(x, "memory_norm")
    pairs = [e.keys_values(memory, f"layers.{layer}.cross_attention") for layer in range(options.n_layers)]
    for name, parts in zip(("keys", "values"), zip(*pairs, strict=True), strict=True):
        stacked = [e.graph.node("Unsqueeze", part, e.ints(0)) for part in parts]
        shape: Shape = [options.n_layers, "n", options.n_heads, "length", options.width // options.n_heads]
        e.graph.output(name, e.graph.node("Concat", *stacked, axis=0), np.float32, shape)
    save_model(e.graph, path)


def _export_decoder(weights: Weights, options: NetworkOptions, path: Path) -> None:
    """One step for n images of b beams each.

    Inputs: words (n, b) the last word of each beam; place () its place from 0; keys, values of the memory (layers, n,
    heads, length, size); past_keys, past_values (layers, n · b, heads, place, size). Outputs: log_probs (n, b, words);
    new_keys, new_values (layers, n · b, heads, place + 1, size).
    """
    e = _Exporter("decoder", weights, options)
    size = options.width // options.n_heads
    words = e.graph.input("words", np.int64, ["n", "b"])
    place = e.graph.input("place", np.int64, [])
    cross_shape: Shape = [options.n_layers, "n", options.n_heads, "length", size]
    past_shape: Shape = [options.n_layers, "nb", options.n_heads, "place", size]
    cross = [e.graph.input(name, np.float32, cross_shape) for name in ("keys", "values")]
    past = [e.graph.input(name, np.float32, past_shape) for name in ("past_keys", "past_values")]
    table = e.graph.weight(weights["words.weight"])
    x = e.graph.node("Gather", table, words)
    x = e.graph.node("Mul", x, e.graph.constant(np.float32(options.width**0.5)))
    x = e.add(x, e.graph.node("Gather", e.graph.weight(weights["word_places"]), place))
    image_shape = e.graph.node("Shape", x)  # (n, b, width)
    beam_shape = e.ints(-1, 1, options.width)
    x = e.graph.node("Reshape", x, beam_shape)
    new: tuple[list[str], list[str]] = ([], [])
    for layer in range(options.n_layers):
        name = f"layers.{layer}"
        index = e.graph.constant(np.array(layer, np.int64))
        normed = e.norm(x, f"{name}.norm_self")
        own = []
        for part, fresh in enumerate(e.keys_values(normed, f"{name}.self_attention")):
            before = e.graph.node("Gather", past[part], index, axis=0)
            own.append(e.graph.node("Concat", before, fresh, axis=2))
            new[part].append(e.graph.node("Unsqueeze", own[part], e.ints(0)))
        x = e.add(x, e.attend(normed, own[0], own[1], f"{name}.self_attention"))
        queries = e.graph.node("Reshape", e.norm(x, f"{name}.norm_cross"), image_shape)
        memory = [e.graph.node("Gather", part, index, axis=0) for part in cross]
        seen = e.attend(queries, memory[0], memory[1], f"{name}.cross_attention")
        x = e.add(x, e.graph.node("Reshape", seen, beam_shape))
        x = e.add(x, e.feed(e.norm(x, f"{name}.norm_feed"), f"{name}.feed"))
    states = e.graph.node("Reshape", e.norm(x, "norm"), image_shape)
    logits = e.graph.node("MatMul", states, e.graph.node("Transpose", table, perm=[1, 0]))
    logits = e.add(logits, e.vector("word_bias"))
    e.graph.output("log_probs", e.graph.node("LogSoftmax", logits, axis=-1), np.float32, ["n", "b", options.n_words])
    for name, parts in zip(("new_keys", "new_values"), new, strict=True):
        stacked = e.graph.node("Concat", *parts, axis=0)
        shape: Shape = [options.n_layers, "nb", options.n_heads, "place + 1", size]
        e.graph.output(name, stacked, np.float32, shape)
    save_model(e.graph, path)
