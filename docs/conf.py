"""How Sphinx builds the documentation: ``make docs``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from texts import plain_docstring, without_links, without_links_out  # noqa: E402

from blurlab import __version__  # noqa: E402

project, author, copyright = "blurlab", "the blurlab authors", "the blurlab authors, Apache-2.0"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"blurlab {release}"
html_static_path: list[str] = []
html_show_sphinx = False
myst_heading_anchors = 3
napoleon_google_docstring, napoleon_numpy_docstring, napoleon_use_ivar = True, False, True
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_inherit_docstrings = False
suppress_warnings = ["misc.highlighting_failure"]


def setup(app: Any) -> None:
    """Texts of the checkout are shown as they are; what they link to is not part of the pages."""
    app.connect("include-read", lambda app, path, doc, text: text.__setitem__(0, without_links(text[0])))
    app.connect("source-read", lambda app, doc, text: text.__setitem__(0, without_links_out(text[0])))
    app.connect("autodoc-process-docstring", lambda app, what, name, obj, options, lines: plain_docstring(lines))
