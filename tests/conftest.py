"""Fixtures for every test: where the repository and the larger test data are, and the command line run in-process."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# The first call of a test may load a library or a table; how long that takes on a busy machine is no property.
settings.register_profile("firstsight", deadline=None)
settings.load_profile("firstsight")

_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Finished:
    """One finished command line."""

    exit_code: int
    stdout: str
    stderr: str


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The folder that holds pyproject.toml."""
    return _ROOT


@pytest.fixture(scope="session")
def shared(repo_root: Path) -> Path:
    """The folder of data sets that is not part of the repository; skips the test where it is absent."""
    folder = Path(os.environ.get("FIRSTSIGHT_SHARED", repo_root.parent / "shared"))
    if not (folder / "golden").is_dir():
        pytest.skip(f"needs the data sets in {folder}; set FIRSTSIGHT_SHARED to their folder")
    return folder


@pytest.fixture
def firstsight(capsys: pytest.CaptureFixture[str]) -> Callable[..., Finished]:
    """Run one ``firstsight`` command line in this process, as the console script does."""
    from firstsight.cli.main import run

    def finish(*args: str | Path) -> Finished:
        capsys.readouterr()
        try:
            exit_code = run([str(argument) for argument in args])
        except SystemExit as stop:
            exit_code = stop.code if isinstance(stop.code, int) else 1
        output = capsys.readouterr()
        return Finished(exit_code, output.out, output.err)

    return finish


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a CLIP model of random weights and a tokenizer of single letters, as transformers saves them."""
    pytest.importorskip("transformers", reason="the extra clip is not installed")
    torch = pytest.importorskip("torch", reason="the extra clip is not installed")
    from transformers import CLIPConfig, CLIPModel

    folder = tmp_path_factory.mktemp("models") / "tiny-clip"
    letters = [chr(code) for code in range(ord("!"), ord("~") + 1)]
    words = [*letters, *(f"{letter}</w>" for letter in letters), "th", "the</w>", "<|startoftext|>", "<|endoftext|>"]
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    text = {**sizes, "vocab_size": len(words), "max_position_embeddings": 77}
    marks = {"bos_token_id": len(words) - 2, "eos_token_id": len(words) - 1, "pad_token_id": len(words) - 1}
    vision = {**sizes, "image_size": 32, "patch_size": 8}
    model = CLIPModel(CLIPConfig(text_config={**text, **marks}, vision_config=vision, projection_dim=8))
    torch.manual_seed(3)  # of those that give similarities above zero
    with torch.no_grad():
        for values in model.parameters():
            values.normal_(std=0.5)
    model.save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\nt h\nth e</w>\n")
    ends = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}
    config = {"tokenizer_class": "CLIPTokenizer", "unk_token": "<|endoftext|>", **ends}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


class StubJudge:
    """A judge on this machine that follows the OpenAI interface.

    It gives CLAIR 100 for a candidate that is a reference and the share of common words otherwise, and FLEUR a number
    that hangs on the caption. What is in ``replies`` (status, headers, body) comes first.
    """

    def __init__(self, folder: Path) -> None:
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.replies: list[tuple[int, dict[str, str], str]] = []
        judge = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                judge.requests.append((self.path, dict(self.headers), request))
                status, headers, body = judge.replies.pop(0) if judge.replies else (200, {}, judge.answer(request))
                data = body.encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(data)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        self.answers = folder / "answers"

    @property
    def options(self) -> Any:
        from firstsight.metrics.judge import JudgeOptions

        return JudgeOptions(self.url, n_parallel=2, limit_s=10, answers=self.answers)

    @staticmethod
    def completion(text: str, tokens: Any = None) -> str:
        """Return the body of a reply with ``text``, and ``tokens``: pairs of a token and its alternatives."""
        listed = [
            {"token": token, "top_logprobs": [{"token": t, "logprob": p} for t, p in others]}
            for token, others in tokens or ()
        ]
        logprobs = {"logprobs": {"content": listed}} if listed else {}
        return json.dumps({"choices": [{"message": {"role": "assistant", "content": text}, **logprobs}]})

    def answer(self, request: dict[str, Any]) -> str:
        content = request["messages"][0]["content"]
        if isinstance(content, list):
            digit = len(content[1]["text"]) % 10
            others = [(str(digit), -0.5), (str((digit + 3) % 10), -1.5), ("x", -3.0)]
            return self.completion(f"0.{digit}0", [("0", []), (".", []), (str(digit), others), ("0", [("0", -0.1)])])
        candidates, references = (
            json.loads(line.partition(": ")[2])
            for line in content.splitlines()
            if line.startswith(("CANDIDATES:", "REFERENCES:"))
        )
        ours, theirs = set(candidates[0].split()), [set(text.split()) for text in references]
        share = max(len(ours & words) / len(ours | words) for words in theirs)
        score = 100 if candidates[0] in references else round(90 * share, 3)
        return self.completion(json.dumps({"score": score, "reason": "It counted words."}))


@pytest.fixture
def stub_judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StubJudge]:
    """A judge that answers on this machine, and an environment that knows no other."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for name in ("URL", "KEY", "MODEL", "PARALLEL", "LIMIT_S", "TRIES", "ANSWERS"):
        monkeypatch.delenv(f"FIRSTSIGHT_JUDGE_{name}", raising=False)
    judge = StubJudge(tmp_path)
    yield judge
    judge.server.shutdown()
    judge.server.server_close()
    judge.thread.join()
