"""blurlab names the blur in an image, measures it and undoes it, with the limit beside every figure."""

__version__ = "0.1.0"
