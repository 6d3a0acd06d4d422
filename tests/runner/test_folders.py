"""Which picture goes into which file."""

import os
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import ImpastoError
from runner.folders import MANIFEST_NAME, Plan, _separate, plan_jobs
from runner.formats import CHOICES, FORMATS, choose_suffix, name_format


def fill(folder: Path, *names: str) -> Path:
    """Make files of a few bytes, and their folders."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"photo")
    return folder


def targets(plan: Plan) -> dict[str, str]:
    """Return a plan as name of source -> name of output, both from their folders."""
    folder = plan.folder or Path()
    return {job.source.name: str(job.output.relative_to(folder)) for job in plan.jobs}


def test_plan_takes_pictures_only_from_a_folder(tmp_path: Path) -> None:
    """Files with other suffixes and hidden files are no jobs; the order is by name."""
    photos = fill(
        tmp_path / "in", "b.png", "a.jpg", "notes.txt", ".hidden.jpg", "C.JPG", "deep/d.jpg"
    )
    plan = plan_jobs([photos], tmp_path / "out")
    assert targets(plan) == {"C.JPG": "C.JPG", "a.jpg": "a.jpg", "b.png": "b.png"}
    assert plan.folder == tmp_path / "out"


def test_plan_takes_any_file_that_is_named(tmp_path: Path) -> None:
    """A file that is named is a job whatever it is called; its painting is called a picture."""
    fill(tmp_path, "scan", "notes.txt")
    plan = plan_jobs([tmp_path / "scan", tmp_path / "notes.txt"], tmp_path / "out")
    assert targets(plan) == {"scan": "scan.png", "notes.txt": "notes.png"}


def test_plan_keeps_the_tree(tmp_path: Path) -> None:
    """With recursive, folders of folders are kept as they are, files before folders."""
    photos = fill(tmp_path / "in", "x/y/a.jpg", "x/b.jpg", "a.jpg", ".thumbnails/t.jpg")
    plan = plan_jobs([photos], tmp_path / "out", recursive=True)
    assert [str(job.output.relative_to(tmp_path / "out")) for job in plan.jobs] == [
        "a.jpg",
        "x/b.jpg",
        "x/y/a.jpg",
    ]


def test_plan_never_takes_what_it_painted(tmp_path: Path) -> None:
    """An output folder inside the input folder is left out."""
    photos = fill(tmp_path / "in", "a.jpg", "painted/a.jpg", "other/b.jpg")
    plan = plan_jobs([photos], photos / "painted", recursive=True)
    assert targets(plan) == {"a.jpg": "a.jpg", "b.jpg": "other/b.jpg"}


def test_plan_takes_a_picture_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is named twice, in whatever spelling, and a file in it, are one job each."""
    fill(tmp_path / "in", "a.jpg", "deep/b.jpg")
    monkeypatch.chdir(tmp_path)
    inputs = [Path("in"), Path("in/../in"), tmp_path / "in", Path("in/deep"), Path("in/a.jpg")]
    plan = plan_jobs(inputs, Path("out"), recursive=True)
    assert [str(job.source) for job in plan.jobs] == ["in/a.jpg", "in/deep/b.jpg"]


def test_plan_survives_odd_links(tmp_path: Path) -> None:
    """Links: to a picture a job, to nothing or itself a fault, to a folder left out."""
    photos = fill(tmp_path / "in", "a.jpg")
    (photos / "dead.jpg").symlink_to("nowhere")
    (photos / "link.jpg").symlink_to("a.jpg")
    (photos / "loop.jpg").symlink_to("loop.jpg")
    (photos / "around").symlink_to(photos)
    plan = plan_jobs([photos], tmp_path / "out", recursive=True)
    faults = {job.source.name: job.fault for job in plan.jobs}
    assert (faults["a.jpg"], faults["link.jpg"], faults["dead.jpg"]) == ("", "", "no such file")
    assert "cannot be read (Too many levels" in faults["loop.jpg"]
    assert len(faults) == 4


def test_plan_marks_what_is_no_file(tmp_path: Path) -> None:
    """A pipe called like a picture is not opened, it would never end."""
    photos = fill(tmp_path / "in", "a.jpg")
    os.mkfifo(photos / "pipe.jpg")
    faults = {job.source.name: job.fault for job in plan_jobs([photos], tmp_path / "out").jobs}
    assert faults == {"a.jpg": "", "pipe.jpg": "not a file"}


@pytest.mark.parametrize("name", ["missing.jpg", "a" * 300 + ".jpg"])
def test_plan_marks_what_cannot_be_there(name: str, tmp_path: Path) -> None:
    """A missing file, and a name longer than any file's, are jobs with a fault."""
    plan = plan_jobs([tmp_path / name], tmp_path / "out.jpg")
    assert plan.jobs[0].fault in {"no such file", "cannot be read (File name too long)"}


@pytest.mark.parametrize(
    ("names", "choice", "expected"),
    [
        (["a.jpg", "a.png"], "same", {"a.jpg": "a.jpg", "a.png": "a.png"}),
        (["a.jpg", "a.png"], "png", {"a.jpg": "a.jpg.png", "a.png": "a.png"}),
        (["a.jpg", "a.webp"], "png", {"a.jpg": "a.png", "a.webp": "a.webp.png"}),
        (["a.jpg", "A.JPG"], "same", {"A.JPG": "A.JPG", "a.jpg": "a-2.jpg"}),
        (
            ["a.jpg", "a.jpg.png", "a.png"],
            "png",
            {"a.jpg": "a.jpg-2.png", "a.jpg.png": "a.jpg.png", "a.png": "a.png"},
        ),
    ],
)
def test_plan_separates_names(
    names: list[str], choice: str, expected: dict[str, str], tmp_path: Path
) -> None:
    """Pictures whose paintings would be one file get names of their own."""
    plan = plan_jobs([fill(tmp_path / "in", *names)], tmp_path / "out", choice=choice)
    assert targets(plan) == expected


NAMES = st.builds(
    lambda stem, suffix: stem + suffix,
    st.text("aAbß-2.é", min_size=1, max_size=4).filter(lambda stem: stem.strip(".")),
    st.sampled_from([*FORMATS, ".JPG", ".Png", ".txt", ""]),
)


@given(st.lists(NAMES, unique=True, max_size=12), st.sampled_from(["same", *CHOICES]))
def test_separate_gives_every_picture_its_own_file(names: list[str], choice: str) -> None:
    """Outputs differ even where case is ignored, have the format's suffix, and keep their names.

    A source that alone would be painted into a file of its own name is painted into it,
    unless another one with that name in other letters has it.
    """
    sources = [Path("in") / name for name in names]
    wanted = [
        Path(source.stem + choose_suffix(source, choice))
        if source.suffix != choose_suffix(source, choice)
        else Path(source.name)
        for source in sources
    ]
    separated = dict(_separate(list(zip(sources, wanted, strict=True))))
    outputs = [str(target).casefold() for target in separated.values()]
    assert len(outputs) == len(set(outputs)) == len(names)
    for source, target in zip(sources, wanted, strict=True):
        assert name_format(separated[source]) == name_format(target)
        rivals = [s for s in sources if s.name.casefold() == source.name.casefold()]
        if source.name == target.name and len(rivals) == 1:
            assert separated[source].name == source.name


def test_plan_never_overwrites_a_photo_of_its_own(tmp_path: Path) -> None:
    """A painting that would replace a photo of the same run is a fault, whoever's it is."""
    fill(tmp_path, "in/a.jpg", "in/b.jpg", "a.jpg")
    plan = plan_jobs([tmp_path / "in" / "a.jpg", tmp_path / "a.jpg"], tmp_path)
    assert "would overwrite the photo" in plan.jobs[0].fault
    plan = plan_jobs([tmp_path / "in"], tmp_path / "in")
    assert all("would overwrite its own photo" in job.fault for job in plan.jobs)


def test_plan_of_one_file_is_that_file(tmp_path: Path) -> None:
    """One file into a name with a picture's suffix is that file, without a folder."""
    fill(tmp_path, "a.jpg")
    plan = plan_jobs([tmp_path / "a.jpg"], tmp_path / "b.png")
    assert (plan.folder, plan.jobs[0].output) == (None, tmp_path / "b.png")


def test_plan_of_one_file_may_be_a_folder_called_like_a_picture(tmp_path: Path) -> None:
    """A folder that exists is a folder, whatever it is called."""
    fill(tmp_path, "a.jpg", "album.png/keep.txt")
    plan = plan_jobs([tmp_path / "a.jpg"], tmp_path / "album.png")
    assert plan.jobs[0].output == tmp_path / "album.png" / "a.jpg"


@pytest.mark.parametrize(
    ("inputs", "output", "choice", "reason"),
    [
        (["a.jpg"], "b.png", "jpeg", r"--format jpeg contradicts .*b\.png; give only one"),
        (["-"], "out", "same", r"standard input needs a file \(or -\) as output, not the folder"),
        (["a.jpg", "in"], "taken", "same", r"taken is a file, and a folder is needed"),
        (["in"], "taken", "same", r"taken is a file, and a folder is needed"),
    ],
)
def test_plan_refuses_contradictions(
    inputs: list[str], output: str, choice: str, reason: str, tmp_path: Path
) -> None:
    """Inputs, output and format that do not fit together are wrong usage."""
    fill(tmp_path, "a.jpg", "in/b.jpg", "taken")
    paths = [Path(name) if name == "-" else tmp_path / name for name in inputs]
    with pytest.raises(click.UsageError, match=reason):
        plan_jobs(paths, tmp_path / output, choice=choice)


def test_plan_refuses_a_folder_without_pictures(tmp_path: Path) -> None:
    """The message lists the suffixes, and --recursive where there are folders."""
    folder = fill(tmp_path / "in", "notes.txt")
    with pytest.raises(ImpastoError, match=r"in: no pictures \(\.jpg, .*\) in this folder$"):
        plan_jobs([folder], tmp_path / "out")
    fill(folder, "deep/a.jpg")
    with pytest.raises(ImpastoError, match=r"pass --recursive to look into its folders"):
        plan_jobs([folder], tmp_path / "out")


def test_paintings_of_an_earlier_run_are_not_painted_again(tmp_path: Path) -> None:
    """A folder that an earlier run has painted into is left out of a recursive search."""
    for name in ("a.jpg", "trip/b.jpg", "painted/a.jpg"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "photos" / "painted" / MANIFEST_NAME).touch()
    plan = plan_jobs([tmp_path / "photos"], tmp_path / "out", recursive=True)
    names = [str(job.source.relative_to(tmp_path / "photos")) for job in plan.jobs]
    assert names == ["a.jpg", "trip/b.jpg"]
