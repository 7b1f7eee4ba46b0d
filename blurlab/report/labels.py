"""What each metric is called, its unit, its digits and which way is better: the only place that knows."""

from __future__ import annotations

from dataclasses import dataclass, replace

NETWORK = "network"
"""Last suffix of what a network said before it was refined."""


@dataclass(frozen=True)
class Label:
    """How one metric is shown.

    Attributes:
        text: Words for a reader.
        unit: Unit, empty for a fraction.
        digits: Decimals of our own figures.
        higher_is_better: None where neither way is better.
        group: Heading under which the metric stands.
        headline: Whether ``experiments/index.csv`` and the table of a sweep have a column for it.
    """

    text: str
    unit: str = ""
    digits: int = 3
    higher_is_better: bool | None = True
    group: str = "Other"
    headline: bool = False


NAMING, MEASURING, RESTORING, TIME, OTHER = "Naming the blur", "Measuring it", "Undoing it", "Time", "Other"
GROUPS = (NAMING, MEASURING, RESTORING, TIME, OTHER)

ANGLES = "lines from 6 px, ellipses from 1.5 : 1"
"""Of which blurs the angle counts; their families say so (``measurable``), and a report is made without torch."""

METRICS: dict[str, Label] = {
    "type_accuracy": Label("Accuracy of the blur type", group=NAMING, headline=True),
    "type_accuracy_from_2px": Label("Accuracy of the blur type, strengths from 2 px", group=NAMING, headline=True),
    "kind_accuracy_answered": Label("Kind right where an answer was given", group=NAMING, headline=True),
    "answered": Label("Share of images with an answer", "", 3, None, NAMING, True),
    "calibration_error": Label("Expected calibration error of the answers", "", 3, False, NAMING, True),
    "sharp_called_blurred": Label("Sharp images called blurred", "", 3, False, NAMING, True),
    "accuracy_clean": Label("Clean images named clean", group=NAMING),
    "accuracy_none": Label("Clean images named clean", group=NAMING),
    "accuracy_defocus": Label("Out-of-focus images named so", group=NAMING),
    "accuracy_motion": Label("Motion-blurred images named so", group=NAMING),
    "accuracy_gaussian": Label("Images of Gaussian blur named so", group=NAMING),
    "accuracy": Label("Accuracy", group=NAMING),
    "binary_accuracy": Label("Accuracy, sharp or blurred", group=NAMING, headline=True),
    "strength5_accuracy": Label("Accuracy of five strengths", group=MEASURING, headline=True),
    "radius_mae_px": Label("Radius, mean error where the kind was found", "px", 3, False, MEASURING, True),
    "length_mae_px": Label("Motion length, mean error where the kind was found", "px", 3, False, MEASURING, True),
    "radius_median_px": Label("Radius, median error where the kind was found", "px", 3, False, MEASURING, True),
    "length_median_px": Label("Motion length, median error where the kind was found", "px", 3, False, MEASURING, True),
    "angle_median_deg": Label(f"Angle, median error, {ANGLES}", "deg", 2, False, MEASURING, True),
    "sigma_median_px": Label("Gaussian sigma, median error where the kind was found", "px", 3, False, MEASURING, True),
    "sigma_x_median_px": Label("Sigma x, median error where the kind was found", "px", 3, False, MEASURING),
    "sigma_y_median_px": Label("Sigma y, median error where the kind was found", "px", 3, False, MEASURING),
    "correlation_median": Label("Correlation, median error where the kind was found", "", 3, False, MEASURING),
    "exposure_median": Label("Exposed share, median error where the kind was found", "", 3, False, MEASURING),
    "taps_median_px": Label("Taps, median error where the kind was found", "px", 2, False, MEASURING),
    "angle_mae_deg": Label("Motion angle, mean error", "deg", 2, False, MEASURING),
    "sigma_mae_px": Label("Gaussian sigma, mean error where the kind was found", "px", 3, False, MEASURING),
    "width_mae_px": Label("Box width, mean error where the kind was found", "px", 3, False, MEASURING),
    "coverage90": Label("Coverage of 90 % intervals where the kind was found (0.9 is right)", "", 3, None, MEASURING),
    "coverage90_radius": Label("Coverage of 90 % intervals of the radius", "", 3, None, MEASURING),
    "coverage90_length": Label("Coverage of 90 % intervals of the length", "", 3, None, MEASURING),
    "coverage90_angle": Label(f"Coverage of 90 % intervals of the angle, {ANGLES}", "", 3, None, MEASURING),
    "coverage90_sigma": Label("Coverage of 90 % intervals of the Gaussian sigma", "", 3, None, MEASURING),
    "coverage90_sigma_x": Label("Coverage of 90 % intervals of sigma x", "", 3, None, MEASURING),
    "coverage90_sigma_y": Label("Coverage of 90 % intervals of sigma y", "", 3, None, MEASURING),
    "coverage90_correlation": Label("Coverage of 90 % intervals of the correlation", "", 3, None, MEASURING),
    "psnr": Label("PSNR", "dB", 2, True, RESTORING, True),
    "ssim": Label("SSIM", "", 3, True, RESTORING, True),
    "restored_better": Label("Restored images better than they came", group=RESTORING, headline=True),
    "restored_not_worse": Label("Restored images that lost at most 0.5 dB", group=RESTORING, headline=True),
    "isnr": Label("ISNR", "dB", 2, True, RESTORING, True),
    "isnr_border16": Label("ISNR of the outermost 16 px", "dB", 2, True, RESTORING, True),
    "isnr_interior": Label("ISNR of the rest", "dB", 2, True, RESTORING, True),
    "isnr_border16_oracle": Label("ISNR of the outermost 16 px, true kernel", "dB", 2, True, RESTORING),
    "isnr_interior_oracle": Label("ISNR of the rest, true kernel", "dB", 2, True, RESTORING),
    "isnr_border16_estimated": Label("ISNR of the outermost 16 px, estimated kernel", "dB", 2, True, RESTORING),
    "isnr_interior_estimated": Label("ISNR of the rest, estimated kernel", "dB", 2, True, RESTORING),
    "psnr_oracle_wiener": Label("PSNR, Wiener filter, true kernel and spectrum", "dB", 2, True, RESTORING, True),
    "isnr_oracle": Label("ISNR, true kernel", "dB", 2, True, RESTORING, True),
    "isnr_estimated": Label("ISNR, estimated kernel", "dB", 2, True, RESTORING, True),
    "isnr_map": Label("ISNR, most probable kernel", "dB", 2, True, RESTORING),
    "isnr_loss": Label("ISNR lost against the true kernel, estimated kernel", "dB", 2, False, RESTORING),
    "isnr_loss_map": Label("ISNR lost against the true kernel, most probable kernel", "dB", 2, False, RESTORING),
    "isnr_loss_one_longer": Label("ISNR lost against the true kernel, one class too long", "dB", 2, False, RESTORING),
    "isnr_loss_one_shorter": Label("ISNR lost against the true kernel, one class too short", "dB", 2, False, RESTORING),
    "isnr_gain_by_risk": Label("ISNR won by least expected risk", "dB", 2, True, RESTORING),
    "isnr_one_longer": Label("ISNR, kernel one class too long", "dB", 2, True, RESTORING),
    "isnr_one_shorter": Label("ISNR, kernel one class too short", "dB", 2, True, RESTORING),
    "isnr_oracle_wiener": Label("ISNR, Wiener filter, true kernel and spectrum", "dB", 2, True, RESTORING),
    "isnr_reference3": Label("ISNR of the earlier semi-blind method", "dB", 2, True, RESTORING),
    "ssim_oracle": Label("SSIM, true kernel", "", 3, True, RESTORING),
    "ssim_estimated": Label("SSIM, estimated kernel", "", 3, True, RESTORING, True),
    "ssim_blurred": Label("SSIM of the blurred image", "", 3, True, RESTORING),
    "psnr_oracle": Label("PSNR, true kernel", "dB", 2, True, RESTORING),
    "psnr_estimated": Label("PSNR, estimated kernel", "dB", 2, True, RESTORING, True),
    "psnr_blurred": Label("PSNR of the blurred image", "dB", 2, True, RESTORING),
    "psf_snr_estimated": Label("SNR of the estimated kernel, at most 80 dB", "dB", 2, True, RESTORING),
    "psf_snr_constant": Label("SNR of the blurs' mean kernel, the same for every image", "dB", 2, True, RESTORING),
    "psf_snr_gain": Label("SNR of the estimated kernel above the mean kernel's", "dB", 2, True, RESTORING, True),
    "isnr_constant": Label("ISNR, mean kernel of the blurs", "dB", 2, True, RESTORING),
    "psf_snr": Label("SNR of the estimated kernel", "dB", 2, True, RESTORING, True),
    "psf_snr_either_way": Label("SNR of the estimated kernel or its reverse, the better", "dB", 2, True, RESTORING),
    "operator_snr": Label("SNR of the operator, its kernels at four places", "dB", 2, True, RESTORING, True),
    "operator_snr_either_way": Label("SNR of the operator or its reverse, the better", "dB", 2, True, RESTORING),
    "ssim_mean_kernel": Label("SSIM, one mean kernel of the operator found", "", 3, True, RESTORING),
    "ssim_gain": Label("SSIM of the operator found above that", "", 3, True, RESTORING, True),
    "psnr_mean_kernel": Label("PSNR, one mean kernel of the operator found", "dB", 2, True, RESTORING),
    "orientation_right": Label("Kernels nearer to the true one than to its reverse", group=MEASURING, headline=True),
    "error_ratio_mean": Label("Error over that with the true kernel, sums of squares", "", 2, False, RESTORING, True),
    "error_ratio_le_2": Label("Share of images with an error ratio up to 2", "", 3, True, RESTORING, True),
    "error_ratio_le_3": Label("Share of images with an error ratio up to 3", "", 3, True, RESTORING),
    "error_ratio_le_5": Label("Share of images with an error ratio up to 5", "", 3, True, RESTORING),
    "norm_ratio_mean": Label("Error over that with the true kernel, largest singular values", "", 2, False, RESTORING),
    "kernel_correlation": Label(
        "Correlation of the kernel with the true one, best shift", "", 3, True, MEASURING, True
    ),
    "blind_s": Label("Processor time to estimate the kernel of one image", "s", 2, False, TIME, True),
    "classify_ms": Label("Time of the first network on one image", "ms", 2, False, TIME),
    "identify_cpu_s": Label("Processor time to identify the blur of one image", "s", 2, False, TIME),
    "identify_ms": Label("Time to identify the blur of one image, kind and parameters", "ms", 2, False, TIME),
    "restore_ms": Label("Time to restore one image", "ms", 2, False, TIME),
    "psnr_baseline": Label("PSNR, one Wiener filter and a bilateral filter", "dB", 2, True, RESTORING),
    "restore_s_baseline": Label("Time to restore one image by the baseline", "s", 2, False, TIME),
    "restore_s": Label("Time to restore one image, median", "s", 2, False, TIME, True),
}

PROPAGATION: dict[str, str] = {
    "isnr_oracle": "the true kernel",
    "isnr_estimated": "estimated, least expected risk",
    "isnr_map": "estimated, most probable",
    "isnr_one_longer": "one class too long",
    "isnr_one_shorter": "one class too short",
}
IMAGES: dict[str, str] = {
    "oracle": "true kernel",
    "estimated": "estimated kernel",
    "map": "most probable kernel",
    "blurred": "blurred image",
}
"""Last word of a restoration's metric -> which image it is of."""
LOSSES: dict[str, str] = {
    "isnr_estimated": "isnr_loss",
    "isnr_map": "isnr_loss_map",
    "isnr_one_longer": "isnr_loss_one_longer",
    "isnr_one_shorter": "isnr_loss_one_shorter",
}
"""Where a record keeps the true kernel's ISNR minus that kernel's, over the images that have both."""


def split_name(name: str) -> tuple[str, str]:
    """The metric and the head or deconvolver of a record's key.

    Example:
        >>> split_name("type_accuracy/compact"), split_name("psnr")
        (('type_accuracy', 'compact'), ('psnr', ''))
    """
    base, _, suffix = name.partition("/")
    return base, suffix


def parameter_words(name: str) -> str:
    """The parameter that a metric ``<parameter>_median...`` is of, with its kind where two kinds have one of its name.

    Example:
        >>> parameter_words("sigma_x_median_px"), parameter_words("length_median_px/motion/network")
        ('sigma x', 'length of motion')
    """
    base, suffix = split_name(name)
    stem, kind = base.partition("_median")[0].replace("_", " "), suffix.removesuffix(NETWORK).rstrip("/")
    return f"{stem} of {kind}" if kind else stem


def label(name: str, unit: str = "") -> Label:
    """How the metric ``name`` is shown; of a restoration as its plain metric; one nobody described keeps its own name.

    Args:
        name: Key of a record, with or without a suffix after a slash.
        unit: Unit for a metric nobody described.

    Example:
        >>> label("radius_mae_px/lenet").unit, label("kernel_l1").text
        ('px', 'kernel l1')
    """
    base, _ = split_name(name)
    return _known(base) or Label(base.replace("_", " "), unit, higher_is_better=None)


def is_described(name: str) -> bool:
    """Is the metric ``name`` one that blurlab's stages measure, or of a family of such? Parameters may have any unit.

    Example:
        >>> is_described("sigma_x_median_px/motion"), is_described("psnr_map/tv"), is_described("psn")
        (True, True, False)
    """
    base, _ = split_name(name)
    return "_median" in base or _known(base) is not None


def _known(base: str) -> Label | None:
    metric, _, of = base.rpartition("_")
    if base not in METRICS and metric in METRICS and of in IMAGES:
        return replace(METRICS[metric], text=f"{METRICS[metric].text}, {IMAGES[of]}", headline=False)
    return METRICS.get(base) or _of_a_family(base)


def _of_a_family(base: str) -> Label | None:
    """How the metric of a kind, or of a parameter, that no row names is shown; None for any other metric."""
    if base.startswith("accuracy_"):
        return Label(f"Images of {base.removeprefix('accuracy_').replace('_', ' ')} named so", group=NAMING)
    for end, kind in (("_median", "median"), ("_mae", "mean")):
        name, found, unit = base.partition(end)
        if found and name and unit in ("", "_px", "_deg"):
            words = name.replace("_", " ").capitalize()
            return Label(f"{words}, {kind} error where the kind was found", unit.removeprefix("_"), 3, False, MEASURING)
    if base.startswith("coverage90_"):
        words = base.removeprefix("coverage90_").replace("_", " ")
        return Label(f"Coverage of 90 % intervals of the {words}", "", 3, None, MEASURING)
    return None


def sort_key(name: str) -> tuple[int, int, str, str]:
    """Sort metrics by group, then as listed here, then by name.

    Example:
        >>> sorted(["psnr/tv", "made_up", "type_accuracy"], key=sort_key)
        ['type_accuracy', 'psnr/tv', 'made_up']
    """
    base, suffix = split_name(name)
    listed = list(METRICS)
    place = listed.index(base) if base in METRICS else len(listed)
    return GROUPS.index(label(name).group), place, base, suffix
