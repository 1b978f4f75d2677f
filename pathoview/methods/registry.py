"""All methods, declared. Listing them imports neither torch nor an implementation."""

from __future__ import annotations

from pathoview.core.params import BaseParams
from pathoview.core.registry import Registry
from pathoview.core.translation import _
from pathoview.methods import bag_params
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
from pathoview.methods.weak.attention_mil_params import AttentionMilFitParams, AttentionMilParams
from pathoview.methods.weak.clam_params import ClamFitParams, ClamParams
from pathoview.methods.weak.draw_and_rank_params import (
    DrawAndRankFitParams,
    DrawAndRankParams,
)
from pathoview.methods.weak.dsmil_params import DsmilFitParams, DsmilParams
from pathoview.methods.weak.frame_attention_params import (
    FrameAttentionFitParams,
    FrameAttentionParams,
)
from pathoview.methods.weak.overview_and_tiles_params import (
    OverviewAndTilesFitParams,
    OverviewAndTilesParams,
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
from pathoview.methods.weak.topk_mil_params import TopkMilFitParams, TopkMilParams
from pathoview.methods.weak.transmil_params import TransmilFitParams, TransmilParams

DEFAULT_METHOD = "nuclei_unet"


def _of_slides(
    name: str,
    entry: str,
    params: type[BaseParams],
    fit_params: type[BaseParams],
    *,
    title: str,
    summary: str,
    reference: str,
    sees_pixels: bool = False,
    has_several_labels: bool = False,
) -> MethodSpec:
    """Declare a method for whole slides: most aggregate tiles that an encoder has described."""
    return MethodSpec(
        name=name,
        title=title,
        summary=summary,
        kind=Kind.BAG,
        learns_from="slides",
        mpp=bag_params.MPP,
        patch_px=bag_params.TILE_PX,
        halo_um=0.0,
        stains=("H&E", "H-DAB"),
        params=params,
        reference=reference,
        entry=f"pathoview.methods.weak.{entry}",
        uses_torch=True,
        fit_params=fit_params,
        sees_pixels=sees_pixels,
        has_several_labels=has_several_labels,
    )


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
            halo_um=352.0,
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
        _of_slides(
            "attention_mil",
            "attention_mil:AttentionMil",
            AttentionMilParams,
            AttentionMilFitParams,
            title=_("Whole slides by attention"),
            summary=_(
                "Learns from one label a slide what tells slides apart, and shows which tiles "
                "counted."
            ),
            reference="Ilse, Tomczak and Welling 2018 (attention-based multiple instance learning)",
        ),
        _of_slides(
            "clam",
            "clam:Clam",
            ClamParams,
            ClamFitParams,
            title=_("Whole slides by attention that parts tiles"),
            summary=_(
                "Learns from one label a slide, and to tell the tiles that count most from those "
                "that count least."
            ),
            reference=(
                "Lu et al. 2021 (CLAM); Berrada, Zisserman and Kumar 2018 (smooth SVM loss)"
            ),
        ),
        _of_slides(
            "dsmil",
            "dsmil:Dsmil",
            DsmilParams,
            DsmilFitParams,
            title=_("Whole slides by their most telling tile"),
            summary=_(
                "Learns from one label a slide: the tile that speaks most for a class, and all "
                "tiles by how like they are to it."
            ),
            reference="Li, Li and Eliceiri 2021 (dual-stream multiple instance learning)",
        ),
        _of_slides(
            "transmil",
            "transmil:Transmil",
            TransmilParams,
            TransmilFitParams,
            title=_("Whole slides by tiles that see each other"),
            summary=_(
                "Learns from one label a slide what tiles mean together; slower than attention, "
                "and wants more slides."
            ),
            reference="Shao et al. 2021 (TransMIL); Xiong et al. 2021 (Nyström attention)",
        ),
        _of_slides(
            "frame_attention",
            "frame_attention:FrameAttention",
            FrameAttentionParams,
            FrameAttentionFitParams,
            title=_("Findings of clips, frame by frame"),
            summary=_(
                "Learns from the labels of a clip, several at once, which of its frames show each "
                "of them."
            ),
            reference="Mohammed et al. 2020 (PS-DeVCEM)",
            has_several_labels=True,
        ),
        _of_slides(
            "topk_mil",
            "topk_mil:TopkMil",
            TopkMilParams,
            TopkMilFitParams,
            title=_("Whole slides by their first tiles, end to end"),
            summary=_(
                "Teaches the network of tiles itself by one label a slide: by turns it looks at "
                "all tiles, and learns from those that show most of what is looked for."
            ),
            reference=(
                "Tsuneki, Abe and Kanavati 2022 (prostate biopsies); Kanavati et al. 2020 (top-k "
                "learning); Kanavati and Tsuneki 2021 (partial fine-tuning)"
            ),
            sees_pixels=True,
        ),
        _of_slides(
            "draw_and_rank",
            "draw_and_rank:DrawAndRank",
            DrawAndRankParams,
            DrawAndRankFitParams,
            title=_("Whole slides by tiles drawn and ranked, end to end"),
            summary=_(
                "Teaches the network of tiles itself by one label a slide: the best tiles at hand "
                "are kept, others drawn at random. Of molecular labels: not a molecular test."
            ),
            reference="Bilal et al. 2021 (IDaRS); Wang et al. 2019 (symmetric cross entropy)",
            sees_pixels=True,
        ),
        _of_slides(
            "overview_and_tiles",
            "overview_and_tiles:OverviewAndTiles",
            OverviewAndTilesParams,
            OverviewAndTilesFitParams,
            title=_("Whole slides by an overview and single tiles"),
            summary=_(
                "Learns from one label a slide what it shows from far and from near, and points at "
                "tiles where both agree; give it two scales, such as 0.5 and 8 µm per px."
            ),
            reference=(
                "Inspired by Zhou et al. 2021 (colorectal cancer from labels of slides), no "
                "reproduction; Zhou et al. 2016 (class activation maps)"
            ),
        ),
    ),
)


def ready_methods() -> list[MethodSpec]:
    """Return the methods that need no model of the user's, the default one first."""
    ready = [spec for spec in METHODS if not spec.needs_model]
    return sorted(ready, key=lambda spec: spec.name != DEFAULT_METHOD)
