"""An erased case is nowhere in the file any more, not even in bytes that nobody reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from studies import OTHER_SLIDE, SLIDE, draw, features, opened, square

from pathoview.annotations.change import Change
from pathoview.core.errors import InputError, StorageError
from pathoview.core.paths import data_folder
from pathoview.study.backups import back_up
from pathoview.study.erasing import erase_case, plan_erase
from pathoview.study.integrity import check_study
from pathoview.study.model import Block, Case, RunEntry, SlideRecord
from pathoview.study.step import RecordChange, StudyStep
from pathoview.study.study import Study
from pathoview.study.study_file import StudyFile

CASE = Case(id="c" * 32, name="Huber 1949")
STAYS = Case(name="Another")
BLOCK = Block(id="b" * 32, case_id=CASE.id, name="Block-Z9")
GONE = SlideRecord(
    slide_hash=SLIDE,
    path="/archive/Huber_Josef_HE.svs",
    pseudonym="slide-5a5a5a5a",
    block_id=BLOCK.id,
    patient_id="PAT-77-31",
    notes="sister has the same",
    metadata={"ward": "Ward-Omega"},
)
MOVED_ON = SlideRecord(slide_hash=OTHER_SLIDE, path="/archive/other.svs", block_id=BLOCK.id)
RUN = RunEntry(id="r" * 32, slide_hash=SLIDE, path="/runs/huber-run.run")
SECRETS = [
    *("Huber", "Josef", "Block-Z9", "PAT-77-31", "sister", "Ward-Omega", "slide-5a5a", "huber-run"),
    *(CASE.id, BLOCK.id, SLIDE, "secret mark", "Old name"),
]


def new(*records: Case | Block | SlideRecord | RunEntry) -> list[RecordChange]:
    return [RecordChange.of(None, record) for record in records]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A case with a slide; another slide was in it for a while, and is now in no case."""
    path = tmp_path / "s.pathoview"
    old = CASE.model_copy(update={"name": "Old name"})
    draw(path, Change.adding([square(name="secret mark")]), records=new(old, BLOCK, GONE, RUN))
    with opened(path) as open_study:
        number = open_study.next_number
        rename = StudyStep(number(), "", "Rename Old name", records=(RecordChange.of(old, CASE),))
        open_study.do(rename)
        left = MOVED_ON.model_copy(update={"block_id": ""})
        moves = (
            RecordChange.of(None, MOVED_ON),
            RecordChange.of(MOVED_ON, left),
            RecordChange.of(None, STAYS),
        )
        open_study.do(
            StudyStep(
                *(number(), OTHER_SLIDE, "Move out of Huber 1949", "2026", "Ada"),
                change=Change.adding([square(50)]),
                records=moves,
                command={"verb": "transfer", "from": SLIDE, "of": ["Huber 1949", "x"]},
            )
        )
        open_study.tell("Ada", SLIDE, "sister was told")
        open_study.tell("Ada", "", "Opened /archive/Huber_Josef_HE.svs and other.svs")
    return path


def raw(path: Path) -> bytes:
    beside = sorted(path.parent.glob(f"{path.name}*"))
    return b"".join(one.read_bytes() for one in beside if one.is_file())


def test_no_byte_of_the_case_stays_in_the_file(study: Path) -> None:
    assert [one for one in SECRETS if one.encode() not in raw(study)] == []
    erase_case(study, "Huber 1949", "Bo")
    assert [one for one in SECRETS if one.encode() in raw(study)] == []


def test_all_else_stays_and_the_audit_says_it(study: Path) -> None:
    plan = plan_erase(study, CASE.id)
    assert (plan.slides, plan.n_annotations, plan.n_steps) == ({SLIDE}, 1, 1)
    assert len(features(study)) == 1
    assert erase_case(study, "Huber 1949", "Bo") == plan
    assert features(study) == []
    assert len(features(study, OTHER_SLIDE)) == 1
    assert check_study(study) == []
    with StudyFile.open(study) as file:
        assert file.records(Case) == [STAYS]
        assert [one.slide_hash for one in file.records(SlideRecord)] == [OTHER_SLIDE]
        lines = [line[1:] for line in file.audit()]
        assert lines[-1] == ("Bo", "", "A case was erased")
        assert ("Ada", "", "…") in lines
        assert ("Ada", "", "Opened … and other.svs") in lines
        step = file.step(3)
        assert step.name == "Move out of …"
        assert step.command == {"verb": "transfer", "from": "", "of": ["…", "x"]}
    with opened(study) as again:
        again.undo(3)
    assert features(study, OTHER_SLIDE) == []


def test_files_that_tell_of_the_slides_are_named(study: Path) -> None:
    run = data_folder() / "runs" / SLIDE / "a.run"
    bookmark = data_folder() / "bookmarks" / f"{SLIDE}.json"
    queue = data_folder() / "review" / f"{SLIDE}.json"
    private = data_folder() / "studies" / f"{SLIDE}.pathoview"
    seen = data_folder() / "features" / SLIDE / "a.features"
    for file in (run, bookmark, queue, private, seen):
        file.parent.mkdir(parents=True)
        file.touch()
    backup = back_up(study, "daily")
    (beside := study.with_name("s-20260101-000000-v1.backup")).touch()
    plan = erase_case(study, "Huber 1949")
    assert plan.files == tuple(
        sorted([run, bookmark, queue, private, seen, Path("/runs/huber-run.run")])
    )
    assert plan.backups == (backup, beside)
    assert run.exists()


def test_a_slide_that_left_the_study_from_this_case_goes_too(tmp_path: Path) -> None:
    path = tmp_path / "s.pathoview"
    draw(path, Change.adding([square()]), records=new(CASE, BLOCK, GONE))
    with opened(path) as study:
        gone = StudyStep(study.next_number(), "", "Remove", records=(RecordChange.of(GONE, None),))
        study.do(gone)
    erase_case(path, CASE.id)
    assert features(path) == []
    assert [one for one in SECRETS if one.encode() in raw(path)] == []


def test_short_names_of_a_case_go_too(tmp_path: Path) -> None:
    path = tmp_path / "s.pathoview"
    draw(path, Change(), records=new(Case(name="Ho")))
    with opened(path) as study:
        study.tell("Ada", "", "Ho was opened, and How")
    erase_case(path, "Ho")
    with StudyFile.open(path) as file:
        assert "… was opened, and How" in [line[3] for line in file.audit()]


def test_the_wrong_name_and_an_open_study_are_refused(study: Path) -> None:
    with pytest.raises(InputError, match="no case “Hubert”"):
        erase_case(study, "Hubert")
    with opened(study) as open_study:
        open_study.put(Case(name=STAYS.name))
    with pytest.raises(InputError, match="2 cases"):
        erase_case(study, STAYS.name)
    with opened(study), pytest.raises(StorageError, match="only read here"):
        erase_case(study, CASE.id)
    reader = Study(study, lambda *_told: None, read_only=True)
    assert reader.file is not None
    assert reader.file.features(SLIDE)
    erase_case(study, CASE.id)  # one that only reads does not keep the bytes
    assert [one for one in SECRETS if one.encode() in raw(study)] == []
    reader.close()
