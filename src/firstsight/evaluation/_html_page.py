"""What the HTML pages share: their template, style and script in one file that loads nothing."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from types import SimpleNamespace

from markupsafe import Markup

from firstsight._version import __version__
from firstsight.evaluation._report_text import both, breakable

__all__ = ["render_html"]

_FOLDER = Path(__file__).resolve().parent
_STYLES = ("tokens.css", "report.css")


def render_html(template: str, page: SimpleNamespace, *more_styles: str) -> str:
    """Return a whole page as HTML.

    Args:
        template: One that extends ``base.html.j2``.
        page: What it shows: ``title_en``, ``title_ko``, ``lede`` and what the template asks for.
        *more_styles: Files of styles that this page has beside those of all.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(t=both, breakable=breakable)
    css, js = "".join(map(_text, (*_STYLES, *more_styles))), _text("report.js")
    file = SimpleNamespace(version=__version__, css=Markup(css), js=Markup(js), css_hash=_hash(css), js_hash=_hash(js))
    return environment.get_template(template).render(page=page, file=file)


def _text(name: str) -> str:
    return (_FOLDER / "static" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
