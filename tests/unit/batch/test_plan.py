"""Which images a run takes, in which order, and under which ids."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from firstsight.batch import plan_images
from firstsight.errors import CaptionFileError, UsageError


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(*names: str) -> None:
    for name in names:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def files(*paths: str, **options: object) -> list[str]:
    return [image.path for image in plan_images(paths, **options).images]


def ids(*paths: str, **options: object) -> list[str]:
    return [image.image_id for image in plan_images(paths, **options).images]


@pytest.mark.usefixtures("here")
class TestFound:
    def test_a_folder_gives_its_images_in_natural_order_files_first(self):
        touch(
            "p/10.jpg", "p/2.JPG", "p/b/1.png", "p/a/x.webp", "p/notes.txt", "p/img9.tif", "p/img010.gif", "p/1/z.bmp"
        )
        assert files("p") == [
            *("p/2.JPG", "p/10.jpg", "p/img9.tif", "p/img010.gif"),
            *("p/1/z.bmp", "p/a/x.webp", "p/b/1.png"),
        ]
        assert files("p/") == files("p") == files("./p")

    def test_the_folder_where_the_user_stands(self):
        touch("b.jpg", "a/c.jpg")
        assert files(".") == ["b.jpg", "a/c.jpg"]

    def test_hidden_files_and_links_to_folders_are_passed_over(self):
        touch("p/._a.jpg", "p/.cache/b.jpg", "p/c.jpg")
        Path("p/loop").symlink_to("..")
        Path("p/d.jpg").symlink_to("c.jpg")
        Path("p/e.jpg").mkdir()
        Path("p/broken.jpg").symlink_to("nowhere")
        assert files("p") == ["p/broken.jpg", "p/c.jpg", "p/d.jpg"]
        Path("link").symlink_to("p")
        assert files("link") == ["link/broken.jpg", "link/c.jpg", "link/d.jpg"]

    def test_a_file_is_taken_whatever_it_is(self):
        touch("readme.txt", ".hidden.jpg")
        assert files("readme.txt", ".hidden.jpg", "missing.jpg") == ["readme.txt", ".hidden.jpg", "missing.jpg"]

    def test_a_quoted_pattern_gives_what_a_shell_would(self):
        touch("p/a10.jpg", "p/a9.jpg", "p/b.txt", "p/q/c.jpg")
        assert files("p/a*.jpg") == ["p/a9.jpg", "p/a10.jpg"]
        assert files("p/**/*.jpg") == ["p/a9.jpg", "p/a10.jpg", "p/q/c.jpg"]
        assert files("p/*") == ["p/a9.jpg", "p/a10.jpg", "p/b.txt", "p/q/c.jpg"]

    def test_a_file_whose_name_looks_like_a_pattern_is_that_file(self):
        touch("a[1].jpg", "a1.jpg")
        assert files("a[1].jpg") == ["a[1].jpg"]

    def test_a_pattern_that_matches_nothing(self):
        with pytest.raises(UsageError, match=r"No file matches 'p/\*\.jpg'\. Check the pattern"):
            files("p/*.jpg")

    def test_a_list_by_line_or_by_nul(self):
        touch("p/x.jpg")
        lines = io.BytesIO("a b.jpg\r\n\n사진.jpg\np".encode())
        assert files("0.jpg", "-", "9.jpg", listing=lines) == ["0.jpg", "a b.jpg", "사진.jpg", "p/x.jpg", "9.jpg"]
        assert files("-", listing=io.BytesIO(b"a\nb.jpg\0*.jpg\0")) == ["a\nb.jpg", "*.jpg"]

    def test_a_list_twice_or_none(self):
        with pytest.raises(UsageError, match="can be given once"):
            files("-", "-", listing=io.BytesIO(b"a.jpg"))
        with pytest.raises(UsageError, match="a list of paths, and there is none"):
            files("-")

    def test_nothing(self):
        with pytest.raises(UsageError, match="No image is named"):
            files()
        Path("p").mkdir()
        with pytest.raises(UsageError, match=r"No image found in 'p'\..* \.bmp .*\.webp"):
            files("p")

    def test_a_file_that_is_named_twice_is_taken_once(self):
        touch("p/a.jpg")
        plan = plan_images(["p", "p/a.jpg", "./p/../p/a.jpg"])
        assert [image.path for image in plan.images] == ["p/a.jpg"]
        assert plan.n_repeated == 2

    def test_folders_that_cannot_be_listed(self, monkeypatch):
        touch("p/a.jpg", "p/closed/b.jpg")
        real = os.scandir

        def scandir(path: str) -> object:
            if path.endswith("closed"):
                raise PermissionError(13, "Permission denied")
            return real(path)

        monkeypatch.setattr(os, "scandir", scandir)
        plan = plan_images(["p"])
        assert [image.path for image in plan.images] == ["p/a.jpg"]
        assert plan.unreadable == ["the folder 'p/closed' cannot be listed: Permission denied"]
        with pytest.raises(UsageError, match="The folder 'p/closed' cannot be listed: Permission denied"):
            files("p/closed")

    def test_a_deep_tree_and_long_digits(self):
        deep = "/".join(["d"] * 300)
        Path("p").mkdir()
        at = os.open("p", os.O_RDONLY)
        for _ in range(300):
            os.mkdir("d", dir_fd=at)
            inner = os.open("d", os.O_RDONLY, dir_fd=at)
            os.close(at)
            at = inner
        os.close(os.open("1" * 200 + ".jpg", os.O_CREAT, dir_fd=at))
        os.close(at)
        assert files("p") == [f"p/{deep}/{'1' * 200}.jpg"]


@pytest.mark.usefixtures("here")
class TestIds:
    def test_name_without_extension(self):
        touch("p/a.b.jpg", "p/q/c.png")
        assert ids("p", "x/.jpg", "noext") == ["a.b", "c", ".jpg", "noext"]

    def test_path_relative_to_the_folder(self):
        touch("p/a.jpg", "p/q/a.png")
        assert ids("p", "x/a.jpg", id_from="path") == ["a.jpg", "q/a.png", "x/a.jpg"]

    def test_collisions_name_both_files_before_any_work(self):
        touch("p/a.jpg", "p/q/a.png", "p/b.jpg")
        with pytest.raises(UsageError) as caught:
            ids("p")
        assert str(caught.value) == (
            "1 image id stands for more than one file: 'a' for 'p/a.jpg' and 'p/q/a.png'. "
            "Say --id-from path, or give the ids with --manifest."
        )
        assert ids("p", id_from="path") == ["a.jpg", "b.jpg", "q/a.png"]

    def test_collisions_say_what_helps_where_paths_or_a_manifest_collide(self):
        touch("p/a.jpg", "q/a.jpg")
        with pytest.raises(UsageError, match=r"\. Name one folder above them all, or give the ids with --manifest\.$"):
            ids("p", "q", id_from="path")
        Path("m.csv").write_text("file,image_id\np/a.jpg,1\nq/a.jpg,1\n")
        with pytest.raises(UsageError, match=r"\. Give each an id of its own in the manifest\.$"):
            plan_images([], manifest="m.csv")

    def test_many_collisions_show_five(self):
        touch(*(f"p/{i}.jpg" for i in range(7)), *(f"q/{i}.jpg" for i in range(7)))
        with pytest.raises(UsageError, match="7 image ids stand for more") as caught:
            ids("p", "q")
        assert str(caught.value).count(" for 'p/") == 5

    def test_odd_names_give_ids_on_one_line_and_files_stay_exact(self):
        odd = os.fsdecode(b"a\xff.jpg")
        images = plan_images(["x\ny\u2028\x1b.jpg", odd, "개.jpg"]).images
        assert [image.image_id for image in images] == ["x\\ny\\u2028\\x1b", "a\\xff", "개"]
        assert [image.file for image in images] == ["x\ny\u2028\x1b.jpg", "a\\xff.jpg", "개.jpg"]
        assert images[1].path == odd


@pytest.mark.usefixtures("here")
class TestManifest:
    @pytest.mark.parametrize("suffix", ["csv", "jsonl"])
    def test_it_names_the_images_when_no_path_is_given(self, suffix):
        rows = [("b.jpg", "7"), ("q/사진.jpg", "x y")]
        Path("m").mkdir()
        if suffix == "csv":
            text = "\ufeffimage_id,author,file\r\n" + "".join(f"{i},A,{file}\r\n" for file, i in rows)
        else:
            text = "".join(json.dumps({"file": file, "image_id": i}) + "\n" for file, i in rows).replace('"7"', "7")
        Path(f"m/list.{suffix}").write_text(text, encoding="utf-8")
        images = plan_images([], manifest=f"m/list.{suffix}").images
        assert [(image.path, image.image_id) for image in images] == [("m/b.jpg", "7"), ("m/q/사진.jpg", "x y")]

    def test_it_gives_ids_to_paths_however_they_are_spelt(self):
        touch("p/a.jpg", "p/q/b.jpg", "c.jpg")
        Path("m.csv").write_text(f"file,image_id\na.jpg,1\np/q/b.jpg,2\n{Path.cwd() / 'c.jpg'},3\nunused.jpg,4\n")
        assert ids("p", "./c.jpg", manifest="m.csv") == ["1", "2", "3"]

    def test_images_that_it_does_not_name(self):
        touch("p/a.jpg", "p/b.jpg")
        Path("m.csv").write_text("file,image_id\na.jpg,1\n")
        with pytest.raises(CaptionFileError, match=r"'m\.csv' has no row for 1 of the images: 'p/b\.jpg'\. Add them"):
            ids("p", manifest="m.csv")

    def test_ids_that_collide(self):
        Path("m.csv").write_text("file,image_id\na.jpg,1\nb.jpg,1\n")
        with pytest.raises(UsageError, match=r"'1' for 'a\.jpg' and 'b\.jpg'"):
            ids(manifest="m.csv")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                "files,image_id\na,1\n",
                r"no column 'file'\. Did you mean it by 'files'\? Its columns are 'files', 'image_id'",
            ),
            ("file,id\na,1\n", "no column 'image_id'"),
            ("", "no column 'file'.* Its columns are none; expected file,image_id"),
            ("file,image_id\n", "has no rows"),
            ("file,image_id\na\n", "line 2: file or image_id is empty"),
            ("file,image_id\na,\n", "line 2: file or image_id is empty"),
            ("file,image_id\na,1\n./a,2\n", "line 3: the file './a' stands in it twice"),
            ('file,image_id\n"a,1\n', "not valid CSV"),
            ('{"file": "a"\n', "line 1: not valid JSON"),
            ('{"file": "a", "image_id": 1}\n[]\n', "line 2: expected an object"),
            ('{"file": "a", "image_id": 1.5}\n', "line 1: file must be text, image_id text or a whole number"),
            ('{"file": "a", "image_id": true}\n', "line 1: file must be text"),
            ("{" + '"a":{' * 100_000, "line 1: not valid JSON"),
            (b"file,image_id\n\xff,1\n", "not UTF-8 text at byte 14"),
        ],
    )
    def test_mistakes_are_named(self, text, message):
        Path("m.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(CaptionFileError, match=message):
            ids(manifest="m.csv")

    def test_one_that_is_not_there(self):
        with pytest.raises(CaptionFileError, match=r"The manifest 'no\.csv' cannot be read: No such file"):
            ids(manifest="no.csv")
