"""ENet agrees with the network that its published files were trained in."""

import itertools
from collections.abc import Callable
from typing import Any, Literal

import pytest
import torch
from torch import nn

from robseg.datasets import DATASETS
from robseg.errors import InputError
from robseg.models.architectures.enet import ARCHITECTURE, CAMVID, CITYSCAPES, ENet, fit, unpooled
from robseg.models.base import Fit

FIXTURES = {"up_enet_2018_camvid12": 2018, "up_enet_head_cityscapes20": 2021}

Upstreams = Callable[[str], Any]


def loaded(fitting: Fit) -> nn.Module:
    network = ARCHITECTURE.build(fitting.num_classes, **fitting.options)
    network.load_state_dict(fitting.state_dict, strict=True)
    return network.eval()


@pytest.mark.parametrize(("name", "generation"), FIXTURES.items())
def test_published_files_tell_their_generation(name: str, generation: int, upstream: Upstreams) -> None:
    assert fit(upstream(name).state_dict()).options == {"generation": generation}


@pytest.mark.parametrize(("name", "classes"), [("camvid", CAMVID), ("cityscapes", CITYSCAPES)])
def test_published_files_have_the_classes_of_their_data_sets(name: str, classes: tuple[str, ...]) -> None:
    assert classes == DATASETS[name].class_names


@pytest.mark.parametrize("name", FIXTURES)
def test_another_epsilon_is_noticed(name: str, upstream: Upstreams) -> None:
    fixture = upstream(name)
    network = loaded(fit(fixture.state_dict()))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-3
    with torch.inference_mode():
        assert fixture.difference(network(fixture.image)) > 1e-4


@pytest.mark.parametrize("threads", [1, 3])
def test_of_two_windows_with_one_maximum_the_last_puts_it_back(threads: int) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(2, 5, 7, 11, generator=generator)
    indices = torch.randint(14 * 22, x.shape, generator=generator)
    expected = torch.zeros(2, 5, 14 * 22)
    for n, c, y, column in itertools.product(*map(range, x.shape)):
        expected[n, c, indices[n, c, y, column]] = x[n, c, y, column]
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        ours = unpooled(x.to(memory_format=torch.channels_last), indices, torch.Size([14, 22]))
    finally:
        torch.set_num_threads(before)
    torch.testing.assert_close(ours.flatten(2), expected, rtol=0, atol=0)


def test_another_pooling_is_noticed(upstream: Upstreams) -> None:
    fixture = upstream("up_enet_head_cityscapes20")
    network = loaded(fit(fixture.state_dict()))
    for module in network.modules():
        if isinstance(module, nn.MaxPool2d):
            module.kernel_size, module.padding = 3, 1
    with torch.inference_mode():
        assert fixture.difference(network(fixture.image)) > 1e-2


def test_published_files_tell_their_classes(upstream: Upstreams) -> None:
    camvid = fit(upstream("up_enet_2018_camvid12").state_dict())
    assert camvid.class_names is not None
    assert camvid.class_names[0] == "sky"
    assert camvid.class_names[10:] == ("bicyclist", "void")
    cityscapes = fit(upstream("up_enet_head_cityscapes20").state_dict())
    assert cityscapes.class_names is not None
    assert cityscapes.class_names[:2] == ("void", "road")
    assert cityscapes.class_names[-1] == "bicycle"


@pytest.mark.parametrize("generation", [2018, 2021])
def test_our_own_files_tell_their_generation(generation: Literal[2018, 2021]) -> None:
    fitting = fit(ENet(7, generation).state_dict())
    assert (fitting.options, fitting.num_classes) == ({"generation": generation}, 7)
    assert fitting.class_names is None


def test_a_checkpoint_that_does_not_fit_is_reported_by_its_tensors() -> None:
    tensors = ENet(5).state_dict()
    del tensors["regular1_1.ext_conv1.0.weight"]
    tensors["backbone.conv1.weight"] = torch.zeros(3)
    tensors["dilated2_2.ext_conv2.0.weight"] = torch.zeros(32, 32, 5, 5)
    with pytest.raises(InputError) as raised:
        fit(tensors)
    message = str(raised.value)
    assert "1 missing (regular1_1.ext_conv1.0.weight)" in message
    assert "1 unexpected (backbone.conv1.weight)" in message
    assert "1 of another shape (dilated2_2.ext_conv2.0.weight [32, 32, 5, 5] instead of" in message


def test_many_misfits_are_counted_and_the_first_ones_named() -> None:
    with pytest.raises(InputError, match=r"\d{3} missing \([^()]*, \.\.\.\); 1 unexpected \(fc\)"):
        fit({"fc": torch.zeros(3)})


def test_the_newer_generation_takes_any_size() -> None:
    images = torch.zeros(1, 3, 37, 53)
    assert ENet(4, 2021).eval()(images).shape == (1, 4, 37, 53)
