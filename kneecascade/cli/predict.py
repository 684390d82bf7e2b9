"""kc_predict: segments new images with a trained model."""

from __future__ import annotations

import argparse
from pathlib import Path

from kneecascade.cli.run import MENDABLE, OK, add_common_arguments, run

SIDES = ("auto", "left", "right", "unknown")


def main(argv: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    arguments = _parser().parse_args(argv)

    def work() -> int:
        from kneecascade.core.settings import PredictSettings
        from kneecascade.pipeline.model import choose_model
        from kneecascade.pipeline.predict import predict_images
        from kneecascade.workspace import find_workspace

        settings = PredictSettings(
            device=arguments.device,
            backend=arguments.backend,
            memory_limit_gb=arguments.memory_limit_gb,
            pictures=arguments.pictures,
            step_size=arguments.step_size,
            save_coarse=arguments.save_coarse,
            tta=arguments.tta,
            save_probabilities=arguments.save_probabilities,
            resume=arguments.resume,
            series=arguments.series,
            echo=arguments.echo,
            dicom_seg=arguments.dicom_seg,
            side=arguments.side,
            postprocess=not arguments.no_postprocessing,
        )
        model = choose_model(find_workspace(arguments.workspace), arguments.dataset, arguments.model)
        if arguments.report:
            _require_report()
        failed = predict_images(
            model, arguments.input, arguments.output, arguments.folds, settings, arguments.debug
        )
        if arguments.report:
            from kneecascade.pipeline.report import write_report

            failed += write_report(report_folder(arguments.output))
        return MENDABLE if failed else OK

    return run(work, arguments.debug)


def _require_report() -> None:
    from kneecascade.pipeline.report import require_viewer

    require_viewer()


def report_folder(output: Path) -> Path:
    """Returns where predictions.json lies: the output, or the folder of an output that is a file."""
    return output if output.is_dir() else output.parent


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kc_predict",
        description="Segments images or DICOM; results lie on the images' exact grids.",
    )
    add = parser.add_argument
    add(
        "-i", "--input", type=Path, required=True, metavar="IN", help="a folder of images or of DICOM, or one"
    )
    add("-o", "--output", type=Path, required=True, metavar="OUT", help="a folder; a file for one image")
    add("-d", "--dataset", metavar="ID", help="the model of this data set: 1, 001, Dataset001_Name")
    add("-m", "--model", type=Path, metavar="FOLDER", help="a model folder, or one of kc_models")
    add("-f", "--folds", type=int, nargs="+", metavar="N", help="folds to average (default: all trained)")
    add("--pictures", action="store_true", help="draw contours of every result")
    add("--report", action="store_true", help="also write OUT/report.html, see kc_report")
    add("--save-coarse", action="store_true", help="also write the coarse stage's labels, to OUT/coarse")
    add("--save-probabilities", action="store_true", help="also write them, to OUT/probabilities")
    add("--tta", action="store_true", help="average over mirrorings: 2 or more times the networks' time")
    add("--no-postprocessing", action="store_true", help="keep the small pieces of labels")
    add("--continue", dest="resume", action="store_true", help="keep finished images of model and settings")
    add("--series", metavar="TEXT", help="DICOM: only series of this number, UID or part of the description")
    add("--echo", metavar="ECHO", help="DICOM: a number, rss or mean of all (default: rss)")
    add("--dicom-seg", action="store_true", help="DICOM: also write a DICOM segmentation a case")
    add("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="where to compute")
    backend = "what computes the networks on a CPU (default: torch)"
    add("--backend", choices=("torch", "openvino"), default="torch", help=backend)
    add("--side", choices=SIDES, default="auto", help="of all knees (default: by subjects.csv or DICOM)")
    tiled = "work in tiles where one forward would take more (default: 6)"
    add("--memory-limit-gb", type=float, default=6.0, metavar="GB", help=tiled)
    step = "step from tile to tile over the tile's edge (default: 0.5)"
    add("--step-size", type=float, default=0.5, metavar="S", help=step)
    add_common_arguments(parser)
    return parser
