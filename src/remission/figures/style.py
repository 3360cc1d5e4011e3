"""The look of every figure, the one way to save it, and a way to look at it without saving."""

from __future__ import annotations

import hashlib
import inspect
import io
import sys
from contextlib import contextmanager

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import Image as Picture
from IPython.display import display
from matplotlib.figure import Figure
from PIL import Image, PngImagePlugin

from remission import exports, paths
from remission.study import Study

#: Journal column widths, inches.
SINGLE, DOUBLE = 3.4, 7.0
#: Okabe-Ito colours, distinct for colour-blind readers and in grey; first the arms, in display order.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555"]
DASHES = ["-", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 2, 1, 2))]
INK, GREY, LIGHT = "#262626", "#555555", "#D9D9D9"
#: Share of the saved width at which a notebook shows a figure.
SHOWN = 0.6
RC = {
    "font.family": "DejaVu Sans", "font.size": 8, "axes.titlesize": 9, "axes.titleweight": "bold",
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK, "xtick.color": INK, "ytick.color": INK,
    "axes.titlelocation": "left", "axes.labelsize": 8, "xtick.labelsize": 7.5, "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5, "legend.frameon": False, "axes.spines.top": False, "axes.spines.right": False,
    "figure.dpi": 220, "lines.linewidth": 1.4, "figure.constrained_layout.use": True,
}


@contextmanager
def style():
    """Figures drawn inside look alike; matplotlib's own settings are untouched outside."""
    with mpl.rc_context(RC):
        yield


def arm_colours(study: Study) -> dict[str, str]:
    """Colour of each arm, by key."""
    return dict(zip(study.arm_keys, COLOURS, strict=False))


def footer(figure: Figure, study: Study, note: str = "") -> None:
    """Write the cohort, its kind and a note below a figure; every saved figure carries it."""
    figure.supxlabel(footer_text(study, note), fontsize=6.5, color=GREY, x=0.01, ha="left")


def footer_text(study: Study, note: str = "") -> str:
    """Cohort, whether its patients exist, and a note, in one line.

    Examples
    --------
    >>> footer_text(Study("mine", "own", "", "", ()))
    'mine (local cohort).'
    """
    kind = {"reconstructed": "SYNTHETIC cohort, reconstructed: no evidence", "published": "real patients",
            "own": "local cohort"}[study.kind]
    return f"{study.name} ({kind}).{' ' + note if note else ''}"


def save(figure: Figure | None, plotted: pd.DataFrame, study: Study, name: str) -> str:
    """Save a figure as PNG beside the numbers it shows, and close it.

    Parameters
    ----------
    figure : Figure or None
        None when the cohort lacks what the figure needs: an older file of that name is removed.
    plotted : DataFrame
        Every number drawn; saved as `<name>.csv`.
    study : Study
    name : str
        File name without suffix.

    Returns
    -------
    str
        One line for the reader.

    Notes
    -----
    Rasters may differ by machine, so the file carries a fingerprint of its numbers and of the code that drew it, and
    is left alone while that holds; it carries a hash of its own pixels too, so that damage shows.
    """
    png, numbers = paths.figures(study.name) / f"{name}.png", paths.figures(study.name) / f"{name}.csv"
    if figure is None:
        paths.remove(png)
        paths.remove(numbers)
        return _absent(name)
    csv = exports.neutral(plotted).to_csv(index=False, float_format="%.8g", date_format="%Y-%m-%d", lineterminator="\n")
    print_ = fingerprint(csv)
    with paths.atomic(numbers) as temporary:
        temporary.write_text(csv, encoding="utf-8")
    if png.is_file() and intact(png) and Image.open(png).text.get("Fingerprint") == print_:
        paths.keep(png)
    else:
        pixels = _drawn(figure)
        facts = PngImagePlugin.PngInfo()
        facts.add_text("Fingerprint", print_)
        facts.add_text("Pixels", hashlib.sha256(pixels.tobytes()).hexdigest())
        facts.add_text("Description", f"{study.name}: {study.banner}")
        with paths.atomic(png) as temporary:
            # Level 3 gives files as small as optimize=True does, in a fifth of the time.
            Image.fromarray(pixels).save(temporary, format="png", pnginfo=facts, compress_level=3)
    plt.close(figure)
    return f"{paths.shown(png)}: {len(plotted)} plotted rows beside it"


def show(figure: Figure | None, plotted: pd.DataFrame, study: Study, name: str) -> None:
    """Save a figure, show the saved file, and say where it is.

    Parameters
    ----------
    figure, plotted, study, name
        As in `save`.

    Notes
    -----
    The notebook shows the file and not the figure: what is looked at is what was saved, and nothing is drawn twice.
    """
    said = save(figure, plotted, study, name)
    if figure is not None:
        with Image.open(paths.figures(study.name) / f"{name}.png") as image:
            _display(image.convert("RGB"), study, name)
    print(said)


def look(figure: Figure | None, plotted: pd.DataFrame, study: Study, name: str) -> None:
    """Show a figure without saving it, and close it; takes what `show` takes, so that either stands for the other.

    Parameters
    ----------
    figure, plotted, study, name
        As in `save`.

    Examples
    --------
    >>> look(None, pd.DataFrame(), Study("mine", "own", "", "", ()), "waterfall")
    waterfall: this cohort has no data for it
    """
    if figure is None:
        print(_absent(name))
        return
    _display(Image.fromarray(_drawn(figure)), study, name)
    plt.close(figure)
    print(f"{name}: {len(plotted)} plotted rows, not saved")


def _absent(name: str) -> str:
    return f"{name}: this cohort has no data for it"


def _drawn(figure: Figure) -> np.ndarray:
    """Pixels of a figure, by row, column and colour."""
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3]


def _display(image: Image.Image, study: Study, name: str) -> None:
    """Show a picture at the size of a notebook, in few colours: a committed notebook holds every one of them."""
    reduced = image.resize([round(side * SHOWN) for side in image.size], Image.Resampling.LANCZOS)
    file = io.BytesIO()
    reduced.quantize(256, dither=Image.Dither.NONE).save(file, format="png")
    display(Picture(file.getvalue(), format="png", alt=f"{study.name}: {name.replace('_', ' ')}"))


def fingerprint(csv: str) -> str:
    """Hash of a figure's numbers, of the drawing code and of matplotlib's version."""
    code = "".join(inspect.getsource(module) for key, module in sorted(sys.modules.items())
                   if key.startswith("remission.figures."))
    return hashlib.sha256("\n".join([csv, code, mpl.__version__]).encode()).hexdigest()


def intact(png) -> bool:
    """Whether a saved figure still has the pixels it was saved with."""
    try:
        with Image.open(png) as image:
            pixels = np.asarray(image.convert("RGB"))
            return image.text.get("Pixels") == hashlib.sha256(pixels.tobytes()).hexdigest()
    except (OSError, SyntaxError, AttributeError):
        return False
