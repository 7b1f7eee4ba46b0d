"""The record of ``deconvolvers.py`` as Markdown."""

from __future__ import annotations

from typing import Any


def markdown(record: dict[str, Any]) -> str:
    """Tables of the ratios, each median with its quartiles."""
    machine = record["machine"]
    theirs = machine["deepinv's side"]
    versions = ", ".join(f"{name} {machine[name]}" for name in ("torch", "scikit-image"))
    lines = [
        "# Deconvolvers against their peers",
        "",
        f"Printed by `python experiments/bench/deconvolvers.py`, {record['created']}: {machine['cpu']}, "
        f"{machine['cores']} cores, {machine['threads']} threads, load {machine['load']} at the start; {versions}, "
        f"deepinv {theirs if isinstance(theirs, str) else theirs['deepinv']}. Median [quartiles] of the quotient in "
        "each round.",
        "",
        "## A Wiener filter over its bare FFTs",
        "",
        "| filter, images, kernels | ours, ms | bare, ms | ratio |",
        "|---|---|---|---|",
    ]
    for name, row in record["fft"].items():
        lines.append(f"| {name} | {cell(row['ms']['ours'])} | {cell(row['ms']['bare'])} | {cell(row['ratio'])} |")
    lines += [
        "",
        "## The same filter, iterations, objective and gap",
        "",
        "| what | peer / ours | ratio |",
        "|---|---|---|",
    ]
    for shape, row in record["wiener"].items():
        lines += [f"| Wiener, {shape} | {name} | {cell(value)} |" for name, value in row["ratios"].items()]
    for title, part in (("Richardson-Lucy, 30 iterations", "richardson_lucy"), ("TV", "tv")):
        lines += [f"| {title} | {name} | {cell(value)} |" for name, value in record[part].get("ratios", {}).items()]
    tv = record["tv"]
    lines += ["", f"TV, 512 x 512, to a gap of {tv['gap']:g}:", "", "| solver | ms | iterations |", "|---|---|---|"]
    for name, found in tv["iterations"].items():
        taken = cell(tv["ms"][name]) if name in tv["ms"] else "not reached"
        lines.append(f"| {name} | {taken} | {settings(found)} |")
    lines += ["", "## Every deconvolver as it stands, 256 x 256", ""]
    lines += [
        "| deconvolver | alone, ms | an image of a batch of 8, ms | over scikit-image's wiener | 512 x 512 alone, ms |",
        "|---|---|---|---|---|",
    ]
    for name, row in record["every"].items():
        if "not timed" in row:
            lines.append(f"| {name} | not timed: {row['not timed']} | | | |")
            continue
        batch = cell(row["in_batch_ms"]) if "in_batch_ms" in row else "-"
        whole = cell(row["alone_512_ms"]) if "alone_512_ms" in row else "-"
        over = cell(row["ratio to scikit-image wiener"])
        lines.append(f"| {name} | {cell(row['alone_ms'])} | {batch} | {over} | {whole} |")
    return "\n".join(lines) + "\n"


def cell(value: dict[str, float]) -> str:
    """Median [quartiles], three digits.

    Example:
        >>> cell({"median": 1234.5, "low": 0.01234, "high": 2.0, "rounds": 5})
        '1230 [0.0123, 2]'
    """
    return "{} [{}, {}]".format(*(digits(value[key]) for key in ("median", "low", "high")))


def digits(value: float) -> str:
    """Three significant digits, no exponent.

    Example:
        >>> digits(123456.0), digits(0.98765)
        ('123000', '0.988')
    """
    return f"{float(f'{value:.3g}'):.10g}"


def settings(found: int | dict[str, Any]) -> str:
    """Iterations, with the options of a peer where it has some."""
    if isinstance(found, int):
        return str(found)
    missed = f", gap {found['not reached, gap']:.2g}" if "not reached, gap" in found else ""
    return f"{found['iterations']} (step {found['stepsize']:g}, {found['inner']} inner{missed})"
