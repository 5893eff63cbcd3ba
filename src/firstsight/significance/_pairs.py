"""Weighted numbers of pairs of items that two orders agree and disagree on, for many sets of weights at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from firstsight.significance._checks import Floats

__all__ = ["PairCounts", "TwoOrders"]

_Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PairCounts:
    """Numbers of pairs of distinct items, each array (weighting,) float64 of whole numbers.

    ``concordant`` and ``discordant`` pairs are ordered alike and otherwise; ``tied_first``, ``tied_second`` and
    ``tied_both`` are equal in the first alone, in the second alone, and in both.
    """

    concordant: Floats
    discordant: Floats
    tied_first: Floats
    tied_second: Floats
    tied_both: Floats

    @property
    def total(self) -> Floats:
        """All pairs."""
        return self.concordant + self.discordant + self.tied_first + self.tied_second + self.tied_both


class TwoOrders:
    """Items with two values each, sorted once so that pairs are counted fast under any weights.

    With n items and v different second values one weighting takes O(n log v): the bits of the second values' ranks are
    looked at one after another, the highest first, and items that agree in the higher bits are compared by a running
    sum.
    """

    def __init__(self, first: Floats, second: Floats) -> None:
        """Sort the items by their ``first`` (item,) and ``second`` (item,) values."""
        ranks = [np.unique(values, return_inverse=True)[1].reshape(-1) for values in (first, second)]
        self.first_rank: _Ints
        self.second_rank: _Ints
        self.first_rank, self.second_rank = (rank.astype(np.int64) for rank in ranks)
        self.n_first, self.n_second = (int(rank.max()) + 1 for rank in ranks)

    def counts(self, weights: Floats) -> PairCounts:
        """Return the pairs under each column of ``weights`` (item, weighting), whole numbers: copies of an item.

        Two copies of one item are no pair.
        """
        squares = weights**2
        total = _pairs(weights.sum(axis=0), squares.sum(axis=0))
        tied_first = _tied(weights, squares, self._by_first)
        tied_second = _tied(weights, squares, self._by_second)
        tied_both = _tied(weights, squares, self._by_both)
        concordant = self._concordant(weights)
        discordant = total - tied_first - tied_second + tied_both - concordant
        return PairCounts(concordant, discordant, tied_first - tied_both, tied_second - tied_both, tied_both)

    def n_values(self, weights: Floats) -> tuple[_Ints, _Ints]:
        """Return how many different first and second values have a weight: two arrays (weighting,)."""
        return _n_present(weights, self._by_first), _n_present(weights, self._by_second)

    def mid_ranks(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return the ranks of the items in both orders, ties sharing their mean rank: two arrays (item, weighting)."""
        return (
            _mid_ranks(weights, self.first_rank, self._by_first),
            _mid_ranks(weights, self.second_rank, self._by_second),
        )

    @cached_property
    def _by_first(self) -> tuple[_Ints, _Ints]:
        return _groups(self.first_rank)

    @cached_property
    def _by_second(self) -> tuple[_Ints, _Ints]:
        return _groups(self.second_rank)

    @cached_property
    def _by_both(self) -> tuple[_Ints, _Ints]:
        return _groups(self.first_rank * self.n_second + self.second_rank)

    @cached_property
    def _levels(self) -> list[tuple[_Ints, _Ints, _Ints, _Ints]]:
        """For each bit: the items without it, the items with it, and from where to where the former precede each."""
        # Items by first value; where these are equal the second value falls, so that no such pair rises.
        order = np.lexsort((-self.second_rank, self.first_rank))
        levels = []
        for bit in range((self.n_second - 1).bit_length() - 1, -1, -1):
            order = order[np.argsort(self.second_rank[order] >> (bit + 1), kind="stable")]
            ranks = self.second_rank[order]
            prefix = ranks >> (bit + 1)
            starts = np.searchsorted(prefix, prefix, side="left")
            has_bit = (ranks >> bit & 1).astype(bool)
            n_before = np.concatenate([[0], np.cumsum(~has_bit)])  # how many items without the bit stand before
            upper = np.flatnonzero(has_bit)
            levels.append((order[~has_bit], order[upper], n_before[starts[upper]], n_before[upper]))
        return levels

    def _concordant(self, weights: Floats) -> Floats:
        concordant = np.zeros(weights.shape[1])
        for without, having, first, last in self._levels:
            below = np.zeros((len(without) + 1, weights.shape[1]))
            np.cumsum(weights[without], axis=0, out=below[1:])
            concordant += np.einsum("nr,nr->r", weights[having], below[last] - below[first])
        return concordant


def _tied(weights: Floats, squares: Floats, groups: tuple[_Ints, _Ints]) -> Floats:
    order, starts = groups
    sums, own = np.add.reduceat(weights[order], starts, axis=0), np.add.reduceat(squares[order], starts, axis=0)
    tied: Floats = _pairs(sums, own).sum(axis=0)
    return tied


def _pairs(sums: Floats, squares: Floats) -> Floats:
    """Return the sum of the products of two distinct items: (square of the sum - sum of squares) / 2."""
    return (sums**2 - squares) / 2.0


def _n_present(weights: Floats, groups: tuple[_Ints, _Ints]) -> _Ints:
    order, starts = groups
    present: _Ints = (np.add.reduceat(weights[order], starts, axis=0) > 0).sum(axis=0)
    return present


def _groups(keys: _Ints) -> tuple[_Ints, _Ints]:
    """Return the order that brings equal keys together, and where each run of them begins."""
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
    return order, starts


def _mid_ranks(weights: Floats, ranks: _Ints, groups: tuple[_Ints, _Ints]) -> Floats:
    order, starts = groups
    sums = np.add.reduceat(weights[order], starts, axis=0)  # (distinct value, weighting)
    middle = np.cumsum(sums, axis=0) - sums + (sums + 1.0) / 2.0
    return middle[ranks]
