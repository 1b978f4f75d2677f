"""The methods that learn from labels of whole slides, declared; see `registry`."""

from __future__ import annotations

from pathoview.core.params import BaseParams
from pathoview.core.translation import _
from pathoview.methods import bag_params
from pathoview.methods.spec import Kind, MethodSpec
from pathoview.methods.supervised.patch_sum_params import PatchSumFitParams, PatchSumParams
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
from pathoview.methods.weak.topk_mil_params import TopkMilFitParams, TopkMilParams
from pathoview.methods.weak.transmil_params import TransmilFitParams, TransmilParams


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
    looks_at_whole: bool = False,
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
        entry=f"pathoview.methods.{entry}",
        uses_torch=True,
        fit_params=fit_params,
        sees_pixels=sees_pixels,
        has_several_labels=has_several_labels,
        looks_at_whole=looks_at_whole,
    )


SLIDE_METHODS = (
    _of_slides(
        "attention_mil",
        "weak.attention_mil:AttentionMil",
        AttentionMilParams,
        AttentionMilFitParams,
        title=_("Whole slides by attention"),
        summary=_(
            "Learns from one label a slide what tells slides apart, and shows which tiles counted."
        ),
        reference="Ilse, Tomczak and Welling 2018 (attention-based multiple instance learning)",
    ),
    _of_slides(
        "clam",
        "weak.clam:Clam",
        ClamParams,
        ClamFitParams,
        title=_("Whole slides by attention that parts tiles"),
        summary=_(
            "Learns from one label a slide, and to tell the tiles that count most from those "
            "that count least."
        ),
        reference=("Lu et al. 2021 (CLAM); Berrada, Zisserman and Kumar 2018 (smooth SVM loss)"),
    ),
    _of_slides(
        "dsmil",
        "weak.dsmil:Dsmil",
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
        "weak.transmil:Transmil",
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
        "weak.frame_attention:FrameAttention",
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
        "weak.topk_mil:TopkMil",
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
        "weak.draw_and_rank:DrawAndRank",
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
        "weak.overview_and_tiles:OverviewAndTiles",
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
    _of_slides(
        "patch_sum",
        "supervised.patch_sum:PatchSum",
        PatchSumParams,
        PatchSumFitParams,
        title=_("Pictures by the sum of their patches"),
        summary=_(
            "Learns from one label a picture, of whatever size and scale, and finds the most "
            "similar cases among others."
        ),
        reference=(
            "Schaumberg et al. 2020 (disease state and case search); Breiman 2001 (random "
            "forests); Haralick et al. 1973, Ojala et al. 2002 (texture)"
        ),
        looks_at_whole=True,
    ),
)
