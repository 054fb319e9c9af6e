"""Models of transformers, segmentation_models_pytorch and torchvision are those packages' own."""

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from robseg.errors import InputError
from robseg.models import load_model
from robseg.models.adapters import ADAPTERS

MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
NAMES = ("sky", "road", "car")


def fed(images: NDArray[np.uint8]) -> torch.Tensor:
    """Return images as ImageNet's networks are fed."""
    return torch.from_numpy((images / 255 - MEAN) / STD).permute(0, 3, 1, 2).float()


def labels_of(logits: torch.Tensor, images: NDArray[np.uint8]) -> NDArray[Any]:
    labels: NDArray[Any] = F.interpolate(logits, images.shape[1:3], mode="bilinear").argmax(1).numpy()
    return labels


@pytest.fixture(scope="module")
def segformer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny SegFormer with its image processor, as save_pretrained writes them."""
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("hub") / "tiny-segformer"
    config = transformers.SegformerConfig(
        hidden_sizes=[8] * 4,
        depths=[1] * 4,
        num_attention_heads=[1] * 4,
        decoder_hidden_size=8,
        id2label=dict(enumerate(NAMES)),
        label2id={name: index for index, name in enumerate(NAMES)},
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        transformers.SegformerForSemanticSegmentation(config).save_pretrained(folder)
    processor = transformers.SegformerImageProcessor(size={"height": 64, "width": 96})
    processor.save_pretrained(folder)
    return folder


def test_transformers_models_are_fed_as_their_processor_says(
    segformer: Path, images: NDArray[np.uint8]
) -> None:
    transformers = pytest.importorskip("transformers")
    model = load_model(f"hf:{segformer}", class_names=("other", "names", "given"))
    assert (model.name, model.card.class_names) == ("hf:tiny-segformer", NAMES)
    assert model.card.mean == pytest.approx(255 * MEAN)
    assert model.card.std == pytest.approx(255 * STD)
    assert model.card.test_size == (64, 96)
    theirs = transformers.SegformerForSemanticSegmentation.from_pretrained(segformer).eval()
    with torch.inference_mode():
        expected = labels_of(theirs(fed(images)).logits, images)
    found = model.predict(images)
    assert len(np.unique(found)) > 1
    assert (found == expected).mean() > 0.999
    assert model.parameters == sum(one.numel() for one in theirs.parameters())
    assert model.gmacs(64, 96) > 0.001
    sent = pickle.loads(pickle.dumps(model))  # noqa: S301
    np.testing.assert_array_equal(sent.predict(images), found)


def test_the_image_processor_of_transformers_feeds_alike(segformer: Path) -> None:
    transformers = pytest.importorskip("transformers")
    image = np.random.default_rng(4).integers(0, 256, (1, 90, 130, 3), dtype=np.uint8)
    processor = transformers.AutoImageProcessor.from_pretrained(segformer)
    theirs = processor(image[0], return_tensors="pt")["pixel_values"]
    from robseg.models.predict.inference import preprocess

    ours = preprocess(image, load_model(f"hf:{segformer}").card)
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() < 0.02  # theirs rounds to bytes after resizing


def test_a_model_of_transformers_without_processor_is_reported(segformer: Path, tmp_path: Path) -> None:
    for file in segformer.iterdir():
        if "preprocessor" not in file.name:
            (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(InputError, match="to have an image processor"):
        load_model(f"hf:{tmp_path}")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match="to be a segmentation model of transformers"):
        load_model(f"hf:{tmp_path}")


@pytest.fixture(scope="module")
def unet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Unet of segmentation_models_pytorch, as save_pretrained writes it."""
    smp = pytest.importorskip("segmentation_models_pytorch")
    folder = tmp_path_factory.mktemp("hub") / "tiny-fpn"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        smp.FPN("mobilenet_v2", encoder_weights=None, classes=3).save_pretrained(folder)
    return folder


def test_smp_models_are_fed_as_their_encoder(unet: Path, images: NDArray[np.uint8]) -> None:
    smp = pytest.importorskip("segmentation_models_pytorch")
    model = load_model(f"smp:{unet}", class_names=NAMES)
    assert (model.name, model.card.class_names) == ("smp:tiny-fpn", NAMES)
    theirs = smp.from_pretrained(str(unet)).eval()
    with torch.inference_mode():
        expected = labels_of(theirs(fed(images)), images)
    found = model.predict(images)
    assert (found == expected).mean() > 0.999
    assert model.predict(images[:, :50, :70]).shape == (2, 50, 70)  # padded to what the encoder takes
    sent = pickle.loads(pickle.dumps(model))  # noqa: S301
    np.testing.assert_array_equal(sent.predict(images), found)


def test_smp_architectures_take_weights(unet: Path, images: NDArray[np.uint8]) -> None:
    model = load_model("smp:fpn/mobilenet_v2", unet / "model.safetensors")
    assert model.card.class_names == ("class 0", "class 1", "class 2")
    np.testing.assert_array_equal(model.predict(images), load_model(f"smp:{unet}").predict(images))
    with pytest.raises(InputError, match="Expected weights for the untrained smp:fpn/resnet18"):
        load_model("smp:fpn/resnet18")
    with pytest.raises(InputError, match="to be a model of segmentation_models_pytorch"):
        load_model("smp:fpn/resnet1", unet / "model.safetensors")


def test_smp_architectures_are_built_with_the_options_of_a_card(images: NDArray[np.uint8]) -> None:
    smp = pytest.importorskip("segmentation_models_pytorch")
    options = {"decoder_attention_type": "scse", "encoder_depth": 3, "decoder_channels": [64, 32, 16]}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = smp.create_model("unet", "resnet18", None, classes=3, **options).eval()
    model = load_model("smp:Unet/resnet18", theirs.state_dict(), card={"options": options})
    with torch.inference_mode():
        expected = labels_of(theirs(fed(images)), images)
    assert (model.predict(images) == expected).mean() > 0.999
    assert model.card.options["encoder_depth"] == 3


def test_smp_options_that_would_be_ignored_are_refused(unet: Path) -> None:
    weights = unet / "model.safetensors"
    for option in ("decoder_dropuot", "classes", "encoder_weights"):
        with pytest.raises(InputError, match=f"option of smp:fpn/mobilenet_v2.*'{option}'"):
            load_model("smp:fpn/mobilenet_v2", weights, card={"options": {option: 1}})
    with pytest.raises(InputError, match=r"does not take decoder_dropout = 0\.1"):
        load_model(f"smp:{unet}", card={"options": {"decoder_dropout": 0.1}})


def test_smp_models_saved_with_transforms_follow_them(unet: Path, tmp_path: Path) -> None:
    import json

    for file in unet.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    steps = [
        {"__class_fullname__": "Resize", "height": 64, "width": 128},
        {"__class_fullname__": "Normalize", "mean": [0.5] * 3, "std": [0.25] * 3, "max_pixel_value": 255.0},
    ]
    text = json.dumps({"transform": {"__class_fullname__": "Compose", "transforms": steps}})
    (tmp_path / "albumentations_config_eval.json").write_text(text)
    card = load_model(f"smp:{tmp_path}").card
    assert (card.mean, card.std, card.test_size) == ((127.5,) * 3, (63.75,) * 3, (64, 128))


@pytest.mark.parametrize("name", ["lraspp_mobilenet_v3_large", "deeplabv3_mobilenet_v3_large"])
@pytest.mark.parametrize("aux", [False, True])
def test_torchvision_models_answer_as_there(name: str, aux: bool, images: NDArray[np.uint8]) -> None:
    from torchvision.models import get_model

    options: dict[str, Any] = {} if name.startswith("lraspp") else {"aux_loss": aux}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = get_model(name, weights=None, weights_backbone=None, num_classes=3, **options).eval()
    model = load_model(f"torchvision:{name}", theirs.state_dict(), class_names=NAMES)
    assert (model.card.class_names, model.card.resize, model.card.test_size) == (NAMES, "short", (520, 520))
    with torch.inference_mode():
        torch.testing.assert_close(
            model.network(fed(images)), theirs(fed(images))["out"], rtol=1e-4, atol=1e-5
        )
    with pytest.raises(InputError, match="do not fit"):
        load_model(f"torchvision:{name}", {**theirs.state_dict(), "surplus": torch.zeros(1)})
    with pytest.raises(InputError, match="it has none of classifier"):
        load_model(f"torchvision:{name}", {"weight": torch.zeros(1)})


def test_published_classes_of_torchvision_are_those_of_voc() -> None:
    from robseg.datasets.base import DATASETS
    from robseg.models.adapters.torchvision import CLASSES

    assert DATASETS["voc2012"].class_names == CLASSES


def test_unknown_names_are_reported_with_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'fcn_resnet50'"):
        load_model("torchvision:fcn_resnet5")


@pytest.mark.parametrize(
    ("spec", "package", "extra"),
    [
        ("hf:org/name", "transformers", "hf"),
        ("smp:unet/resnet18", "segmentation_models_pytorch", "smp"),
        ("onnx:model.onnx", "onnxruntime", "onnx"),
    ],
)
def test_a_missing_package_is_reported_with_the_pip_command(
    spec: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"")
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(InputError) as told:
        load_model(spec)
    assert f'pip install "robseg[{extra}]"' in str(told.value)


def test_looking_at_specs_imports_no_package() -> None:
    code = (
        "import sys\n"
        "from robseg.models.adapters import adapter_of\n"
        f"assert all(adapter_of(f'{{one}}:x') == (one, 'x') for one in {sorted(ADAPTERS)})\n"
        "heavy = {'torch', 'torchvision', 'transformers', 'segmentation_models_pytorch', 'onnxruntime'}\n"
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
