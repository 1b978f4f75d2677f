"""What all engines of `pseudo_healthy` keep, and how `inpaint` and `gvs` learn."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from synthesis_scenes import MPP, synthesis_data, twins

torch = pytest.importorskip("torch")

from pathoview.core.errors import UsageError  # noqa: E402
from pathoview.core.progress import SilentProgress  # noqa: E402
from pathoview.datasets.image_labels import ClassImage  # noqa: E402
from pathoview.datasets.labels import UNKNOWN, TrainingData  # noqa: E402
from pathoview.methods.engine.augment import Augmentation  # noqa: E402
from pathoview.methods.engine.weights import arrays_of  # noqa: E402
from pathoview.methods.fitting import FitContext, Fitted  # noqa: E402
from pathoview.methods.model import Model, ModelCard  # noqa: E402
from pathoview.methods.networks.pseudo_healthy import (  # noqa: E402
    Inpainter,
    InpaintingNetwork,
    Repainter,
    RepaintingNetwork,
    Seam,
    hole_around,
    without_checkers,
)
from pathoview.methods.registry import METHODS  # noqa: E402
from pathoview.methods.weak import pseudo_healthy_beside as beside  # noqa: E402
from pathoview.methods.weak.pseudo_healthy import PseudoHealthy, composed  # noqa: E402
from pathoview.methods.weak.pseudo_healthy_gvs import (  # noqa: E402
    GameLearner,
    fooling_loss,
    keeping_loss,
    leftover_loss,
)
from pathoview.methods.weak.pseudo_healthy_holes import random_hole  # noqa: E402
from pathoview.methods.weak.pseudo_healthy_inpaint import PaintLearner  # noqa: E402
from pathoview.methods.weak.pseudo_healthy_lesson import (  # noqa: E402
    HEALTHY,
    PATHOLOGY,
    Lesson,
    Sample,
)
from pathoview.methods.weak.pseudo_healthy_params import (  # noqa: E402
    PseudoHealthyFitParams,
    PseudoHealthyParams,
)
from pathoview.methods.weak.pseudo_healthy_parts import mask_loss  # noqa: E402

SPEC = METHODS.get("pseudo_healthy")
STILL = Augmentation(
    p_flip=0, p_turn=0, p_affine=0, brightness=0, contrast=(1, 1), saturation=(1, 1), hue=0,
    stain=0, p_blur=0, p_noise=0, p_jpeg=0,
)  # fmt: skip
QUICK: dict[str, Any] = {"n_steps": 2, "batch": 2, "patch_px": 48, "width": 4}


def fit(data: TrainingData | None = None, start: Model | None = None, **told: Any) -> Fitted:
    params = PseudoHealthyFitParams(**{**QUICK, **told})
    context = FitContext(SilentProgress(), start=start)
    return PseudoHealthy(PseudoHealthyParams()).fit(
        data or synthesis_data(4, 4, 2), params, context
    )


def model(fitted: Fitted) -> Model:
    card = ModelCard(
        title="quick",
        method=SPEC.name,
        kind=SPEC.kind.value,
        mpp=MPP,
        settings=dict(fitted.settings),
    )
    return Model(card, fitted.tensors)


def lesson(rgb: np.ndarray[Any, Any], state: np.ndarray[Any, Any], **told: Any) -> Lesson:
    sample = Sample(rgb, state.astype(np.uint8))
    return Lesson(
        *(lambda step, slot: sample,) * 2,
        *((sample,), PseudoHealthyFitParams(**{**QUICK, **told}), len(rgb), 0, STILL),
        *({"engine": "inpaint", "width": 4}, None, (), ""),
    )


def gradients(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return copies of what each weight is to be changed by."""
    named = network.named_parameters()
    return {name: weight.grad.clone() for name, weight in named if weight.grad is not None}


def of_noise(seed: int, *shape: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


# -- the networks ----------------------------------------------------------------------------------


def test_what_counts_is_all_of_what_was_found_and_lies_within_what_is_hidden() -> None:
    found = torch.zeros(1, 1, 64, 64)
    found[..., 30:34, 20:40] = 0.9
    found[..., 5, 5] = 0.4
    hole = hole_around(found, Seam(threshold=0.5, margin_px=3, width_px=4))
    assert (hole.share[..., 27:37, 17:43] == 1).all()
    rows = hole.share[0, 0, :, 30]
    assert (rows[21:28].diff() > 0).sum() == 5
    assert rows[22] == rows[41] == 0
    assert (hole.hidden[hole.share > 0] == 1).all()
    assert hole.share[..., 5, 5] == 0


def test_without_margin_and_seam_the_hole_is_what_was_found() -> None:
    found = (torch.rand(1, 1, 32, 32) > 0.5).float()
    hole = hole_around(found, Seam(0.5, 0, 0))
    assert torch.equal(hole.hidden, found)
    assert torch.equal(hole.share, found)


def test_what_is_hidden_is_not_seen() -> None:
    torch.manual_seed(0)
    painter = Inpainter(4).eval()
    hidden = torch.zeros(1, 1, 48, 48)
    hidden[..., 10:30, 10:30] = 1
    pixels = torch.rand(1, 3, 48, 48)
    other = torch.where(hidden > 0, torch.rand_like(pixels), pixels)
    assert torch.equal(painter(pixels, hidden), painter(other, hidden))
    assert not torch.equal(painter(pixels, hidden), painter(pixels, 1 - hidden))


def test_repainting_begins_by_changing_nothing_and_can_reach_black_and_white() -> None:
    pixels = torch.rand(1, 3, 32, 32)
    repainter = Repainter(4)
    assert torch.equal(repainter(pixels), pixels)
    bias = repainter.unet.head.bias
    assert bias is not None
    for value, reached in ((-9.0, 0.0), (9.0, 1.0)):
        network = RepaintingNetwork(4).eval()
        torch.nn.init.constant_(network.generator.unet.head.bias, value)
        assert (network(pixels)[:, :3] == reached).all()


def test_repainting_makes_no_checkers() -> None:
    torch.manual_seed(0)
    even = torch.rand(1, 3, 8, 8)
    rows, columns = torch.meshgrid(torch.arange(8), torch.arange(8), indexing="ij")
    checkers = ((rows + columns) % 2).float() - 0.5
    inner = slice(1, -1), slice(1, -1)
    assert without_checkers(checkers.expand(1, 3, 8, 8))[..., *inner].abs().max() < 1e-6
    torch.testing.assert_close(without_checkers(torch.ones(1, 3, 8, 8)), torch.ones(1, 3, 8, 8))
    assert without_checkers(even).shape == even.shape


@pytest.mark.parametrize("network", [InpaintingNetwork, RepaintingNetwork])
@pytest.mark.parametrize("size", [(208, 160), (256, 256)])
def test_outputs_are_five_maps_of_the_size_of_the_picture(
    network: Any, size: tuple[int, int]
) -> None:
    maps = network(4).eval()(torch.rand(1, 3, *size))
    assert maps.shape == (1, 5, *size)
    assert maps.min() >= 0
    assert maps.max() <= 1


def test_a_pixel_depends_on_what_lies_within_the_reach_which_lies_within_the_halo() -> None:
    torch.manual_seed(0)
    seam = Seam(margin_px=16, width_px=16)
    network = InpaintingNetwork(4, seam).eval()
    most = SPEC.halo_um / 1.4
    assert network.segmentor.reach_px + 16 + 16 + 1 + beside.REACH_PX <= most
    assert max(network.reach_px, RepaintingNetwork(4).reach_px) <= most
    reach = network.reach_px
    pixels = torch.rand(1, 3, 32, 2 * 16 * (reach // 16) + 64)
    with torch.no_grad():
        before = network(pixels)[..., : pixels.shape[-1] - reach - 16]
        pixels[..., -16:] = torch.rand(1, 3, 32, 16)
        after = network(pixels)[..., : pixels.shape[-1] - reach - 16]
    assert torch.equal(before, after)


# -- pictures --------------------------------------------------------------------------------------


def test_where_nothing_counts_pixels_stay_what_they_are_and_elsewhere_they_are_mixed() -> None:
    patch = of_noise(0, 20, 30, 3)
    maps = np.zeros((5, 20, 30), np.float32)
    maps[:3] = 0.4
    maps[3, 5:10] = 1.0
    maps[3, 10] = 0.5
    maps[4] = 0.7
    made = composed(patch, maps, beside=0)
    assert (made.picture.dtype, made.pathology.dtype) == (np.uint8, np.float32)
    assert (made.pathology == np.float32(0.7)).all()
    assert np.array_equal(made.picture[:5], patch[:5])
    assert np.array_equal(made.picture[11:], patch[11:])
    assert (made.picture[5:10] == 102).all()
    mixed = (patch[10].astype(float) + 102) / 2
    assert np.abs(made.picture[10] - mixed).max() <= 0.5


def test_inpaint_gives_back_to_the_bit_what_lies_outside_of_mask_margin_and_seam() -> None:
    fitted = fit()
    patch = twins(1, 160).sick
    loose = PseudoHealthy(PseudoHealthyParams(), fitted).predict(patch, MPP, {})
    middle = float(np.quantile(loose.pathology, 0.97))
    params = PseudoHealthyParams(threshold=min(0.95, max(0.05, middle)), margin_um=1, seam_um=1)
    made = PseudoHealthy(params, fitted).predict(patch, MPP, {})
    found = torch.from_numpy(made.pathology)[None, None]
    share = hole_around(found, Seam(params.threshold, 1, 1)).share[0, 0].numpy()
    assert 0 < (share > 0).mean() < 1
    assert np.array_equal(made.picture[share == 0], patch[share == 0])
    assert (made.picture[share == 1] != patch[share == 1]).any(axis=1).mean() > 0.5


@pytest.mark.parametrize("engine", ["inpaint", "gvs"])
def test_pictures_of_any_size_come_back_in_their_size(engine: str) -> None:
    ready = PseudoHealthy(PseudoHealthyParams(), fit(engine=engine))
    for shape in ((1, 1), (3, 200), (50, 17)):
        made = ready.predict(np.full((*shape, 3), 255, np.uint8), MPP, {})
        assert made.picture.shape == (*shape, 3)
        assert made.pathology.shape == shape


@pytest.mark.parametrize("engine", ["inpaint", "gvs"])
def test_tiles_agree_where_they_meet(engine: str) -> None:
    side, off = 640, 64
    picture = twins(1, side + off).sick
    ready = PseudoHealthy(PseudoHealthyParams(), fit(engine=engine))
    one = ready.predict(picture[:, :side], MPP, {})
    other = ready.predict(picture[:, off:], MPP, {})
    halo = 255
    inner, same = slice(halo, side - halo), slice(halo - off, side - halo - off)
    rows = slice(0, side)
    np.testing.assert_allclose(one.pathology[rows, inner], other.pathology[rows, same], atol=1e-5)
    apart = np.abs(one.picture[rows, inner].astype(int) - other.picture[rows, same])
    # A pixel just at the threshold may fall to either side.
    assert (apart > 1).mean() < 1e-3


def test_the_tissue_beside_is_mirrored_into_a_hole_at_its_rim() -> None:
    patch = of_noise(0, 128, 128, 3)
    is_hole = np.zeros((128, 128), np.bool_)
    is_hole[:, 60:80] = True
    painted = np.full((128, 128, 3), 90, np.float32)
    filled = beside.with_tissue_beside(painted, patch, is_hole, 1.0)
    assert np.array_equal(filled[~is_hole], painted[~is_hole])
    # At the rim, column 59: columns 58, 57 … follow one another from 60 on.
    assert np.array_equal(filled[20:100, 60:69], patch[20:100, 58:49:-1])
    half = beside.with_tissue_beside(painted, patch, is_hole, 0.5)
    np.testing.assert_allclose(half, (painted + filled) / 2)
    assert beside.with_tissue_beside(painted, patch, is_hole, 0.0) is painted
    other = np.where(is_hole[..., None], 0, patch).astype(np.uint8)
    assert np.array_equal(beside.with_tissue_beside(painted, other, is_hole, 1.0), filled)


def test_islands_too_small_to_be_trusted_are_not_mirrored() -> None:
    patch = np.full((128, 128, 3), 200, np.uint8)
    patch[60:66, 60:66] = 0
    is_hole = np.zeros((128, 128), np.bool_)
    is_hole[30:100, 30:100] = True
    is_hole[60:66, 60:66] = False
    painted = np.full((128, 128, 3), 90, np.float32)
    filled = beside.with_tissue_beside(painted, patch, is_hole, 1.0)
    assert (filled[is_hole] == 200).all()


def test_glass_is_not_mirrored() -> None:
    patch = np.full((128, 128, 3), 150, np.uint8)
    patch[:, :44] = 240
    patch[5, 110] = 250
    is_hole = np.zeros((128, 128), np.bool_)
    is_hole[:, 60:80] = True
    painted = np.full((128, 128, 3), 90, np.float32)
    filled = beside.with_tissue_beside(painted, patch, is_hole, 1.0)
    assert (filled[is_hole] == 150).all()


def test_deep_in_a_hole_and_without_tissue_beside_all_is_painted() -> None:
    patch = of_noise(0, 256, 256, 3)
    painted = np.full((256, 256, 3), 90, np.float32)
    is_hole = np.ones((256, 256), np.bool_)
    assert beside.with_tissue_beside(painted, patch, is_hole, 1.0) is painted
    assert beside.with_tissue_beside(painted, patch, ~is_hole, 1.0) is painted
    is_hole[:20] = False
    filled = beside.with_tissue_beside(painted, patch, is_hole, 1.0)
    assert np.array_equal(filled[120:], painted[120:])
    near, far = (filled[rows].std() for rows in (slice(24, 60), slice(95, 110)))
    assert near > 2 * far > 0


def test_what_fills_a_hole_lies_within_its_reach() -> None:
    side = 2 * beside.REACH_PX + 80
    patch = of_noise(1, side, 160, 3)
    coarse = np.random.default_rng(1).random((side // 40 + 1, 4)) > 0.3
    is_hole = coarse.repeat(40, axis=0).repeat(40, axis=1)[:side]
    painted = np.full((side, 160, 3), 90, np.float32)
    filled = beside.with_tissue_beside(painted, patch, is_hole, 1.0)
    cut, core = slice(40, side), slice(40 + beside.REACH_PX, side)
    part = beside.with_tissue_beside(painted[cut], patch[cut], is_hole[cut], 1.0)
    assert (filled[core] != painted[core]).any()
    assert np.array_equal(part[beside.REACH_PX :], filled[core])


# -- learning --------------------------------------------------------------------------------------


def test_holes_are_the_same_for_the_same_chance_and_hide_some_of_a_picture() -> None:
    holes = [random_hole(np.random.default_rng(seed), 64) for seed in range(40)]
    assert np.array_equal(holes[0], random_hole(np.random.default_rng(0), 64))
    shares = [hole.mean() for hole in holes]
    assert 0.03 < np.quantile(shares, 0.1) < np.quantile(shares, 0.9) < 0.9


def test_painting_is_learned_from_healthy_tissue_only() -> None:
    state = np.zeros((48, 48))
    state[:, :20] = PATHOLOGY
    state[:, 40:] = UNKNOWN
    rgb = of_noise(0, 48, 48, 3)
    other = rgb.copy()
    other[:, :20] = of_noise(1, 48, 20, 3)
    network = InpaintingNetwork(4)
    losses = []
    for picture in (rgb, other):
        learner = PaintLearner(network, lesson(picture, state))
        batch = {name: torch.from_numpy(array) for name, array in learner.batch(0).items()}
        batch["hole"][:] = False
        batch["hole"][:, :, 18:30] = True
        losses.append(float(learner.loss(learner.network, batch)[0].detach()))
    assert losses[0] == losses[1] > 0
    nothing = PaintLearner(network, lesson(rgb, np.full((48, 48), UNKNOWN)))
    batch = {name: torch.from_numpy(array) for name, array in nothing.batch(0).items()}
    assert nothing.loss(nothing.network, batch)[0] == 0
    assert nothing.validate(nothing.network) == {}


def test_patches_to_paint_have_as_little_pathology_as_can_be_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[Lesson] = []

    def watch(told: Lesson, context: FitContext) -> Fitted:
        seen.append(told)
        return Fitted({}, told.settings)

    monkeypatch.setattr("pathoview.methods.weak.pseudo_healthy_inpaint.fit", watch)
    fit(synthesis_data(10, 10))
    told = seen[0]
    healthy = [told.healthy(step, 0) for step in range(12)]
    assert not any((one.state == PATHOLOGY).any() for one in healthy)
    assert all((told.sick(step, 0).state == PATHOLOGY).any() for step in range(12))
    again = told.healthy(3, 1)
    assert np.array_equal(again.rgb, told.healthy(3, 1).rgb)
    assert {HEALTHY} == set(np.unique(healthy[0].state))


def test_each_player_learns_while_the_other_holds_still() -> None:
    one = twins(3)
    learner = GameLearner(RepaintingNetwork(4), lesson(one.sick, one.lesion))
    batch = {name: torch.from_numpy(array) for name, array in learner.batch(0).items()}
    network = learner.network.train()
    learner.loss(network, batch)[0].backward()
    judge = copy.deepcopy(network.segmentor).eval()
    painted, judged = (gradients(part) for part in (network.generator, network.segmentor))
    assert gradients(network.generator)["unet.head.weight"].abs().sum() > 0

    images, state = batch["rgb"].float() / 255, batch["state"]
    network.zero_grad()
    made = network.generator(images)
    change = (made - images).abs().mean(1).detach()
    seen = mask_loss(network.segmentor(images)[:, 0], state)
    found = leftover_loss(network.segmentor(made.detach())[:, 0], change, state)
    (seen + found).backward()
    torch.testing.assert_close(judged, gradients(network.segmentor), rtol=1e-3, atol=1e-5)
    network.zero_grad()
    kept = keeping_loss(made, images, state)
    (fooling_loss(judge(made)[:, 0], state) + kept).backward()
    torch.testing.assert_close(painted, gradients(network.generator), rtol=1e-3, atol=1e-5)


def test_pixels_that_were_changed_much_are_searched_less_for_leftovers() -> None:
    state = torch.tensor([[[PATHOLOGY, PATHOLOGY, UNKNOWN]]])
    change = torch.tensor([[[1.0, 0.0, 0.0]]])
    logits = torch.zeros(1, 1, 3, requires_grad=True)
    leftover_loss(logits, change, state).backward()
    assert logits.grad is not None
    changed, unchanged, unknown = logits.grad[0, 0].tolist()
    assert unknown == 0
    assert 0 > changed == pytest.approx(unchanged / 4)


def test_changing_what_is_healthy_costs_far_more_than_changing_pathology() -> None:
    images, made = torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)
    healthy = keeping_loss(made, images, torch.full((1, 4, 4), HEALTHY))
    sick = keeping_loss(made, images, torch.full((1, 4, 4), PATHOLOGY))
    assert 0 < 5 * sick < healthy


@pytest.mark.parametrize("engine", ["inpaint", "gvs"])
def test_training_goes_on_from_a_model_of_the_same_engine_with_its_width(engine: str) -> None:
    first = fit(engine=engine)
    on = fit(engine=engine, start=model(first), width=8, lr_times=0.01)
    assert on.settings == first.settings == {"engine": engine, "width": 4}
    assert on.parents[-1].name == "quick"
    name = next(name for name in first.tensors if name.endswith("weight"))
    assert np.abs(on.tensors[name] - first.tensors[name]).max() < 1e-3
    other = "gvs" if engine == "inpaint" else "inpaint"
    with pytest.raises(UsageError, match=other):
        fit(engine=other, start=model(first))


def test_masks_of_other_pictures_do_not_teach_where_pathology_is() -> None:
    with pytest.raises(UsageError, match="gvs") as caught:
        fit(engine="gvs", masks="unpaired")
    assert caught.value.hint


@pytest.mark.parametrize(("value", "words"), [(0, "No pathology"), (1, "No healthy tissue")])
def test_both_pathology_and_healthy_tissue_are_needed(value: int, words: str) -> None:
    data = synthesis_data(3, 3)
    labels = ClassImage(np.full((48, 48), value, np.uint8))
    images = [replace(image, labels=labels) for image in data.images]
    with pytest.raises(UsageError, match=words) as caught:
        fit(replace(data, images=images))
    assert caught.value.hint


def test_it_has_to_be_trained_before_it_predicts() -> None:
    with pytest.raises(UsageError, match="trained"):
        PseudoHealthy(PseudoHealthyParams()).predict(of_noise(0, 16, 16, 3), MPP, {})


def test_the_network_of_a_preview_is_whole_while_a_part_of_it_learns() -> None:
    whole = InpaintingNetwork(4)
    one = twins(3)
    learner = PaintLearner(whole, lesson(one.healthy, np.zeros((48, 48))))
    assert learner.fitted(learner.network).tensors.keys() == arrays_of(whole).keys()
