"""The recipe on drawn photos: ONNX equals torch, a run that was stopped ends like one that was not, resuming, cards."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

torch = pytest.importorskip("torch", reason='torch is not installed: pip install "firstsight[train]"')
pytest.importorskip("onnx", reason='onnx is not installed: pip install "firstsight[train]"')

from firstsight.captioners.decoding import BeamOptions, beam_search  # noqa: E402
from firstsight.captioners.embedded import EmbeddedCaptioner  # noqa: E402
from firstsight.captioners.embedded.model import EmbeddedModel, Percepts  # noqa: E402
from firstsight.captioners.embedded.vocabulary import END, PAD, START  # noqa: E402
from firstsight.cli.main import cli  # noqa: E402
from firstsight.datasets.pairs import Pair  # noqa: E402
from firstsight.errors import CaptionFileError, TrainingError  # noqa: E402
from firstsight.training.concepts import imagenet_words  # noqa: E402
from firstsight.training.features import encode_images, views  # noqa: E402
from firstsight.training.loop import LoopOptions, pad_words  # noqa: E402
from firstsight.training.model_folder import ModelName  # noqa: E402
from firstsight.training.network import Inputs  # noqa: E402
from firstsight.training.recipe import Progress, RecipeOptions, train_model  # noqa: E402
from firstsight.training.self_critical import SelfCriticalOptions, sample  # noqa: E402

COLOURS = {"red": (200, 30, 30), "green": (30, 160, 60), "blue": (40, 60, 200)}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Pair]:
    folder = tmp_path_factory.mktemp("photos")
    pairs = []
    for number in range(12):
        name = list(COLOURS)[number % 3]
        file = folder / f"{name}-{number}.png"
        Image.new("RGB", (80 + number, 60), COLOURS[name]).save(file)
        pairs.append(Pair(file.stem, file, (f"A plain {name} wall.", f"This wall is {name} and plain .")))
    return pairs


def options(n_steps: int, n_self_critical: int = 0, n_members: int = 1) -> RecipeOptions:
    loop = LoopOptions(
        n_steps=n_steps,
        images_per_step=6,
        texts_per_step=3,
        captions_per_text=2,
        warmup_steps=2,
        checkpoint_every=2,
        self_critical=SelfCriticalOptions(n_self_critical, n_samples=2),
    )
    return RecipeOptions(ModelName("test", "1", "none"), loop, n_members=n_members, n_views=2, min_count=1)


TEXTS = [["A yellow taxi waits.", "The taxi is yellow."], ["Two dogs run.", "Dogs run on grass."]]


@pytest.fixture(scope="module")
def trained(photos: list[Pair], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder, cache = tmp_path_factory.mktemp("model"), tmp_path_factory.mktemp("cache")
    train_model(photos, TEXTS, folder, cache, options(4, 2, n_members=2))
    return folder, cache


def test_a_trained_model_captions_and_says_what_it_is(trained: tuple[Path, Path], photos: list[Pair]) -> None:
    captioner = EmbeddedCaptioner(model=trained[0], n_captions=2)
    result = captioner.caption(photos[0].file)
    assert len(result.captions) == 2
    assert result.score is not None
    assert result.score < 0
    assert captioner.provenance.parameters["model"] == "test 1"


def test_the_onnx_graphs_equal_the_network(trained: tuple[Path, Path]) -> None:
    """The graphs hold float16 weights: the network gets the same weights, then both must agree."""
    model = EmbeddedModel(trained[0])
    checkpoint = torch.load(next(trained[1].glob("runs/*/member-0.pt")), weights_only=True)
    before, share = checkpoint["before_reward"], SelfCriticalOptions().share
    assert any(not torch.equal(value, before[name]) for name, value in checkpoint["average"].items())
    state = {name: before[name].lerp(value, share) for name, value in checkpoint["average"].items()}
    network = _network(state, len(model.vocabulary))
    random = np.random.default_rng(0)
    grid = random.random((2, 81, 1280), np.float32)
    rows = random.integers(len(model.description.keywords), size=(2, 18))
    levels = random.integers(8, size=(2, 18))
    words = np.array([[[START, 5, 6, 7]], [[START, 8, 5, 4]]])
    numbers = np.array(model.vocabulary.encode(model.description.keywords))[rows]
    inputs = Inputs(
        torch.from_numpy(grid),
        torch.from_numpy(numbers),
        torch.from_numpy(levels),
        torch.ones(2, dtype=torch.bool),
        torch.ones(2, dtype=torch.bool),
    )
    with torch.no_grad():
        expected = torch.log_softmax(network.logits(network.hidden(inputs, torch.from_numpy(words))), -1).numpy()
    one = EmbeddedModel(trained[0])
    one._memories, one._decoders = one._memories[:1], one._decoders[:1]
    steps = one.steps(Percepts(grid, rows, levels, np.zeros((2, 1), np.float32)))
    for place in range(words.shape[2]):
        parents = None if place == 0 else np.zeros((2, 1), np.int64)
        found = steps.advance(words[:, :, place], parents)
        np.testing.assert_allclose(found[:, 0], expected[:, place], atol=2e-3)


def _network(state: dict[str, torch.Tensor], n_words: int) -> torch.nn.Module:
    from firstsight.training.network import CaptionNetwork, NetworkOptions

    network = CaptionNetwork(NetworkOptions(n_words=n_words))
    network.load_state_dict({k: v.half().float() if v.ndim > 1 and v.numel() >= 64 else v for k, v in state.items()})
    return network.eval()


def test_the_beams_cache_follows_its_parents(trained: tuple[Path, Path]) -> None:
    """Each beam's log-probabilities are those of its own sentence fed from the start, whatever beams it came from."""
    model = EmbeddedModel(trained[0])
    percepts = model.perceive(np.random.default_rng(1).integers(256, size=(1, 260, 260, 3), dtype=np.uint8))
    steps = model.steps(percepts)
    steps.advance(np.array([[START, START]]), None)
    steps.advance(np.array([[4, 5]]), np.array([[0, 0]]))
    crossed = steps.advance(np.array([[6, 7]]), np.array([[1, 0]]))
    for beam, sentence in ((0, (5, 6)), (1, (4, 7))):
        alone = model.steps(percepts)
        alone.advance(np.array([[START]]), None)
        alone.advance(np.array([[sentence[0]]]), np.array([[0]]))
        expected = alone.advance(np.array([[sentence[1]]]), np.array([[0]]))
        np.testing.assert_allclose(crossed[0, beam], expected[0, 0], atol=1e-4)


def test_members_vote_by_their_mean_log_probability(trained: tuple[Path, Path]) -> None:
    model = EmbeddedModel(trained[0])
    percepts = model.perceive(np.zeros((1, 260, 260, 3), np.uint8))
    both = model.steps(percepts).advance(np.array([[START]]), None)
    apart = []
    for member in range(2):
        one = EmbeddedModel(trained[0])
        one._memories, one._decoders = one._memories[member : member + 1], one._decoders[member : member + 1]
        apart.append(one.steps(percepts).advance(np.array([[START]]), None))
    assert not np.allclose(apart[0], apart[1])
    np.testing.assert_allclose(both, np.mean(apart, axis=0), atol=1e-5)


@pytest.mark.slow
def test_a_run_that_was_stopped_ends_like_one_that_was_not(
    trained: tuple[Path, Path], photos: list[Pair], tmp_path: Path
) -> None:
    class StoppedError(Exception):
        pass

    def stop(name: str, done: int, total: int, remark: str) -> None:
        del total, remark
        if name.startswith("train") and done == 3:
            raise StoppedError

    cache = tmp_path / "cache"
    with pytest.raises(StoppedError):
        train_model(photos, TEXTS, tmp_path / "model", cache, options(4, 2, n_members=2), Progress(stop))
    seen: list[int] = []
    train_model(
        photos,
        TEXTS,
        tmp_path / "model",
        cache,
        options(4, 2, n_members=2),
        Progress(lambda name, done, _total, _remark: seen.append(done) if name.startswith("train") else None),
    )
    assert seen[0] == 3, "it goes on behind the checkpoint of step 2"
    for name in ("decoder-0.onnx", "memory-0.onnx", "decoder-1.onnx"):
        assert (tmp_path / "model" / name).read_bytes() == (trained[0] / name).read_bytes()


def test_samples_begin_end_and_hold_no_special_words(trained: tuple[Path, Path]) -> None:
    state = torch.load(next(trained[1].glob("runs/*/member-0.pt")), weights_only=True)["average"]
    network = _network(state, len(EmbeddedModel(trained[0]).vocabulary))
    n = 3
    inputs = Inputs(
        torch.rand(n, 81, 1280),
        torch.randint(4, 8, (n, 18)),
        torch.zeros(n, 18, dtype=torch.long),
        torch.ones(n, dtype=torch.bool),
        torch.ones(n, dtype=torch.bool),
    )
    drawn = sample(network, inputs, 4).numpy()
    assert drawn.shape[:2] == (n, 4)
    assert (drawn[:, :, 0] == START).all()
    for sentence in drawn.reshape(-1, drawn.shape[-1]):
        ends = np.flatnonzero(sentence == END)
        if len(ends):
            assert (sentence[ends[0] + 1 :] == PAD).all()
            assert (sentence[1 : ends[0]] > END).all()


@pytest.mark.slow
def test_a_photo_that_cannot_be_read_is_left_out_and_named(photos: list[Pair], tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no image")
    left_out: list[tuple[str, str]] = []
    train_model(
        [photos[0], Pair("broken", broken, ("A wall.",)), *photos[1:]],
        [],
        tmp_path / "model",
        tmp_path / "cache",
        options(1),
        Progress(on_failure=lambda file, reason: left_out.append((file.name, reason))),
    )
    assert left_out[0][0] == "broken.jpg"
    assert (tmp_path / "model" / "model.json").exists()


def test_a_model_takes_the_place_of_a_larger_one_whole(photos: list[Pair], tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    for name in ("memory-1.onnx", "decoder-1.onnx", "notes.txt"):
        (tmp_path / "m" / name).write_bytes(b"old")
    train_model(photos, [], tmp_path / "m", tmp_path / "c", options(1))
    kept = {"memory-0.onnx", "decoder-0.onnx", "encoder.onnx", "keywords.npz", "model.json", "notes.txt"}
    assert {file.name for file in (tmp_path / "m").iterdir()} == kept
    assert not (tmp_path / ".m.part").exists()


def test_too_few_pairs_are_refused(photos: list[Pair], tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="at least 8 photos with captions that have words, got 3"):
        train_model(photos[:3], [], tmp_path / "model", tmp_path / "cache", options(1))


def test_features_go_on_where_they_were_cut(photos: list[Pair], tmp_path: Path) -> None:
    calls: list[int] = []

    def encode(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        calls.append(1)
        return pixels.reshape(1, -1, 3)[:, :4].astype(np.float32), np.zeros((1, 5), np.float32)

    files = [pair.file for pair in photos]
    first = encode_images(files, encode, tmp_path, n_variants=3, seed=1, encoder_hash="x")
    n_calls = len(calls)
    again = encode_images(files, encode, tmp_path, n_variants=3, seed=1, encoder_hash="x")
    assert len(calls) == n_calls == 36
    np.testing.assert_array_equal(first.grid, again.grid)
    assert encode_images(files, encode, tmp_path, n_variants=3, seed=2, encoder_hash="x").grid.shape == (12, 3, 4, 3)


def test_views_are_the_image_its_mirror_and_crops() -> None:
    image = np.random.default_rng(0).integers(256, size=(50, 90, 3), dtype=np.uint8)
    drawn = views(image, 4, np.random.default_rng(1))
    assert [view.shape for view in drawn] == [(260, 260, 3)] * 4
    np.testing.assert_array_equal(drawn[1], drawn[0][:, ::-1])


def test_captions_that_do_not_fit_are_left_out() -> None:
    words = pad_words([[[5, 6], [7] * 10], [[8]]], 6)
    assert words.tolist() == [[[START, 5, 6, END, PAD, PAD], [PAD] * 6], [[START, 8, END, PAD, PAD, PAD], [PAD] * 6]]


def test_every_imagenet_class_is_in_the_table_of_words() -> None:
    words = imagenet_words()
    assert len(words) == 1000
    assert words[340] == ["zebra"]
    assert sum(bool(entry) for entry in words) > 700


@pytest.mark.slow
def test_the_verb_trains_scores_and_writes_a_card(photos: list[Pair], tmp_path: Path) -> None:
    captions = photos[0].file.parent / "captions.jsonl"
    captions.write_text(
        "".join(json.dumps({"image_id": p.image_id, "captions": list(p.captions)}) + "\n" for p in photos)
    )
    dev = tmp_path / "dev.txt"
    dev.write_text("red-0.png\ngreen-1\n")
    arguments = ["train", str(captions), "-o", str(tmp_path / "m"), "--cache", str(tmp_path / "c"), "--dev", str(dev)]
    arguments += ["--steps", "1", "--reward-steps", "0", "--licence", "mine"]
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    card = (tmp_path / "m" / "README.md").read_text()
    assert "10 photos with captions of captions.jsonl" in card
    assert "Licence of the weights: mine" in card
    assert "| dev | 2 |" in card
    again = CliRunner().invoke(cli, arguments)
    assert "exists; say --overwrite" in str(again.exception)


def test_a_file_in_the_place_of_the_model_is_told_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "m").write_text("mine")
    result = CliRunner().invoke(cli, ["train", "absent.csv", "-o", str(tmp_path / "m"), "--overwrite"])
    assert "is a file; -o names the folder" in str(result.exception)
    assert (tmp_path / "m").read_text() == "mine"


def test_ids_without_photos_and_folders_without_any_are_told(tmp_path: Path) -> None:
    captions = tmp_path / "captions.csv"
    captions.write_text("image_id,caption\n7,A dog.\n")
    result = CliRunner().invoke(cli, ["train", str(captions), "-o", str(tmp_path / "m")])
    assert isinstance(result.exception, CaptionFileError)
    assert "none of its 1 ids has a photo" in str(result.exception)


def test_the_end_of_a_beam_search_is_reached(trained: tuple[Path, Path]) -> None:
    model = EmbeddedModel(trained[0])
    percepts = model.perceive(np.zeros((2, 260, 260, 3), np.uint8))
    for sentences in beam_search(model.steps(percepts), BeamOptions(beam_size=2)):
        assert len(sentences[0].words) <= model.description.max_words - 2
