"""Which tiles are learned from: those that come first, each with the label of its own slide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from teaching import bag

from pathoview.datasets.bags import Bag
from pathoview.datasets.tile_choice import DrawnTiles, Ranking, TileChoice, TopRule, TopTiles

RULE = TopRule(ks=(3, 2), share=0.25, n_remembered=5, full_every=3)


def slides(*sizes: int, labels: Sequence[int] | None = None) -> list[Bag]:
    said = labels or [number % 2 for number in range(len(sizes))]
    return [
        bag(np.zeros((n, 1)), label, f"s{number}")
        for number, (n, label) in enumerate(zip(sizes, said, strict=True))
    ]


def told(tiles: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """Tiles show the more of the second class, the higher their number is."""
    second = (tiles + 1) / 1000
    return np.stack([1 - second, second], axis=1)


def play(choice: TileChoice, *numbers: int) -> list[dict[int, set[int]]]:
    """Return what rounds learn from: tiles of bags."""
    rounds = []
    for number in numbers:
        choice.choose(number, [told(tiles) for _place, tiles in choice.to_score(number)])
        rows = choice.chosen.tolist()
        assert len(rows) == choice.n_chosen(number)
        rounds.append({place: {t for p, t in rows if p == place} for place, _t in rows})
    return rounds


def test_the_first_round_is_drawn_at_random_and_looks_at_nothing() -> None:
    choice = TopTiles(slides(200, 200), RULE, seed=1)
    assert [len(tiles) for _place, tiles in choice.to_score(0)] == [0, 0]
    (first,) = play(choice, 0)
    assert [len(tiles) for tiles in first.values()] == [3, 3]
    (other,) = play(TopTiles(slides(200, 200), RULE, seed=2), 0)
    assert first != other


def test_later_the_first_tiles_of_each_slide_are_taken() -> None:
    rounds = play(TopTiles(slides(30, 40), RULE, seed=1), 0, 1, 2)
    assert rounds[1] == rounds[2] == {0: {28, 29}, 1: {38, 39}}


def test_slides_of_each_class_are_as_many_as_of_the_rarest() -> None:
    choice = TopTiles(slides(*[20] * 10, labels=[0] * 8 + [1] * 2), RULE, seed=1)
    rounds = play(choice, *range(40))
    assert all({8, 9} <= set(one) and len(one) == 4 for one in rounds)
    assert set().union(*rounds) == set(range(10))


def test_some_rounds_look_at_all_tiles_others_at_some_and_at_those_that_came_first() -> None:
    choice = TopTiles(slides(100, 100), RULE, seed=1)
    looked_at = []
    for number in range(5):
        asked = choice.to_score(number)
        looked_at.append([len(tiles) for _place, tiles in asked])
        play(choice, number)
        if number > 1:
            assert all({95, 96, 97, 98, 99} <= set(tiles.tolist()) for _place, tiles in asked)
    assert looked_at[0] == [0, 0]
    assert looked_at[1] == looked_at[4] == [100, 100]
    assert all(25 <= n <= 30 for n in looked_at[2] + looked_at[3])


@pytest.mark.parametrize("make", [
    lambda bags: TopTiles(bags, RULE, seed=1),
    lambda bags: DrawnTiles(bags, 2, 3, "looked_for", seed=1),
])  # fmt: skip
def test_a_slide_with_fewer_tiles_gives_all(make: Any) -> None:
    for one in play(make(slides(1, 2)), 0, 1):
        assert one == {0: {0}, 1: {0, 1}}


def test_tiles_alike_come_in_their_order() -> None:
    choice = TopTiles(slides(9, 9), RULE, seed=1)
    play(choice, 0)
    choice.choose(1, [np.full((9, 2), 0.5)] * 2)
    assert sorted(choice.chosen.tolist()) == [[0, 0], [0, 1], [1, 0], [1, 1]]


@pytest.mark.parametrize(
    ("ranking", "of_benign"), [("looked_for", {28, 29}), ("own_label", {0, 1})]
)
def test_benign_slides_give_what_looks_worst_or_what_looks_most_benign(
    ranking: Ranking, of_benign: set[int]
) -> None:
    rounds = play(TopTiles(slides(30, 30), replace(RULE, ranking=ranking), seed=1), 0, 1)
    assert rounds[1] == {0: of_benign, 1: {28, 29}}


def test_there_are_always_as_many_tiles_at_hand_kept_and_drawn_without_any_twice() -> None:
    choice = DrawnTiles(slides(60, 50), 4, 6, "looked_for", seed=3)
    best: dict[int, set[int]] = {}
    for number in range(8):
        asked = {place: set(tiles.tolist()) for place, tiles in choice.to_score(number)}
        (now,) = play(choice, number)
        assert {place: len(tiles) for place, tiles in now.items()} == {0: 10, 1: 10}
        for place, tiles in now.items():
            best[place] = set(sorted(asked[place])[-4:]) if number else set()
            assert best[place] <= tiles


def test_the_best_that_was_kept_is_told_of_slides_with_what_is_looked_for_and_of_others() -> None:
    choice = TopTiles(slides(30, 40, 50, 9), RULE, seed=1)
    play(choice, 0)
    asked = choice.to_score(1)
    said = [told(tiles) for _place, tiles in asked]
    choice.choose(1, said)
    kept = [(one.place, one.tile) for one in choice.best_kept(asked, said, 3)]
    # The first tile of each slide, then second ones; of benign slides the most misleading.
    assert kept == [(1, 39), (3, 8), (1, 38), (2, 49), (0, 29), (2, 48)]
    assert choice.best_kept(asked, said, 1)[0].score == pytest.approx(0.04)
    own = DrawnTiles(slides(30, 40), 2, 30, "own_label", seed=1)
    play(own, 0)
    asked = own.to_score(1)
    said = [told(tiles) for _place, tiles in asked]
    own.choose(1, said)
    of_benign = [one for one in own.best_kept(asked, said, 6) if one.place == 0]
    assert [(one.tile, one.score) for one in of_benign] == [(0, 0.999), (1, 0.998)]


def test_every_tile_is_drawn_sooner_or_later() -> None:
    n, n_fresh = 60, 6
    seen, total = 0, 0
    for seed in range(4):
        choice = DrawnTiles(slides(n, n), 4, n_fresh, "looked_for", seed=seed)
        rounds = play(choice, *range(6 * n // n_fresh))
        for place in (0, 1):
            seen += len(set().union(*(one[place] for one in rounds)))
            total += n
    assert seen / total > 0.95


def test_the_share_that_was_replaced_falls_once_the_best_are_at_hand() -> None:
    choice = DrawnTiles(slides(40, 40), 3, 9, "looked_for", seed=0)
    shares = []
    for number in range(20):
        asked = [told(tiles) for _place, tiles in choice.to_score(number)]
        shares.append(choice.choose(number, asked))
    assert shares[0] is None
    later = [one for one in shares if one is not None]
    assert later[0] > 0.5
    assert later[-1] == 0


@pytest.mark.parametrize("kind", ["top", "drawn"])
def test_the_same_seed_chooses_the_same_and_goes_on_where_it_was(kind: str) -> None:
    def make(seed: int = 4) -> TileChoice:
        bags = slides(50, 60, 70)
        if kind == "top":
            return TopTiles(bags, RULE, seed)
        return DrawnTiles(bags, 2, 8, "own_label", seed)

    whole = make()
    rounds = play(whole, *range(6))
    before = make()
    assert play(before, 0, 1, 2) == rounds[:3]
    after = make()
    after.go_on(before.kept())
    assert play(after, 3, 4, 5) == rounds[3:]
    assert np.array_equal(after.chosen, whole.chosen)
    assert play(make(5), *range(6)) != rounds


def test_tiles_that_a_person_said_do_not_show_it_are_never_taken() -> None:
    bags = slides(30, 30)
    answers = np.full(30, -1, np.int8)
    answers[[28, 29]] = 0
    answers[3] = 1
    bags[1] = replace(bags[1], answers=answers)
    assert play(TopTiles(bags, RULE, seed=1), 0, 1)[1][1] == {26, 27}
    bags[1] = replace(bags[1], answers=np.zeros(30, np.int8))
    assert play(TopTiles(bags, RULE, seed=1), 0, 1)[1][1] == {28, 29}
