"""One more fact about each image, such as its category: a column of a manifest, by image id."""

from __future__ import annotations

from firstsight.datasets._records import no_column, record_id, records
from firstsight.datasets._rows import FILE_COLUMNS, ID_COLUMNS, id_of_file, wanted_column
from firstsight.datasets._source import CaptionSource, quoted, read_source

__all__ = ["read_column"]


def read_column(source: CaptionSource, column: str) -> dict[str, str]:
    r"""Return the value of ``column`` for each image of a CSV, TSV or JSONL file, as text.

    A row without an id has the name of its file without extension. Empty fields and null are left out.

    Raises:
        CaptionFileError: The file cannot be read, has no such column or no id, or gives an image two values.

    Example:
        >>> import io
        >>> read_column(io.BytesIO(b"image_id,place\n1,indoor\n2,outdoor\n"), "place")
        {'1': 'indoor', '2': 'outdoor'}
    """
    text = read_source(source)
    values: dict[str, str] = {}
    for place, record in records(text):
        if column not in record:
            raise text.fault(place, no_column(f"column {quoted(column)}", (column,), record))
        file_column = wanted_column(FILE_COLUMNS, record)
        if wanted_column(ID_COLUMNS, record) is None and file_column is not None:
            image_id = id_of_file(str(record[file_column]))
        else:
            image_id = record_id(text, place, record)
        value = record[column]
        if value is None or value == "":
            continue
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        if values.setdefault(image_id, shown) != shown:
            raise text.fault(
                place, f"the image {quoted(image_id)} has {quoted(shown)} here and {quoted(values[image_id])} before."
            )
    return values
