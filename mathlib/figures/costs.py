"""Figures of notebook 08: what the way back costs, counted, timed and remembered."""

import matplotlib as mpl
import numpy as np

from mathlib.figures.drawing import CURVES
from mathlib.figures.picture import FOMAML, MAML, NEUTRAL, picture

__all__ = [
    "law_beside_clock",
    "memory_over_steps",
    "ratio_against_query",
    "time_over_parameters",
    "time_over_steps",
]

PEERS = {
    "mathlib": {"color": MAML["color"], "linestyle": "-", "marker": "o", "name": "this library"},
    "torch": {"color": "#CC79A7", "linestyle": (0, (6, 2)), "marker": "s", "name": "PyTorch"},
    "jax-loop": {"color": "black", "linestyle": ":", "marker": "D", "name": "JAX, loop"},
    "jax-scan": {"color": "#E69F00", "linestyle": "-.", "marker": "^", "name": "JAX, scan"},
    "jax-checkpoint": {"color": "#56B4E9", "linestyle": "-", "marker": "v", "name": "JAX, checkpoint"},
    "dense": {"color": NEUTRAL, "linestyle": (0, (2, 1)), "marker": "X", "name": "d × d matrices"},
}
NAMES = {"tanh": "tanh", "relu": "ReLU"}
CHECKPOINTED = {"color": "#CC79A7", "linestyle": "-."}


@picture()
def ratio_against_query(figure, K, m, counted, settings):
    """The law (3K + m)/(K + m) against m, ratios that were counted, and two published settings."""
    axes = figure.add_axes((0.12, 0.16, 0.72, 0.80))
    smooth = np.geomspace(0.1, 32, 200)
    for steps, ratios, style in zip(K.ravel(), counted, CURVES, strict=True):
        axes.plot(smooth, _law(steps, smooth), **style)
        axes.text(35, _law(steps, 32), f"$K = {steps}$", color=style["color"], va="center", fontsize=14)
        axes.plot(m.ravel(), ratios, "o", color=style["color"])
    for name, setting in settings.items():
        axes.plot(setting[1], _law(*setting), "D", markersize=13, markerfacecolor="none", markeredgecolor="black")
        beside = {"textcoords": "offset points", "ha": "right", "va": "center", "fontsize": 12}
        axes.annotate(name, (setting[1], _law(*setting)), (-13, -3), **beside)
    axes.set(xscale="log", xlim=(0.1, 32), ylim=(1, 3.1), ylabel="MAML / FOMAML")
    axes.set(xlabel="query examples for each support example, $m$", yticks=(1, 1.5, 2, 2.5, 3))
    axes.set_xticks([0.1, 0.3, 1, 3, 10, 30], labels=["0.1", "0.3", "1", "3", "10", "30"])
    axes.minorticks_off()
    farthest = np.abs(counted / _law(K, m) - 1).max()
    said = [f"{_law(*setting):.2f} for {name}" for name, setting in settings.items()]
    return (
        f"MAML's work over FOMAML's falls from almost 3, where the query batch is small, towards 1, where it is large;"
        f" the {counted.size} counted ratios (dots) lie within {np.ceil(1000 * farthest) / 10:g} % of the law (lines),"
        f" which gives {' and '.join(said)} miniImageNet (diamonds)."
    )


@picture(size=(7.2, 4.6))
def law_beside_clock(figure, run):
    """The ratio of the times of MAML and FOMAML, from a stored run, beside the law."""
    axes = figure.add_axes((0.11, 0.15, 0.60, 0.81))
    steps = sorted({row["K"] for row in run["law"]})
    for place, K in enumerate(steps):
        law = next(row["law"] for row in run["law"] if row["K"] == K)
        axes.plot((place - 0.42, place + 0.42), (law, law), color=NEUTRAL, linewidth=2)
    peers = list(dict.fromkeys(row["peer"] for row in run["law"]))
    kinds = [(peer, activation) for peer in peers for activation in NAMES]
    for shift, kind in zip(np.linspace(-0.36, 0.36, len(kinds)), kinds, strict=True):
        for row in _rows(run["law"], *kind):
            axes.plot(steps.index(row["K"]) + shift, row["ratio"], **_mark(*kind))
    lowest, highest = (end(run["law"], key=lambda row: row["ratio"]) for end in (min, max))
    axes.set(yscale="log", xlim=(-0.5, len(steps) - 0.5), ylim=(1, 1.15 * highest["ratio"]))
    axes.set(xticks=range(len(steps)), xticklabels=steps, xlabel="number of steps $K$", ylabel="MAML / FOMAML, time")
    marks = [tick for tick in (1, 1.5, 2, 3, 5, 10, 20) if tick <= 1.15 * highest["ratio"]]
    axes.set_yticks(marks, labels=[f"{tick:g}" for tick in marks])
    axes.minorticks_off()
    _key(figure, peers)
    batch = run["law"][0]["batch"]
    ours = sorted(_rows(run["law"], "mathlib", "tanh"), key=lambda row: row["K"])
    law, mine = [[f"{row[column]:.2f}" for row in ours] for column in ("law", "ratio")]
    return (
        f"At batch {batch} and K = {', '.join(map(str, steps))} the law says {', '.join(law)} (bars); this library's"
        f" network with tanh was timed at {', '.join(mine)}; over all {len(run['law'])} measurements the ratio runs"
        f" from {lowest['ratio']:.2f} ({_said(lowest)}) to {highest['ratio']:.2f} ({_said(highest)})."
    )


@picture(size=(7.2, 4.4))
def time_over_steps(figure, run):
    """Milliseconds for one meta-gradient against K, log-log, with the fitted exponents of a stored run."""
    curves = run["curves"]["over_K"]
    exponents = _loglog(figure, curves, "K", "number of steps")
    return (
        f"Time against K at d = {curves[0]['d']}, batch {curves[0]['batch']}, K from {curves[0]['K'][0]} to"
        f" {curves[0]['K'][-1]}: the fitted exponents are {exponents}; the count's exponent is 1. At K ="
        f" {curves[0]['K'][-1]} {_beside(curves, 'jax-loop', 'jax-scan')}."
    )


@picture(size=(7.2, 4.4))
def time_over_parameters(figure, run):
    """Milliseconds for one meta-gradient against d, log-log: Hessian-vector products, and d × d matrices."""
    curves = run["curves"]["over_d"]
    exponents = _loglog(figure, curves, "d", "number of parameters")
    largest = max(run["dense"], key=lambda row: row["d"])
    return (
        f"Time against d at K = {curves[0]['K']}, batch {curves[0]['batch']}: the fitted exponents are"
        f" {exponents}. At d = {largest['d']} the matrices took"
        f" {_two_digits(largest['dense_ms'] / largest['matrix_free_ms'])} times as long as Hessian-vector products, and"
        f" {_two_digits(largest['dense_peak_bytes'] / largest['matrix_free_peak_bytes'])} times the memory."
    )


@picture()
def memory_over_steps(figure, peaks, closure, d):
    """Peak memory against K for MAML, checkpointed MAML and FOMAML: measured, and counted in numbers of 8 bytes."""
    axes = figure.add_axes((0.12, 0.16, 0.60, 0.80))
    steps = np.array(list(peaks))
    smooth = np.linspace(1, steps[-1], 200)
    root = np.sqrt(smooth)
    laws = {
        "MAML": (MAML, "o", smooth * closure),
        "checkpointed": (CHECKPOINTED, "s", root * (closure + d)),
        "FOMAML": (FOMAML, "^", smooth * d),
    }
    for column, (name, (style, marker, numbers)) in enumerate(laws.items()):
        axes.plot(smooth, 8e-6 * numbers, **style)
        measured = [1e-6 * row[column] for row in peaks.values()]
        axes.plot(steps, measured, linestyle="none", marker=marker, color=style["color"])
        axes.annotate(
            name, (steps[-1], measured[-1]), (10, 0), textcoords="offset points", color=style["color"], va="center"
        )
    axes.set(xlabel="number of steps $K$", ylabel="memory in MB", xlim=(0, 1.02 * steps[-1]), ylim=(0, None))
    full, checkpointed, first = (8e-6 * numbers[-1] for _, _, numbers in laws.values())
    best = max(1, round((steps[-1] * d / closure) ** 0.5))
    least = 8e-6 * (steps[-1] / best * d + best * closure)
    return (
        f"At K = {steps[-1]} MAML keeps {full:.0f} MB, with a checkpoint every {root[-1]:.0f} steps {checkpointed:.1f},"
        f" and FOMAML {first:.1f}, by count (lines); the measured peaks (marks) lie above by what one step needs for"
        f" a moment. By (8.9), segments of length {best} would take least here, {least:.1f} MB."
    )


def _law(K, m):
    return (3 * K + m) / (K + m)


def _rows(rows, peer, activation):
    return [row for row in rows if (row["peer"], row["activation"]) == (peer, activation)]


def _mark(peer, activation):
    style = PEERS[peer]
    face = style["color"] if activation == "tanh" else "white"
    return {key: style[key] for key in ("marker", "color")} | {
        "markerfacecolor": face,
        "markersize": 9,
        "linestyle": "none",
    }


def _key(figure, peers):
    """Direct labels do not fit between so many marks: one column beside the axes names them."""
    handles = [mpl.lines.Line2D([], [], color=NEUTRAL, linewidth=2, label="the law")]
    for peer in peers:
        handles.append(mpl.lines.Line2D([], [], label=PEERS[peer]["name"], **_mark(peer, "tanh")))
    for activation, name in NAMES.items():
        style = _mark("mathlib", activation) | {"color": NEUTRAL}
        style["markerfacecolor"] = NEUTRAL if activation == "tanh" else "white"
        handles.append(mpl.lines.Line2D([], [], label=f"with {name}", **style))
    figure.legend(handles=handles, loc="center left", bbox_to_anchor=(0.71, 0.55), labelspacing=0.7, handlelength=1.4)


def _said(row):
    return f"{PEERS[row['peer']]['name']}, {NAMES[row['activation']]}, K = {row['K']}"


def _loglog(figure, curves, variable, meaning):
    """Draw every peer's milliseconds against the variable; return the fitted exponents, as text."""
    axes = figure.add_axes((0.15, 0.16, 0.51, 0.80))
    for curve in curves:
        style = dict(PEERS[curve["peer"]])
        label = f"{style.pop('name')}:\nexponent {curve['exponent']:.2f}"
        axes.loglog(curve[variable], curve["milliseconds"], label=label, **style)
    last = sorted(curves, key=lambda curve: -curve["milliseconds"][-1])
    handles = dict(zip((curve["peer"] for curve in curves), axes.get_lines(), strict=True))
    figure.legend(
        handles=[handles[curve["peer"]] for curve in last],
        loc="center left",
        bbox_to_anchor=(0.67, 0.56),
        labelspacing=0.8,
        handlelength=2.2,
    )
    if variable == "K":
        axes.set_xticks(curves[0]["K"])
    axes.minorticks_off()
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.set(xlabel=f"{meaning} ${variable}$", ylabel="time in ms")
    return ", ".join(f"{curve['exponent']:.2f} ({PEERS[curve['peer']]['name']})" for curve in curves)


def _beside(curves, *peers):
    """What two peers took at the end of their curves, in words."""
    ends = {curve["peer"]: curve["milliseconds"][-1] for curve in curves}
    return " and ".join(f"{PEERS[peer]['name']} took {ends[peer]:.2g} ms" for peer in peers)


def _two_digits(ratio):
    return f"{float(f'{ratio:.2g}'):,.0f}"
