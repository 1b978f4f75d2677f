"""Findings of clips, and in which frames they are, from labels of clips (PS-DeVCEM).

Mohammed et al. 2020: a recurrent network over the frames, attention over what it gives, several
labels at once, and frames that count made to differ from the others of their clip. Frames are
described by an encoder beforehand; frames of an endoscopy, planes of a stack, or serial sections.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pathoview.methods.bag_method import BagAggregator
from pathoview.methods.weak.frame_attention_params import FrameAttentionFitParams

if TYPE_CHECKING:
    from pathoview.methods.networks.bag_network import BagNetwork


class FrameAttention(BagAggregator):
    """See the module; the parameters say the rest."""

    fit_params = FrameAttentionFitParams

    @staticmethod
    def structure(params: FrameAttentionFitParams) -> dict[str, Any]:
        return {
            "width": params.rounded_width,
            "dropout": params.dropout,
            "n_layers": params.n_layers,
            "is_attention_shared": params.attention == "shared",
            "self_loss": params.self_loss,
            "self_weight": params.self_weight,
        }

    @staticmethod
    def network(settings: Mapping[str, Any]) -> BagNetwork:
        from pathoview.methods.networks.bag_frames import FrameNetwork

        return FrameNetwork(
            settings["n_features"],
            len(settings["values"]),
            width=settings["width"],
            dropout=settings["dropout"],
            n_layers=settings["n_layers"],
            is_attention_shared=settings["is_attention_shared"],
            self_loss=settings["self_loss"],
            self_weight=settings["self_weight"],
        )
