"""What every registered tokenizer must hold, a stranger's plug-in too."""

from __future__ import annotations

import pytest

from firstsight.errors import MissingDependencyError
from firstsight.tokenizers import TOKENIZERS, Tokenizer

CAPTIONS = [
    "",
    " \t\n",
    "A dog runs.",
    "\x00\x1b[31m\r\v\f\u2028\u2029\u0085\ud800",
    "=cmd()|<script>alert('x')</script>",
    "\U0001f600\u200d\ufe0f 가나다 אבג العربية a\u0300",
    "a" * 5_000,
]


@pytest.fixture(params=TOKENIZERS.names())
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    try:
        return TOKENIZERS.load(request.param)()
    except MissingDependencyError as error:
        pytest.skip(str(error))


def test_it_names_itself(tokenizer: Tokenizer):
    assert TOKENIZERS.load(tokenizer.name) is type(tokenizer)
    assert tokenizer.version


@pytest.mark.parametrize("caption", CAPTIONS, ids=range(len(CAPTIONS)))
def test_any_text_has_tokens_without_spaces(tokenizer: Tokenizer, caption: str):
    tokens = tokenizer.tokenize(caption)
    assert all(token and " " not in token and "\n" not in token for token in tokens)
    assert tokens == tokenizer.tokenize(caption)


def test_no_caption_changes_the_tokens_of_another(tokenizer: Tokenizer):
    assert list(tokenizer.table(CAPTIONS)) == [tokenizer.tokenize(caption) for caption in CAPTIONS]
    assert list(tokenizer.table(CAPTIONS[::-1])) == tokenizer.table(CAPTIONS)[::-1]
