"""How a method declares itself, and what each kind of method has to do.

Nothing here imports torch: forms, the command line and the guide are made from declarations.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from pathoview.core.params import BaseParams
from pathoview.datasets.meanings import Target
from pathoview.slides.slide import Slide


class Kind(enum.StrEnum):
    """What goes in and what comes out; each kind has its own protocol."""

    INSTANCE = "instance"
    """patch → labelled nuclei"""
    PIXEL = "pixel"
    """patch → probabilities of classes"""
    OBJECT = "object"
    """detections → probabilities of classes"""
    BAG = "bag"
    """tiles of a whole slide → probabilities of classes, and what each tile has to do with it"""
    SYNTHESIS = "synthesis"
    """patch → the same tissue as if it were healthy, and where it is not"""


LearnsFrom = Literal["nothing", "instances", "points", "scribbles", "objects", "slides"]
"""Which labels a method is taught by: none; outlined nuclei; one point a nucleus; strokes and
areas of classes; examples of detected objects; labels of whole slides."""


TARGETS: Mapping[LearnsFrom, Target] = {
    "nothing": "classes",
    "instances": "instances",
    "points": "points",
    "scribbles": "classes",
    "objects": "objects",
    "slides": "classes",
}


@dataclass(frozen=True, slots=True)
class MethodSpec:
    """What a method says of itself before it computes."""

    name: str
    title: str
    summary: str
    """One sentence for a pathologist."""
    kind: Kind
    learns_from: LearnsFrom
    mpp: float
    """µm per px the method works at; the nearest whole reduction of a level is read."""
    patch_px: int
    """Side of the core of a patch, px at `mpp`."""
    halo_um: float
    """Context read around the core on every side, µm: more than the largest object's size."""
    stains: tuple[str, ...]
    params: type[BaseParams]
    reference: str
    entry: str
    """``"module:Class"`` of the implementation, imported when it runs."""
    version: int = 1
    """Raised when the same input would give other objects."""
    uses_torch: bool = False
    fit_params: type[BaseParams] | None = None
    """What can be set about training; None: nothing is trained."""
    bundled: str = ""
    """Name of the model in ``resources/models`` that is used when none is given; empty: a model
    has to be trained first, unless nothing is."""

    starts_from: tuple[str, ...] = ()
    """Names of other methods whose models its training can go on from, beside its own."""
    is_imported: bool = False
    """Its models come from elsewhere: none is trained here, and none came with the program."""
    is_live: bool = False
    """It learns in moments: after each stroke it learns anew (see `tasks.live_teaching`)."""
    has_several_labels: bool = False
    """A slide or clip may have any number of its classes at once: it learns from
    `datasets.bags.Bag.labels`, and its probabilities are of each class alone (they need not add
    up to 1)."""
    sees_pixels: bool = False
    """Of those for whole slides: it teaches the network that describes tiles, by their pixels; its
    models describe tiles by themselves (see `tile_method.TileMethod`)."""
    looks_at_whole: bool = False
    """Of those for whole slides: its tiles are patches spread over the whole picture, whatever its
    scale (`datasets.bags.EncoderUsed.of_whole`)."""
    pseudo_labels_entry: str = ""
    """``"module:function"`` that gives what it makes of coarse labels before it learns, as
    ``function(patch, points, mpp, params, is_none) -> mask`` of classes, where ``is_none`` says
    where there is no nucleus (`Labels.no_nuclei`); empty: nothing to show."""

    @property
    def target(self) -> Target:
        """What annotations are read for when it is taught."""
        return TARGETS[self.learns_from]

    @property
    def is_trainable(self) -> bool:
        return self.fit_params is not None

    @property
    def needs_model(self) -> bool:
        """Whether it can only predict with a model that somebody trained or imported."""
        return self.is_imported or (self.is_trainable and not self.bundled)


@dataclass(frozen=True, slots=True)
class Compute:
    """On what a torch method predicts, and how; kept in the run's record."""

    device: str = "cpu"
    """torch's name."""
    numerics: str = "float32"
    """The numeric path: ``float32``, ``bf16``, ``compile`` or ``onnx``."""


@dataclass(frozen=True, slots=True)
class Found:
    """The objects of a patch."""

    labels: npt.NDArray[np.int32]
    """(height, width), 0 background."""
    confidence: npt.NDArray[np.float32] | None = None
    """(highest label + 1,) 0–1, by label; None: the method does not say."""


class InstanceMethod(Protocol):
    """patch → labelled nuclei.

    Constructed as ``Class(params)``; a trainable one as ``Class(params, fitted)``, and as
    ``Class(params, fitted, compute)`` when it uses torch (see `fitting.Fitted`, `Compute`). The
    constructor only stores.
    """

    def prepare(self, slide: Slide, mpp: float) -> Mapping[str, Any]:
        """Return what is measured once on the whole slide, JSON-able.

        ``stains`` (`StainMatrix.to_json`) is always among it: objects' stains are measured by it.

        ``mpp`` is the true µm per px of the patches to come. It depends on the slide and the
        parameters only, is kept in the run's record, and is given to every `predict`.
        """

    def predict(
        self, patch: npt.NDArray[np.uint8], mpp: float, context: Mapping[str, Any]
    ) -> Found:
        """Return the instances of a patch.

        ``patch`` is (height, width, 3) uint8 RGB with its halo. The labels of a pixel may depend
        only on pixels within the halo's distance, so that tiles agree at their seams.
        Called from several threads at once.
        """


class PixelMethod(Protocol):
    """patch → probabilities of classes. Constructed as an `InstanceMethod` is."""

    def prepare(self, slide: Slide, mpp: float) -> Mapping[str, Any]:
        """See `InstanceMethod.prepare`."""

    def predict(
        self, patch: npt.NDArray[np.uint8], mpp: float, context: Mapping[str, Any]
    ) -> npt.NDArray[np.float32]:
        """Return probabilities, (height, width, class), in the order of the model's classes.

        They add up to 1. ``patch`` is (height, width, 3) uint8 RGB with its halo. Called from
        several threads at once.
        """


@dataclass(frozen=True, slots=True)
class ObjectBatch:
    """Detected objects that are to be told apart."""

    measurements: Mapping[str, npt.NDArray[np.float32]]
    """(n,) a measurement; NaN where unknown."""
    patches: npt.NDArray[np.uint8]
    """(n, side, side, 3) RGB around the centre of each, at the method's µm per px."""


class ObjectMethod(Protocol):
    """detections → probabilities of classes. Constructed as an `InstanceMethod` is.

    Its ``patch_px`` is the side of blocks of objects; a picture is `object_features.PICTURE_PX`.
    """

    @property
    def sees_pictures(self) -> bool:
        """Whether `ObjectBatch.patches` matter; else they need not be read."""

    def predict(self, objects: ObjectBatch) -> npt.NDArray[np.float32]:
        """Return probabilities, (n, class), in the order of the model's classes."""


@dataclass(frozen=True, slots=True)
class BagFound:
    """What is said of a whole slide, and where it comes from."""

    probabilities: npt.NDArray[np.float32]
    """(class,), adding up to 1; each 0–1 of its own where a slide may have several labels."""
    attention: npt.NDArray[np.float32]
    """(tile,) how much each tile counted, adding up to 1: importance, no probability."""
    evidence: npt.NDArray[np.float32]
    """(tile, class) probabilities as if the tile were the whole slide."""
    class_attention: npt.NDArray[np.float32] | None = None
    """(tile, class) how much each tile counted for each class, each adding up to 1; None: the same
    for all."""


class BagMethod(Protocol):
    """tiles of a whole slide → probabilities. Constructed as an `InstanceMethod` is.

    Its ``fit`` takes `datasets.bags.BagData`; the card's settings name the encoder (``encoder``,
    the members of `datasets.bags.EncoderUsed`). Where it ``sees_pixels``, it can `describe` tiles.
    """

    def predict(self, features: npt.NDArray[np.float32]) -> BagFound:
        """Return what is said of a slide of (tile, feature); there is at least one tile.

        The order of the tiles changes nothing but the order of what is said of them, unless they
        are frames of a clip.
        """


@dataclass(frozen=True, slots=True)
class Synthesised:
    """A patch as if it were healthy. The picture is synthetic: it is shown, never measured."""

    picture: npt.NDArray[np.uint8]
    """(height, width, 3) RGB; what is healthy stays as it is, as far as the method can."""
    pathology: npt.NDArray[np.float32]
    """(height, width) 0–1: whether the pixel was judged not to be healthy."""


class SynthesisMethod(Protocol):
    """patch → pseudo-healthy picture and pathology mask. Constructed as an `InstanceMethod` is.

    It is taught by areas: the classes that are learned are pathology, all other labelled tissue
    (`labels.BACKGROUND`) is healthy, and of unlabelled tissue nothing is known.
    """

    def prepare(self, slide: Slide, mpp: float) -> Mapping[str, Any]:
        """See `InstanceMethod.prepare`."""

    def predict(
        self, patch: npt.NDArray[np.uint8], mpp: float, context: Mapping[str, Any]
    ) -> Synthesised:
        """Return what a patch would be without pathology.

        ``patch`` is (height, width, 3) uint8 RGB with its halo. Called from several threads at
        once; pixels may depend only on pixels within the halo's distance.
        """
