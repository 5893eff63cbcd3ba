"""One request to a service with the OpenAI interface: time limits, patience, and what each refusal means."""

from __future__ import annotations

import contextlib
import email.utils
import http.client
import json
import math
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from firstsight._text import visible
from firstsight.errors import BackendError
from firstsight.metrics.judge.options import KEY_VARIABLE, JudgeOptions

__all__ = ["Answer", "Endpoint", "RefusedError"]

_MAX_REPLY_BYTES = 1 << 22
_MAX_WAIT_S = 120.0
_SHOWN = 200
_REFUSES_ONE = frozenset({400, 413, 422})
_TRY_AGAIN = frozenset({408, 409, 425, 429})


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said: the text, and for each of its tokens the likeliest ones there with log-probabilities."""

    text: str
    tokens: tuple[tuple[str, tuple[tuple[str, float], ...]], ...] = ()


class RefusedError(Exception):
    """The service refuses this one request and may take others; the message is the reason."""


class _Again(Exception):  # noqa: N818
    """The request may succeed later; ``wait_s`` is what the service asks for, if it does."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to another host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Endpoint:
    """Sends requests; may be used by several threads.

    Args:
        options: The service.
        wait: Waits so many seconds, or less if it returns true: that means stop.
        now: Seconds since 1970, to read a date in ``Retry-After``.
    """

    def __init__(
        self,
        options: JudgeOptions,
        *,
        wait: Callable[[float], bool] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Hold the options; nothing is sent yet."""
        self._options = options
        self._stopped = threading.Event()
        self._wait = wait or self._stopped.wait
        self._now = now
        self._opener = urllib.request.build_opener(_NoRedirect)

    def stop(self) -> None:
        """End the waiting of all threads; their requests fail."""
        self._stopped.set()

    def ask(self, request: dict[str, Any]) -> Answer:
        """Return the answer to one chat completion, sent again after 429, 5xx and broken connections.

        Raises:
            RefusedError: The service refuses this one request.
            BackendError: The service cannot be used: unreachable, wrong address, no right, not of this interface.
        """
        for n_tried in range(1, self._options.n_tries + 1):
            if self._stopped.is_set():
                raise BackendError("The judge is not asked any more.")
            try:
                return _answer_of(self._send(request))
            except _Again as fault:
                reason, wait_s = str(fault), fault.wait_s
            if n_tried < self._options.n_tries:
                self._wait(min(_MAX_WAIT_S, 2.0 ** (n_tried - 1) if wait_s is None else wait_s))
        raise BackendError(
            f"The judge at {self._options.url} gave no answer in {self._options.n_tries} tries: {reason}. Look whether "
            "it runs, or run this again later: the answers that came are kept."
        )

    def _send(self, request: dict[str, Any]) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "firstsight"}
        if key := os.environ.get(KEY_VARIABLE, "").strip():
            if not (key.isascii() and key.isprintable()):
                raise BackendError(f"{KEY_VARIABLE} holds characters that no key has. Set it anew.")
            headers["Authorization"] = f"Bearer {key}"
        url = f"{self._options.url}/chat/completions"
        data = json.dumps(request).encode("ascii")
        message = urllib.request.Request(url, data, headers, method="POST")
        try:
            with self._opener.open(message, timeout=self._options.limit_s) as reply:
                body: bytes = reply.read(_MAX_REPLY_BYTES + 1)
        except urllib.error.HTTPError as error:
            raise self._refusal(error, key) from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise _Again(visible(str(reason) or type(reason).__name__)[:_SHOWN]) from None
        if len(body) > _MAX_REPLY_BYTES:
            raise BackendError(f"The judge at {self._options.url} answers more than {_MAX_REPLY_BYTES:,} bytes.")
        return body

    def _refusal(self, error: urllib.error.HTTPError, key: str) -> Exception:
        """Return what a status other than 200 means."""
        with error:
            status, headers = error.code, error.headers
            said = _shown(error, key)
        url = self._options.url
        if status in _TRY_AGAIN or status >= 500:
            return _Again(f"status {status}{said}", self._retry_after_s(headers.get("Retry-After")))
        if status in _REFUSES_ONE:
            return RefusedError(f"the judge refused the request with status {status}{said}")
        if status in (401, 403):  # the body may repeat a part of the key
            return BackendError(
                f"The judge at {url} refuses access with status {status}. Set {KEY_VARIABLE} to a key that is valid."
            )
        if 300 <= status < 400:
            return BackendError(f"{url} sends requests on to another address. Set FIRSTSIGHT_JUDGE_URL to that one.")
        return BackendError(f"The judge at {url} answers with status {status}{said}. Check the address and the model.")

    def _retry_after_s(self, text: str | None) -> float | None:
        if not text:
            return None
        try:
            seconds = float(text)
        except ValueError:
            try:
                seconds = email.utils.parsedate_to_datetime(text).timestamp() - self._now()
            except (TypeError, ValueError, OverflowError):
                return None
        return max(0.0, seconds) if math.isfinite(seconds) else None


def _shown(error: urllib.error.HTTPError, key: str) -> str:
    """Return the beginning of what the service says, without the key, behind a colon."""
    try:
        body = error.read(4096).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return ""
    with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
        body = str(json.loads(body)["error"]["message"])
    text = " ".join(body.split())
    text = text.replace(key, "…") if key else text
    return f": {visible(text[:_SHOWN])}".rstrip(".") if text else ""


def _answer_of(body: bytes) -> Answer:
    try:
        choice = json.loads(body)["choices"][0]
        text = choice["message"]["content"]
        if not isinstance(text, str):
            raise TypeError(type(text).__name__)
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        raise _Again("its reply is not a chat completion with text") from None
    return Answer(text, _tokens_of(choice))


def _tokens_of(choice: dict[str, Any]) -> tuple[tuple[str, tuple[tuple[str, float], ...]], ...]:
    """Return the tokens with their alternatives; none where the service gives no log-probabilities."""
    try:
        return tuple(
            (
                str(token["token"]),
                tuple((str(other["token"]), float(other["logprob"])) for other in token["top_logprobs"]),
            )
            for token in choice["logprobs"]["content"]
        )
    except (KeyError, TypeError, ValueError):
        return ()
