"""Files of human ratings: plain tables, the two protocols of Flickr8k, and what is refused with its place."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from firstsight.datasets.ratings import RatedCaption, read_ratings
from firstsight.errors import CaptionFileError, UnknownNameError, UsageError

REFERENCES = b"image_id,caption\n1,A dog.\n1,A brown dog.\n2,Two cats.\n3,Nobody rated this.\n"
TOKENS = (
    "a.jpg#0\tA dog runs .\na.jpg#1\tA brown dog .\na.jpg#2\tA dog runs .\nb.jpg#0\tTwo cats sleep .\nb.jpg#1\tCats .\n"
)


def plain(text: str, **options):
    return read_ratings(io.BytesIO(text.encode()), io.BytesIO(REFERENCES), **options)


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    path = tmp_path / "Flickr8k.token.txt"
    path.write_text(TOKENS)
    return path


@pytest.mark.parametrize(
    "text",
    [
        'image_id,caption,rating,rater\n1,A cat.,2,ann\n2,"Cats, asleep.",4.5,ben\n',
        "public_id\trating\trater\tcaption\n1\t2\tann\tA cat.\n2\t4.5\tben\tCats, asleep.\n",
        '{"image_id": 1, "caption": "A cat.", "rating": 2, "rater": "ann"}\n\n'
        '{"image_id": "2", "caption": "Cats, asleep.", "rating": 4.5, "rater": "ben"}\n',
    ],
    ids=["csv", "tsv", "jsonl"],
)
def test_a_plain_table(text: str):
    file = plain(text)
    assert file.ratings == (RatedCaption("1", "A cat.", 2.0, "ann"), RatedCaption("2", "Cats, asleep.", 4.5, "ben"))
    assert file.references == {"1": ("A dog.", "A brown dog."), "2": ("Two cats.",)}  # of the rated images alone
    assert (file.protocol, file.notes) == ("plain", ())


def test_captions_may_stand_in_another_file():
    candidates = io.BytesIO(b"image_id,caption\n1,A puppy.\n2,Two kittens.\n")
    file = plain("image_id,rating\n1,2\n2,3\n1,4\n", captions=candidates)
    assert [rated.caption for rated in file.ratings] == ["A puppy.", "Two kittens.", "A puppy."]
    with pytest.raises(CaptionFileError, match="line 2: the image '2' has no caption in"):
        plain("image_id,rating\n2,2\n", captions=io.BytesIO(b"image_id,caption\n1,A puppy.\n"))


def test_experts_give_three_ratings_and_own_captions_are_left_out(tokens: Path):
    ratings = io.BytesIO(b"a.jpg\tb.jpg#0\t1\t2\t1\na.jpg\ta.jpg#1\t4\t4\t4\nb.jpg\ta.jpg#0\t1\t1\t1\n")
    file = read_ratings(ratings, tokens, protocol="flickr8k-expert")
    assert file.ratings[:3] == tuple(
        RatedCaption("a", "Two cats sleep .", rating, f"expert {n}") for n, rating in enumerate((1.0, 2.0, 1.0), 1)
    )
    assert len(file.ratings) == 6
    assert file.references["a"] == ("A dog runs .", "A brown dog .", "A dog runs .")
    assert file.notes == ("1 rated captions that are references of their own image were left out.",)


def test_crowd_flower_takes_rated_captions_out_of_their_own_image(tokens: Path):
    ratings = io.BytesIO(b"a.jpg\ta.jpg#2\t1\t3\t0\na.jpg\tb.jpg#1\t0.25\t1\t3\nb.jpg\ta.jpg#0\t0\t0\t3\n")
    file = read_ratings(ratings, tokens, protocol="flickr8k-cf")
    assert [(rated.image_id, rated.rating) for rated in file.ratings] == [("a", 1.0), ("a", 0.25), ("b", 0.0)]
    # One of the two equal captions of a is left, for the other rated caption of a too.
    assert sorted(file.references["a"]) == ["A brown dog .", "A dog runs ."]
    assert file.references["b"] == ("Two cats sleep .", "Cats .")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image_id,caption,rating\n1,A cat.,good\n", "line 2: the rating must be a number, got 'good'"),
        ("image_id,caption,rating\n1,A cat.,\n", "line 2: the rating must be a number, got ''"),
        ("image_id,caption,rating\n1,A cat.,inf\n", "line 2: the rating must be a number, got 'inf'"),
        ('{"image_id": "1", "caption": "A cat.", "rating": true}\n', "line 1: the rating must be a number, got True"),
        ("image_id,caption,stars\n1,A cat.,3\n", "no rating: expected one of rating; the fields are 'image_id'"),
        ("photo,caption,rating\n1,A cat.,3\n", "no id: expected one of image_id, public_id, id"),
        ("image_id,rating\n1,3\n", "no caption: expected one of caption; .* Or give the captions with --captions"),
        ("image_id,caption,rating\n1,A cat.\n", "line 2: the row has not as many fields as the header"),
        ("image_id,caption,rating\n", "holds no ratings"),
        ("image_id,caption,rating\n9,A cat.,3\n", "1 rated images have no references in .*: '9'"),
        ('{"image_id": "1"\n', "line 1: not valid JSON"),
        ('{"image_id": 1.5, "caption": "A cat.", "rating": 3}\n', "must be text or a whole number, got 1.5"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, message: str):
    with pytest.raises(CaptionFileError, match=message):
        plain(text)


@pytest.mark.parametrize(
    ("protocol", "line", "message"),
    [
        ("flickr8k-expert", "a.jpg\tb.jpg#0\t1\t2\n", "line 1: expected a photo, the id of a caption .* and 3 numbers"),
        ("flickr8k-expert", "a.jpg\tb.jpg#9\t1\t2\t1\n", "line 1: the caption 'b.jpg#9' is not in"),
        ("flickr8k-cf", "a.jpg\tb.jpg#0\tyes\t2\t1\n", "line 1: the share of yes must be a number, got 'yes'"),
    ],
)
def test_what_is_wrong_in_files_of_flickr8k_is_told(protocol: str, line: str, message: str, tokens: Path):
    with pytest.raises(CaptionFileError, match=message):
        read_ratings(io.BytesIO(line.encode()), tokens, protocol=protocol)


def test_files_of_flickr8k_need_its_captions_by_id(tmp_path: Path):
    with pytest.raises(UsageError, match=r"needs the name of Flickr8k.token.txt"):
        read_ratings(io.BytesIO(b"x"), io.BytesIO(TOKENS.encode()), protocol="flickr8k-cf")
    other = tmp_path / "references.csv"
    other.write_bytes(REFERENCES)
    with pytest.raises(CaptionFileError, match=r"expected photo.jpg#0, a tab and a caption"):
        read_ratings(io.BytesIO(b"a.jpg\tb.jpg#0\t1\t2\t1\n"), other, protocol="flickr8k-expert")


def test_an_unknown_protocol_is_refused():
    with pytest.raises(UnknownNameError, match="Unknown protocol of ratings 'flickr8k'"):
        plain("image_id,caption,rating\n1,A cat.,3\n", protocol="flickr8k")
