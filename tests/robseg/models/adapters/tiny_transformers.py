"""A tiny model of each type for semantic segmentation in transformers, with its processor."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers

hub: Any = transformers  # its annotations leave out arguments that its configurations take

NAMES = ("sky", "road", "car", "tree")
LABELS = {"id2label": dict(enumerate(NAMES)), "label2id": {name: one for one, name in enumerate(NAMES)}}
STAGES = ["stage1", "stage2", "stage3", "stage4"]
VIT = {
    "image_size": 64,
    "patch_size": 16,
    "hidden_size": 16,
    "num_hidden_layers": 4,
    "num_attention_heads": 2,
}
BEIT = {"intermediate_size": 32, "out_indices": [0, 1, 2, 3], "pool_scales": [1, 2], "auxiliary_channels": 8}
DPT = {"neck_hidden_sizes": [8] * 4, "fusion_hidden_size": 8}
EOMT = {"num_queries": 6, "num_blocks": 2, "num_upscale_blocks": 1, **VIT}
DETR = {
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_ffn_dim": 16,
    "decoder_ffn_dim": 16,
    "encoder_attention_heads": 8,
    "decoder_attention_heads": 8,
    "num_queries": 6,
}
MASKS = {
    "hidden_dim": 32,
    "num_queries": 6,
    "num_attention_heads": 2,
    "encoder_feedforward_dim": 16,
    "dim_feedforward": 16,
    "encoder_layers": 1,
    "decoder_layers": 2,
}
HEAD = {
    "upsample_out_channels": [8, 8],
    "upsample_kernel_sizes": [4, 4],
    "conv_out_channels": [8],
    "conv_kernel_sizes": [1],
}
SQUARE = {"height": 64, "width": 64}
WIDE = {"height": 64, "width": 96}
EDGES = {"shortest_edge": 64, "longest_edge": 90}


def swin() -> Any:
    return hub.SwinConfig(
        image_size=64, embed_dim=8, depths=[1] * 4, num_heads=[1] * 4, window_size=4, out_features=STAGES
    )


def resnet() -> Any:
    return hub.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 8, 16, 16], depths=[1] * 4, layer_type="basic", out_features=STAGES
    )


# The configuration of each type: the name of its class, and what makes it tiny.
CONFIGS: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "beit": ("BeitConfig", lambda: {**VIT, **BEIT}),
    "data2vec-vision": ("Data2VecVisionConfig", lambda: {**VIT, **BEIT}),
    "dpt": (
        "DPTConfig",
        lambda: {**VIT, **DPT, "backbone_out_indices": [0, 1, 2, 3]},
    ),
    "mobilenet_v2": ("MobileNetV2Config", lambda: {"depth_multiplier": 0.25}),
    "mobilevit": (
        "MobileViTConfig",
        lambda: {
            "image_size": 64,
            "hidden_sizes": [8] * 3,
            "neck_hidden_sizes": [8] * 7,
            "num_attention_heads": 2,
            "aspp_out_channels": 8,
        },
    ),
    "mobilevitv2": (
        "MobileViTV2Config",
        lambda: {"image_size": 64, "width_multiplier": 0.25, "aspp_out_channels": 8},
    ),
    "sapiens2": (
        "Sapiens2Config",
        lambda: {**VIT, "intermediate_size": 32, "num_key_value_attention_heads": 2, "head_config": HEAD},
    ),
    "segformer": (
        "SegformerConfig",
        lambda: {
            "hidden_sizes": [8] * 4,
            "depths": [1] * 4,
            "num_attention_heads": [1] * 4,
            "decoder_hidden_size": 8,
        },
    ),
    "tipsv2_dpt": (
        "Tipsv2DptConfig",
        lambda: {
            **DPT,
            "backbone_config": {
                "model_type": "tipsv2_vision_model",
                "out_indices": [1, 2, 3, 4],
                "reshape_hidden_states": False,
                **VIT,
            },
        },
    ),
    "upernet": (
        "UperNetConfig",
        lambda: {
            "backbone_config": resnet(),
            "hidden_size": 16,
            "auxiliary_in_channels": 16,
            "auxiliary_channels": 8,
            "pool_scales": [1, 2],
        },
    ),
    "detr": ("DetrConfig", lambda: {**DETR, "d_model": 64, "backbone_config": resnet()}),
    "eomt": ("EomtConfig", lambda: {**EOMT, "mlp_ratio": 2}),
    "eomt_dinov3": ("EomtDinov3Config", lambda: {**EOMT, "intermediate_size": 32}),
    "mask2former": (
        "Mask2FormerConfig",
        lambda: {**MASKS, "feature_size": 32, "mask_feature_size": 32, "backbone_config": swin()},
    ),
    "maskformer": (
        "MaskFormerConfig",
        lambda: {
            "fpn_feature_size": 32,
            "mask_feature_size": 32,
            "backbone_config": swin(),
            "decoder_config": hub.DetrConfig(**DETR, d_model=16),
        },
    ),
    "oneformer": (
        "OneFormerConfig",
        lambda: {
            **MASKS,
            "conv_dim": 32,
            "mask_dim": 32,
            "backbone_config": swin(),
            "text_encoder_width": 32,
            "text_encoder_num_layers": 1,
            "text_encoder_vocab_size": 64,
        },
    ),
    "videomt": ("VideomtConfig", lambda: {**EOMT, "mlp_ratio": 2}),
}

# The processor that the type has on the hub, and its settings.
PROCESSORS: dict[str, tuple[str, dict[str, Any]]] = {
    "beit": ("BeitImageProcessor", {"size": SQUARE}),
    "data2vec-vision": ("BeitImageProcessor", {"size": SQUARE}),
    "dpt": ("DPTImageProcessor", {"size": SQUARE}),
    "mobilenet_v2": ("MobileNetV2ImageProcessor", {"size": WIDE, "do_center_crop": False}),
    "mobilevit": ("MobileViTImageProcessor", {"size": SQUARE, "do_center_crop": False}),
    "mobilevitv2": ("MobileViTImageProcessor", {"size": SQUARE, "do_center_crop": False}),
    "sapiens2": ("Sapiens2ImageProcessor", {"size": WIDE}),
    "segformer": ("SegformerImageProcessor", {"size": WIDE}),
    "tipsv2_dpt": ("Tipsv2DptImageProcessor", {"size": SQUARE}),
    "upernet": ("SegformerImageProcessor", {"size": WIDE}),
    "detr": ("DetrImageProcessor", {"size": EDGES}),
    "eomt": ("EomtImageProcessor", {"size": {"shortest_edge": 64}, "do_split_image": True}),
    "eomt_dinov3": ("EomtImageProcessor", {"size": {"shortest_edge": 64}, "do_split_image": True}),
    "mask2former": ("Mask2FormerImageProcessor", {"size": EDGES}),
    "maskformer": ("MaskFormerImageProcessor", {"size": EDGES}),
    "oneformer": ("OneFormerImageProcessor", {"size": EDGES, "num_text": 2}),
    "videomt": ("VideomtVideoProcessor", {"size": SQUARE}),
}


def save(kind: str, folder: Path, **settings: Any) -> None:
    """Write a seeded model of that type and its processor, some of whose settings are given."""
    name, fields = CONFIGS[kind]
    config = getattr(hub, name)(**fields(), **LABELS)
    mapping = hub.MODEL_FOR_UNIVERSAL_SEGMENTATION_MAPPING
    if type(config) not in mapping:
        mapping = hub.MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = mapping[type(config)](config)
        with torch.no_grad():
            for tensor in model.parameters():
                if tensor.ndim > 1:  # with initial weights, all classes are nearly alike everywhere
                    tensor.normal_(0, 1.5 / tensor[0].numel() ** 0.5)
    model.save_pretrained(folder)
    name, known = PROCESSORS[kind]
    processor = getattr(hub, name)(**{**known, **settings})
    if kind == "oneformer":
        processor = hub.OneFormerProcessor(processor, tokenizer(folder))
    processor.save_pretrained(folder)


def tokenizer(folder: Path) -> Any:
    """Return a tokenizer that spells."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    (folder / "vocab.json").write_text(json.dumps({word: index for index, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return hub.CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
