"""Figures of notebook 08: a stored run of the benchmark, beside the law and beside the peers."""

import matplotlib as mpl
import numpy as np

from mathlib.figures.picture import MAML, NEUTRAL, picture

__all__ = [
    "law_beside_clock",
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


@picture(size=(7.2, 4.6))
def law_beside_clock(figure, rows):
    """The ratio of the times of MAML and FOMAML beside the law, from the rows "law" of a stored run."""
    axes = figure.add_axes((0.11, 0.15, 0.60, 0.81))
    steps = sorted({row["K"] for row in rows})
    for place, K in enumerate(steps):
        law = next(row["law"] for row in rows if row["K"] == K)
        axes.plot((place - 0.42, place + 0.42), (law, law), color=NEUTRAL, linewidth=2)
    peers = list(dict.fromkeys(row["peer"] for row in rows))
    kinds = [(peer, activation) for peer in peers for activation in NAMES]
    for shift, kind in zip(np.linspace(-0.36, 0.36, len(kinds)), kinds, strict=True):
        for row in _rows(rows, *kind):
            axes.plot(steps.index(row["K"]) + shift, row["ratio"], **_mark(*kind))
    lowest, highest = (end(rows, key=lambda row: row["ratio"]) for end in (min, max))
    axes.set(yscale="log", xlim=(-0.5, len(steps) - 0.5), ylim=(1, 1.15 * highest["ratio"]))
    axes.set(xticks=range(len(steps)), xticklabels=steps, xlabel="number of steps $K$", ylabel="MAML / FOMAML, time")
    marks = [tick for tick in (1, 1.5, 2, 3, 5, 10, 20) if tick <= 1.15 * highest["ratio"]]
    axes.set_yticks(marks, labels=[f"{tick:g}" for tick in marks])
    axes.minorticks_off()
    _key(figure, peers)
    batch = rows[0]["batch"]
    ours = sorted(_rows(rows, "mathlib", "tanh"), key=lambda row: row["K"])
    law, mine = [[f"{row[column]:.2f}" for row in ours] for column in ("law", "ratio")]
    return (
        f"At batch {batch} and K = {', '.join(map(str, steps))} the law says {', '.join(law)} (bars); this library's"
        f" network with tanh was timed at {', '.join(mine)}; over all {len(rows)} measurements the ratio runs"
        f" from {lowest['ratio']:.2f} ({_said(lowest)}) to {highest['ratio']:.2f} ({_said(highest)})."
    )


@picture(size=(7.2, 4.4))
def time_over_steps(figure, curves):
    """Milliseconds for one meta-gradient against K, log-log, with the fitted exponents of a stored run's curves."""
    exponents = _loglog(figure, curves, "K", "number of steps")
    return (
        f"Time against K at d = {curves[0]['d']}, batch {curves[0]['batch']}, K from {curves[0]['K'][0]} to"
        f" {curves[0]['K'][-1]}: the fitted exponents are {exponents}; the count's exponent is 1. At K ="
        f" {curves[0]['K'][-1]} {_beside(curves, 'jax-loop', 'jax-scan')}."
    )


@picture(size=(7.2, 4.4))
def time_over_parameters(figure, curves, dense):
    """Milliseconds for one meta-gradient against d, log-log: Hessian-vector products, and d × d matrices.

    The rows `dense` compare time and memory of the two at the same d.
    """
    exponents = _loglog(figure, curves, "d", "number of parameters")
    largest = max(dense, key=lambda row: row["d"])
    return (
        f"Time against d at K = {curves[0]['K']}, batch {curves[0]['batch']}: the fitted exponents are"
        f" {exponents}. At d = {largest['d']} the matrices took"
        f" {_two_digits(largest['dense_ms'] / largest['matrix_free_ms'])} times as long as Hessian-vector products, and"
        f" {_two_digits(largest['dense_peak_bytes'] / largest['matrix_free_peak_bytes'])} times the memory."
    )


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
