"""A run that ended anywhere goes on to what it would have been, and what does not fit is refused."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from firstsight.batch import BatchOptions, CaptionJob, caption_files
from firstsight.errors import OutputError, UsageError
from firstsight.testing.captioner import FakeCaptioner

RESUME, OVERWRITE = BatchOptions(existing="resume"), BatchOptions(existing="overwrite")
SUFFIXES = ["jsonl", "csv", "json", "txt"]


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four images and a broken one in the middle."""
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "photos")
    return Path("photos")


def fill(folder: Path) -> None:
    folder.mkdir()
    for name, colour in (("1.png", 10), ("2, a.png", 20), ("4.png", 40), ("=5.png", 50)):
        Image.new("RGB", (colour, 7), (colour, 0, 0)).save(folder / name)
    (folder / "3.jpg").write_bytes(b"no image")


def run(folder: Path, out: Path, options: BatchOptions = RESUME, n: int | None = None) -> list[str]:
    """Caption, stop after ``n`` records if told, and return the ids that were captioned now."""
    done = []
    with CaptionJob([folder], out, options) as job:
        if not job.n_left:
            job.finish()
            return []
        for record in job.run(FakeCaptioner(says="- a dog,\n\u2028=1")):
            done.append(record.image_id)
            if len(done) == n:
                break
    return done


def unfinished(out: Path) -> Path:
    return out if out.suffix in (".jsonl", ".csv") else out.with_name(out.name + ".journal")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_a_run_that_was_stopped_goes_on_and_repeats_nothing(photos, suffix, n):
    whole, out = Path(f"whole.{suffix}"), Path(f"out.{suffix}")
    everything = run(photos, whole)
    first = run(photos, out, BatchOptions(), n)
    rest = run(photos, out)
    if suffix == "csv" and n >= 3:  # a failure has no row, so it is tried again
        assert rest == ["3", *everything[n if n > 3 else 3 :]]
    else:
        assert first + rest == everything
    assert out.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in Path().iterdir()) == sorted(["photos", whole.name, out.name])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_is_cut_at_any_byte_goes_on_to_the_same_file(photos, suffix):
    whole, out = Path(f"whole.{suffix}"), Path(f"out.{suffix}")
    run(photos, whole)
    run(photos, out, BatchOptions(), 4)
    growing = unfinished(out).read_bytes()
    for n_bytes in range(0, len(growing) + 1, 1 if suffix == "csv" else 19):
        out.unlink(missing_ok=True)
        unfinished(out).write_bytes(growing[:n_bytes])
        run(photos, out)
        assert out.read_bytes() == whole.read_bytes(), f"cut at byte {n_bytes}"


_names = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=12).filter(
    lambda name: len(name.encode()) < 100 and not name.startswith(".")
)


@settings(max_examples=40, deadline=None)
@given(
    names=st.lists(_names, min_size=1, max_size=5, unique_by=str.casefold),
    says=st.text(max_size=30).map(lambda text: text + "x"),
    suffix=st.sampled_from(["jsonl", "csv"]),
    share=st.floats(0, 1),
)
def test_any_names_and_captions_survive_any_cut(names, says, suffix, share):
    with tempfile.TemporaryDirectory() as folder:
        photos = Path(folder, "p")
        photos.mkdir()
        for name in names:
            Image.new("RGB", (1, 1)).save(photos / f"{name}.png", "PNG")
        out = Path(folder, f"out.{suffix}")
        captioner = FakeCaptioner(says=says)
        caption_files([photos], out, captioner=captioner)
        whole = out.read_bytes()
        out.write_bytes(whole[: int(share * len(whole))])
        summary = caption_files([photos], out, captioner=captioner, options=RESUME)
        assert out.read_bytes() == whole
        assert (summary.n_captioned, summary.n_failed) == (len(names), 0)


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "json"])
def test_nothing_left_changes_nothing_and_needs_no_captioner(photos, suffix):
    out = Path(f"out.{suffix}")
    run(photos, out)
    (photos / "3.jpg").unlink()
    (photos / "3.jpg.txt").touch()
    Image.new("RGB", (3, 3)).save(photos / "3.jpg")
    if suffix == "csv":
        run(photos, out)
    before = out.read_bytes()
    summary = caption_files([photos], out, captioner="no such captioner", options=RESUME)
    assert out.read_bytes() == before
    assert summary.n_held == summary.n_images == 5
    assert summary.n_failed == (0 if suffix == "csv" else 1)
    assert not unfinished(out).exists() or suffix in ("jsonl", "csv")


def test_a_journal_with_every_record_and_a_torn_line_becomes_the_file(photos):
    whole, out = Path("whole.json"), Path("out.json")
    run(photos, whole)
    run(photos, out, BatchOptions(), 4)
    journal = unfinished(out)
    (photos / "=5.png").rename("=5.png")
    journal.write_bytes(journal.read_bytes() + b'{"schema_ver')
    assert run(photos, out) == []
    assert json.loads(out.read_text()) == json.loads(whole.read_text())[:4]


def test_a_finished_text_file_is_not_read_back(photos):
    run(photos, Path("out.txt"))
    with pytest.raises(OutputError, match=r"Cannot resume 'out\.txt': the file is finished.* Write jsonl or csv"):
        run(photos, Path("out.txt"))


def test_resume_without_a_file_begins(photos):
    assert len(run(photos, Path("out.jsonl"))) == 5


def test_images_that_came_later_are_added(photos):
    out = Path("out.jsonl")
    run(photos, out)
    Image.new("RGB", (5, 5)).save(photos / "0.png")
    assert run(photos, out) == ["0"]
    out = Path("out.json")
    run(photos, out)
    Image.new("RGB", (5, 5)).save(photos / "00.png")
    assert run(photos, out) == ["00"]
    assert len(json.loads(out.read_text())) == 7


def test_an_image_that_was_repaired_gets_its_csv_row(photos):
    out = Path("out.csv")
    run(photos, out)
    Image.new("RGB", (5, 5)).save(photos / "3.jpg")
    assert run(photos, out) == ["3"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_exists_is_refused_before_any_work(photos, suffix, monkeypatch):
    out = Path(f"out.{suffix}")
    out.write_text("precious")
    monkeypatch.setattr("firstsight.batch.job.plan_images", lambda *_, **__: pytest.fail("was planned"))
    with pytest.raises(OutputError) as caught:
        run(photos, out, BatchOptions())
    assert str(caught.value) == (
        f"'out.{suffix}' exists. Say --resume to go on after what it holds, or --overwrite to replace it."
    )
    assert out.read_text() == "precious"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_overwrite_begins_again(photos, suffix):
    out, whole = Path(f"out.{suffix}"), Path(f"whole.{suffix}")
    run(photos, whole)
    out.write_text("old" * 10_000)
    run(photos, out, OVERWRITE)
    assert out.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("suffix", ["json", "txt"])
def test_overwrite_keeps_the_old_file_until_the_new_one_is_whole(photos, suffix):
    out = Path(f"out.{suffix}")
    out.write_text("old")
    run(photos, out, OVERWRITE, n=3)
    assert out.read_text() == "old"
    run(photos, out)
    assert out.read_text() != "old"


def test_a_run_that_was_not_finished_is_not_forgotten(photos):
    run(photos, Path("out.json"), n=2)
    with pytest.raises(OutputError) as caught:
        run(photos, Path("out.json"), BatchOptions())
    assert str(caught.value) == (
        "'out.json.journal' is there: a run that writes 'out.json' was not finished. "
        "Say --resume to go on, or --overwrite to begin again."
    )


def test_a_kill_between_rename_and_removal_of_the_journal(photos):
    out = Path("out.json")
    run(photos, out, n=4)
    journal = unfinished(out).read_bytes()
    run(photos, out)
    whole = out.read_bytes()
    unfinished(out).write_bytes(journal)
    run(photos, out)
    assert out.read_bytes() == whole
    assert not unfinished(out).exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("o.jsonl", "precious notes", "line 1: it is no row of a caption file"),
        ("o.jsonl", "precious\nnotes", r"line 1: it is no jsonl row of captions \(Expecting value"),
        ("o.jsonl", '{"a": 1}\n', r"line 1: it is no jsonl row of captions \(captions is missing\)"),
        ("o.jsonl", "\n", "line 1: it is no jsonl row"),
        (
            "o.csv",
            "public_id,caption\n",
            "line 1: the header is 'public_id,caption'; this run writes 'image_id,caption'",
        ),
        ("o.csv", "image_id,caption\r\n", r"line 1: the header is 'image_id,caption\\r'; this run writes"),
        ("o.csv", "precious", "line 1: it is no row of a caption file"),
        ("o.csv", "image_id,caption\na,b,c\n", r"line 2: it is no csv row of captions \(expected 2 fields, got 3\)"),
        ("o.csv", "image_id,caption\nz,A cat.\n", "line 2: the image_id 'z' is not among the images of this run"),
        ("o.csv", "image_id,caption\n1,x\n4,x\n1,x\n", "line 4: the image_id '1' stands in it twice"),
        ("o.csv", 'image_id,caption\n"1,x\n', "line 2: it is no csv row"),
        ("o.json", "{}", "the file is finished, and expected a list of records"),
        ("o.json", "[", "the file is finished, and Expecting value"),
    ],
)
def test_what_does_not_fit_is_refused_and_left_alone(photos, name, content, message):
    Path(name).write_bytes(content.encode())
    with pytest.raises(OutputError, match=rf"Cannot resume '{name}'.*{message}") as caught:
        run(photos, Path(name))
    assert "--overwrite" in str(caught.value)
    assert Path(name).read_bytes() == content.encode()


def test_bytes_that_are_no_text_are_refused(photos):
    Path("o.jsonl").write_bytes(b"\xff\xfe\n")
    with pytest.raises(OutputError, match="line 1: it is no jsonl row"):
        run(photos, Path("o.jsonl"))


def test_records_of_other_images_are_refused(photos):
    run(photos, Path("o.jsonl"))
    run(photos, Path("o.json"))
    (photos / "1.png").rename(photos / "one.png")
    for out in (Path("o.jsonl"), Path("o.json")):
        with pytest.raises(OutputError, match="image_id '1' is not among the images of this run"):
            run(photos, out)


@pytest.mark.parametrize("suffix", ["jsonl", "json", "txt"])
def test_another_captioner_or_other_options_are_refused(photos, suffix):
    out = Path(f"o.{suffix}")
    run(photos, out, n=2)
    with pytest.raises(OutputError) as caught:
        caption_files([photos], out, captioner=FakeCaptioner(beam_size=5), options=RESUME)
    assert str(caught.value) == (
        "Cannot resume: what the output holds was made by fake 1 (beam_size=3, seed=0); this run is by "
        "fake 1 (beam_size=5, seed=0). Use the same captioner and options, or say --overwrite."
    )


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("existing", ["resume", "overwrite"])
def test_a_second_run_on_one_output_is_refused(photos, suffix, existing):
    out = Path(f"o.{suffix}")
    with CaptionJob([photos], out) as job:
        records = job.run(FakeCaptioner())
        next(records)
        with pytest.raises(OutputError, match=r"is being written by another run. Wait for it, or name another file"):
            run(photos, out, BatchOptions(existing=existing))
        assert sum(1 for _ in records) == 4
    assert len(out.read_text().splitlines()) >= 5


def test_outputs_that_cannot_be(photos):
    for out, message in (
        ("photos", "'photos' is a folder. Name a file in it."),
        ("no/out.jsonl", "The folder 'no' does not exist. Create it first."),
        ("n" * 300 + ".jsonl", "File name too long. Choose a shorter name."),
    ):
        with pytest.raises(OutputError, match=message):
            caption_files([photos], out, captioner=FakeCaptioner(), options=BatchOptions(format="jsonl"))


def test_standard_output_cannot_be_resumed(photos):
    with pytest.raises(UsageError, match=r"Standard output cannot be resumed. Name a file with -o"):
        caption_files([photos], captioner=FakeCaptioner(), options=RESUME)
    with pytest.raises(OutputError, match="is a pipe or a device and cannot be resumed"):
        caption_files([photos], "/dev/null", captioner=FakeCaptioner(), options=BatchOptions("jsonl", "resume"))


def test_a_batch_size_below_one_is_refused_first(photos):
    with pytest.raises(UsageError, match="The batch size is 0"):
        caption_files([photos], "o.jsonl", captioner=FakeCaptioner(), options=BatchOptions(batch_size=0))
    assert not Path("o.jsonl").exists()


def test_the_file_behind_a_link_is_written(photos):
    Path("real.json").touch()
    Path("link.json").symlink_to("real.json")
    run(photos, Path("link.json"), OVERWRITE)
    assert Path("link.json").is_symlink()
    assert len(json.loads(Path("real.json").read_text())) == 5


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_a_device(photos):
    with pytest.raises(OutputError, match=r"Cannot write '/dev/full': No space left on device. Free some space first."):
        caption_files([photos], "/dev/full", captioner=FakeCaptioner(), options=BatchOptions(format="csv"))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_leaves_whole_rows_and_the_run_goes_on(photos, suffix, monkeypatch):
    whole, out = Path(f"whole.{suffix}"), Path(f"out.{suffix}")
    run(photos, whole)
    real, n_written = os.write, 0

    def write(fd: int, data: memoryview) -> int:
        nonlocal n_written
        if n_written > 500:
            raise OSError(28, "No space left on device")
        n = real(fd, data[:40])  # a disk that takes little at a time
        n_written += n
        return n

    limit = pytest.MonkeyPatch()
    limit.setattr(os, "write", write)
    if suffix == "csv":
        n_written = 430
    with pytest.raises(
        OutputError, match=r"No space left on device. Free some space first. What was written before is"
    ):
        run(photos, out)
    limit.undo()
    growing = unfinished(out).read_bytes()
    assert growing.endswith(b"\n")
    assert growing.count(b"\n") >= 1
    run(photos, out)
    assert out.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("suffix", ["json", "txt"])
def test_a_rename_that_fails_loses_nothing(photos, suffix, monkeypatch):
    out = Path(f"out.{suffix}")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
        with pytest.raises(
            OutputError, match=r"Permission denied\. Check your rights\. Nothing is lost: go on with --res"
        ):
            run(photos, out)
    assert not out.with_name(out.name + ".partial").exists()
    assert run(photos, out) == []
    assert len(out.read_text().splitlines()) >= 5
