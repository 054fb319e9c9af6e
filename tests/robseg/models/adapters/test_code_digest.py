"""Two callables have one digest only if they do the same."""

import functools
import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from robseg.models import load_model
from robseg.models.foreign.code import UntoldError, code_digest

NAMES = ("red", "green", "blue")


def scaled(factor: Any) -> Any:
    return lambda x: x * factor


class Adds:
    def __init__(self, value: float) -> None:
        self.value = value

    def __call__(self, x: Tensor) -> Tensor:
        return x + self.value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda x: x + 1, lambda x: x + 2),
        (lambda x: x.sin(), lambda x: x.cos()),
        (scaled(2), scaled(3)),
        (scaled(np.arange(3)), scaled(np.arange(1, 4))),
        (scaled(torch.ones(2)), scaled(torch.zeros(2))),
        (functools.partial(torch.add, alpha=1), functools.partial(torch.add, alpha=2)),
        (Adds(1), Adds(2)),
        (nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=2, dilation=2)),
        (lambda x, k=1: x + k, lambda x, k=2: x + k),
        (lambda x: scaled(2)(x) + 1, lambda x: Adds(2)(x) + 1),
    ],
)
def test_what_differs_has_another_digest(one: Any, other: Any) -> None:
    if isinstance(one, nn.Module):
        other.load_state_dict(one.state_dict())
    assert code_digest(one) == code_digest(one)
    assert code_digest(one) != code_digest(other)


def test_a_network_in_a_closure_counts() -> None:
    network = nn.Conv2d(3, 3, 1)

    def answer(x: Tensor) -> Tensor:
        return network(x)

    before = code_digest(answer)
    with torch.no_grad():
        network.weight[0, 0] += 1
    assert code_digest(answer) != before


def test_the_same_source_has_the_same_digest_wherever_it_is_loaded(tmp_path: Path) -> None:
    text = (
        "import torch\nSCALE = {}\nclass Net(torch.nn.Module):\n    def forward(self, x): return x * SCALE\n"
    )

    def digest(name: str, scale: int) -> str:
        path = tmp_path / f"{name}.py"
        path.write_text(text.format(scale))
        spec = importlib.util.spec_from_file_location("same_name", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return code_digest(module.Net())

    assert digest("a", 2) == digest("b", 2)
    assert digest("a", 2) != digest("c", 3)


def test_cycles_end() -> None:
    class Loop:
        def __init__(self) -> None:
            self.me = self

        def __call__(self, x: Tensor) -> Tensor:
            return x

    assert code_digest(Loop()) == code_digest(Loop())


def test_what_cannot_be_told_is_never_the_same(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as file:
        answer = functools.partial(lambda x, log: (log, x)[1], log=file)
        with pytest.raises(UntoldError, match="TextIOWrapper"):
            code_digest(answer)
        first, second = (load_model(answer, class_names=NAMES).card for _ in range(2))
    assert first.digest != second.digest
    assert first.options["untold"] == "TextIOWrapper"


PROJECT = """
import abc, collections, dataclasses, enum, functools, itertools
import logging, random, re, threading, typing, weakref
from pathlib import Path
import numpy as np
import torch
from torch import nn

VALUE = {value}
logger = logging.getLogger(__name__)

class Net(nn.Module):
    def __init__(self, **values):
        super().__init__()
        vars(self).update(values)
        self.logger = logging.getLogger(type(self).__name__)
    def forward(self, x):
        logger.debug("forward")
        return x

@dataclasses.dataclass
class Config:
    classes: int = VALUE
    sizes: list = dataclasses.field(default_factory=lambda: [VALUE])

@dataclasses.dataclass(frozen=True, slots=True)
class Slots:
    names: frozenset = frozenset(map(str, range(VALUE)))

class Base(abc.ABC):
    @abc.abstractmethod
    def value(self): ...

class Derived(Net, Base):
    def value(self):
        return VALUE

class Cached(Net):
    @functools.cached_property
    def value(self):
        return VALUE

class Colour(enum.Enum):
    RED = VALUE

class Named(typing.NamedTuple):
    value: int = VALUE

T = typing.TypeVar("T")

class Typed(Net, typing.Generic[T]):
    value = VALUE

def counted():
    for index in range(VALUE):
        yield index

@functools.lru_cache
def remembered(x):
    return VALUE

def hooked():
    net = Net()
    net.register_forward_hook(lambda module, images, answer: answer * VALUE)
    return net

MADE = {{
    "a dataclass": lambda: Net(config=Config()),
    "slots": lambda: Net(config=Slots()),
    "an abstract class": Derived,
    "a cached property": Cached,
    "an enumeration": lambda: Net(colour=Colour.RED),
    "a named tuple": lambda: Net(value=Named()),
    "a generic class": Typed,
    "a generator": lambda: Net(value=counted()),
    "a cached function": lambda: Net(value=remembered),
    "a lock": lambda: Net(locks=[threading.Lock(), threading.RLock(), threading.Condition()], value=VALUE),
    "torch's generator": lambda: Net(value=torch.Generator().manual_seed(VALUE)),
    "numpy's generator": lambda: Net(value=np.random.default_rng(VALUE)),
    "Python's generator": lambda: Net(value=random.Random(VALUE)),
    "a pattern": lambda: Net(value=re.compile(str(VALUE))),
    "a path": lambda: Net(value=Path(str(VALUE))),
    "an iterator": lambda: Net(value=itertools.count(VALUE)),
    "a deque": lambda: Net(value=collections.deque([VALUE])),
    "an array of objects": lambda: Net(value=np.array([VALUE, "text"], dtype=object)),
    "a weak reference": lambda: Net(value=weakref.ref(Config), number=VALUE),
    "a hook": hooked,
    "a device and a type": lambda: Net(value=[torch.device("cpu"), torch.float32, torch.Size([VALUE])]),
    "a compiled module": lambda: torch.compile(Net(value=VALUE)),
}}
"""


def module_of(folder: Path, text: str, name: str = "project") -> Any:
    """Return a module of this text that is made from scratch, as in another process."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(text)
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Ways to make a model of a project, then the same again, and then with another value."""
    made = []
    for index, value in enumerate((2, 2, 3)):
        folder = tmp_path_factory.mktemp(f"project{index}")
        made.append(module_of(folder, PROJECT.format(value=value)).MADE)
        del sys.modules["project"]
    return made


KINDS = re.findall(r'^    "(.*)": ', PROJECT, re.MULTILINE)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_of_a_project_is_told_by_its_values(kind: str, projects: list[dict[str, Any]]) -> None:
    first, same, changed = (code_digest(made[kind]()) for made in projects)
    assert first == same
    assert first != changed


def test_what_is_used_of_a_users_module_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = "import settings\ndef answer(x): return x * settings.SCALE\n"

    def digest(folder: str, settings: str) -> str:
        monkeypatch.setitem(sys.modules, "settings", module_of(tmp_path / folder, settings, "settings"))
        return code_digest(module_of(tmp_path / folder, answer).answer)

    monkeypatch.setitem(sys.modules, "project", None)
    first = digest("a", "SCALE = 2\nUNUSED = 1\n")
    assert first == digest("b", "SCALE = 2\nUNUSED = 2\n")
    assert first != digest("c", "SCALE = 3\nUNUSED = 1\n")


@pytest.mark.parametrize(("record", "same"), [("library/__init__.py,,\n", True), ("other.py,,\n", False)])
def test_a_package_counts_by_its_name_wherever_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record: str, same: bool
) -> None:
    def digest(folder: Path, value: int) -> str:
        installed = folder / "any-1.0.dist-info"
        installed.mkdir(parents=True)
        (installed / "RECORD").write_text(record)
        text = f"class Net:\n    def __call__(self, x): return x * {value}\n"
        module = module_of(folder, text, "library")
        monkeypatch.setitem(sys.modules, "library", module)
        return code_digest(module.Net())

    monkeypatch.setitem(sys.modules, "library", None)
    assert (digest(tmp_path / "a", 2) == digest(tmp_path / "b", 3)) is same


def test_a_module_is_copied_when_it_is_loaded() -> None:
    network = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))
    images = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3), dtype=np.uint8)
    model = load_model(network, class_names=NAMES)
    before = model.predict(images)
    assert network.training
    assert all(module.training for module in network)
    with torch.no_grad():
        network[0].weight.neg_()  # type: ignore[operator]
    np.testing.assert_array_equal(model.predict(images), before)
