"""The data of published checkpoints agrees with itself, with the data sets, and with what we can build."""

import inspect
import re
from collections import Counter
from urllib.parse import urlsplit

import pytest
import torch
from torchvision.models.segmentation import FCN_ResNet50_Weights

from robseg.datasets import DATASETS
from robseg.models.architectures.segfix import DIRECTION_NAMES
from robseg.models.base import architecture
from robseg.models.card import Card
from robseg.models.catalogue import ARCHITECTURES, PUBLISHED, ZOO, find_file, resolve
from robseg.models.layouts import hrnet_ocr, openseg, semseg
from robseg.models.published import read_published

CARDS = tuple(read_published(ZOO / PUBLISHED))
MMSEG = tuple(card for card in CARDS if card.layout == "mmseg")
OWN = tuple(card for card in CARDS if card.architecture in ARCHITECTURES)

HOSTS = {
    "download.openmmlab.com", "mmassets.onedl.ai", "openmmlab.oss-accelerate.aliyuncs.com", "github.com",
    "www.dropbox.com", "download.pytorch.org",
}  # fmt: skip
CLASSES = {
    "cityscapes": 19, "ade20k": 150, "voc2012": 21, "coco_voc": 21, "camvid": 12, "lip": 20,
    "pascal_context59": 59, "coco_stuff": 171,
}  # fmt: skip
TOKENS = {"cityscapes": "cityscapes", "ade20k": "ade20k", "voc2012": "voc12aug"}


def every(cards: tuple[Card, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("card", cards, ids=lambda card: card.id)


def one_of_each_kind() -> tuple[Card, ...]:
    """Return a card for each network that is built otherwise."""
    kinds = {(c.architecture, c.backbone, str(c.options), c.layout): c for c in OWN}
    return tuple(kinds.values())


def test_all_families_are_there() -> None:
    assert Counter(card.layout for card in CARDS) == {
        "mmseg": 96, "semseg": 6, "hrnet-ocr": 6, "openseg": 10, "vainf": 5, "pytorch-enet-2021": 2,
        "pytorch-enet-2018": 1, "torchvision": 6,
    }  # fmt: skip
    assert Counter(card.architecture for card in MMSEG) == {
        "pspnet": 31, "deeplabv3plus": 29, "ocrnet": 24, "icnet": 12,
    }  # fmt: skip


def test_ids_and_files_are_unique() -> None:
    assert max(Counter(card.id for card in CARDS).values()) == 1
    assert max(Counter(card.weights_file for card in CARDS).values()) == 1
    assert max(Counter(card.weights_urls[:1] for card in CARDS if card.weights_urls).values()) == 1


@every(CARDS)
def test_a_card_says_where_its_file_is_and_whose(card: Card) -> None:
    assert re.fullmatch(r"[\w.@:+-]+", card.id)
    assert re.fullmatch(r"[\w.-]+\.pth", card.weights_file)
    assert {urlsplit(url).netloc for url in card.weights_urls} <= HOSTS
    assert {urlsplit(url).scheme for url in card.weights_urls} <= {"https"}
    assert len({url.rpartition("/")[2] for url in card.weights_urls}) <= 1
    assert card.source.startswith("https://")
    assert card.licence in {"Apache-2.0", "MIT", "BSD-3-Clause"}
    assert card.trained_on
    assert card.weights_urls or card.layout in {"semseg", "vainf"}
    assert find_file(card.weights_file) == card == resolve(card.id)


@every(CARDS)
def test_figures_are_plausible_fractions(card: Card) -> None:
    if card.published_miou is None:
        assert card.architecture == "segfix" or card.id == "enet-2018@camvid"
        return
    lowest = {"ade20k": 0.29, "coco_stuff": 0.39, "camvid": 0.5, "cityscapes": 0.59}.get(card.dataset, 0.55)
    highest = {"ade20k": 0.46, "coco_stuff": 0.4, "camvid": 0.53, "cityscapes": 0.83}.get(card.dataset, 0.8)
    assert lowest <= card.published_miou <= highest
    assert card.published_protocol
    better = re.search(r"several scales and mirrored: ([\d.]+)", card.published_protocol)
    assert better is None or 0 < float(better[1]) / 100 - card.published_miou < 0.04


@pytest.mark.parametrize(
    ("id_", "miou", "digits"),
    [
        ("pspnet_r18b-d8_4xb2-80k_cityscapes-512x1024", 0.7423, "26928a60"),
        ("pspnet_r50-d8_4xb2-80k_cityscapes-769x769", 0.7959, "5ccf03dd"),
        ("pspnet_r50-d32_4xb2-80k_cityscapes-512x1024", 0.7388, "9092b254"),
        ("pspnet_r101-d8_4xb2-80k_cityscapes-769x769", 0.7977, "dba412fa"),
        ("mobilenet-v2-d8_deeplabv3plus_4xb2-80k_cityscapes-512x1024", 0.752, "d256dd4b"),
        ("deeplabv3plus_r101-d16-mg124_4xb2-80k_cityscapes-512x1024", 0.799, "ee6158e0"),
        ("deeplabv3plus_r101-d16-mg124_4xb2-40k_cityscapes-512x1024", 0.7909, "cf9ce186"),
        ("deeplabv3plus_r101-d8_4xb4-80k_ade20k-512x512", 0.446, "d5730af7"),
        ("deeplabv3plus_r101-d8_4xb4-160k_ade20k-512x512", 0.4547, "38ed86bb"),
        ("ocrnet_hr18s_4xb2-160k_cityscapes-512x1024", 0.7845, "f4a7af28"),
        ("ocrnet_hr18s_4xb4-160k_ade20k-512x512", 0.3719, "8e913058"),
        ("ocrnet_hr18_4xb4-160k_ade20k-512x512", 0.3932, "d8fcd9d1"),
        ("ocrnet_r101-d8_8xb2-80k_cityscapes-512x1024", 0.8081, "78688424"),
        ("icnet_r50-d8-in1k-pre_4xb2-160k_cityscapes-832x832", 0.7629, "ce310aea"),
        ("torchvision:lraspp_mobilenet_v3_large", 0.579, "d234d4ea"),
    ],
)
def test_figures_stand_beside_the_file_that_has_them(id_: str, miou: float, digits: str) -> None:
    card = resolve(id_)
    assert card.published_miou == miou
    assert card.weights_file.endswith(f"-{digits}.pth")


@every(MMSEG)
def test_the_names_of_mmsegmentation_tell_one_story(card: Card) -> None:
    file = card.weights_file
    assert re.search(r"_\d{8}_\d{6}-[0-9a-f]{8}\.pth$", file)
    folder = "mobilenet_v2" if card.backbone == "mobilenet_v2" else card.architecture
    assert all(f"/v0.5/{folder}/" in url and url.endswith(file) for url in card.weights_urls)
    assert len(card.weights_urls) == 3
    assert card.config == f"configs/{folder}/{card.id}.py"
    for name in (card.id, file):
        assert card.architecture in name
        assert TOKENS[card.dataset] in name
    assert re.findall(r"\d{3,4}x\d{3,4}", card.id) == re.findall(r"\d{3,4}x\d{3,4}", file)
    assert re.findall(r"[-_](\d\d+k)_", card.id) == re.findall(r"[-_](\d\d+k)_", file)
    assert ("amp" in card.id) == ("fp16" in file)
    assert ("rsb" in card.id) == ("rsb" in file)
    assert ("in1k-pre" in card.id) == ("in1k-pre" in file)


@every(MMSEG)
def test_the_network_is_the_one_that_its_name_tells(card: Card) -> None:
    hrnet = re.search(r"hr(\d+)(s?)_", card.id)
    resnet = re.search(r"_r(\d+)(b?)-d(\d+)", card.id)
    stride = re.search(r"-d(\d+)", card.id)
    if hrnet:
        assert card.backbone == f"hrnet_w{hrnet[1]}{'_small' if hrnet[2] else ''}"
    elif resnet:
        assert card.backbone == f"resnet{resnet[1]}{'' if resnet[2] or 'rsb' in card.id else 'v1c'}"
    else:
        assert card.backbone == "mobilenet_v2"
    if stride and card.architecture != "icnet":
        assert card.options["output_stride"] == int(stride[1])
    assert card.options.get("multi_grid") == ((1, 2, 4) if "mg124" in card.id else None)
    # With output stride 32 mmsegmentation strides and dilates.
    assert card.options.get("dilations") == ((1, 1, 2, 4) if "-d32" in card.id else None)


@every(MMSEG)
def test_mmsegmentation_tests_as_its_configurations_say(card: Card) -> None:
    slides = "769x769" in card.id
    assert card.align_corners == card.options.get("align_corners", False) == slides
    assert card.test_mode == ("slide" if slides else "whole")
    assert (card.crop_size, card.stride) == (((769, 769), (513, 513)) if slides else (None, None))
    sizes = {"cityscapes": (1025, 2049) if slides else (1024, 2048), "ade20k": (512, 2048)}
    assert card.test_size == sizes.get(card.dataset, (512, 2048))
    assert (card.resize, card.antialias, card.channel_order) == ("fit", False, "RGB")
    assert (card.mean, card.std) == ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))


@every(CARDS)
def test_classes_are_those_of_the_data_set(card: Card) -> None:
    if card.architecture == "segfix":
        assert card.class_names == DIRECTION_NAMES
        return
    void = card.layout == "pytorch-enet-2021" and card.dataset == "cityscapes"
    assert len(card.class_names) == len(set(card.class_names))
    assert len(card.class_names) == CLASSES[card.dataset] + void
    if card.dataset in DATASETS:
        names = tuple(name for name in card.class_names if name != "void")
        assert names == DATASETS[card.dataset].class_names
    if card.dataset == "coco_voc":
        assert card.class_names[1:] == tuple(FCN_ResNet50_Weights.DEFAULT.meta["categories"][1:])


@every(tuple(card for card in CARDS if card.layout in {"semseg", "hrnet-ocr", "openseg"}))
def test_a_file_is_fed_alike_by_its_card_and_by_its_layout_alone(card: Card) -> None:
    by_layout = {
        "hrnet-ocr": hrnet_ocr.INPUT,
        "openseg": openseg.HRNET_INPUT if "hrnet" in card.backbone else openseg.RESNET_INPUT,
        "semseg": {**semseg.INPUT, **semseg.protocol(len(card.class_names))},
    }[card.layout]
    told = {key: getattr(card, key) for key in by_layout}
    if card.resize == "long":  # to the longer of the two
        assert max(told.pop("test_size")) == max(by_layout["test_size"])
    assert told == {key: by_layout[key] for key in told}


@every(CARDS)
def test_windows_have_a_size_and_a_stride(card: Card) -> None:
    if card.test_mode == "whole":
        assert (card.crop_size, card.stride) == (None, None)
    else:
        assert card.crop_size is not None
        assert card.stride is not None
        assert all(0 < step < side for step, side in zip(card.stride, card.crop_size, strict=True))


@every(tuple(card for card in CARDS if card.layout == "torchvision"))
def test_torchvision_cards_name_a_model_of_torchvision(card: Card) -> None:
    assert card.id == f"torchvision:{card.architecture}_{card.backbone}"
    digits = re.search(r"-([0-9a-f]{8})\.pth$", card.weights_file)
    assert card.sha256.startswith(digits[1])


def test_known_hashes_are_whole_and_differ() -> None:
    hashes = [card.sha256 for card in CARDS if card.sha256]
    assert len(set(hashes)) == len(hashes) == 8
    assert all(re.fullmatch(r"[0-9a-f]{64}", text) for text in hashes)


@every(one_of_each_kind())
def test_builders_take_the_cards_options(card: Card) -> None:
    parameters = inspect.signature(architecture(card.architecture).build).parameters
    assert card.options.keys() <= parameters.keys()
    assert "backbone" in parameters or not card.backbone


@pytest.mark.slow
@every(one_of_each_kind())
def test_networks_are_built_and_recognised_again(card: Card) -> None:
    own = architecture(card.architecture)
    backbone = {"backbone": card.backbone} if card.backbone else {}
    with torch.device("meta"):
        tensors = own.build(len(card.class_names), **backbone, **card.options).state_dict()
    if card.architecture == "segfix":
        return
    fit = own.fit(tensors)
    assert fit.num_classes == len(card.class_names)
    assert fit.options.get("backbone", card.backbone) == card.backbone
    for key in card.options.keys() & fit.options.keys():
        assert fit.options[key] == card.options[key]
