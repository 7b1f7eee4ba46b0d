"""What is done to texts before Sphinx reads them."""

from __future__ import annotations

import re

LINK = re.compile(r"(?<!!)\[([^\]\n]+)\]\((?!https?:|#)([^)\s]+)\)")
LITERAL = re.compile(r"(``.+?``|:\w+:`[^`]+`)")


def without_links_out(text: str) -> str:
    """A page whose links to files outside of the documentation are words.

    Example:
        >>> without_links_out("see [REPORT](../a/REPORT.md), [the tutorial](tutorial.md) and [web](https://a.b/c)")
        'see REPORT, [the tutorial](tutorial.md) and [web](https://a.b/c)'
    """
    return LINK.sub(lambda found: found[1] if found[2].startswith("../") else found[0], text)


def without_links(text: str) -> str:
    """A text of the checkout that a page includes: all that it links to by a relative path is words.

    Example:
        >>> without_links("see [the page](blind.md) and [web](https://a.b/c)")
        'see the page and [web](https://a.b/c)'
    """
    return LINK.sub(lambda found: found[1], text)


def plain_docstring(lines: list[str]) -> None:
    r"""Keep signs of formulas (``|``, ``*``, ``_`` at a word's end) in a docstring's sentences from being marked up.

    Example:
        >>> lines = ["min |Hu - y|^2, ``|x|`` as it is, see :func:`f_`", ">>> a | b"]
        >>> plain_docstring(lines)
        >>> lines
        ['min \\|Hu - y\\|^2, ``|x|`` as it is, see :func:`f_`', '>>> a | b']
    """
    in_doctest = False
    for number, line in enumerate(lines):
        in_doctest = line.strip().startswith(">>>") or (in_doctest and bool(line.strip()))
        if not in_doctest:
            parts = LITERAL.split(line)
            parts[::2] = [re.sub(r"([|*]|_(?=\W|$))", r"\\\1", part) for part in parts[::2]]
            lines[number] = "".join(parts)
