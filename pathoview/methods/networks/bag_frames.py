"""Frames that know what came before and after (PS-DeVCEM; Mohammed et al. 2020).

A recurrent network runs over the frames both ways, with a way around it; attention, one for each
label, weighs what it gives; a small network tells the labels. Within a clip, the frames that count
are to differ from the others, which a further network has to tell apart.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from pathoview.methods.networks.bag_network import BagNetwork, BagOutput, weights_of_tiles

SelfLoss = Literal["both", "classes", "cosine", "off"]

_ATTENTION_WIDTH = 128
_COSINE_WEIGHT = 0.5


class ResidualRecurrence(nn.Module):
    """(clip, frame, width) → the same plus what a recurrent network says, both ways.

    What is no frame is never seen by it.
    """

    def __init__(self, width: int, n_layers: int, dropout: float) -> None:
        super().__init__()
        self.lstm = nn.LSTM(
            width,
            width // 2,
            n_layers,
            batch_first=True,
            bidirectional=True,
            dropout=dropout if n_layers > 1 else 0.0,
        )

    def forward(self, frames: Tensor, is_frame: Tensor) -> Tensor:
        """``is_frame``: (clip, frame); the frames of a clip come first."""
        lengths = is_frame.sum(1).cpu()
        packed = pack_padded_sequence(frames, lengths, batch_first=True, enforce_sorted=False)
        given, _lengths = pad_packed_sequence(
            self.lstm(packed)[0], batch_first=True, total_length=frames.shape[1]
        )
        return frames + given


class FrameNetwork(BagNetwork):
    """Labels of clips, each of its own; attention of frames, one for all labels or one for each."""

    instance_rest = 3

    def __init__(
        self,
        n_features: int,
        n_labels: int,
        *,
        width: int,
        n_layers: int = 2,
        dropout: float = 0.5,
        is_attention_shared: bool = False,
        self_loss: SelfLoss = "both",
        self_weight: float = 0.3,
    ) -> None:
        """``n_layers`` 0: frames do not see each other. ``width`` is even."""
        super().__init__(n_features)
        self.embed = nn.Sequential(
            nn.Linear(n_features, width), nn.LayerNorm(width), nn.Dropout(dropout)
        )
        self.recur = ResidualRecurrence(width, n_layers, dropout) if n_layers else None
        self.tell = nn.Linear(width, _ATTENTION_WIDTH)
        self.score = nn.Linear(_ATTENTION_WIDTH, 1 if is_attention_shared else n_labels)
        self.head = _two_layers(width, n_labels, dropout)
        self.counts = _two_layers(width, 1, dropout)
        """Tells frames that count from those that do not."""
        self._self_loss = self_loss
        # Both losses are weighed to add up to 1, which only scales what the paper adds.
        self.instance_weight = self_weight / (1 + self_weight) if self_loss != "off" else 0.0

    def aggregated(self, tiles: Tensor, is_tile: Tensor) -> BagOutput:
        hidden = self.hidden(tiles, is_tile)
        scores = self.score(self.tell(hidden).tanh()).transpose(1, 2)
        attention = weights_of_tiles(scores, is_tile)
        told = self.head(attention @ hidden)
        logits = told[:, 0] if told.shape[1] == 1 else told.diagonal(dim1=1, dim2=2)
        return BagOutput((logits,), attention, hidden, has_several_labels=True)

    def hidden(self, tiles: Tensor, is_tile: Tensor) -> Tensor:
        """Return what each frame is in its clip, (clip, frame, width)."""
        embedded: Tensor = self.embed(tiles)
        return embedded if self.recur is None else self.recur(embedded, is_tile)

    def evidence_of(self, features: Tensor, output: BagOutput) -> Tensor:
        """Return logits of labels of single frames in their clip, (frame, label)."""
        assert output.hidden is not None
        found: Tensor = self.head(output.hidden[0])
        return found

    def instance_losses(self, output: BagOutput, labels: Tensor, is_tile: Tensor) -> Tensor:
        """Return how little the frames that count differ from the others, (clip,).

        A clip without any label has none, nor has one whose frames all count alike.
        """
        assert output.hidden is not None
        counts, others = self._parted(output, labels, is_tile)
        is_told = (labels.sum(1) > 0) & counts.any(1) & others.any(1)
        first, second = (_mean(output.hidden, one) for one in (counts, others))
        losses = torch.zeros(len(labels), device=labels.device)
        if self._self_loss in ("both", "classes"):
            losses = losses + functional.softplus(-self.counts(first)[:, 0])
            losses = losses + functional.softplus(self.counts(second)[:, 0])
        if self._self_loss in ("both", "cosine"):
            alike = functional.cosine_similarity(first, second, dim=1).clamp(min=0)
            losses = losses + _COSINE_WEIGHT * alike
        return losses * is_told

    def _parted(self, output: BagOutput, labels: Tensor, is_tile: Tensor) -> tuple[Tensor, Tensor]:
        """Return which frames have more than average attention, and which have not."""
        attention = output.attention.detach()
        if attention.shape[1] > 1:  # that of the labels the clip has
            weights = labels.float() / labels.sum(1, keepdim=True).clamp(min=1)
            attention = weights[..., None] * attention
        of_frames = attention.sum(1)
        is_more = of_frames > 1 / is_tile.sum(1, keepdim=True)
        return is_more & is_tile, ~is_more & is_tile


def _two_layers(width: int, n: int, dropout: float) -> nn.Sequential:
    half = max(1, width // 2)
    return nn.Sequential(nn.Linear(width, half), nn.ReLU(), nn.Dropout(dropout), nn.Linear(half, n))


def _mean(hidden: Tensor, chosen: Tensor) -> Tensor:
    """Return the mean of the chosen frames of each clip, (clip, width)."""
    weights = chosen.float() / chosen.sum(1, keepdim=True).clamp(min=1)
    return (weights[:, None] @ hidden)[:, 0]
