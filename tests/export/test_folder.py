import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deep3d.errors import OutputNotWritable
from deep3d.export import FORMATS, write_faces, write_results
from deep3d.export import folder as module
from deep3d.export.replacing import other_files, replaced
from deep3d.texture import Texture

ALL_FILES = {
    "face.json",
    "face.obj",
    "face.mtl",
    "texture.png",
    "face.ply",
    "face.glb",
    "albedo.png",
    "overlay.jpg",
}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_all_files_of_a_face_are_written_and_nothing_else(toy_reconstruction, tmp_path):
    write_results(toy_reconstruction, tmp_path / "deep" / "anna")
    assert names(tmp_path / "deep" / "anna") == ALL_FILES
    assert names(tmp_path / "deep") == {"anna"}


def test_only_the_formats_asked_for(toy_reconstruction, tmp_path):
    write_results(toy_reconstruction, tmp_path / "anna", formats=["json", "ply"])
    assert names(tmp_path / "anna") == {"face.json", "face.ply"}


def test_an_unknown_format_is_refused(toy_reconstruction, tmp_path):
    with pytest.raises(ValueError, match="'fbx'; choose from " + ", ".join(FORMATS)):
        write_results(toy_reconstruction, tmp_path / "anna", formats=["json", "fbx"])
    assert names(tmp_path) == set()


def test_a_rerun_replaces_the_files_of_the_result_and_leaves_others(toy_reconstruction, tmp_path):
    folder = tmp_path / "anna"
    write_faces([toy_reconstruction] * 2, folder, formats=["json", "obj"])
    assert other_files(folder) == []
    (folder / "note.txt").write_text("mine")
    (folder / "blender").mkdir()
    (folder / "blender" / "face.obj").write_text("mine")
    (folder / "face-2" / "painted.png").write_text("mine")
    for count in (1, 2, 1):
        write_faces([toy_reconstruction] * count, folder, formats=["json"])
        files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        ours = {"face.json"} if count == 1 else {"face-1/face.json", "face-2/face.json"}
        assert files == ours | {"note.txt", "blender/face.obj", "face-2/painted.png"}
        assert other_files(folder) == [Path("blender"), Path("face-2/painted.png"), Path("note.txt")]
    assert names(folder) == {"face.json", "note.txt", "blender", "face-2"}
    assert names(tmp_path) == {"anna"}


def test_other_files_and_old_results_stay_when_moving_fails(tmp_path, monkeypatch):
    folder = tmp_path / "anna"
    with replaced(folder) as partial:
        (partial / "face.json").write_text("old")
        (partial / "face.ply").write_text("old")
    (folder / "note.txt").write_text("mine")
    rename = Path.rename

    def failing(self, target):
        if self.name == "face.obj":
            raise PermissionError(13, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OutputNotWritable, match="Permission denied"), replaced(folder) as partial:
        for name in ("face.json", "face.obj"):
            (partial / name).write_text("new")
    contents = {path.name: path.read_text() for path in folder.iterdir()}
    assert contents == {"face.json": "old", "face.ply": "old", "note.txt": "mine"}
    assert names(tmp_path) == {"anna"}


def test_a_folder_name_as_long_as_file_systems_allow(toy_reconstruction, tmp_path):
    folder = tmp_path / ("あ" * 85)
    for _ in range(2):
        write_results(toy_reconstruction, folder, formats=["json"])
    assert names(tmp_path) == {"あ" * 85}


def test_an_empty_folder_is_used(toy_reconstruction, tmp_path):
    write_results(toy_reconstruction, tmp_path, formats=["json"])
    assert names(tmp_path) == {"face.json"}


def test_several_faces_lie_in_numbered_folders(toy_reconstruction, tmp_path):
    folders = write_faces([toy_reconstruction] * 2, tmp_path / "anna", formats=["json"])
    assert folders == [tmp_path / "anna" / "face-1", tmp_path / "anna" / "face-2"]
    assert all(names(folder) == {"face.json"} for folder in folders)
    assert write_faces([toy_reconstruction], tmp_path / "anna", formats=["json"]) == [tmp_path / "anna"]
    assert names(tmp_path / "anna") == {"face.json"}


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), RuntimeError("a bug")])
def test_old_results_stay_when_writing_fails(toy_reconstruction, tmp_path, monkeypatch, error):
    folder = tmp_path / "anna"
    write_results(toy_reconstruction, folder, formats=["json"])
    before = (folder / "face.json").read_bytes()

    def broken(reconstruction, folder):
        (folder / "face.obj").write_text("half")
        raise error

    monkeypatch.setitem(module.WRITERS, "obj", broken)
    with pytest.raises((OutputNotWritable, RuntimeError)):
        write_results(toy_reconstruction, folder, formats=["json", "obj"])
    assert names(tmp_path) == {"anna"}
    assert names(folder) == {"face.json"}
    assert (folder / "face.json").read_bytes() == before


def test_old_results_come_back_when_the_exchange_fails(tmp_path, monkeypatch):
    folder = tmp_path / "anna"
    with replaced(folder) as partial:
        (partial / "face.json").write_text("old")
    rename = Path.rename

    def failing(self, target):
        if self.suffix == ".partial":
            raise PermissionError(13, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OutputNotWritable, match="Permission denied"), replaced(folder) as partial:
        (partial / "face.json").write_text("new")
    assert (folder / "face.json").read_text() == "old"
    assert names(tmp_path) == {"anna"}


def test_an_interruption_between_the_renames_keeps_the_old_results(tmp_path, monkeypatch):
    folder = tmp_path / "anna"
    with replaced(folder) as partial:
        (partial / "face.json").write_text("old")
    rename = Path.rename

    def interrupted(self, target):
        result = rename(self, target)
        if self.name == "anna":
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt), replaced(folder) as partial:
        (partial / "face.json").write_text("new")
    assert (folder / "face.json").read_text() == "old"
    assert names(tmp_path) == {"anna"}


def test_an_unwritable_target_is_one_clear_line(toy_reconstruction, tmp_path):
    (tmp_path / "file").write_text("")
    for target in (tmp_path / "file", tmp_path / "file" / "anna"):
        with pytest.raises(OutputNotWritable) as caught:
            write_results(toy_reconstruction, target, formats=["json"])
        assert str(target) in str(caught.value) and "choose another folder" in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_folder_of_other_files_keeps_them(toy_reconstruction, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    write_results(toy_reconstruction, tmp_path, formats=["json"])
    assert names(tmp_path) == {"thesis.tex", "face.json"}
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_folder_of_that_name_or_single_files_of_results_are_no_earlier_result(toy_reconstruction, tmp_path):
    (tmp_path / "face-1").mkdir()
    (tmp_path / "face-1" / "portrait.jpg").write_text("")
    (tmp_path / "face.obj").write_text("a model of somebody else")
    with pytest.raises(OutputNotWritable, match="has other files"):
        write_results(toy_reconstruction, tmp_path, formats=["json"])
    assert names(tmp_path) == {"face-1", "face.obj"}


def test_results_without_face_json_are_replaced_too(toy_reconstruction, tmp_path):
    for formats in (["ply"], ["obj"]):
        write_results(toy_reconstruction, tmp_path / "anna", formats=formats)
    assert names(tmp_path / "anna") == {"face.obj", "face.mtl", "texture.png"}


def test_the_texture_is_there_before_two_threads_ask_for_it(toy_reconstruction, tmp_path, monkeypatch):
    seen = []
    for name in ("obj", "ply"):
        monkeypatch.setitem(module.WRITERS, name, lambda face, folder: seen.append("texture" in vars(face)))
    bare, blank = replace(toy_reconstruction), np.zeros((8, 8, 3), np.uint8)
    monkeypatch.setattr("deep3d.reconstruction.extract_texture", lambda *_, **__: Texture(blank, blank[..., 0]))
    write_results(bare, tmp_path / "anna", formats=["obj", "ply"])
    assert seen == [True, True]


def test_no_half_written_folder_is_ever_seen_under_the_final_name(tmp_path):
    folder = tmp_path / "anna"
    with replaced(folder) as partial:
        (partial / "face.json").write_text(json.dumps({}))
        assert not folder.exists()
    with replaced(folder) as partial:
        assert names(folder) == {"face.json"}
        assert names(partial) == set()
    assert names(folder) == set()
