"""`deep3d evaluate`: accuracy on the frozen sets, on published ones, and on synthetic heads."""

from __future__ import annotations

import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deep3d.cli.options import (
    CheckpointOption,
    ModelOption,
    NoRefineOption,
    QualityChoice,
    QualityOption,
    RefineOption,
    RuntimeOption,
    ThreadsOption,
    refinement,
)
from deep3d.cli.output import progress, require_writable, say, write_json
from deep3d.errors import CheckpointMissing

if TYPE_CHECKING:
    from deep3d.evaluation import Benchmark, FacePredictor, StageProgress
    from deep3d.evaluation.clips import ClipFigures
    from deep3d.evaluation.hair import HairFigures
    from deep3d.evaluation.materials import MaterialFigures
    from deep3d.pipeline.reconstructor import Reconstructor


class HalfOption(StrEnum):
    """Which half of the portraits."""

    TUNE = "tune"
    REPORT = "report"


def _data_set(about: str, least: int | None = None) -> Any:
    return typer.Option(help=about, min=least, rich_help_panel="Data sets")


def evaluate(
    portraits: Annotated[Path | None, _data_set("Folder of portraits with reference landmarks.")] = None,
    half: Annotated[HalfOption, _data_set("Which half of the portraits to measure.")] = HalfOption.REPORT,
    confidence: Annotated[
        bool, _data_set("Also degrade the portraits and check the confidence of the results.")
    ] = False,
    turned: Annotated[bool, _data_set("Also rotate the portraits by 90, 180 and 270 degrees.")] = False,
    heads: Annotated[Path | None, _data_set("Folder of synthetic heads with scans.")] = None,
    scans: Annotated[Path | None, _data_set("Folder of a scanned head: shape error by light and view.")] = None,
    labelled: Annotated[Path | None, _data_set("Folder of photos with 300-W landmarks.")] = None,
    aflw2000: Annotated[Path | None, _data_set("Folder of AFLW2000-3D: landmark error by yaw.")] = None,
    now: Annotated[Path | None, _data_set("Folder of the NoW challenge: scans of neutral faces.")] = None,
    florence: Annotated[Path | None, _data_set("Folder of MICC Florence: scans and video frames.")] = None,
    bu3dfe: Annotated[Path | None, _data_set("Folder of BU-3DFE: scans of seven expressions.")] = None,
    realy: Annotated[Path | None, _data_set("Folder of REALY: four regions of the face.")] = None,
    people: Annotated[
        Path | None, _data_set("Folder with one folder of photos per person: consistency of identity.")
    ] = None,
    synthetic: Annotated[int, _data_set("Number of synthetic heads to measure: landmark error by yaw.", least=0)] = 0,
    same_person: Annotated[
        int, _data_set("Number of synthetic people to measure: shape error from 1, 2, 4 and 8 photos.", least=0)
    ] = 0,
    depth: Annotated[int, _data_set("Number of synthetic heads to measure: depth and normals by pixel.", least=0)] = 0,
    uncertainty: Annotated[
        int, _data_set("Number of synthetic heads to measure: stated uncertainty of shape, and true error.", least=0)
    ] = 0,
    expressions: Annotated[
        int, _data_set("Number of synthetic heads with one named expression each: weights in face.glb.", least=0)
    ] = 0,
    faceless: Annotated[int, _data_set("Number of synthetic pictures without a face: false positives.", least=0)] = 0,
    faceless_photos: Annotated[Path | None, _data_set("Folder of photos without faces: false positives.")] = None,
    clips: Annotated[int, _data_set("Number of synthetic clips: videos compared with single frames.", least=0)] = 0,
    materials: Annotated[
        int, _data_set("Number of synthetic heads under synthetic lights: albedo and gloss by skin tone.", least=0)
    ] = 0,
    hair: Annotated[Path | None, _data_set("Folder of photos: masks of hair against --hair-masks.")] = None,
    hair_masks: Annotated[Path, _data_set("Folder of NAME.png, white where NAME.jpg of --hair shows hair.")] = Path(
        "tests/hair/masks/report"
    ),
    out: Annotated[Path | None, typer.Option(help="Write the figures to this JSON file.")] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write report.html, with plots and pictures, to this folder.")
    ] = None,
    mean_face_only: Annotated[
        bool, typer.Option("--mean-face-only", help="Measure only the mean face, no checkpoint.")
    ] = False,
    alignments: Annotated[
        int | None, typer.Option(min=1, max=3, help="Maximum number of crops and predictions per face; see --quality.")
    ] = None,
    precision: Annotated[
        str | None, typer.Option(help="fp32, bf16 or int8; by default the fastest that the processor supports.")
    ] = None,
    checkpoint: CheckpointOption = None,
    face_model: ModelOption = None,
    runtime: RuntimeOption = None,
    threads: ThreadsOption = None,
    quality: QualityOption = QualityChoice.NORMAL,
    refine: RefineOption = None,
    no_refine: NoRefineOption = False,
) -> None:
    """Benchmark landmarks and shape. The first row is the mean face, as a baseline.

    Without a checkpoint, the mean face is the only row. docs/evaluation.md describes the folder layout of each
    published data set.
    """
    from deep3d.evaluation import run_evaluation
    from deep3d.evaluation.catalogue import (
        FOLDER_BENCHMARKS,
        faceless_benchmarks,
        portrait_benchmarks,
        synthetic_benchmarks,
    )
    from deep3d.evaluation.picture_report import write_picture_report
    from deep3d.evaluation.predictor import mean_face
    from deep3d.evaluation.scan_error.real_scans import scanned_head_benchmark
    from deep3d.pipeline.reconstructor import Reconstructor

    require_writable(out)
    folders = {"heads": heads, "aflw2000": aflw2000, "now": now, "florence": florence, "bu3dfe": bu3dfe}
    folders |= {"realy": realy, "people": people, "labelled": labelled}
    benchmarks: list[Benchmark] = []
    if portraits is not None:
        benchmarks += portrait_benchmarks(portraits, half.value, confidence, turned)
    for name, folder in folders.items():
        benchmarks += () if folder is None else FOLDER_BENCHMARKS[name](folder)
    if scans is not None:
        benchmarks.append(scanned_head_benchmark(scans, face_model))
    predictors: list[FacePredictor] = [mean_face(face_model)]
    if not mean_face_only:
        try:
            predictors += _reconstructors(
                Reconstructor.load(
                    checkpoint,
                    face_model,
                    runtime,
                    threads,
                    precision,
                    alignments,
                    refinement(refine, no_refine),
                    quality=quality.value,
                    hair="none" if hair is None else "shell",
                )
            )
        except CheckpointMissing as error:
            if checkpoint is not None:
                raise
            say(f"deep3d: {error}; measuring only the mean face")
    with TemporaryDirectory() as scratch, progress() as bar:
        benchmarks += synthetic_benchmarks(
            face_model, synthetic, same_person, depth, uncertainty, expressions, Path(scratch)
        )
        benchmarks += faceless_benchmarks(faceless, faceless_photos, Path(scratch))
        alone = (clips > 0 or materials > 0 or hair is not None) and not benchmarks
        result = None if alone else run_evaluation(benchmarks, predictors, _shown_on(bar))
        if report is not None and result is not None:
            say(f"{write_picture_report(result, report, predictors)}: report written")
        clip_figures = _clip_figures(clips, predictors, bar)
        material_figures = _material_figures(materials, predictors, bar)
        hair_figures = _hair_figures(hair, hair_masks, predictors, bar)
    tables = (result, *clip_figures, *material_figures, *hair_figures)
    sys.stdout.write("\n".join(each.to_markdown() for each in tables if each is not None))
    more = {"clips": [asdict(each) for each in clip_figures], "materials": [asdict(each) for each in material_figures]}
    more["hair"] = [asdict(each) for each in hair_figures]
    write_json(out, ({} if result is None else result.to_json()) | more)


def _clip_figures(clips: int, predictors: list[FacePredictor], bar: Any) -> list[ClipFigures]:
    """Figures of the predictor with the most fitting; empty without clips."""
    from deep3d.evaluation.clips import measure_clips
    from deep3d.evaluation.predictor import ReconstructorPredictor

    last = predictors[-1]
    if not clips or not isinstance(last, ReconstructorPredictor):
        return []
    return [measure_clips(last.reconstructor, clips, _shown_on(bar))]


def _material_figures(heads: int, predictors: list[FacePredictor], bar: Any) -> list[MaterialFigures]:
    """Figures of the predictor with the most fitting; empty without heads."""
    from deep3d.evaluation.materials import measure_materials
    from deep3d.evaluation.predictor import ReconstructorPredictor

    last = predictors[-1]
    if not heads or not isinstance(last, ReconstructorPredictor):
        return []
    return [measure_materials(last.reconstructor, heads, _shown_on(bar))]


def _hair_figures(photos: Path | None, masks: Path, predictors: list[FacePredictor], bar: Any) -> list[HairFigures]:
    """Figures of the predictor with the most fitting; empty without photos."""
    from deep3d.evaluation.hair import measure_hair
    from deep3d.evaluation.predictor import ReconstructorPredictor

    last = predictors[-1]
    if photos is None or not isinstance(last, ReconstructorPredictor):
        return []
    return [measure_hair(last.reconstructor, photos, masks, _shown_on(bar))]


def _reconstructors(loaded: Reconstructor) -> list[FacePredictor]:
    """The reconstructor with its full fit, preceded by variants that fit less."""
    from deep3d.evaluation.predictor import ReconstructorPredictor
    from deep3d.pipeline.fitter import REFINEMENTS

    upto = REFINEMENTS.index(loaded.refinement) + 1
    return [ReconstructorPredictor(loaded.refining(refinement)) for refinement in REFINEMENTS[:upto]]


def _shown_on(bar: Any) -> StageProgress:
    tasks: dict[str, Any] = {}

    def advance(stage: str, done: int, total: int) -> None:
        if stage not in tasks:
            tasks[stage] = bar.add_task(stage, total=total)
        bar.update(tasks[stage], completed=done)

    return advance
