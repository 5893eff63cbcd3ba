"""Significance: how sure a score, a difference, a rank or a correlation is. Needs the standard library and NumPy."""

from __future__ import annotations

from firstsight.significance.bootstrap import bootstrap_interval, percentile_interval, resampled_totals
from firstsight.significance.correction import benjamini_hochberg, corrected, holm
from firstsight.significance.correlation import (
    Coefficient,
    agreement,
    kendall_tau_b,
    kendall_tau_c,
    pairwise_accuracy,
    pearson,
    spearman,
)
from firstsight.significance.paired import (
    PairedTests,
    WinTieLoss,
    paired_bootstrap_test,
    paired_permutation_test,
    win_tie_loss,
)
from firstsight.significance.ranks import group_letters, indistinguishable_groups, rank_intervals

__all__ = [
    "Coefficient",
    "PairedTests",
    "WinTieLoss",
    "agreement",
    "benjamini_hochberg",
    "bootstrap_interval",
    "corrected",
    "group_letters",
    "holm",
    "indistinguishable_groups",
    "kendall_tau_b",
    "kendall_tau_c",
    "paired_bootstrap_test",
    "paired_permutation_test",
    "pairwise_accuracy",
    "pearson",
    "percentile_interval",
    "rank_intervals",
    "resampled_totals",
    "spearman",
    "win_tie_loss",
]
