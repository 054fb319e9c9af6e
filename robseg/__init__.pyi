# What `import robseg` offers. Type checkers read this, and so does robseg/__init__.py.
from .api import Results as Results
from .api import compare as compare
from .api import evaluate as evaluate
from .api import gate as gate
from .api import list_models as list_models
from .api import load as load
from .datasets import open_dataset as open_dataset
from .datasets.samples import as_dataset as as_dataset
from .errors import IncompleteRun as IncompleteRun
from .errors import InputError as InputError
from .errors import PartDone as PartDone
from .models.model import Model as Model
from .models.model import load_model as load_model
