"""Models of transformers label images as that library does, whatever their type."""

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

pytest.importorskip("transformers")

import transformers as hub

from robseg.errors import InputError
from robseg.models import load_model
from robseg.models.card import Card
from robseg.models.model import Model
from robseg.models.predict.batch import Batch
from robseg.models.predict.inference import preprocess
from robseg.models.predict.resizing import resize
from robseg.models.predict.sizes import resized_size
from tests.robseg.models.adapters.tiny_transformers import CONFIGS, NAMES, save

SIZES = [(64, 96), (150, 110), (90, 230)]


def picture(height: int, width: int) -> NDArray[np.uint8]:
    """Return a smooth image."""
    coarse = np.random.default_rng(3).integers(0, 256, (1, 3, height // 8, width // 8))
    smooth = torch.nn.functional.interpolate(torch.tensor(coarse).float(), (height, width), mode="bilinear")
    image: NDArray[np.uint8] = smooth[0].permute(1, 2, 0).byte().numpy()
    return image


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the folder of a type, which is written when it is first asked for."""
    root = tmp_path_factory.mktemp("hub")

    def folder(kind: str) -> Path:
        if not hasattr(hub, CONFIGS[kind][0]):
            pytest.skip(f"transformers {hub.__version__} has no {kind}")
        if not (root / kind).exists():
            (root / kind).mkdir()
            save(kind, root / kind)
        return root / kind

    return folder


def theirs(folder: Path, image: NDArray[np.uint8], ours: Model) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the library's scores for our input of its model, and the input that it would have made."""
    config = hub.AutoConfig.from_pretrained(folder)
    universal = type(config) in hub.MODEL_FOR_UNIVERSAL_SEGMENTATION_MAPPING
    kind = hub.AutoModelForUniversalSegmentation if universal else hub.AutoModelForSemanticSegmentation
    model = kind.from_pretrained(folder).eval()
    x, name = preprocess(image[None], ours.card), "pixel_values"
    if config.model_type == "videomt":
        processor, name = hub.AutoVideoProcessor.from_pretrained(folder), "pixel_values_videos"
        inputs, x = processor(image[None], return_tensors="pt"), x[None]
    elif config.model_type == "oneformer":
        processor = hub.AutoProcessor.from_pretrained(folder)
        inputs = processor(image, ["semantic"], return_tensors="pt")
    else:
        processor = hub.AutoImageProcessor.from_pretrained(folder)
        inputs = processor(image, return_tensors="pt")
    windows = inputs.pop("patch_offsets", None) or []
    if windows:
        axis = 2 if image.shape[0] > image.shape[1] else 3
        x = torch.cat([x.narrow(axis, int(start), int(end - start)) for _, start, end in windows])
    made, inputs[name] = inputs[name], x
    with torch.inference_mode():
        answer = model(**inputs)
    answer.patch_offsets = windows
    (found,) = processor.post_process_semantic_segmentation(
        answer, target_sizes=[image.shape[:2]], return_segmentation_scores=True
    )
    return found.segmentation_scores, made.reshape(x.shape)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", CONFIGS)
def test_labels_are_those_of_the_library(
    kind: str, size: tuple[int, int], saved: Callable[[str], Path]
) -> None:
    folder, image = saved(kind), picture(*size)
    model = load_model(f"hf:{folder}")
    expected, _ = theirs(folder, image, model)
    with torch.inference_mode():
        scores = resize(model.network(preprocess(image[None], model.card)), size)[0]
    torch.testing.assert_close(scores, expected, rtol=1e-4, atol=1e-4)
    labels = model.predict(image[None])
    assert (labels[0] == expected.argmax(0).numpy()).mean() > 0.999  # except for ties of rounding
    assert model.card.class_names == NAMES


@pytest.mark.parametrize("kind", CONFIGS)
def test_models_of_transformers_can_be_sent_counted_and_batched(
    kind: str, saved: Callable[[str], Path]
) -> None:
    model = load_model(f"hf:{saved(kind)}")
    images = np.stack([picture(70, 100), picture(70, 100)[::-1]])
    labels = model.predict(images)
    np.testing.assert_array_equal(labels[1], model.predict(images[1:])[0])
    sent = pickle.loads(pickle.dumps(model))  # noqa: S301
    np.testing.assert_array_equal(sent.predict(images), labels)
    assert model.gmacs(64, 96) > 1e-4
    prediction = model.compute(Batch(images, confidence=True))
    np.testing.assert_array_equal(prediction.labels, labels)
    assert prediction.confidence is not None
    assert prediction.confidence.min() >= 1 / len(NAMES) - 1e-6
    assert prediction.confidence.max() <= 1


@pytest.mark.parametrize(
    "size", [(480, 640), (640, 480), (100, 1000), (333, 333), (7, 500), (800, 1334), (10, 2000)]
)
@pytest.mark.parametrize("edges", [(800, 1333), (64, 90), (640, 640), (10, 1999)])
@pytest.mark.parametrize("divisor", [1, 32])
def test_images_are_bounded_as_the_library_does(
    size: tuple[int, int], edges: tuple[int, int], divisor: int
) -> None:
    from transformers.image_transforms import get_size_with_aspect_ratio

    height, width = get_size_with_aspect_ratio(size, *edges)
    card = Card("m", "m", "", ("road",), test_size=edges, resize="bounded", size_divisor=divisor)
    expected = (max(-(-side // divisor), 1) * divisor for side in (height, width))
    assert resized_size(size, card) == tuple(expected)


def test_mask2former_stretches_images_to_multiples_of_its_divisor(tmp_path: Path) -> None:
    save("mask2former", tmp_path, size={"height": 60, "width": 90})
    model = load_model(f"hf:{tmp_path}")
    assert model.card.test_size == (64, 96)
    image = picture(60, 90)
    expected, made = theirs(tmp_path, image, model)
    assert (preprocess(image[None], model.card) - made).abs().max() < 0.02
    assert (model.predict(image[None])[0] == expected.argmax(0).numpy()).mean() > 0.999


def test_eomt_crops_what_its_processor_pads(tmp_path: Path) -> None:
    edges = {"shortest_edge": 64, "longest_edge": 64}
    save("eomt", tmp_path, size=edges, do_split_image=False, do_pad=True)
    model, image = load_model(f"hf:{tmp_path}"), picture(64, 48)
    padded = np.pad(image, ((0, 0), (0, 16), (0, 0)))
    expected = model.predict(padded[None])[:, :, :48]
    np.testing.assert_array_equal(model.predict(image[None]), expected)
    assert len(np.unique(expected)) > 1


def test_a_model_that_was_trained_for_another_task_is_refused(
    saved: Callable[[str], Path], tmp_path: Path
) -> None:
    config = hub.AutoConfig.from_pretrained(saved("segformer"))
    hub.SegformerForImageClassification(config).save_pretrained(tmp_path)
    hub.SegformerImageProcessor().save_pretrained(tmp_path)
    with pytest.raises(InputError, match=r"weights for all of SegformerFor.*none for decode_head"):
        load_model(f"hf:{tmp_path}")
    whole = hub.SegformerForSemanticSegmentation.from_pretrained(saved("segformer"))
    assert load_model(f"hf:{tmp_path}", whole.state_dict()).card.class_names == NAMES


def test_a_model_that_was_saved_in_half_precision_runs_in_the_runs_own(
    saved: Callable[[str], Path], tmp_path: Path
) -> None:
    half = hub.AutoModelForUniversalSegmentation.from_pretrained(saved("mask2former")).half()
    half.save_pretrained(tmp_path)
    hub.AutoImageProcessor.from_pretrained(saved("mask2former")).save_pretrained(tmp_path)
    model = load_model(f"hf:{tmp_path}")
    assert {tensor.dtype for tensor in model.network.parameters()} == {torch.float32}
    labels = model.predict(picture(64, 96)[None])
    whole = load_model(f"hf:{saved('mask2former')}").predict(picture(64, 96)[None])
    assert (labels == whole).mean() > 0.9


def test_oneformer_without_its_tokenizer_is_reported(saved: Callable[[str], Path], tmp_path: Path) -> None:
    for file in ("config.json", "model.safetensors"):
        (tmp_path / file).write_bytes((saved("oneformer") / file).read_bytes())
    hub.AutoImageProcessor.from_pretrained(saved("oneformer")).save_pretrained(tmp_path)
    with pytest.raises(InputError, match="to have a tokenizer"):
        load_model(f"hf:{tmp_path}")
