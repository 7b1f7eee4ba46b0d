from .one_call import Result as Result
from .one_call import deblur as deblur
from .one_call import identify as identify

__version__: str
