"""The encoders there are, without torch: what is known of each before it is built.

Their architectures are timm's; each entry says where its weights come from and under which licence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pathoview.core.registry import Registry
from pathoview.core.translation import _

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)
DEFAULT_ENCODER = "tf_efficientnet_lite0"
N_POOLED = 3
"""How many of the coarsest maps of features, averaged, describe a tile."""


@dataclass(frozen=True, slots=True)
class EncoderSpec:
    """What is known of an encoder before it is built."""

    name: str
    """Of its architecture in timm, unless `architecture` says another."""
    channels: tuple[int, ...]
    """Of each map of features, finest first; of one that gives a single vector, its length."""
    origin: str
    """Who made the weights, from what."""
    licence: str
    """Of the weights from the hub, and of the bundled ones."""
    strides: tuple[int, ...] = (2, 4, 8, 16, 32)
    """Px of the image per px of each map; empty: it gives a single vector of the whole image."""
    mean: tuple[float, float, float] = _IMAGENET_MEAN
    std: tuple[float, float, float] = _IMAGENET_STD
    is_bundled: bool = False
    """Whether weights came with the installation."""
    bundled_file: str = ""
    """Of these, in `resources/models`; empty: a package carries them."""
    mpp: float = 0.5
    """µm per px of the tiles it describes, where nobody says otherwise."""
    tile_px: int = 224
    """Side of these tiles."""
    only_tile_px: bool = False
    """Whether tiles of another side cannot be described."""
    architecture: str = ""
    """In timm, where weights for pathology have a name of their own."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of the architecture."""
    hub: str | None = None
    """What timm fetches the weights by; None: the architecture's name; empty: it cannot. Then they
    are bundled, or given to persons only, who have to bring the file."""
    wants_gpu: bool = False
    """Whether a processor needs seconds for a tile."""

    @property
    def timm_name(self) -> str:
        return self.architecture or self.name

    @property
    def n_features(self) -> int:
        """How many numbers describe a tile."""
        return sum(self.channels[-N_POOLED:])

    @property
    def file_licence(self) -> str:
        """Of weights of a file: known for certain weights, not for an architecture."""
        return self.licence if self.architecture else ""


ENCODERS: Registry[EncoderSpec] = Registry(
    _("encoder"),
    (
        EncoderSpec(
            "tf_efficientnet_lite0",
            (16, 24, 40, 112, 320),
            "EfficientNet-Lite0, Google, trained on ImageNet-1k",
            "Apache-2.0",
            mean=(0.5, 0.5, 0.5),
            std=(0.5, 0.5, 0.5),
            is_bundled=True,
        ),
        EncoderSpec(
            "lite0_he",
            (16, 24, 40, 112, 320),
            "EfficientNet-Lite0, PathoView, from ImageNet weights, on tiles of H&E without labels",
            "Apache-2.0",
            mean=(0.5, 0.5, 0.5),
            std=(0.5, 0.5, 0.5),
            is_bundled=True,
            bundled_file="encoders/lite0_he.safetensors",
            architecture="tf_efficientnet_lite0",
            hub="",
        ),
        EncoderSpec(
            "efficientnet_b0",
            (16, 24, 40, 112, 320),
            "EfficientNet-B0, timm (RandAugment), trained on ImageNet-1k",
            "Apache-2.0",
        ),
        EncoderSpec(
            "efficientnet_b1",
            (16, 24, 40, 112, 320),
            "EfficientNet-B1, timm (ra4), trained on ImageNet-1k",
            "Apache-2.0",
            mean=(0.5, 0.5, 0.5),
            std=(0.5, 0.5, 0.5),
            hub="efficientnet_b1.ra4_e3600_r240_in1k",
        ),
        EncoderSpec(
            "mobilenetv3_small_100",
            (16, 16, 24, 48, 576),
            "MobileNetV3-Small, timm (lamb), trained on ImageNet-1k",
            "Apache-2.0",
        ),
        EncoderSpec(
            "resnet18",
            (64, 64, 128, 256, 512),
            "ResNet-18, timm (a1), trained on ImageNet-1k",
            "Apache-2.0",
        ),
        EncoderSpec(
            "resnet34",
            (64, 64, 128, 256, 512),
            "ResNet-34, timm (a1), trained on ImageNet-1k",
            "Apache-2.0",
        ),
        EncoderSpec(
            "resnet50",
            (64, 256, 512, 1024, 2048),
            "ResNet-50, timm (a1), trained on ImageNet-1k",
            "Apache-2.0",
        ),
        EncoderSpec(
            "resnet34_kather100k",
            (64, 64, 128, 256, 512),
            "ResNet-34, TIA Centre Warwick, trained on 100,000 tiles of colorectal tissue",
            "CC-BY-4.0",
            mean=(0.0, 0.0, 0.0),
            std=(1.0, 1.0, 1.0),
            architecture="resnet34",
            hub="hf-hub:1aurent/resnet34.tiatoolbox-kather100k",
        ),
        EncoderSpec(
            "uni",
            (1024,),
            "UNI (ViT-L/16), Mahmood Lab, trained on 100,000 slides",
            "CC-BY-NC-ND-4.0",
            strides=(),
            only_tile_px=True,
            architecture="vit_large_patch16_224",
            options={"init_values": 1e-5, "num_classes": 0},
            hub="",
            wants_gpu=True,
        ),
        EncoderSpec(
            "h_optimus_0",
            (1536,),
            "H-optimus-0 (ViT-g/14), Bioptimus, trained on 500,000 slides",
            "Apache-2.0",
            strides=(),
            mean=(0.707223, 0.578729, 0.703617),
            std=(0.211883, 0.230117, 0.177517),
            only_tile_px=True,
            architecture="vit_giant_patch14_reg4_dinov2",
            options={"img_size": 224, "init_values": 1e-5, "num_classes": 0},
            hub="hf-hub:bioptimus/H-optimus-0",
            wants_gpu=True,
        ),
    ),
)
