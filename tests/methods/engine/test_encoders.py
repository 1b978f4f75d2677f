"""Encoders: what they declare is what they give, and their weights are the ones that were asked."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save_file  # noqa: E402

from pathoview.core.errors import InputError, UsageError  # noqa: E402
from pathoview.methods.engine.efficientnet_lite import lite0_file, timm_names  # noqa: E402
from pathoview.methods.engine.encoder_list import ENCODERS, EncoderSpec  # noqa: E402
from pathoview.methods.engine.encoders import (  # noqa: E402
    build_encoder,
    read_weights,
    source_named,
)
from pathoview.methods.library import bundled_path  # noqa: E402
from pathoview.methods.model import read_card  # noqa: E402

LITE0 = "tf_efficientnet_lite0"
IMPORT = """
import sys
from pathoview.methods.engine.torchvision_shim import make_importable
stands_in = make_importable()
assert make_importable() == stands_in, "it says the same twice"
import timm, torch
assert "torchvision" in sys.modules
print(stands_in, hasattr(torch.ops.torchvision, "nms"))
"""


def test_timm_can_be_imported_whatever_torchvision_was_built_for() -> None:
    out = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", IMPORT],
        capture_output=True,
        text=True,
        check=False,
    )
    assert out.returncode == 0, out.stderr
    assert out.stdout.split()[1] == "True"


each_encoder = pytest.mark.parametrize("spec", list(ENCODERS), ids=lambda spec: spec.name)


@each_encoder
def test_an_encoder_gives_what_it_declares(spec: EncoderSpec) -> None:
    assert spec.licence
    assert spec.origin
    assert 0.1 <= spec.mpp <= 4
    height, width = (spec.tile_px, spec.tile_px) if spec.only_tile_px else (64, 96)
    # Without numbers, shapes alone: a large network would need gigabytes.
    with torch.device("meta" if spec.wants_gpu else "cpu"), torch.no_grad():
        encoder = build_encoder(spec.name).eval()
        maps = encoder(torch.rand(1, 3, height, width))
    assert encoder.parent is None
    assert tuple(found.shape[1] for found in maps) == spec.channels
    sizes = [tuple(found.shape[2:]) for found in maps]
    wanted = [(height // stride, width // stride) for stride in spec.strides]
    assert sizes == (wanted or [()])


@pytest.mark.slow
@pytest.mark.parametrize("name", [spec.name for spec in ENCODERS if spec.wants_gpu])
def test_a_large_encoder_describes_a_tile(name: str) -> None:
    spec = ENCODERS.get(name)
    with torch.no_grad():
        (vector,) = build_encoder(name).eval()(torch.rand(1, 3, spec.tile_px, spec.tile_px))
    assert vector.shape == (1, spec.n_features)
    assert torch.isfinite(vector).all()


def test_certain_weights_bring_their_licence_and_an_architecture_none(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file(build_encoder("resnet34").body.state_dict(), path)
    licences = []
    for name in ("resnet34_kather100k", "resnet34"):
        parent = build_encoder(name, path).parent
        assert parent is not None
        licences.append(parent.licence)
    assert licences == ["CC-BY-4.0", ""]


def test_weights_that_are_given_to_persons_are_not_fetched() -> None:
    with torch.device("meta"), pytest.raises(UsageError, match="persons only"):
        build_encoder("uni", "hub")


def test_where_weights_come_from_is_said_by_a_word_or_a_file() -> None:
    lite, other = "tf_efficientnet_lite0", "resnet18"
    assert [source_named(name, "") for name in (lite, other)] == ["bundled", "random"]
    assert [source_named(lite, said) for said in ("random", "hub")] == ["random", "hub"]
    assert source_named(lite, "folder/a.pth") == Path("folder/a.pth")


def test_normalisation_is_part_of_the_encoder_and_not_of_its_weights() -> None:
    encoder = build_encoder("tf_efficientnet_lite0").eval()
    images = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        found, expected = encoder(images), encoder.body((images - 0.5) / 0.5)
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
    assert all(name.startswith("body.") for name in encoder.state_dict())


def test_the_bundled_weights_are_those_of_the_package() -> None:
    encoder = build_encoder("tf_efficientnet_lite0", "bundled")
    weights = read_weights(lite0_file())
    state = encoder.body.state_dict()
    assert torch.equal(state["conv_stem.weight"], weights["_conv_stem.weight"])
    last = weights["_blocks.15._project_conv.weight"]
    assert torch.equal(state["blocks.6.0.conv_pwl.weight"], last)
    assert len(timm_names(weights)) == len(weights)
    assert encoder.parent is not None
    assert encoder.parent.licence == "Apache-2.0"
    digest = hashlib.sha256(lite0_file().read_bytes()).hexdigest()
    assert encoder.parent.id == f"sha256:{digest}"
    with pytest.raises(UsageError, match="resnet18"):
        build_encoder("resnet18", "bundled")


def test_our_encoder_comes_with_the_program_and_says_what_it_is_made_of() -> None:
    path = bundled_path("encoders/lite0_he")
    assert path.stat().st_size <= 10e6
    encoder, before = build_encoder("lite0_he", "bundled"), build_encoder(LITE0, "bundled")
    assert encoder.parent is not None
    assert encoder.parent.id == f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    state, other = encoder.body.state_dict(), before.body.state_dict()
    name = "blocks.6.0.conv_pwl.weight"
    assert state[name].dtype == torch.float32
    assert not torch.allclose(state[name], other[name], rtol=1e-2)
    card = read_card(path)
    assert encoder.parent.licence == card.licence == "Apache-2.0"
    assert card.parents == (before.parent,)
    assert {one.licence for one in card.data} == {"CC0-1.0", "MIT", "BSD-3-Clause"}
    with pytest.raises(UsageError, match="hub has no weights of lite0_he"):
        build_encoder("lite0_he", "hub")


@pytest.mark.parametrize("kind", ["safetensors", "pth", "nested.pth"])
def test_weights_of_a_file_are_taken_and_their_hash_is_recorded(tmp_path: Path, kind: str) -> None:
    state = build_encoder("resnet18").body.state_dict()
    weights = {**state, "fc.weight": torch.zeros(2, 2)}
    path = tmp_path / f"weights.{kind}"
    if kind == "safetensors":
        save_file(weights, path)
    else:
        torch.save({"state_dict": weights} if "nested" in kind else weights, path)
    encoder = build_encoder("resnet18", path)
    for name, tensor in encoder.body.state_dict().items():
        assert torch.equal(tensor, state[name])
    assert encoder.parent is not None
    assert encoder.parent.name == path.name
    assert encoder.parent.id == f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def test_weights_that_are_missing_or_otherwise_are_named(tmp_path: Path) -> None:
    state = build_encoder("resnet18").body.state_dict()
    path = tmp_path / "weights.safetensors"
    save_file({name: value for name, value in state.items() if name != "conv1.weight"}, path)
    with pytest.raises(InputError, match=r"1 of \d+ do not fit \(conv1\.weight\)"):
        build_encoder("resnet18", path)
    save_file({**state, "bn1.bias": torch.zeros(3)}, path)
    with pytest.raises(InputError, match=r"bn1\.bias"):
        build_encoder("resnet18", path)


class Harmful:
    """Would run something if it were unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("harm",))


def test_a_file_that_holds_code_or_nothing_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"conv1.weight": Harmful()}, path)
    with pytest.raises(InputError, match="cannot be read"):
        build_encoder("resnet18", path)
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be read"):
        build_encoder("resnet18", path)
    with pytest.raises(InputError, match="cannot be read"):
        build_encoder("resnet18", tmp_path / "missing.safetensors")
    assert capsys.readouterr().out == ""


def test_the_hub_is_asked_only_when_told_and_says_when_it_is_not_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import timm

    create, asked = timm.create_model, []

    def offline(name: str, *, pretrained: bool, **options: Any) -> Any:
        if pretrained:
            asked.append(name)
            raise OSError("offline")
        return create(name, pretrained=False, **options)

    monkeypatch.setattr(timm, "create_model", offline)
    build_encoder("resnet18")
    assert asked == []
    with pytest.raises(InputError, match="could not be fetched") as caught:
        build_encoder("resnet18", "hub")
    assert "online" in caught.value.hint
    assert asked == ["resnet18"]


def test_the_hub_s_weights_are_taken_with_their_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    import timm

    create = timm.create_model
    torch.manual_seed(3)
    whole = create("resnet18", pretrained=False)

    def fetch(name: str, *, pretrained: bool, **options: Any) -> Any:
        return whole if pretrained else create(name, pretrained=False, **options)

    monkeypatch.setattr(timm, "create_model", fetch)
    encoder = build_encoder("resnet18", "hub")
    assert torch.equal(encoder.body.state_dict()["conv1.weight"], whole.conv1.weight)
    assert encoder.parent is not None
    assert encoder.parent.licence == "Apache-2.0"
