"""Where sharp photographs come from, how they are split, prepared and degraded.

What the package offers is listed in ``__init__.pyi``; a module is loaded when one of its names is first asked for, so
that naming a photograph does not cost the import of Lightning.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
