"""The drop-in for imagecorruptions, and the transform for torchvision."""

import ast
import importlib.util
import inspect
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import tv_tensors
from torchvision.transforms import v2

import corruptions
from corruptions import compat, engine, reference
from corruptions.compat import corrupt, get_corruption_names
from corruptions.transforms import Corrupt

IMAGE = np.random.default_rng(0).integers(0, 256, (36, 44, 3), dtype=np.uint8)


def package() -> ast.Module:
    spec = importlib.util.find_spec("imagecorruptions")
    assert spec is not None
    assert spec.origin is not None
    return ast.parse(Path(spec.origin).read_text())


def test_numbers_are_those_of_the_package() -> None:
    assignment = next(node for node in package().body if isinstance(node, ast.Assign))
    assert isinstance(assignment.value, ast.Tuple)
    published = [element.id for element in assignment.value.elts if isinstance(element, ast.Name)]
    assert published == get_corruption_names("all")


def test_subsets_are_those_of_the_package() -> None:
    function = next(node for node in package().body if getattr(node, "name", "") == "get_corruption_names")
    everything = get_corruption_names("all")
    returns = [node for node in ast.walk(function) if isinstance(node, ast.If)]
    assert len(returns) == 7
    for branch in returns:
        assert isinstance(branch.test, ast.Compare)
        subset = ast.literal_eval(branch.test.comparators[0])
        listed = ast.unparse(branch.body[0]).partition("corruption_tuple")[2].rstrip("]")
        bounds = [int(number) if number else None for number in listed.strip("[").split(":")]
        assert get_corruption_names(subset) == (everything[slice(*bounds)] if listed else everything)
    assert get_corruption_names() == get_corruption_names("common")


def test_public_names_are_those_of_the_package() -> None:
    """Those of its module, and what it imports from its module of corruptions."""
    defined = {node.name for node in package().body if isinstance(node, ast.FunctionDef)}
    assigned = {ast.unparse(node.targets[0]) for node in package().body if isinstance(node, ast.Assign)}
    assert defined | assigned | set(get_corruption_names("all")) | {"corruptions"} == set(compat.__all__)
    assert all(hasattr(compat, name) for name in compat.__all__)
    assert set(compat.corruptions.__all__) == set(get_corruption_names("all"))


def test_functions_are_numbered_and_named_as_in_the_package() -> None:
    assert [function.__name__ for function in compat.corruption_tuple] == get_corruption_names("all")
    assert list(compat.corruption_dict) == get_corruption_names("all")
    for name, function in compat.corruption_dict.items():
        assert function.__name__ == name
        assert getattr(compat, name) is function is getattr(compat.corruptions, name)


@pytest.mark.parametrize("name", get_corruption_names("all"))
def test_a_function_returns_what_that_of_the_package_returns(name: str) -> None:
    if reference.needs_opencv(name):
        pytest.importorskip("cv2")
    image, published = Image.fromarray(IMAGE), reference._package()[name]
    with reference._draws.using(np.random.RandomState(0)):
        theirs = published(image, 3)
    np.random.seed(3)  # noqa: NPY002
    ours = compat.corruption_dict[name](image, 3)
    assert isinstance(ours, Image.Image) == isinstance(theirs, Image.Image)
    assert np.asarray(ours).dtype.kind == np.asarray(theirs).dtype.kind
    assert np.asarray(ours).shape == np.asarray(theirs).shape
    np.random.seed(3)  # noqa: NPY002
    assert (np.uint8(ours) == corrupt(IMAGE, 3, name)).all()
    ours, theirs = (inspect.signature(function) for function in (compat.corruption_dict[name], published))
    assert ours.parameters["severity"].default == theirs.parameters["severity"].default


def test_a_function_keeps_a_grey_image_grey() -> None:
    for function in (compat.fog, compat.pixelate):
        assert np.asarray(function(Image.fromarray(IMAGE[..., 0]), 2)).shape == IMAGE.shape[:2]


@pytest.mark.parametrize("number", range(19))
def test_a_seed_gives_the_pixels_of_the_engine(number: int) -> None:
    name = get_corruption_names("all")[number]
    expected = corruptions.corrupt(IMAGE, name, 2, seed=5, key="k")
    assert (corrupt(IMAGE, 2, name, seed=5, key="k") == expected).all()
    assert (corrupt(IMAGE, 2, corruption_number=number, seed=5, key="k") == expected).all()


def test_each_call_draws_from_numpys_global_generator() -> None:
    np.random.seed(3)  # noqa: NPY002
    first, second = corrupt(IMAGE, 1, "gaussian_noise"), corrupt(IMAGE, 1, "gaussian_noise")
    np.random.seed(3)  # noqa: NPY002
    again = corrupt(IMAGE, 1, "gaussian_noise")
    assert (first == again).all()
    assert (first != second).any()


def test_grey_images_come_back_with_three_channels() -> None:
    for grey in (IMAGE[..., 0], IMAGE[..., :1]):
        corrupted = corrupt(grey, 3, "impulse_noise", seed=1)
        assert corrupted.shape == IMAGE.shape
        assert (corrupted[..., 0] != corrupted[..., 1]).any()


@pytest.mark.parametrize("number", [-2, 19, True, 1.5])
def test_a_number_that_counts_no_corruption_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="Expected `corruption_number` to be an int from 0 to 18"):
        corrupt(IMAGE, 1, corruption_number=number)


def test_mistakes_are_refused() -> None:
    with pytest.raises(ValueError, match="but got neither"):
        corrupt(IMAGE, 1)
    with pytest.raises(ValueError, match="Expected `subset` to be one of common"):
        get_corruption_names("nois")
    with pytest.raises(ValueError, match="did you mean 'fog'"):
        corrupt(IMAGE, 1, "fogg")
    with pytest.raises(ValueError, match="Expected `image`"):
        corrupt(IMAGE.tolist(), 1, "fog")
    with pytest.raises(ValueError, match="Expected `severity`"):
        corrupt(IMAGE, 6, "fog")


# the transform


def test_a_transform_takes_images_tensors_and_batches() -> None:
    expected = corruptions.corrupt(IMAGE, "contrast", 2)
    transform = Corrupt("contrast", 2)
    planes = torch.from_numpy(np.moveaxis(IMAGE, 2, 0).copy())
    assert (np.asarray(transform(Image.fromarray(IMAGE))) == expected).all()
    assert (transform(planes).permute(1, 2, 0).numpy() == expected).all()
    batch = transform(tv_tensors.Image(torch.stack([planes, planes])))
    assert isinstance(batch, tv_tensors.Image)
    assert (batch[1].permute(1, 2, 0).numpy() == expected).all()
    grey = transform(planes[:1])
    assert (grey.numpy()[0] == corruptions.corrupt(IMAGE[..., 0], "contrast", 2)).all()


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64])
@pytest.mark.parametrize("name", ["elastic_transform", "geometric_distortion", "contrast"])
def test_masks_move_with_their_image(name: str, dtype: torch.dtype) -> None:
    target = IMAGE[..., 0] // 100
    corrupted, moved = corruptions.corrupt_pair(IMAGE, target, name, 3, seed=8, ignore_index=9)
    planes = tv_tensors.Image(torch.from_numpy(np.moveaxis(IMAGE, 2, 0).copy()))
    sample = {"image": planes, "mask": tv_tensors.Mask(torch.from_numpy(target).to(dtype)), "id": "a"}
    result = Corrupt(name, 3, seed=8, ignore_index=9)(sample)
    assert (result["image"].permute(1, 2, 0).numpy() == corrupted).all()
    assert result["mask"].dtype == dtype
    assert (result["mask"].numpy() == moved).all()
    assert result["id"] == "a"


def test_a_mask_moves_without_corrupting_an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("an image was corrupted")

    monkeypatch.setattr(engine, "_corrupt", refuse)
    mask = tv_tensors.Mask(torch.from_numpy(IMAGE[..., 0] // 100))
    assert (Corrupt("contrast", 3)(mask) == mask).all()
    assert (Corrupt("elastic_transform", 3)(mask) != mask).any()


def test_transforms_draw_from_torchs_generator() -> None:
    planes = torch.from_numpy(np.moveaxis(IMAGE, 2, 0).copy())
    transform = v2.Compose([Corrupt("gaussian_noise", 1)])
    torch.manual_seed(2)
    first, second = transform(planes), transform(planes)
    torch.manual_seed(2)
    assert (transform(planes) == first).all()
    assert (first != second).any()


def test_a_mask_with_other_numbers_is_refused() -> None:
    mask = tv_tensors.Mask(torch.full((36, 44), -1))
    with pytest.raises(ValueError, match="Expected masks of class ids from 0 to 255, but got -1"):
        Corrupt("fog")(mask)
    with pytest.raises(ValueError, match="did you mean 'fog'"):
        Corrupt("fogg")
