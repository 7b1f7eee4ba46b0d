"""Values as words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from rich.text import Text

MISSING = "-"
NOT_RUN = "not run"


def figure(value: float | None, digits: int = 3) -> str:
    """A number with its digits, a true minus sign, and a dash where there is none.

    Example:
        >>> figure(0.98149), figure(-3.7, 2), figure(float("inf")), figure(None)
        ('0.981', '−3.70', '∞', '-')
    """
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.{digits}f}".replace("-", "−")


def interval(entry: Mapping[str, Any] | None, digits: int = 3) -> str:
    """The 95 % interval of an entry, empty where it has none.

    Example:
        >>> interval({"value": 0.5, "low": 0.4, "high": 0.6}, 2)
        '[0.40, 0.60]'
    """
    if not entry or entry.get("low") is None or entry.get("high") is None:
        return ""
    return f"[{figure(entry['low'], digits)}, {figure(entry['high'], digits)}]"


def brief(value: Any) -> str:
    """A part's options in one line, as code would build it.

    Example:
        >>> brief({"_target_": "blurlab.noise.Gaussian", "sigma": 0.004, "quantise": True})
        'Gaussian(sigma=0.004, quantise=True)'
        >>> brief([0.5, 5])
        '0.5–5'
    """
    if isinstance(value, Mapping):
        named = value.get("_target_") or value.get("name") or ""
        inner = [f"{k}={brief(v)}" for k, v in value.items() if k != "name" and not k.startswith("_") and v is not None]
        name = str(named).rsplit(".", 1)[-1]
        return f"{name}({', '.join(inner)})" if name and inner else name or ", ".join(inner) or "-"
    if isinstance(value, (list, tuple)):
        if len(value) == 2 and all(isinstance(v, (int, float)) for v in value):
            return brief(value[0]) if value[0] == value[1] else f"{value[0]:g}–{value[1]:g}"
        return "[" + ", ".join(brief(v) for v in value) + "]"
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:g}"
    return str(value)


def md_table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table without the columns that are empty in every line.

    Example:
        >>> print(md_table(["a", "b"], [["1", ""]]))
        | a |
        | --- |
        | 1 |
    """
    kept = [place for place in range(len(head)) if any(line[place] for line in lines) or not lines]
    shown = [[line[place] for place in kept] for line in [head, ["---"] * len(head), *lines]]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in shown)


def link(words: str, target: str) -> str:
    """Words of Markdown as a link to a file, whatever its name.

    Example:
        >>> link("0.95", "results/a|b c.json")
        '[0.95](results/a%7Cb%20c.json)'
    """
    return f"[{words}]({quote(target)})"


def md(words: object) -> str:
    r"""Words that cannot break a table or become HTML.

    Example:
        >>> print(md("a_b|<c>"))
        a\_b\|&lt;c>
    """
    safe = str(words).replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
    return " ".join(safe.replace("*", "\\*").replace("_", "\\_").split())


def styled(words: str, style: str = "") -> Text:
    """Words for a table of the terminal's, in which no square bracket is markup."""
    from rich.text import Text

    return Text(words, style=style)
