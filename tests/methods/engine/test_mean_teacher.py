"""A teacher is its student's average, and says of every class what it is surest of."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from pathoview.methods.engine.mean_teacher import (
    IGNORE,
    MeanTeacher,
    accepted,
    consistency,
    ramp_up,
)


def student() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2))


def weight(network: nn.Module) -> Tensor:
    return next(network.parameters()).detach()


def test_the_teacher_is_the_average_over_time() -> None:
    network = MeanTeacher(student())
    seen = [weight(network.student).clone()]
    for step in (1, 2, 3):
        with torch.no_grad():
            next(network.student.parameters()).add_(1.0)
        seen.append(weight(network.student).clone())
        network.follow(step, 0.9)
    expected = 0.9**3 * seen[0] + 0.1 * (0.81 * seen[1] + 0.9 * seen[2] + seen[3])
    assert torch.allclose(weight(network.teacher), expected, atol=1e-6)


def test_a_step_counts_once_however_often_it_is_told() -> None:
    network = MeanTeacher(student())
    with torch.no_grad():
        next(network.student.parameters()).add_(1.0)
    network.follow(0, 0.5)
    assert not torch.equal(weight(network.teacher), weight(network.student))
    network.follow(1, 0.5)
    once = weight(network.teacher).clone()
    network.follow(1, 0.5)
    assert torch.equal(weight(network.teacher), once)


def test_only_the_student_learns() -> None:
    network = MeanTeacher(student()).train()
    assert network.student.training
    assert not network.teacher.training
    images = torch.rand(2, 3, 4, 4)
    with torch.no_grad():
        next(network.teacher.parameters()).add_(1.0)
    network(images).sum().backward()
    assert all(one.grad is not None for one in network.student.parameters())
    assert not any(one.requires_grad for one in network.teacher.parameters())
    network.eval()
    assert torch.equal(network(images), network.teacher(images))


def test_its_state_comes_back_with_the_training() -> None:
    network = MeanTeacher(student())
    network.follow(7, 0.9)
    other = MeanTeacher(student())
    other.load_state_dict(network.state_dict())
    assert int(other.n_followed) == 7


def test_its_word_counts_more_and_more() -> None:
    assert ramp_up(0.0) == pytest.approx(0.0067, abs=1e-4)
    assert ramp_up(0.5) == pytest.approx(0.2865, abs=1e-4)
    assert ramp_up(1.0) == ramp_up(3.0) == 1.0


def probabilities(first: list[float]) -> Tensor:
    """Return (1, 2, 1, n) of the probabilities of the first class."""
    row = torch.tensor(first)
    return torch.stack([row, 1 - row])[None, :, None]


def test_the_surest_of_each_class_are_accepted() -> None:
    told = probabilities([0.99, 0.98, 0.97, 0.96, 0.4, 0.3, 0.2, 0.45])
    found = accepted(told, torch.ones(1, 1, 8, dtype=torch.bool), 0.5)
    assert found.flatten().tolist() == [0, 0, IGNORE, IGNORE, IGNORE, 1, 1, IGNORE]


def test_a_frequent_class_does_not_crowd_out_a_rare_one() -> None:
    told = probabilities([0.999] * 98 + [0.4, 0.3])
    found = accepted(told, torch.ones(1, 1, 100, dtype=torch.bool), 0.5).flatten()
    assert int((found == 0).sum()) == 25
    assert found[98:].tolist() == [IGNORE, 1]


def test_what_is_known_is_not_accepted() -> None:
    told = probabilities([0.99, 0.98, 0.1, 0.2])
    is_open = torch.tensor([[[False, True, False, True]]])
    assert accepted(told, is_open, 1.0).flatten().tolist() == [IGNORE, 0, IGNORE, 1]
    assert bool((accepted(told, is_open & False, 1.0) == IGNORE).all())


def test_differences_count_where_it_is_open() -> None:
    one, other = probabilities([1.0, 0.5]), probabilities([0.0, 0.5])
    first, second = torch.tensor([[[True, False]]]), torch.tensor([[[False, True]]])
    assert float(consistency(one, other, first)) == 1.0
    assert float(consistency(one, other, first | second)) == 0.5
    assert float(consistency(one, other, second)) == 0.0
    assert float(consistency(one, other, first & second)) == 0.0
