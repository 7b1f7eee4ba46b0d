"""blurlab names the blur in an image, measures it and undoes it, with the limit beside every figure.

``blurlab.deblur(image)`` and ``blurlab.identify(image)`` are loaded when they are first asked for.
"""

import lazy_loader

__version__ = "0.1.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
