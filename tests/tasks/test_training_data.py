"""What is learned from, of studies and of folders; what is left out is told with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import shapely
from makers import he_image, he_scene, make_pyramid_tiff
from studies import STROMA, TUMOR, opened

from pathoview.annotations.change import Change
from pathoview.annotations.feature import Feature
from pathoview.core.errors import (
    Cancelled,
    InputError,
    MissingScaleError,
    PathoViewError,
    SlideError,
    UsageError,
)
from pathoview.core.geometry import Rect
from pathoview.core.progress import Control, SilentProgress
from pathoview.datasets.labels import UNKNOWN
from pathoview.methods.registry import METHODS
from pathoview.methods.spec import LearnsFrom
from pathoview.slides.opening import open_slide
from pathoview.study.model import LabelClass, SlideRecord
from pathoview.study.step import RecordChange, StudyStep
from pathoview.tasks import export_tiles
from pathoview.tasks.training_data import Prepared, TrainingSource, open_training_data

OTHER = LabelClass(number=5, name="Other", color=(1, 1, 1), meaning="negative")
SPEC = next(iter(METHODS))


def area(left: float, top: float, name: LabelClass | None, **more: Any) -> Feature:
    said = None if name is None else name.drawn
    return Feature(shapely.box(left, top, left + 20, top + 20), classification=said, **more)


LABELS = (
    area(10, 10, TUMOR),
    area(50, 50, STROMA),
    area(90, 90, OTHER),
    area(90, 10, None),
    Feature(shapely.box(0, 0, 200, 150), role="full"),
)


def slide_of(folder: Path, name: str, seed: int = 0, mpp: float | None = 0.5) -> Path:
    image = he_image(320, 240, seed)
    return make_pyramid_tiff(folder / f"{name}.tif", image, mpp=mpp, compression="zlib")


def label(study: Path, slide: Path, *features: Feature, **record: Any) -> str:
    with open_slide(slide) as one, opened(study) as writable:
        known = {each.key for each in writable.classes()}
        records = [
            RecordChange.of(None, each) for each in (TUMOR, STROMA, OTHER) if each.key not in known
        ]
        said = SlideRecord(
            slide_hash=one.content_hash,
            pseudonym=one.pseudonym,
            **{"path": str(slide), **record},
        )
        records.append(RecordChange.of(None, said))
        writable.do(
            StudyStep(
                *(writable.next_number(), one.content_hash, "Draw"),
                change=Change.adding(features),
                records=tuple(records),
            )
        )
        return one.pseudonym


@contextmanager
def data_of(learns_from: LearnsFrom = "scribbles", **source: Any) -> Iterator[Prepared]:
    source = {key: str(one) if isinstance(one, Path) else one for key, one in source.items()}
    spec = replace(SPEC, learns_from=learns_from)
    with open_training_data(TrainingSource(**source), spec, SilentProgress()) as prepared:
        yield prepared


def refused(kind: type[PathoViewError], match: str, **source: Any) -> None:
    with pytest.raises(kind, match=match) as raised, data_of(**source):
        pass
    assert raised.value.hint


def test_slides_classes_and_patients_of_a_study(tmp_path: Path) -> None:
    study = tmp_path / "s.pathoview"
    names = [
        label(study, slide_of(tmp_path, "a"), *LABELS, patient_id="7"),
        label(study, slide_of(tmp_path, "b", 1), *LABELS[:1]),
    ]
    label(study, slide_of(tmp_path, "bare", 2))
    with data_of(study=study, licence="CC0") as prepared:
        data = prepared.data
        assert sorted(image.name for image in data.images) == sorted(names)
        images = {image.name: image for image in data.images}
        assert [images[name].group for name in names] == ["patient 7", ""]
        assert {image.licence for image in data.images} == {"CC0"}
        assert [(one.name, one.number) for one in data.classes] == [
            ("Tumor", 1), ("Stroma", 2), ("Other", 5)
        ]  # fmt: skip
        assert data.counts() == {"Tumor": 2, "Stroma": 1, "Other": 1}
        (left,) = prepared.left_out
        assert left.to_json() == {
            "slide": names[0],
            "class": "",
            "kind": "nucleus",
            "n": 1,
            "reason": "It has no class of the study.",
        }
        assert prepared.study_id
        slide = data.images[0].slide
    with pytest.raises(SlideError):
        slide.read(0, 0, 0, 10, 10)


def test_masks_are_those_of_an_export_of_tiles(tmp_path: Path) -> None:
    study, slide = tmp_path / "s.pathoview", slide_of(tmp_path, "a")
    stroke = Feature(shapely.LineString([(30, 120), (180, 30)]), classification=TUMOR.drawn)
    label(study, slide, *LABELS, replace(stroke, role="scribble"))
    params = {"tile_px": 128, "um_per_px": 0.5}
    export_tiles.run(
        {"slides": [str(slide)], "study": str(study), "output": str(tmp_path / "tiles"),
         "params": params}, SilentProgress()
    )  # fmt: skip
    with data_of(study=study, classes=("Tumor", "Stroma", "Other")) as prepared:
        labels = prepared.data.images[0].labels
        masks = sorted((tmp_path / "tiles" / "masks").iterdir())
        assert len(masks) >= 4
        for path in masks:
            x, y = (int(part[1:]) for part in path.stem.split("_")[-2:])
            exported = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            mask = labels.mask(Rect(x, y, 128, 128), 128, 128)
            is_in = np.zeros(mask.shape, bool)
            is_in[: 240 - y, : 320 - x] = True
            mask[mask == 3] = OTHER.number
            np.testing.assert_array_equal(np.where(is_in, mask, UNKNOWN), exported)
    with data_of(images=tmp_path / "tiles/images", labels=tmp_path / "tiles/masks", mpp=0.5) as of:
        assert [one.name for one in of.data.classes] == ["Tumor", "Stroma", "Other"]
        first = of.data.images[0]
        exported = cv2.imread(str(tmp_path / f"tiles/masks/{first.name}.png"), -1)
        mask = first.labels.mask(Rect(0, 0, 128, 128), 128, 128)
        mask[mask == 3] = OTHER.number
        np.testing.assert_array_equal(mask, exported)


def test_only_named_slides_and_classes(tmp_path: Path) -> None:
    study = tmp_path / "s.pathoview"
    paths = [slide_of(tmp_path, name, seed) for seed, name in enumerate("ab")]
    names = [label(study, path, *LABELS) for path in paths]
    for said in (str(paths[1]), "b.tif", names[1]):
        with data_of(study=study, slides=(said,), classes=("Stroma",)) as prepared:
            assert [image.name for image in prepared.data.images] == [names[1]]
            assert prepared.data.counts() == {"Stroma": 1}
            mask = prepared.data.images[0].labels.mask(Rect(0, 0, 320, 240), 320, 240)
            assert (mask[60, 60], mask[20, 20]) == (1, 0)
    refused(UsageError, "no class “Nobody”", study=study, classes=("Nobody",))
    refused(InputError, "no slide “c”", study=study, slides=("c",))


def test_private_studies_of_slides(tmp_path: Path) -> None:
    from pathoview.study.study import private_path

    slide = slide_of(tmp_path, "a")
    with open_slide(slide) as one:
        label(private_path(one.content_hash), slide, *LABELS)
    bare = slide_of(tmp_path, "b", 1)
    with data_of(slides=(str(slide), str(bare))) as prepared:
        assert len(prepared.data.images) == 1
        assert [one.reason for one in prepared.left_out if not one.n] == ["It has no labels."]


def test_negative_classes_are_no_class_of_nuclei(tmp_path: Path) -> None:
    study = tmp_path / "s.pathoview"
    label(study, slide_of(tmp_path, "a"), *LABELS)
    with data_of("points", study=study) as prepared:
        assert [one.name for one in prepared.data.classes] == ["Tumor", "Stroma"]
        assert len(prepared.data.images[0].labels.points().xy_l0) == 3
    with data_of("objects", study=study) as prepared:
        assert [one.name for one in prepared.data.classes] == ["Tumor", "Stroma", "Other"]
        assert prepared.data.images[0].labels.examples().values.tolist() == [1, 2, 3]


def test_missing_and_replaced_slides_are_left_out(tmp_path: Path) -> None:
    study = tmp_path / "s.pathoview"
    kept = label(study, slide_of(tmp_path, "a"), *LABELS)
    gone, other = slide_of(tmp_path, "gone", 1), slide_of(tmp_path, "other", 2)
    label(study, gone, *LABELS)
    label(study, other, *LABELS)
    nowhere = slide_of(tmp_path, "nowhere", 3)
    label(study, nowhere, *LABELS, path="")
    gone.unlink()
    slide_of(tmp_path, "other", 9)
    with data_of(study=study) as prepared:
        assert [image.name for image in prepared.data.images] == [kept]
        reasons = sorted(one.reason for one in prepared.left_out if not one.n)
        assert reasons == [
            "Another slide lies where its file was.",
            "Nobody knows where its file lies.",
            "There is no file “gone.tif”.",
        ]
    (tmp_path / "a.tif").unlink()
    refused(InputError, "no labels to learn from", study=study)


def test_labels_outside_of_the_slide_are_left_out_and_all_of_them_are_an_error(
    tmp_path: Path,
) -> None:
    study = tmp_path / "s.pathoview"
    label(study, slide_of(tmp_path, "a"), area(900, 900, TUMOR), area(10, 10, TUMOR))
    with data_of(study=study) as prepared:
        assert prepared.data.n_labels == 1
        assert [one.n for one in prepared.left_out] == [1]
    other = tmp_path / "t.pathoview"
    label(other, slide_of(tmp_path, "b", 1), area(900, 900, TUMOR))
    with pytest.raises(InputError) as raised, data_of(study=other):
        pass
    assert "outside of the slide" in raised.value.hint


def test_a_slide_without_a_scale_takes_that_of_the_study_or_is_left_out(tmp_path: Path) -> None:
    study = tmp_path / "s.pathoview"
    slide = slide_of(tmp_path, "a", mpp=None)
    label(study, slide, *LABELS)
    refused(MissingScaleError, "µm per", study=study)
    with data_of(study=study, mpp=0.25) as prepared:
        assert prepared.data.images[0].slide.mpp == 0.25
    label(tmp_path / "t.pathoview", slide, *LABELS, mpp=(0.4, 0.4))
    with data_of(study=tmp_path / "t.pathoview") as prepared:
        assert prepared.data.images[0].slide.mpp == 0.4


def folder_of(folder: Path, *names: str) -> tuple[Path, Path]:
    images, labels = folder / "images", folder / "labels"
    for place in (images, labels):
        place.mkdir(parents=True)
    for seed, name in enumerate(names):
        scene = he_scene(160, 120, seed)
        cv2.imwrite(str(images / f"{name}.png"), scene.rgb[..., ::-1])
        cv2.imwrite(str(labels / f"{name}.png"), scene.labels.astype(np.uint16))
    return images, labels


def test_folders_of_images_with_ids(tmp_path: Path) -> None:
    images, labels = folder_of(tmp_path, "a", "b")
    val = dict(zip(("val_images", "val_labels"), folder_of(tmp_path / "val", "c"), strict=True))
    with data_of("instances", images=images, labels=labels, mpp=0.5, **val) as prepared:
        data = prepared.data
        assert [(one.name, one.split) for one in data.images] == [
            ("a", "train"), ("b", "train"), ("c", "val")
        ]  # fmt: skip
        found = data.images[0].labels.instances(Rect(0, 0, 160, 120), 160, 120)
        np.testing.assert_array_equal(found.labels, he_scene(160, 120, 0).labels)
        assert data.counts() == {"Nucleus": data.n_labels}
    refused(MissingScaleError, "µm per", images=images, labels=labels)
    refused(UsageError, "needs a folder of labels", images=images, mpp=0.5)
    refused(InputError, "cannot be read", images=images, labels=tmp_path / "no", mpp=0.5)


def test_masks_without_names_are_of_pathology_for_methods_that_show_tissue_without_it(
    tmp_path: Path,
) -> None:
    images, labels = folder_of(tmp_path, "a")
    source = TrainingSource(images=str(images), labels=str(labels), mpp=0.5)
    with open_training_data(source, METHODS.get("pseudo_healthy"), SilentProgress()) as prepared:
        assert [one.name for one in prepared.data.classes] == ["Pathology"]
        mask = prepared.data.images[0].labels.mask(Rect(0, 0, 160, 120), 160, 120)
        assert set(np.unique(mask)) == {0, 1}


def test_beside_pathology_negative_classes_are_healthy_unless_they_are_named(
    tmp_path: Path,
) -> None:
    study = tmp_path / "s.pathoview"
    label(study, slide_of(tmp_path, "a"), *LABELS[:3])
    spec = METHODS.get("pseudo_healthy")
    for named, learned in ((None, ["Tumor", "Stroma"]), (("Other",), ["Other"])):
        source = TrainingSource(study=str(study), classes=named)
        with open_training_data(source, spec, SilentProgress()) as prepared:
            assert [one.name for one in prepared.data.classes] == learned
            mask = prepared.data.images[0].labels.mask(Rect(0, 0, 160, 120), 160, 120)
            values = [mask[place + 10, place + 10] for place in (10, 50, 90)]
            assert values == ([1, 2, 0] if named is None else [0, 0, 1])


def test_folders_of_points_with_and_without_classes(tmp_path: Path) -> None:
    images, labels = folder_of(tmp_path, "a")
    (labels / "a.png").unlink()
    (labels / "a.csv").write_text("x,y,class\n10,20,tumor\n30,40,lymphocyte\n")
    with data_of("points", images=images, labels=labels, mpp=0.5) as prepared:
        assert [one.name for one in prepared.data.classes] == ["lymphocyte", "tumor"]
        assert prepared.data.images[0].labels.points().values.tolist() == [2, 1]
    (labels / "a.csv").write_text("x,y\n10,20\n999,3\n")
    with data_of("points", images=images, labels=labels, mpp=0.5) as prepared:
        assert prepared.data.counts() == {"Nucleus": 1}
        assert [one.n for one in prepared.left_out] == [1]


def test_where_the_labels_are_must_be_said_and_stopping_is_heard(tmp_path: Path) -> None:
    refused(UsageError, "not said where")
    study = tmp_path / "s.pathoview"
    label(study, slide_of(tmp_path, "a"), *LABELS)
    control = Control()
    control.cancel()
    source = TrainingSource(study=str(study))
    with pytest.raises(Cancelled), open_training_data(source, SPEC, SilentProgress(control)):
        pass
