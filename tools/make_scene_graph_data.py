"""Makes the tables of the scene-graph metric from WordNet 3.0 and from unlabelled captions.

    .venv/bin/python tools/make_scene_graph_data.py [--captions FILE] [--leave-out FILE] [--into FOLDER]

``words.tsv`` and ``exceptions.tsv`` hold what the metric needs of WordNet 3.0 (Debian package ``wordnet-base``).
``tagger.tsv`` holds a hidden Markov model of the parts of speech, learnt without any label by expectation maximisation
from the text of COCO captions (CC BY 4.0): JSON lines with ``image_id`` and ``captions``. The images that a JSON file
names under ``ids`` are left out, so that what is measured on them was not learnt from. The same input gives the same
bytes.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_FOLDER = _ROOT / "src" / "firstsight" / "metrics" / "scene_graph"
_PARTS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
_SENSE_KEY_PARTS = {"1": "n", "2": "v", "3": "a", "4": "r", "5": "a"}
_LIVING = frozenset({"05", "18"})  # WordNet's files noun.animal and noun.person
_LIVING_WORDS = frozenset(
    {"animal", "audience", "band", "couple", "crew", "crowd", "family", "flock", "group", "herd", "pack", "pair"}
    | {"people", "person", "police", "team", "trio"}
)
"""Words for living things whose first sense is in another file."""
_LIFELESS_WORDS = frozenset({"bat", "mouse"})
"""Words whose first sense is an animal, where a caption mostly means the thing."""
_WORD = re.compile(r"[a-z](?:[a-z'.-]*[a-z])?")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NOTICE = "# From WordNet 3.0, Copyright 2006 by Princeton University; see NOTICE."
_TAGGER_NOTICE = "# Learnt from the text of COCO captions (CC BY 4.0) and from WordNet 3.0; see NOTICE."

ITERATIONS = 8
PRIOR_WEIGHT = 20.0
"""How many occurrences in captions weigh as much as what WordNet says of a word's parts of speech."""
MIN_COUNT = 5
"""Words seen less often keep the shares of WordNet alone."""
AGREEMENT: dict[str, dict[str, float]] = {
    "v": dict.fromkeys("nADSpgvzbe'sx", 0.02) | dict.fromkeys("cRQ^h!", 0.3),
    "z": dict.fromkeys("NADSpgvzbehmtsQ", 0.02) | dict.fromkeys("cR^!", 0.5),
}
"""What English rules out and learning alone would blur: the factor on a move to a base verb, or to a verb with -s, from
each tag before it. A singular noun or a determiner has no base verb after it, a plural noun no verb with -s."""


def main() -> None:
    """Write the three tables and say how large they are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = _ROOT.parent / "shared"
    parser.add_argument("--captions", type=Path, default=shared / "data" / "coco_captions" / "captions.jsonl.gz")
    parser.add_argument("--leave-out", type=Path, default=shared / "golden" / "A_fakecap1000.input.json")
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"))
    parser.add_argument("--into", type=Path, default=_FOLDER)
    parser.add_argument("--words-only", action="store_true", help="leave the tagger as it is")
    arguments = parser.parse_args()
    if not (arguments.wordnet / "data.noun").is_file():
        sys.exit(f"{arguments.wordnet} holds no WordNet. Run: sudo apt-get install wordnet-base")
    _write(arguments.into / "words.tsv", [_NOTICE, *word_lines(arguments.wordnet)])
    _write(arguments.into / "exceptions.tsv", [_NOTICE, *exception_lines(arguments.wordnet)])
    if arguments.words_only:
        return
    left_out = set(json.loads(arguments.leave_out.read_text(encoding="utf-8"))["ids"])
    sentences = read_captions(arguments.captions, left_out)
    _write(arguments.into / "tagger.tsv", tagger_lines(sentences, arguments.into))


def _write(path: Path, lines: list[str]) -> None:
    data = ("\n".join(lines) + "\n").encode()
    path.write_bytes(data)
    print(f"{path.name}: {len(lines):,} lines, {len(data):,} bytes")


def word_lines(wordnet: Path) -> list[str]:
    """Return one line a word: its parts of speech with counts, and its sets of synonyms by sense.

    Left out are names, phrases, words with digits, and sets of synonyms with one word.
    """
    counts = _counts(wordnet)
    members: dict[str, list[str]] = {}
    files: dict[str, str] = {}
    for name, part in _PARTS.items():
        for fields in _entries(wordnet / f"data.{name}"):
            synset = part + fields[0]
            words = [re.sub(r"\(.*\)$", "", word) for word in fields[4 : 4 + 2 * int(fields[3], 16) : 2]]
            members[synset] = [word for word in words if _WORD.fullmatch(word)]
            files[synset] = fields[1]
    kept = {(word, synset) for synset, words in members.items() for word in words}
    numbers = {synset: n for n, synset in enumerate(sorted(s for s, words in members.items() if len(words) > 1))}
    table: dict[str, list[str]] = defaultdict(list)
    for name, part in _PARTS.items():
        for fields in _entries(wordnet / f"index.{name}"):
            word = fields[0]
            synsets = [part + offset for offset in fields[-int(fields[2]) :]]
            synsets = [synset for synset in synsets if (word, synset) in kept]
            if synsets:
                is_living = word in _LIVING_WORDS or (files[synsets[0]] in _LIVING and word not in _LIFELESS_WORDS)
                living = "p" if part == "n" and is_living else ""
                ids = ",".join(_short(numbers[synset]) for synset in synsets if synset in numbers)
                table[word].append(f"{part}{living}{counts[word, part] or ''}={ids}")
    return [f"{word}\t{' '.join(table[word])}" for word in sorted(table)]


def _counts(wordnet: Path) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    for line in (wordnet / "cntlist.rev").read_text(encoding="ascii").splitlines():
        key, _, count = line.split()
        lemma, sense = key.split("%")
        counts[lemma, _SENSE_KEY_PARTS[sense[0]]] += int(count)
    return counts


def _entries(path: Path) -> Iterator[list[str]]:
    for line in path.read_text(encoding="ascii").splitlines():
        if not line.startswith("  "):
            yield line.split("|", 1)[0].split()


def _short(number: int) -> str:
    digits = ""
    while True:
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
        if number == 0:
            return digits


def exception_lines(wordnet: Path) -> list[str]:
    """Return one line an irregular form: part of speech, form, base form."""
    lines = []
    for name, part in _PARTS.items():
        for line in (wordnet / f"{name}.exc").read_text(encoding="ascii").splitlines():
            form, lemma = line.split()[:2]
            if _WORD.fullmatch(form) and _WORD.fullmatch(lemma) and form != lemma:
                lines.append(f"{part}\t{form}\t{lemma}")
    return sorted(set(lines))


def read_captions(path: Path, left_out: set[int]) -> list[list[str]]:
    """Return the distinct captions as the metric's tagger sees them, in the order of their first appearance."""
    from firstsight.metrics.scene_graph.tagger import join_phrases
    from firstsight.tokenizers.ptb import PtbTokenizer

    tokenizer = PtbTokenizer()
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    captions = dict.fromkeys(
        caption for record in records if record["image_id"] not in left_out for caption in record["captions"]
    )
    sentences = dict.fromkeys(tuple(join_phrases(tokenizer.tokenize(caption))) for caption in captions)
    return [list(sentence) for sentence in sentences if sentence]


def tagger_lines(sentences: list[list[str]], folder: Path) -> list[str]:
    """Learn the hidden Markov model and return its table: tag shares, moves from tag to tag, shares of words.

    Expectation maximisation over the tags that the dictionary allows (Merialdo, "Tagging English text with a
    probabilistic model", 1994). A word's shares are drawn towards WordNet's with the weight ``PRIOR_WEIGHT``.
    """
    from firstsight.metrics.scene_graph.lemmas import Lexicon
    from firstsight.metrics.scene_graph.tagger import END, START, TAGS, tag_shares

    words = Lexicon(folder)
    seen = Counter(word for sentence in sentences for word in sentence)
    prior = {word: tag_shares(word, words) for word in seen}
    shares = {word: dict(tags) for word, tags in prior.items()}
    moves = {before: _normal(_agree(before, dict.fromkeys(TAGS + END, 1.0))) for before in START + TAGS}
    tag_share = _total(shares, seen, TAGS)
    for iteration in range(ITERATIONS):
        move_counts: dict[str, dict[str, float]] = {b: dict.fromkeys(TAGS + END, 0.1) for b in START + TAGS}
        word_counts: dict[str, dict[str, float]] = {word: dict.fromkeys(tags, 0.0) for word, tags in prior.items()}
        for sentence in sentences:
            lattice = [{tag: share / tag_share[tag] for tag, share in shares[word].items()} for word in sentence]
            _expect(sentence, lattice, moves, move_counts, word_counts)
        moves = {before: _normal(_agree(before, counts)) for before, counts in move_counts.items()}
        for word, counts in word_counts.items():
            total = sum(counts.values()) + PRIOR_WEIGHT
            shares[word] = {tag: (n + PRIOR_WEIGHT * prior[word][tag]) / total for tag, n in counts.items()}
        tag_share = _total(shares, seen, TAGS)
        print(f"iteration {iteration + 1} of {ITERATIONS}", file=sys.stderr)
    lines = [
        _TAGGER_NOTICE,
        "tags\t" + " ".join(f"{tag_share[tag]:.3g}" for tag in TAGS),
    ]
    lines += [
        f"move\t{before}\t" + " ".join(f"{moves[before][tag]:.3g}" for tag in TAGS + END) for before in START + TAGS
    ]
    for word in sorted(seen):
        kept = {tag: share for tag, share in shares[word].items() if share >= 0.001}
        if seen[word] >= MIN_COUNT and len(shares[word]) > 1:
            lines.append(f"word\t{word}\t" + " ".join(f"{tag}{share:.3g}" for tag, share in kept.items()))
    return lines


def _expect(
    sentence: list[str],
    lattice: list[dict[str, float]],
    moves: Mapping[str, Mapping[str, float]],
    move_counts: dict[str, dict[str, float]],
    word_counts: dict[str, dict[str, float]],
) -> None:
    """Add the expected numbers of moves and of word tags of one sentence (forward and backward passes)."""
    forward: list[dict[str, float]] = []
    start, end = "^", "$"
    before = {start: 1.0}
    for options in lattice:
        row = {
            tag: weight * sum(mass * moves[last][tag] for last, mass in before.items())
            for tag, weight in options.items()
        }
        before = _normal(row)
        forward.append(before)
    after = _normal({tag: moves[tag][end] for tag in lattice[-1]})
    for tag, share in _normal({tag: forward[-1][tag] * weight for tag, weight in after.items()}).items():
        move_counts[tag][end] += share
    for index in range(len(sentence) - 1, -1, -1):
        mass = _normal({tag: forward[index][tag] * weight for tag, weight in after.items()})
        counts = word_counts[sentence[index]]
        for tag, share in mass.items():
            counts[tag] += share
        previous = forward[index - 1] if index else {start: 1.0}
        here = {tag: lattice[index][tag] * weight for tag, weight in after.items()}
        pairs = {(b, tag): m * moves[b][tag] * w for b, m in previous.items() for tag, w in here.items()}
        total = sum(pairs.values())
        for (b, tag), weight in pairs.items():
            move_counts[b][tag] += weight / total
        if index:
            after = _normal({b: sum(moves[b][tag] * w for tag, w in here.items()) for b in previous})


def _agree(before: str, counts: Mapping[str, float]) -> dict[str, float]:
    return {after: count * AGREEMENT.get(after, {}).get(before, 1.0) for after, count in counts.items()}


def _normal(weights: Mapping[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    return {key: weight / total for key, weight in weights.items()}


def _total(shares: Mapping[str, Mapping[str, float]], seen: Mapping[str, int], tags: str) -> dict[str, float]:
    counts = dict.fromkeys(tags, 1.0)
    for word, options in shares.items():
        for tag, share in options.items():
            counts[tag] += share * seen[word]
    return _normal(counts)


if __name__ == "__main__":
    main()
