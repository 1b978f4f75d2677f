"""Networks of bags: what fills a bag up counts nothing, and each does what its paper says."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from pathoview.methods.networks.bag_attention import AttentionNetwork
from pathoview.methods.networks.bag_clam import ClamNetwork, smooth_svm
from pathoview.methods.networks.bag_dsmil import DsmilNetwork
from pathoview.methods.networks.bag_network import BagNetwork
from pathoview.methods.networks.bag_pooling import MaxNetwork, MeanNetwork
from pathoview.methods.networks.bag_transmil import TransmilNetwork, first_component
from pathoview.methods.networks.nystrom import NystromAttention, pseudo_inverse

N_FEATURES, N_CLASSES = 6, 3

NETWORKS: dict[str, Callable[[], BagNetwork]] = {
    "attention": lambda: AttentionNetwork(N_FEATURES, N_CLASSES, width=8),
    "clam, one for all": lambda: ClamNetwork(N_FEATURES, N_CLASSES, width=8),
    "clam, one a class": lambda: ClamNetwork(N_FEATURES, N_CLASSES, width=8, is_multi_branch=True),
    "dsmil": lambda: DsmilNetwork(N_FEATURES, N_CLASSES, width=8),
    "transmil": lambda: TransmilNetwork(N_FEATURES, N_CLASSES, width=8),
    "mean": lambda: MeanNetwork(N_FEATURES, N_CLASSES),
    "max": lambda: MaxNetwork(N_FEATURES, N_CLASSES),
}

every_network = pytest.mark.parametrize("name", NETWORKS)


def network(name: str) -> BagNetwork:
    torch.manual_seed(1)
    made = NETWORKS[name]()
    made.begin(torch.randn(N_FEATURES), torch.rand(N_FEATURES) + 0.5, torch.randn(20, N_FEATURES))
    return made


def bags(*sizes: int) -> tuple[Tensor, Tensor]:
    """Return bags of that many tiles, filled up with numbers that would be noticed."""
    torch.manual_seed(2)
    features = torch.randn(len(sizes), max(sizes), N_FEATURES)
    is_tile = torch.arange(max(sizes)) < torch.tensor(sizes)[:, None]
    features[~is_tile] = 50.0
    return features, is_tile


@every_network
def test_what_fills_up_has_a_weight_of_exactly_zero(name: str) -> None:
    features, is_tile = bags(3, 9, 1)
    one = network(name).train()
    output = one(features, is_tile)
    hidden = ~is_tile[:, None].expand_as(output.attention)
    assert (output.attention[hidden] == 0).all()
    assert (output.tile_attention[~is_tile] == 0).all()
    torch.testing.assert_close(output.tile_attention.sum(1), torch.ones(3))
    features.requires_grad_(True)
    one(features, is_tile).logits.square().sum().backward()
    assert features.grad is not None
    assert (features.grad[~is_tile] == 0).all()
    assert features.grad[is_tile].any()


@every_network
def test_a_bag_says_the_same_alone_and_among_larger_ones(name: str) -> None:
    features, is_tile = bags(3, 9, 1)
    one = network(name)
    together = one(features, is_tile)
    for number, known in enumerate(is_tile):
        alone = one(features[number, known][None], torch.ones(1, int(known.sum())).bool())
        torch.testing.assert_close(together.logits[number], alone.logits[0], atol=1e-5, rtol=1e-5)
        attention = together.tile_attention[number, known]
        torch.testing.assert_close(attention, alone.tile_attention[0], atol=1e-5, rtol=1e-5)


@every_network
def test_features_are_standardised_by_what_the_network_keeps(name: str) -> None:
    one, other = network(name), network(name)
    features, is_tile = bags(4)
    other.mean.zero_()
    other.scale.fill_(1.0)
    same = other((features - one.mean) * one.scale, is_tile)
    torch.testing.assert_close(one(features, is_tile).logits, same.logits)


def test_gated_attention_is_the_papers() -> None:
    one = network("attention")
    assert isinstance(one, AttentionNetwork)
    features, is_tile = bags(5)
    hidden = one.embed((features[0] - one.mean) * one.scale)
    assert one.attend.gate is not None
    gated = torch.tanh(one.attend.tell(hidden)) * torch.sigmoid(one.attend.gate(hidden))
    attention = one.attend.score(gated)[:, 0].softmax(0)
    output = one(features, is_tile)
    torch.testing.assert_close(output.attention[0, 0], attention)
    torch.testing.assert_close(output.logits[0], one.head(attention @ hidden))


def test_smooth_svm_is_its_closed_form() -> None:
    scores = torch.tensor([[2.0, -1.0], [0.5, 0.7]])
    first = math.log(math.exp(2.0) + math.exp(-1.0 + 1)) - 2.0
    second = math.log(math.exp(0.5 + 1) + math.exp(0.7)) - 0.7
    told = smooth_svm(scores, torch.tensor([0, 1]))
    assert float(told) == pytest.approx((first + second) / 2, rel=1e-5)


@pytest.mark.parametrize("name", ["clam, one for all", "clam, one a class"])
def test_clam_parts_the_most_from_the_least_attended_tiles_of_the_slides_class(name: str) -> None:
    one = network(name)
    assert isinstance(one, ClamNetwork)
    features, is_tile = bags(400, 100, 5, 1)
    output = one(features, is_tile)
    labels = torch.tensor([2, 1, 2, 0])
    losses = one.instance_losses(output, labels, is_tile)
    assert output.hidden is not None
    for number, (n_tiles, n) in enumerate(((400, 8), (100, 2), (5, 1))):
        label = int(labels[number])
        branch = label if "class" in name else 0
        ranked = output.attention[number, branch, :n_tiles].argsort(descending=True)
        parted = torch.cat((ranked[:n], ranked[-n:]))
        told = one.tellers[label](output.hidden[number, parted])
        truth = torch.tensor([1] * n + [0] * n)
        torch.testing.assert_close(losses[number], smooth_svm(told, truth))
    assert losses[3] == 0
    losses.sum().backward()
    assert one.tellers[0].weight.grad is None or not one.tellers[0].weight.grad.any()


def test_dsmil_attends_by_likeness_to_the_critical_tile_of_each_class() -> None:
    one = network("dsmil")
    assert isinstance(one, DsmilNetwork)
    features, is_tile = bags(7)
    tiles = (features[0] - one.mean) * one.scale
    hidden, judged = one.embed(tiles), one.judge(tiles)
    queries = one.query(hidden)
    output = one(features, is_tile)
    strongest, pooled = output.streams
    torch.testing.assert_close(strongest[0], judged.max(0).values)
    for number, critical in enumerate(judged.argmax(0).tolist()):
        attention = (queries @ queries[critical] / math.sqrt(queries.shape[1])).softmax(0)
        torch.testing.assert_close(output.attention[0, number], attention)
    values = output.attention[0] @ one.value(hidden)
    torch.testing.assert_close(pooled[0], one.head(values[None])[0, :, 0])
    torch.testing.assert_close(output.logits, (strongest + pooled) / 2)


@pytest.mark.parametrize("n_tiles", [1, 2, 3, 5, 16, 17, 31, 32, 33, 500, 3000])
def test_transmil_works_for_one_tile_to_three_thousand(n_tiles: int) -> None:
    features, is_tile = bags(n_tiles)
    one = network("transmil")
    output = one(features, is_tile)
    assert output.logits.isfinite().all()
    assert output.attention.min() >= 0
    assert float(output.attention.sum()) == pytest.approx(1, abs=1e-4)
    output.logits.sum().backward()
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in one.parameters())


def test_few_tokens_look_at_each_other_exactly_and_many_nearly_so() -> None:
    torch.manual_seed(3)
    near = NystromAttention(16, n_heads=2, n_landmarks=4, reach=3)
    exact = NystromAttention(16, n_heads=2, n_landmarks=64, reach=3)
    exact.load_state_dict(near.state_dict())
    steps = torch.randn(60, 1, 16).cumsum(0) / 4  # neighbours are alike, as in a sorted bag
    tokens = steps.transpose(0, 1)
    with torch.no_grad():
        (one, one_first), (other, other_first) = near(tokens), exact(tokens)
    assert 0 < float((one - other).abs().mean()) < 0.1 * float(other.abs().mean())
    assert 0 < float((one_first - other_first).abs().max()) < 0.05
    torch.testing.assert_close(near(tokens[:, :32])[0], exact(tokens[:, :32])[0])
    torch.testing.assert_close(other_first.sum(1), torch.ones(1))


def test_exact_attention_is_that_of_torch_with_a_convolution_along_the_tokens() -> None:
    torch.manual_seed(6)
    one = NystromAttention(16, n_heads=2, n_landmarks=64, reach=3)
    tokens = torch.randn(3, 9, 16)
    parts = one.inward(tokens).view(3, 9, 3, 2, 8).permute(2, 0, 3, 1, 4)
    mixed = torch.nn.functional.scaled_dot_product_attention(*parts) + one.along(parts[2])
    told, first = one(tokens)
    torch.testing.assert_close(told, one.outward(mixed.transpose(1, 2).reshape(3, 9, 16)))
    weights = (parts[0] @ parts[1].transpose(-1, -2) / math.sqrt(8)).softmax(-1)
    torch.testing.assert_close(first, weights[:, :, 0].mean(1))


def test_the_pseudo_inverse_is_nearly_one() -> None:
    torch.manual_seed(4)
    matrix = (2 * torch.randn(3, 8, 8)).softmax(-1) + torch.eye(8)
    torch.testing.assert_close(
        pseudo_inverse(matrix) @ matrix, torch.eye(8).expand(3, -1, -1), atol=0.02, rtol=0.0
    )


def test_tiles_are_ordered_along_what_they_differ_in_most() -> None:
    torch.manual_seed(5)
    along = torch.nn.functional.normalize(torch.randn(N_FEATURES), dim=0)
    rows = torch.randn(200, N_FEATURES) + 5 * torch.randn(200, 1) * along
    found = first_component(rows)
    assert float(found.norm()) == pytest.approx(1, abs=1e-5)
    assert abs(float(found @ along)) > 0.99
    assert first_component(torch.zeros(3, 4)).isfinite().all()


def test_the_mean_and_the_strongest_are_just_that() -> None:
    features, is_tile = bags(4)
    mean, strongest = network("mean"), network("max")
    assert isinstance(mean, MeanNetwork)
    assert isinstance(strongest, MaxNetwork)
    tiles = (features[0] - mean.mean) * mean.scale
    torch.testing.assert_close(mean(features, is_tile).logits[0], mean.head(tiles.mean(0)))
    tiles = (features[0] - strongest.mean) * strongest.scale
    told = strongest(features, is_tile)
    torch.testing.assert_close(told.logits[0], strongest.head(tiles).max(0).values)
    assert (told.attention.sum(-1) == 1).all()


@pytest.mark.parametrize("kind", ["max", "dsmil"])
def test_what_picks_single_tiles_begins_with_where_classes_lie(kind: str) -> None:
    torch.manual_seed(7)
    mean, scale = torch.randn(N_FEATURES), torch.rand(N_FEATURES) + 0.5
    scale[0] = 0.0  # always the same
    towards = torch.randn(N_CLASSES, N_FEATURES)
    one = (
        MaxNetwork(N_FEATURES, N_CLASSES, towards)
        if kind == "max"
        else DsmilNetwork(N_FEATURES, N_CLASSES, width=8, towards=towards)
    )
    head = one.head if isinstance(one, MaxNetwork) else one.judge
    one.begin(mean, scale, torch.randn(5, N_FEATURES))
    tiles = torch.randn(9, N_FEATURES)
    told = one(tiles[:, None], torch.ones(9, 1).bool()).streams[0]
    plain = (tiles - mean)[:, 1:] @ towards[:, 1:].T
    torch.testing.assert_close(told / told.norm(), plain / plain.norm())
    assert float(head.weight.detach().norm()) == pytest.approx(1, abs=1e-5)
