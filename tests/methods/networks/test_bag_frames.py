"""Frames in their order: what was before and after counts, what is filled up never does."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pathoview.methods.networks.bag_frames import FrameNetwork

N_FEATURES, N_LABELS = 6, 3


def network(**changes: object) -> FrameNetwork:
    torch.manual_seed(0)
    said = {"width": 16, "n_layers": 1, "dropout": 0.0} | changes
    return FrameNetwork(N_FEATURES, N_LABELS, **said).eval()  # type: ignore[arg-type]


def frames(n: int, seed: int = 1) -> Tensor:
    return torch.randn(1, n, N_FEATURES, generator=torch.Generator().manual_seed(seed))


def whole(clip: Tensor) -> Tensor:
    return torch.ones(clip.shape[:2], dtype=torch.bool)


@pytest.mark.parametrize("n_layers", [0, 1, 2])
def test_the_order_counts_only_where_frames_see_each_other(n_layers: int) -> None:
    one, clip = network(n_layers=n_layers), frames(7)
    with torch.inference_mode():
        there = one.hidden(clip, whole(clip))
        back = one.hidden(clip.flip(1), whole(clip)).flip(1)
    assert torch.allclose(there, back, atol=1e-5) is (n_layers == 0)


@pytest.mark.parametrize("attention", [True, False])
def test_what_is_filled_up_has_no_weight_and_changes_nothing(attention: bool) -> None:
    one, short, long = network(is_attention_shared=attention), frames(4), frames(9, seed=2)
    filled = torch.cat([torch.nn.functional.pad(short, (0, 0, 0, 5), value=9.0), long])
    is_frame = torch.ones(2, 9, dtype=torch.bool)
    is_frame[0, 4:] = False
    with torch.inference_mode():
        together, alone = one(filled, is_frame), one(short, whole(short))
    assert (together.attention[0, :, 4:] == 0).all()
    torch.testing.assert_close(together.logits[:1], alone.logits)
    torch.testing.assert_close(together.attention[:1, :, :4], alone.attention)
    torch.testing.assert_close(
        together.attention.sum(2), torch.ones_like(together.attention[..., 0])
    )


def test_each_label_is_told_by_its_own_attention() -> None:
    one, clip = network(), frames(5)
    with torch.inference_mode():
        said = one(clip, whole(clip))
        hidden = one.hidden(clip, whole(clip))[0]
        for label in range(N_LABELS):
            pooled = said.attention[0, label] @ hidden
            torch.testing.assert_close(said.logits[0, label], one.head(pooled)[label])
        torch.testing.assert_close(one.evidence_of(clip[0], said), one.head(hidden))
    assert said.tile_attention.shape == (1, 5)
    assert said.tile_attention.sum().item() == pytest.approx(1)
    assert network(is_attention_shared=True)(clip, whole(clip)).attention.shape == (1, 1, 5)


def losses(one: FrameNetwork, clip: Tensor, labels: list[float]) -> Tensor:
    told = torch.tensor([labels])
    return one.instance_losses(one(clip, whole(clip)), told, whole(clip))


def test_a_clip_without_labels_says_nothing_of_its_frames() -> None:
    one, clip = network(), frames(6)
    assert losses(one, clip, [0, 0, 0]).item() == 0
    assert losses(one, clip, [0, 1, 0]).item() > 0
    assert losses(one, frames(1), [0, 1, 0]).item() == 0, "one frame cannot differ from others"


def test_the_parts_of_the_loss_add_up_and_the_parting_has_no_gradient() -> None:
    clip = frames(6)
    both, classes, cosine = (
        losses(network(self_loss=one), clip, [1, 0, 0]).item()
        for one in ("both", "classes", "cosine")
    )
    assert both == pytest.approx(classes + cosine)
    one = network()
    losses(one, clip, [1, 0, 0]).sum().backward()
    assert one.score.weight.grad is None
    assert one.counts[0].weight.grad is not None
    assert network(self_loss="off").instance_weight == 0
    assert network(self_weight=1.0).instance_weight == 0.5
