"""Tokenizers: how a caption is cut into the words that metrics count."""

from __future__ import annotations

from firstsight._registry import Registry
from firstsight.tokenizers.base import Tokenizer
from firstsight.tokenizers.table import TokenTable

__all__ = ["TOKENIZERS", "TokenTable", "Tokenizer"]

TOKENIZERS: Registry[type[Tokenizer]] = Registry("tokenizer", "firstsight.tokenizers")
