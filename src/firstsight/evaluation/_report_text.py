"""Text of the report: two languages side by side, and signatures that break between their fields."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from firstsight._text import visible

__all__ = ["both", "breakable"]


def both(english: str, korean: str, /, **values: object) -> Markup:
    """Return both texts as HTML, of which the page shows one; ``values`` fill ``{name}`` in each, escaped.

    Example:
        >>> both("{n} photos", "사진 {n}장", n=3)
        Markup('<span class="en" lang="en">3 photos</span><span class="ko" lang="ko">사진 3장</span>')
    """
    shown = {name: _as_html(value) for name, value in values.items()}
    spans = (
        Markup('<span class="{0}" lang="{0}">{1}</span>').format(language, Markup(escape(text)).format(**shown))
        for language, text in (("en", english), ("ko", korean))
    )
    return Markup("").join(spans)


def breakable(signature: str) -> Markup:
    """Return a signature as HTML whose lines break between its fields and parameters rather than within them.

    Example:
        >>> breakable("params:beta=1.2,case=mixed|tok:ptb@1")
        Markup('params:beta=1.2,<wbr>case=mixed|<wbr>tok:ptb@1')
    """
    return Markup(re.sub(r"([|,])", r"\1<wbr>", str(escape(signature))))


def _as_html(value: object) -> Markup:
    if isinstance(value, str) and not isinstance(value, Markup):
        return escape(visible(value))
    return escape(value)
