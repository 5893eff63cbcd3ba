"""A column of a manifest by image id."""

from __future__ import annotations

import io

import pytest

from firstsight.datasets.columns import read_column
from firstsight.errors import CaptionFileError


@pytest.mark.parametrize(
    "text",
    [
        "image_id,file,place\n1,a.jpg,in\n2,b.jpg,out\n3,c.jpg,\n",
        "place\timage_id\nin\t1\nout\t2\nin\t1\n",
        "file,place\nphotos/1.jpg,in\n2.png,out\n",
        '{"image_id": 1, "place": "in"}\n{"image_id": "2", "place": "out"}\n{"image_id": "3", "place": null}\n',
    ],
)
def test_values_by_image_id(text: str):
    assert read_column(io.BytesIO(text.encode()), "place") == {"1": "in", "2": "out"}


def test_numbers_and_truth_values_are_text():
    text = '{"image_id": "1", "n": 2}\n{"image_id": "2", "n": true}\n'
    assert read_column(io.BytesIO(text.encode()), "n") == {"1": "2", "2": "true"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "image_id,site\n1,in\n",
            "line 2: no column 'place': expected one of place; the fields are 'image_id', 'site'",
        ),
        ("name,place\n1,in\n", "line 2: no id: expected one of image_id, public_id, id"),
        ("image_id,place\n1,in\n1,out\n", "line 3: the image '1' has 'out' here and 'in' before"),
        ('image_id,place\n1,"in\n', "not valid CSV"),
    ],
)
def test_what_is_wrong_is_told(text: str, message: str):
    with pytest.raises(CaptionFileError, match=message):
        read_column(io.BytesIO(text.encode()), "place")
