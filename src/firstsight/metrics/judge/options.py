"""Where the judging model answers, and how patiently it is asked; nothing here is part of a score."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from firstsight._files import cache_folder
from firstsight.errors import BackendError, UsageError

__all__ = ["KEY_VARIABLE", "JudgeOptions", "model_of"]

KEY_VARIABLE = "FIRSTSIGHT_JUDGE_KEY"
_MODEL_VARIABLE = "FIRSTSIGHT_JUDGE_MODEL"
_MAX_PARALLEL = 64


@dataclass(frozen=True, slots=True)
class JudgeOptions:
    """The service that is asked.

    Every field has an environment variable, because a metric is made by its name alone:

    ===========================  ===============  ====================================================================
    variable                     field            meaning
    ===========================  ===============  ====================================================================
    FIRSTSIGHT_JUDGE_URL         ``url``          address before ``/chat/completions``: ``http://localhost:8000/v1``
    FIRSTSIGHT_JUDGE_PARALLEL    ``n_parallel``   requests that are under way together; 4
    FIRSTSIGHT_JUDGE_LIMIT_S     ``limit_s``      seconds that one request may take; 120
    FIRSTSIGHT_JUDGE_TRIES       ``n_tries``      how often one request is sent before it is given up; 5
    FIRSTSIGHT_JUDGE_ANSWERS     ``answers``      folder in which answers are kept; ``judge`` in the cache folder
    ===========================  ===============  ====================================================================

    ``FIRSTSIGHT_JUDGE_MODEL`` names the model where the metric was asked for without one. The key of the service is
    read from ``FIRSTSIGHT_JUDGE_KEY`` when a request is sent, and held nowhere.
    """

    url: str
    n_parallel: int = 4
    limit_s: float = 120.0
    n_tries: int = 5
    answers: Path | None = None

    def __post_init__(self) -> None:
        """Check every value.

        Raises:
            UsageError: One is not allowed.
        """
        try:
            parts = urlsplit(self.url)
        except ValueError:
            parts = urlsplit("")
        is_plain = self.url.isascii() and self.url.isprintable() and " " not in self.url
        if not is_plain or parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise UsageError(
                "The address of the judge must be like 'http://localhost:8000/v1', the part before "
                f"'/chat/completions', got {_without_secrets(self.url)!r}."
            )
        if parts.username is not None or parts.password is not None:
            raise UsageError(f"The address of the judge holds a name or password. Put the key into {KEY_VARIABLE}.")
        if not 1 <= self.n_parallel <= _MAX_PARALLEL:
            raise UsageError(f"n_parallel is {self.n_parallel}; it must be 1 to {_MAX_PARALLEL}.")
        if self.n_tries < 1 or not self.limit_s > 0:
            raise UsageError(f"n_tries is {self.n_tries} and limit_s is {self.limit_s}; both must be above 0.")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> JudgeOptions:
        """Return the options that the environment variables say.

        Raises:
            BackendError: No address is given.
            UsageError: A value is not allowed.
        """
        said = os.environ if environment is None else environment
        url = said.get("FIRSTSIGHT_JUDGE_URL", "").strip()
        if not url:
            raise BackendError(
                "No judge is known. Set FIRSTSIGHT_JUDGE_URL to the address of a service with the OpenAI interface, "
                "such as http://localhost:8000/v1."
            )
        kept = said.get("FIRSTSIGHT_JUDGE_ANSWERS", "")
        return cls(
            url=url.rstrip("/"),
            n_parallel=_number(said, "FIRSTSIGHT_JUDGE_PARALLEL", 4),
            limit_s=float(_number(said, "FIRSTSIGHT_JUDGE_LIMIT_S", 120)),
            n_tries=_number(said, "FIRSTSIGHT_JUDGE_TRIES", 5),
            answers=Path(kept).expanduser() if kept else None,
        )

    @property
    def answers_folder(self) -> Path:
        """The folder in which answers are kept; it may not exist yet."""
        return self.answers or cache_folder() / "judge"


def model_of(model: str, metric: str, environment: Mapping[str, str] | None = None) -> str:
    """Return the model's name: what was asked for, else what the environment says.

    Raises:
        BackendError: Neither names one; ``metric`` is the name in the message.
    """
    said = os.environ if environment is None else environment
    name = model.strip() or said.get(_MODEL_VARIABLE, "").strip()
    if not name:
        raise BackendError(f"{metric} needs a model that judges: ask for {metric}:MODEL, or set {_MODEL_VARIABLE}.")
    return name


def _number(said: Mapping[str, str], name: str, default: int) -> int:
    text = said.get(name, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise UsageError(f"{name} is {text!r}; it must be a whole number above zero.")
    return int(text)


def _without_secrets(url: str) -> str:
    """Return an address without what may be a password or a key."""
    shown = url.partition("?")[0].partition("#")[0]
    return "…@" + shown.rpartition("@")[2] if "@" in shown else shown
