"""Figures of merit: a pure function with a value per image, and a torchmetrics class that keeps those values."""

from blurlab.metric.accuracy import Accuracy, accuracy, wilson
from blurlab.metric.aligned import Shifted, align
from blurlab.metric.base import MeanPerImage
from blurlab.metric.bootstrap import bootstrap_mean
from blurlab.metric.bsnr import bsnr
from blurlab.metric.confusion import ConfusionMatrix, confusion_matrix
from blurlab.metric.error_ratio import error_ratio, norm_ratio
from blurlab.metric.image import IMAGE_METRICS, ImageMetric, image_figures
from blurlab.metric.isnr import ISNR, isnr, isnr_border
from blurlab.metric.kernel import kernel_correlation, kernel_error, psf_snr
from blurlab.metric.oracle import isnr_oracle_wiener, psnr_oracle_wiener
from blurlab.metric.psnr import PSNR, psnr
from blurlab.metric.ssim import SSIM, ssim
from blurlab.metric.student import student_mean

__all__ = [
    "IMAGE_METRICS",
    "ISNR",
    "PSNR",
    "SSIM",
    "Accuracy",
    "ConfusionMatrix",
    "ImageMetric",
    "MeanPerImage",
    "Shifted",
    "accuracy",
    "align",
    "bootstrap_mean",
    "bsnr",
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
    "ssim",
    "student_mean",
    "wilson",
]
