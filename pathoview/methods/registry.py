"""All methods, declared. Listing them imports neither torch nor an implementation."""

from __future__ import annotations

from pathoview.core.registry import Registry
from pathoview.core.translation import _
from pathoview.methods.slide_methods import SLIDE_METHODS
from pathoview.methods.spec import Kind, MethodSpec
from pathoview.methods.supervised.imported_network_params import ImportedNetworkParams
from pathoview.methods.supervised.nuclei_unet_params import NucleiUnetFitParams, NucleiUnetParams
from pathoview.methods.supervised.nuclei_watershed_params import NucleiWatershedParams
from pathoview.methods.supervised.object_classifier_params import (
    ObjectClassifierFitParams,
    ObjectClassifierParams,
)
from pathoview.methods.supervised.ordinal_grading_params import (
    HALO_UM as GRADING_HALO_UM,
)
from pathoview.methods.supervised.ordinal_grading_params import (
    MPP as GRADING_MPP,
)
from pathoview.methods.supervised.ordinal_grading_params import (
    OrdinalGradingFitParams,
    OrdinalGradingParams,
)
from pathoview.methods.supervised.pixel_forest_params import (
    HALO_UM,
    MPP,
    PixelForestFitParams,
    PixelForestParams,
)
from pathoview.methods.weak.point_nuclei_params import PointNucleiFitParams, PointNucleiParams
from pathoview.methods.weak.pseudo_healthy_params import (
    PseudoHealthyFitParams,
    PseudoHealthyParams,
)
from pathoview.methods.weak.scribble_segmentation_params import (
    ScribbleSegmentationFitParams,
    ScribbleSegmentationParams,
)

DEFAULT_METHOD = "nuclei_unet"


METHODS: Registry[MethodSpec] = Registry(
    _("method"),
    (
        MethodSpec(
            name="nuclei_watershed",
            title=_("Nuclei by stain and watershed"),
            summary=_(
                "Finds nuclei by their stain and parts touching ones by their shape; "
                "nothing has to be trained."
            ),
            kind=Kind.INSTANCE,
            learns_from="nothing",
            mpp=0.5,
            patch_px=1024,
            halo_um=32.0,
            stains=("H&E", "H-DAB"),
            params=NucleiWatershedParams,
            reference=(
                "Ruifrok and Johnston 2001 (stain separation); Macenko et al. 2009 (stain "
                "estimation); Otsu 1979 (threshold); Beucher and Lantuéjoul 1979 (watershed)"
            ),
            entry="pathoview.methods.supervised.nuclei_watershed:NucleiWatershed",
        ),
        MethodSpec(
            name="nuclei_unet",
            title=_("Nuclei by a small network"),
            summary=_(
                "Finds nuclei in H&E with a network that comes trained, and that you can teach "
                "with nuclei you outline."
            ),
            kind=Kind.INSTANCE,
            learns_from="instances",
            mpp=0.5,
            patch_px=1024,
            halo_um=40.0,
            stains=("H&E",),
            params=NucleiUnetParams,
            reference=(
                "Ronneberger, Fischer and Brox 2015 (U-Net); Naylor et al. 2019 (distance maps); "
                "Beucher and Lantuéjoul 1979 (watershed)"
            ),
            entry="pathoview.methods.supervised.nuclei_unet:NucleiUnet",
            uses_torch=True,
            fit_params=NucleiUnetFitParams,
            bundled="nuclei_unet",
        ),
        MethodSpec(
            name="pixel_forest",
            title=_("Tissue by strokes, at once"),
            summary=_(
                "Learns kinds of tissue from a few strokes in a second, and shows them while you "
                "paint."
            ),
            kind=Kind.PIXEL,
            learns_from="scribbles",
            mpp=MPP,
            patch_px=1024,
            halo_um=HALO_UM,
            stains=("H&E", "H-DAB"),
            params=PixelForestParams,
            reference=(
                "Breiman 2001 (random forests); Friedman 2001 (gradient boosting); Berg et al. "
                "2019 (ilastik); Ojala et al. 2002 (local binary patterns)"
            ),
            entry="pathoview.methods.supervised.pixel_forest:PixelForest",
            fit_params=PixelForestFitParams,
            is_live=True,
        ),
        MethodSpec(
            name="point_nuclei",
            title=_("Nuclei from points"),
            summary=_(
                "Learns to outline nuclei from one click on each of some dozens of them, and "
                "parts those that touch."
            ),
            kind=Kind.INSTANCE,
            learns_from="points",
            mpp=0.25,
            patch_px=1024,
            halo_um=40.0,
            stains=("H&E", "H-DAB"),
            params=PointNucleiParams,
            reference=(
                "Liu, He and He 2022 (instance learning from points, arXiv 2202.01564); De "
                "Brabandere et al. 2017 (discriminative loss); Comaniciu and Meer 2002 (mean shift)"
            ),
            entry="pathoview.methods.weak.point_nuclei:PointNuclei",
            version=2,
            uses_torch=True,
            fit_params=PointNucleiFitParams,
            starts_from=("nuclei_unet",),
            pseudo_labels_entry="pathoview.methods.weak.point_nuclei_labels:preview",
        ),
        MethodSpec(
            name="scribble_segmentation",
            title=_("Tissue by strokes, by a network"),
            summary=_(
                "Learns kinds of tissue from strokes and areas in minutes, and goes on learning "
                "from tissue that nobody labelled."
            ),
            kind=Kind.PIXEL,
            learns_from="scribbles",
            mpp=1.0,
            patch_px=1024,
            halo_um=96.0,
            stains=("H&E", "H-DAB"),
            params=ScribbleSegmentationParams,
            reference=(
                "Ronneberger et al. 2015 (U-Net); Tarvainen and Valpola 2017 (mean teacher); Zou "
                "et al. 2018 (class-balanced self-training)"
            ),
            entry="pathoview.methods.weak.scribble_segmentation:ScribbleSegmentation",
            uses_torch=True,
            fit_params=ScribbleSegmentationFitParams,
        ),
        MethodSpec(
            name="object_classifier",
            title=_("Kinds of nuclei by examples"),
            summary=_(
                "Tells detected nuclei apart (tumour, immune, stroma …) after a minute of clicking "
                "examples."
            ),
            kind=Kind.OBJECT,
            learns_from="objects",
            mpp=0.5,
            patch_px=1024,
            halo_um=12.0,
            stains=("H&E", "H-DAB"),
            params=ObjectClassifierParams,
            reference=(
                "Sirinukunwattana et al. 2016 (classes of nuclei); Friedman 2001 (gradient "
                "boosting); Guo et al. 2017 and Platt 1999 (calibration); Tan and Le 2019 "
                "(EfficientNet)"
            ),
            entry="pathoview.methods.supervised.object_classifier:ObjectClassifier",
            uses_torch=True,
            fit_params=ObjectClassifierFitParams,
        ),
        MethodSpec(
            name="pseudo_healthy",
            title=_("Tissue as if it were healthy"),
            summary=_(
                "Learns from areas of pathology beside healthy tissue to show what tissue would "
                "be without it: a synthetic picture, to look at and never to measure."
            ),
            kind=Kind.SYNTHESIS,
            learns_from="scribbles",
            mpp=1.0,
            patch_px=1536,
            halo_um=400.0,
            stains=("H&E", "H-DAB"),
            params=PseudoHealthyParams,
            reference=(
                "Xia, Chartsias and Tsaftaris 2020 (pathology disentanglement); Zhang et al. 2020 "
                "(generator versus segmentor); Pathak et al. 2016 (context encoders)"
            ),
            entry="pathoview.methods.weak.pseudo_healthy:PseudoHealthy",
            uses_torch=True,
            fit_params=PseudoHealthyFitParams,
        ),
        MethodSpec(
            name="ordinal_grading",
            title=_("Grades in their order"),
            summary=_(
                "Learns ordered grades from areas of each, and maps grade and severity of the "
                "tissue around every place."
            ),
            kind=Kind.PIXEL,
            learns_from="scribbles",
            mpp=GRADING_MPP,
            patch_px=1024,
            halo_um=GRADING_HALO_UM,
            stains=("H&E", "H-DAB"),
            params=OrdinalGradingParams,
            reference="Le Vuong, Kim, Song and Kwak 2021 (joint categorical and ordinal learning)",
            entry="pathoview.methods.supervised.ordinal_grading:OrdinalGrading",
            uses_torch=True,
            fit_params=OrdinalGradingFitParams,
        ),
        MethodSpec(
            name="imported_network",
            title=_("A network from elsewhere"),
            summary=_(
                "Maps kinds of tissue with a network that was trained in another program and "
                "imported as an ONNX file."
            ),
            kind=Kind.PIXEL,
            learns_from="nothing",
            mpp=0.5,
            patch_px=1024,
            halo_um=32.0,
            stains=("H&E",),
            params=ImportedNetworkParams,
            reference=_("That of the network; see its card"),
            entry="pathoview.methods.supervised.imported_network:ImportedNetwork",
            is_imported=True,
        ),
        *SLIDE_METHODS,
    ),
)


def ready_methods() -> list[MethodSpec]:
    """Return the methods that need no model of the user's, the default one first."""
    ready = [spec for spec in METHODS if not spec.needs_model]
    return sorted(ready, key=lambda spec: spec.name != DEFAULT_METHOD)
