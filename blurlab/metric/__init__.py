"""Figures of merit: pure functions with a value per image."""

from blurlab.metric.accuracy import accuracy, wilson
from blurlab.metric.aligned import Shifted, align
from blurlab.metric.bootstrap import bootstrap_mean
from blurlab.metric.bsnr import bsnr
from blurlab.metric.calibration import Reliability, calibration_error, reliability
from blurlab.metric.confusion import confusion_matrix
from blurlab.metric.error_ratio import error_ratio, norm_ratio
from blurlab.metric.image import IMAGE_METRICS, ImageMetric, image_figures
from blurlab.metric.isnr import isnr, isnr_border
from blurlab.metric.kernel import kernel_correlation, kernel_error, psf_snr
from blurlab.metric.oracle import isnr_oracle_wiener, psnr_oracle_wiener
from blurlab.metric.psnr import psnr
from blurlab.metric.ssim import ssim
from blurlab.metric.student import student_mean

__all__ = [
    "IMAGE_METRICS",
    "ImageMetric",
    "Reliability",
    "Shifted",
    "accuracy",
    "align",
    "bootstrap_mean",
    "bsnr",
    "calibration_error",
    "confusion_matrix",
    "error_ratio",
    "image_figures",
    "isnr",
    "isnr_border",
    "isnr_oracle_wiener",
    "kernel_correlation",
    "kernel_error",
    "norm_ratio",
    "psf_snr",
    "psnr",
    "psnr_oracle_wiener",
    "reliability",
    "ssim",
    "student_mean",
    "wilson",
]
