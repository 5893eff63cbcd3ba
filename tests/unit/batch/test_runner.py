"""Order, overlap, memory and failures of the run itself."""

from __future__ import annotations

import threading
import weakref

import numpy as np
import pytest
from PIL import Image

from firstsight.batch import PlannedImage, caption_images, runner
from firstsight.errors import CaptionerError, ImageError, UsageError
from firstsight.testing.captioner import FakeCaptioner
from firstsight.types import CaptionResult

_BAD_WIDTH = 13


def planned(n: int) -> list[PlannedImage]:
    return [PlannedImage(str(i), f"{i}.jpg") for i in range(n)]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Replace the decoder: an image is as wide as its number; what the dictionary holds is raised, or called."""
    special: dict[str, object] = {}

    def load_image(path: str, *, fit_px: int | None = None) -> np.ndarray:
        entry = special.get(path)
        if isinstance(entry, Exception):
            raise entry
        if callable(entry):
            entry()
        return np.zeros((1, int(path.removesuffix(".jpg")) + 1, 3), np.uint8)

    monkeypatch.setattr(runner, "load_image", load_image)
    return special


@pytest.mark.parametrize("batch_size", [None, 1, 2, 3, 8, 100])
def test_one_record_an_image_in_order(load, batch_size):
    load["4.jpg"] = ImageError("truncated", "ends too soon")
    records = list(caption_images(planned(17), FakeCaptioner(), batch_size=batch_size))
    assert [record.image_id for record in records] == [str(i) for i in range(17)]
    assert [record.image_id for record in records if record.error] == ["4"]
    assert (records[4].error.code, records[4].captions) == ("truncated", ())
    assert records[5].captions[0].startswith("A picture of 6 by 1")
    assert records[5].provenance == FakeCaptioner().provenance


def test_batches_have_the_size_that_is_asked_for(load):
    load["1.jpg"] = ImageError("empty", "empty")
    captioner = FakeCaptioner()
    list(caption_images(planned(10), captioner, batch_size=4))
    assert captioner.batches == [3, 4, 2]


def test_images_are_decoded_no_larger_than_the_captioner_reads_them(tmp_path):
    class Small(FakeCaptioner):
        image_size_px = 10

    Image.new("RGB", (400, 400)).save(tmp_path / "a.jpg")
    (record,) = caption_images([PlannedImage("a", str(tmp_path / "a.jpg"))], Small())
    assert record.captions[0].startswith("A picture of 25 by 25 dots")
    (record,) = caption_images([PlannedImage("a", str(tmp_path / "a.jpg"))], FakeCaptioner())
    assert record.captions[0].startswith("A picture of 400 by 400 dots")


@pytest.mark.usefixtures("load")
def test_no_image_no_record():
    assert list(caption_images([], FakeCaptioner())) == []


def test_a_batch_of_failures_alone_does_not_reach_the_captioner(load):
    load.update({f"{i}.jpg": ImageError("empty", "empty") for i in range(4)})
    captioner = FakeCaptioner()
    assert all(record.error for record in caption_images(planned(4), captioner, batch_size=2))
    assert captioner.batches == []


@pytest.mark.usefixtures("load")
def test_a_batch_size_below_one():
    with pytest.raises(UsageError, match="The batch size is 0; it must be at least 1"):
        list(caption_images(planned(1), FakeCaptioner(), batch_size=0))


def test_decoding_of_the_next_batch_overlaps_with_the_captioner(load):
    next_is_decoded = threading.Event()
    load["5.jpg"] = next_is_decoded.set

    class Waiting(FakeCaptioner):
        def caption_batch(self, images):
            if images[0].shape[1] == 1:
                assert next_is_decoded.wait(10), "the second batch is not decoded while the first is captioned"
            return super().caption_batch(images)

    assert len(list(caption_images(planned(8), Waiting(), batch_size=4))) == 8


def test_memory_stays_flat_however_many_images(monkeypatch):
    lock, alive, most = threading.Lock(), 0, 0

    def gone() -> None:
        nonlocal alive
        with lock:
            alive -= 1

    def load_image(path: str, *, fit_px: int | None = None) -> np.ndarray:
        nonlocal alive, most
        pixels = np.zeros((1, 1, 3), np.uint8)
        with lock:
            alive += 1
            most = max(most, alive)
        weakref.finalize(pixels, gone)
        return pixels

    drawn = 0

    def images():
        nonlocal drawn
        for i in range(20_000):
            drawn = i
            yield PlannedImage(str(i), "x")

    monkeypatch.setattr(runner, "load_image", load_image)
    for done, _ in enumerate(caption_images(images(), FakeCaptioner(), batch_size=10)):
        assert drawn <= done + 20
    assert done == 19_999
    assert most <= 20


@pytest.mark.usefixtures("load")
def test_only_the_image_that_the_captioner_fails_on_is_lost():
    records = list(caption_images(planned(20), FakeCaptioner(fails_on_width=_BAD_WIDTH), batch_size=8))
    assert [record.image_id for record in records if record.error] == [str(_BAD_WIDTH - 1)]
    assert records[_BAD_WIDTH - 1].error.code == "captioner"
    assert "fails on width 13" in records[_BAD_WIDTH - 1].error.message


@pytest.mark.usefixtures("load")
@pytest.mark.parametrize("batch_size", [1, 8])
def test_a_captioner_that_fails_on_everything_ends_the_run_before_it_writes_that(batch_size):
    class Broken(FakeCaptioner):
        def caption_batch(self, images):
            if images[-1].shape[1] > 16:
                raise CaptionerError("the device is gone")
            return super().caption_batch(images)

    records = []
    running = caption_images(planned(100), Broken(), batch_size=batch_size)
    with pytest.raises(CaptionerError, match=r"'fake' failed on 20 images in a row, last on '35\.jpg': the device is"):
        records.extend(running)
    assert [record.image_id for record in records] == [str(i) for i in range(16)]
    assert not any(record.error for record in records)


@pytest.mark.usefixtures("load")
def test_a_few_images_that_all_fail_are_records():
    class Broken(FakeCaptioner):
        def caption_batch(self, images):
            raise CaptionerError("no")

    assert [record.error.code for record in caption_images(planned(3), Broken())] == ["captioner"] * 3


@pytest.mark.usefixtures("load")
def test_a_captioner_that_breaks_its_contract():
    class Short(FakeCaptioner):
        def caption_batch(self, images):
            return super().caption_batch(images)[1:]

    class Silent(FakeCaptioner):
        def caption_batch(self, images):
            return [CaptionResult((), None) for _ in images]

    (record,) = caption_images(planned(1), Short())
    assert record.error.message == "The captioner 'fake' gave 0 results for 1 images; it must give one each."
    (record,) = caption_images(planned(1), Silent())
    assert record.error.message == "The captioner 'fake' gave no caption. Try other options."


@pytest.mark.usefixtures("load")
def test_an_early_end_leaves_no_thread_behind():
    before = threading.active_count()
    records = caption_images(planned(100), FakeCaptioner(), batch_size=2)
    next(records)
    records.close()
    assert threading.active_count() == before
