"""How long the metrics take, beside pycocoevalcap: the tokenizer, BLEU, ROUGE-L, CIDEr-D and METEOR on 21,377 images.

    .venv/bin/python benchmarks/metrics.py [DATA] [--sets C5_nice21377_ref5] [--rounds 3] [--scale]

DATA holds ``C1_nice21377_ref1.input.json`` (one reference an image) and ``C5_nice21377_ref5.input.json`` (five): the
folder ``golden`` of FIRSTSIGHT_SHARED or of ../shared unless told. Both programs run in turn, each measure in a process
of its own: from its start to its end with all cores, the same on one core, and the second call inside a process.
Processor seconds, of all cores together, are those of the first of these; a busy machine changes them least. Peak
memory is that of the largest process, the Java programs of pycocoevalcap among them. Before that each has run once, so
that files are in memory and bytecode is compiled. The scores of the two are compared, of the corpus and of each image.

``--scale`` shows firstsight alone, with 10 thousand to 1 million candidates of one reference. Beyond the first 21,377
the words of both are shuffled, so that new n-grams come with every image.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import io
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SETS = ("C1_nice21377_ref1", "C5_nice21377_ref5")
SCALE = (10_000, 30_000, 100_000, 300_000, 1_000_000)
PEER = "pycocoevalcap"
OURS = "firstsight"
MODES = ("stages", "whole", "one core", "second call")
METRICS = ("bleu", "meteor", "rouge_l", "cider_d")
NAMES = {"tokenizer": "tokenizer", "bleu": "BLEU-1..4", "meteor": "METEOR", "rouge_l": "ROUGE-L", "cider_d": "CIDEr-D"}
# Largest relative difference of a score: METEOR of the original sums in another order.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Measure:
    """One child process and those it started: what it told, seconds, and the peak of the largest of them."""

    told: dict[str, Any]
    wall_s: float
    processor_s: float
    peak_mb: float


def main() -> None:
    """Measure, or be one of the measured processes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = Path(os.environ.get("FIRSTSIGHT_SHARED", "../shared"))
    parser.add_argument("data", nargs="?", type=Path, default=shared / "golden")
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--metrics", nargs="+", choices=METRICS, help="all that can run unless told")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=MODES)
    parser.add_argument("--scale", action="store_true")
    parser.add_argument("--child", nargs=4, metavar=("PROGRAM", "MODE", "INPUT", "OUTPUT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        program, mode, source, output = arguments.child
        child(program, mode, Path(source), Path(output), arguments.metrics)
        return
    if not (arguments.data / f"{SETS[0]}.input.json").is_file():
        print(f"{arguments.data} holds no {SETS[0]}.input.json: nothing to measure.")
        return
    metrics = arguments.metrics or runnable_metrics()
    with tempfile.TemporaryDirectory() as folder:
        harness = Harness(Path(folder), metrics, arguments.rounds, arguments.modes)
        if arguments.scale:
            harness.scale(arguments.data / f"{SETS[0]}.input.json")
            return
        for name in arguments.sets:
            harness.compare(name, arguments.data / f"{name}.input.json")


def runnable_metrics() -> list[str]:
    """Return the metrics that firstsight can run here, in the order of the original."""
    from firstsight.metrics import METRICS as REGISTERED

    registered = REGISTERED.names()
    return [name for name in METRICS if name in registered]


class Harness:
    """Starts the measured processes, one at a time."""

    def __init__(self, folder: Path, metrics: list[str], rounds: int, modes: Sequence[str]) -> None:
        """Measure ``metrics`` in some rounds and modes, with temporary files in ``folder``."""
        self.folder = folder
        self.metrics = metrics
        self.rounds = rounds
        self.modes = modes
        self.programs = [OURS] if importlib.util.find_spec(PEER) is None else [PEER, OURS]
        if PEER not in self.programs:
            print(f"{PEER} is not installed, so firstsight runs alone: pip install 'firstsight[meteor]', and Java.\n")

    def compare(self, name: str, file: Path) -> None:
        """Print the tables of one set."""
        content = json.loads(file.read_text(encoding="utf-8"))
        source = self._input(list(map(str, content["ids"])), content["hyps"], content["refs"])
        n_captions = len(content["hyps"]) + sum(map(len, content["refs"]))
        print(f"{name}: {len(content['hyps']):,} candidates, {n_captions:,} captions, {', '.join(self.metrics)}")
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {self.rounds} rounds; seconds: least (median)\n")
        for program in self.programs:
            self._run(program, "whole", source)  # fills the caches
        results: dict[tuple[str, str], list[Measure]] = {}
        for _ in range(self.rounds):
            for mode in self.modes:
                for program in self.programs:
                    results.setdefault((program, mode), []).append(self._run(program, mode, source))
        self._print(results)

    def scale(self, file: Path) -> None:
        """Print seconds and memory of larger and larger corpora."""
        content = json.loads(file.read_text(encoding="utf-8"))
        metrics = [name for name in self.metrics if name != "meteor"]
        self.metrics = metrics
        print(f"firstsight, one reference an image, {', '.join(metrics)}; least of {self.rounds} rounds\n")
        print(f"{'candidates':>12}{'call, s':>10}{'us each':>10}{'peak, MB':>10}")
        for n in SCALE:
            source = self._input(*enlarged(content, n))
            runs = [self._run(OURS, "whole", source) for _ in range(self.rounds)]
            seconds = min(run.told["seconds"] for run in runs)
            peak = max(run.peak_mb for run in runs)
            print(f"{n:12,}{seconds:10.2f}{1e6 * seconds / n:10.1f}{peak:10,.0f}", flush=True)

    def _input(self, ids: list[str], candidates: list[str], references: list[list[str]]) -> Path:
        path = self.folder / "input.json"
        captions = {
            "candidates": dict(zip(ids, candidates, strict=True)),
            "references": dict(zip(ids, references, strict=True)),
        }
        path.write_text(json.dumps(captions), encoding="utf-8")
        return path

    def _run(self, program: str, mode: str, source: Path) -> Measure:
        output = self.folder / "output.json"
        command = [sys.executable, __file__, "--metrics", *self.metrics, "--child", program, mode, str(source)]
        command.append(str(output))
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        environment |= {"OMP_WAIT_POLICY": "passive", "PYTHONPYCACHEPREFIX": str(self.folder / "bytecode")}
        started = time.perf_counter()
        with (self.folder / "stderr.txt").open("w+b") as said:
            process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=said)
            _, status, usage = os.wait4(process.pid, 0)
            wall_s = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                said.seek(0)
                sys.exit(
                    f"{program} ended with exit code {process.returncode}:\n{said.read().decode(errors='replace')}"
                )
        told = json.loads(output.read_text(encoding="utf-8"))
        return Measure(told, wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)

    def _print(self, results: dict[tuple[str, str], list[Measure]]) -> None:
        print(f"{'':32}" + "".join(f"{program:>18}" for program in self.programs) + f"{'ratio':>10}")

        def row(label: str, mode: str, seconds: Callable[[Measure], float]) -> None:
            if mode in self.modes:
                self._print_row(label, {p: [seconds(measure) for measure in results[p, mode]] for p in self.programs})

        for stage in ("tokenizer", *self.metrics):
            row(NAMES[stage], "stages", lambda measure, stage=stage: measure.told["stages"][stage])  # type: ignore[misc]
        row("whole process, all cores", "whole", lambda measure: measure.wall_s)
        row("whole process, processor time", "whole", lambda measure: measure.processor_s)
        row("whole process, one core", "one core", lambda measure: measure.wall_s)
        row("second call, all cores", "second call", lambda measure: measure.told["seconds"])
        if "whole" in self.modes:
            peaks = (max(measure.peak_mb for measure in results[program, "whole"]) for program in self.programs)
            print(f"{'peak memory, MB':32}" + "".join(f"{peak:18,.0f}" for peak in peaks))
        if PEER in self.programs and "second call" in self.modes:
            print(agreement(results[PEER, "second call"][0].told, results[OURS, "second call"][0].told))
        print()

    def _print_row(self, label: str, seconds: dict[str, list[float]]) -> None:
        cells = "".join(f"{f'{min(times):.3f} ({statistics.median(times):.3f})':>18}" for times in seconds.values())
        ratio = f"{min(seconds[PEER]) / min(seconds[OURS]):9.1f}x" if PEER in seconds else ""
        print(f"{label:32}{cells}{ratio}", flush=True)


def enlarged(content: dict[str, Any], n: int) -> tuple[list[str], list[str], list[list[str]]]:
    """Return ids, candidates and references of n images."""
    candidates, references = content["hyps"], content["refs"]
    rng = random.Random(0)

    def shuffled(caption: str) -> str:
        words = caption.split()
        rng.shuffle(words)
        return " ".join(words)

    for index in range(len(candidates), n):
        of = index % len(content["ids"])
        candidates.append(shuffled(candidates[of]))
        references.append([shuffled(caption) for caption in references[of]])
    return list(map(str, range(n))), candidates[:n], references[:n]


def agreement(theirs: dict[str, Any], ours: dict[str, Any]) -> str:
    """Return a sentence: how far the scores of the corpus and of each image are apart."""
    corpus = max(relative(theirs["scores"][name], ours["scores"][name]) for name in theirs["scores"])
    pairs = ((theirs["images"][name], ours["images"][name]) for name in theirs["images"])
    images = max(relative(a, b) for left, right in pairs for a, b in zip(left, right, strict=True))
    verdict = "the scores agree" if max(corpus, images) <= TOLERANCE else "THE SCORES DIFFER"
    return f"{verdict}: largest relative difference {corpus:.1e} of the corpus, {images:.1e} of an image"


def relative(a: float, b: float) -> float:
    """Return the difference of two scores as a part of the larger one; of tiny ones, as it is."""
    return abs(a - b) / max(abs(a), abs(b), 1e-3)


def child(program: str, mode: str, source: Path, output: Path, metrics: list[str]) -> None:
    """Run one measured process and write what it found."""
    if mode == "one core" and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    captions = json.loads(source.read_text(encoding="utf-8"))
    started = time.perf_counter()
    run = run_peer if program == PEER else run_stages if mode == "stages" else run_evaluation
    with contextlib.redirect_stdout(io.StringIO()):
        told = run(captions, metrics)
        if mode == "second call":
            started = time.perf_counter()
            told = run(captions, metrics)
    told["seconds"] = time.perf_counter() - started
    if mode != "second call":  # these are not compared
        told = {key: told[key] for key in ("seconds", "stages") if key in told}
    else:
        told["images"] = {name: list(map(float, values)) for name, values in told["images"].items()}
    output.write_text(json.dumps(told), encoding="utf-8")


def run_peer(captions: dict[str, Any], metrics: list[str]) -> dict[str, Any]:
    """Return scores and seconds of the original, called as its own COCOEvalCap calls it."""
    stages: dict[str, float] = {}
    scores: dict[str, float] = {}
    images: dict[str, list[float]] = {}
    started = time.perf_counter()
    tokenizer = peer_class("tokenizer.ptbtokenizer", "PTBTokenizer")()
    references = tokenizer.tokenize({i: [{"caption": c} for c in g] for i, g in captions["references"].items()})
    candidates = tokenizer.tokenize({i: [{"caption": c}] for i, c in captions["candidates"].items()})
    stages["tokenizer"] = time.perf_counter() - started
    scorers: dict[str, tuple[Callable[[], Any], list[str]]] = {
        "bleu": (lambda: peer_class("bleu.bleu", "Bleu")(4), ["BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4"]),
        "meteor": (lambda: peer_class("meteor.meteor", "Meteor")(), ["METEOR"]),
        "rouge_l": (lambda: peer_class("rouge.rouge", "Rouge")(), ["ROUGE-L"]),
        "cider_d": (lambda: peer_class("cider.cider", "Cider")(), ["CIDEr-D"]),
    }
    for metric in metrics:
        started = time.perf_counter()
        make, names = scorers[metric]
        score, of_images = make().compute_score(references, candidates)
        stages[metric] = time.perf_counter() - started
        several = len(names) > 1
        scores |= dict(zip(names, score if several else [float(score)], strict=True))
        images |= dict(zip(names, of_images if several else [of_images], strict=True))
    return {"stages": stages, "scores": scores, "images": images}


def peer_class(module: str, name: str) -> Callable[..., Any]:
    """Return a class of the original."""
    found: Callable[..., Any] = getattr(importlib.import_module(f"{PEER}.{module}"), name)
    return found


def run_evaluation(captions: dict[str, Any], metrics: list[str]) -> dict[str, Any]:
    """Return the scores of ``firstsight.evaluate`` without intervals."""
    from firstsight.evaluation import EvaluationOptions, evaluate

    options = EvaluationOptions(n_resamples=0)
    result = evaluate(captions["candidates"], captions["references"], metrics=metrics, options=options)
    return {"scores": {score.name: score.value for score in result.scores}, "images": result.per_image}


def run_stages(captions: dict[str, Any], metrics: list[str]) -> dict[str, Any]:
    """Return the seconds of each part of firstsight; the n-grams are counted by the first metric that needs them."""
    from firstsight.metrics import METRICS as REGISTERED
    from firstsight.metrics import Corpus
    from firstsight.tokenizers import TOKENIZERS

    stages = {}
    started = time.perf_counter()
    tokenizer = TOKENIZERS.load("ptb")()
    corpus = Corpus(list(captions["candidates"].values()), list(captions["references"].values()), tokenizer)
    len(corpus.tokens.table)
    stages["tokenizer"] = time.perf_counter() - started
    for name in metrics:
        started = time.perf_counter()
        metric = REGISTERED.load(name)()
        metric.prepare(corpus)
        metric.from_statistics(metric.corpus_statistics(corpus))
        stages[name] = time.perf_counter() - started
    return {"stages": stages}


if __name__ == "__main__":
    main()
