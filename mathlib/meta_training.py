r"""Meta-training: the outer loop, in which a start :math:`\theta` learns from many tasks.

.. math::
    \theta \leftarrow \theta - \beta\, \mathrm{Adam}\Bigl(\frac1n \sum_\tau g_\tau(\theta)\Bigr)

Each method is a rule for :math:`g_\tau`, taken from `mathlib.meta_gradients`; all tasks of a meta-batch are computed at
once. The tasks of iteration i are drawn from the generator ``default_rng([seed, i])``: two methods with one seed meet
the same tasks, and a run that was stopped draws on as if it had not been.
"""

import hashlib
import json
import os
import sys
import warnings
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import DTypeLike
from tqdm import tqdm

from mathlib.contracts import Array
from mathlib.errors import NotFinite, WrongType, WrongValue
from mathlib.inputs import require_array, require_count, require_generator, require_step_size
from mathlib.meta_gradients import fomaml_gradient, inner_loop, maml_gradient, reptile_gradient
from mathlib.networks import MLP
from mathlib.tasks import Tasks

__all__ = ["METHODS", "HeadOnly", "Training", "adapt", "draw_start", "meta_train", "task_gradients"]

# (losses, query, theta, alpha) ↦ what each task asks for, (tasks, d)
Rule: TypeAlias = Callable[[Sequence[Any], Any, Array, float], Array]
Draw: TypeAlias = Callable[[np.random.Generator, int], Tasks]

# Adam's customary numbers: Kingma and Ba, 2015 (arXiv 1412.6980), algorithm 1.
DECAY_FIRST = 0.9
DECAY_SECOND = 0.999
EPSILON = 1e-8


def reptile(losses: Sequence[Any], query: Any, theta: Array, alpha: float) -> Array:
    """Reptile's k = K + 1 gradients on the way, the query's as the last, so that it sees the same data as MAML."""
    return reptile_gradient([*losses, query], theta, alpha)


class _AskedFromHereOn:
    """The query, asked at this point and after each of the steps that follow: what a multi-step loss asks at θ_i."""

    def __init__(self, loss: Any, query: Any, later: Any, alpha: float) -> None:
        self.loss = loss
        self.query = query
        self.later = later
        self.alpha = alpha

    def gradient(self, theta: Array) -> Array:
        return self.query.gradient(theta) + maml_gradient([self.loss], self.later, theta, self.alpha)


def multi_step(losses: Sequence[Any], query: Any, theta: Array, alpha: float) -> Array:
    r"""The gradient of the mean of :math:`Q(\theta_1), \dots, Q(\theta_K)`: the query is asked after every step.

    Each step is taken and undone by `maml_gradient`; what it brings back is added to the query's gradient there.

    References
    ----------
    Antoniou, Edwards and Storkey, How to train your MAML, 2019 (arXiv 1810.09502), there with weights that change.
    """
    asked = query
    for loss in reversed(losses[1:]):
        asked = _AskedFromHereOn(loss, query, asked, alpha)
    return maml_gradient(losses[:1], asked, theta, alpha) / len(losses)


def joint(losses: Sequence[Any], query: Any, theta: Array, alpha: float) -> Array:
    """No inner loop: the gradient at the start, support and query examples alike."""
    return (losses[0].gradient(theta) + query.gradient(theta)) / 2


class HeadOnly:
    r"""A support loss by which the last layer alone takes inner steps, as in ANIL.

    The step is :math:`\theta - \alpha P\,\nabla L`, with P a projection on the last layer. Its Jacobian is
    :math:`I - \alpha P H`, whose transpose takes the adjoint back: so `linearize` gives :math:`P\,\nabla L` and
    :math:`v \mapsto H P v`, and `maml_gradient` computes

    .. math::
        (I - \alpha H_0 P)(I - \alpha H_1 P)\cdots(I - \alpha H_{K-1} P)\,\nabla Q(\theta_K)

    References
    ----------
    Raghu, Raghu, Bengio and Vinyals, Rapid Learning or Feature Reuse?, 2020 (arXiv 1909.09157).

    Examples
    --------
    >>> network = MLP((1, 1, 1))
    >>> HeadOnly(network.loss(np.ones((1, 1)), np.zeros((1, 1)))).gradient(np.ones(4)).round(2)
    array([0.  , 0.  , 3.79, 3.93])
    """

    def __init__(self, loss: Any) -> None:
        self.loss = loss
        self.head = loss.network.blocks[-1]

    def project(self, v: Array) -> Array:
        """P v: the entries of the last layer, and zeros."""
        projected = np.zeros_like(v)
        projected[..., self.head] = v[..., self.head]
        return projected

    def gradient(self, theta: Array) -> Array:
        return self.project(self.loss.gradient(theta))

    def linearize(self, theta: Array) -> tuple[Array, Callable[[Array], Array]]:
        gradient, hvp = self.loss.linearize(theta)
        return self.project(gradient), lambda v: hvp(self.project(v))


class Method(NamedTuple):
    """A way to meta-train: which gradient a task asks for, and what its inner loop may move."""

    rule: Rule
    support: Callable[[Any], Any] = lambda loss: loss


METHODS = {
    "MAML": Method(maml_gradient),
    "FOMAML": Method(fomaml_gradient),
    "Reptile": Method(reptile),
    "multi-step": Method(multi_step),
    "ANIL": Method(maml_gradient, HeadOnly),
    "joint": Method(joint),
}


def draw_start(network: MLP, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> Array:
    r"""A random start, shape (d,): weights and biases uniform up to :math:`\pm 1/\sqrt m`, m the inputs of their layer.

    Examples
    --------
    >>> draw_start(MLP((4, 1)), np.random.default_rng(0)).round(2)
    array([ 0.14, -0.23, -0.46, -0.48,  0.31])
    """
    require_generator(rng)
    scale = [np.full((m + 1) * k, m**-0.5) for m, k in ((rows - 1, columns) for rows, columns in network.shapes)]
    return (np.concatenate(scale) * rng.uniform(-1, 1, network.d)).astype(dtype)


def task_gradients(
    method: str | Rule, network: MLP, tasks: Tasks, theta: Array, alpha: float, steps: int
) -> tuple[Array, Array]:
    """What each task asks the start to do, and which tasks diverged.

    Parameters
    ----------
    method : str or callable
        A name in `METHODS`, or a function like `maml_gradient`.
    network : MLP
    tasks : Tasks
    theta : numpy.ndarray, shape (d,)
        The start that all tasks share.
    alpha, steps : float, int
        The inner step size, and K.

    Returns
    -------
    gradients : numpy.ndarray, shape (tasks, d)
        With zeros for a task that diverged.
    diverged : numpy.ndarray of bool, shape (tasks,)
        Where a number in the task's inner loop or on the way back, or the square of its gradient, is not finite.

    Examples
    --------
    >>> from mathlib.tasks import sinusoid_tasks
    >>> network = MLP((1, 5, 1), "relu")
    >>> tasks = sinusoid_tasks(np.random.default_rng(0), 3)
    >>> theta = draw_start(network, np.random.default_rng(0))
    >>> gradients, diverged = task_gradients("MAML", network, tasks, theta, alpha=0.01, steps=1)
    >>> gradients.shape, int(diverged.sum())
    ((3, 16), 0)
    """
    case = network, _require_start(theta, network), alpha, steps
    with np.errstate(over="ignore", invalid="ignore"):
        try:
            gradients = _gradients(_method(method), tasks, *case)
        except NotFinite:  # in one of the tasks at least: each by itself, then
            gradients = np.concatenate([_alone(_method(method), tasks[i : i + 1], *case) for i in range(len(tasks))])
        diverged = ~np.isfinite(gradients**2).all(axis=1)
    gradients[diverged] = 0
    return gradients, diverged


def adapt(
    method: str | Rule, network: MLP, tasks: Tasks, theta: Array, alpha: float, steps: int
) -> tuple[list[Array], Array]:
    """Adapt the start to each task, as at test time.

    Parameters as in `task_gradients`.

    Returns
    -------
    points : list of numpy.ndarray, shape (tasks, d)
        After 0 … `steps` steps. A task that diverged stays at its last finite point.
    diverged : numpy.ndarray of bool, shape (steps + 1, tasks)
        From which step on that is so. Whoever averages has to say what such a task counts.

    Examples
    --------
    >>> from mathlib.tasks import sinusoid_tasks
    >>> network = MLP((1, 5, 1), "relu")
    >>> tasks = sinusoid_tasks(np.random.default_rng(0), 3)
    >>> theta = draw_start(network, np.random.default_rng(0))
    >>> points, diverged = adapt("MAML", network, tasks, theta, alpha=0.01, steps=2)
    >>> len(points), points[-1].shape, bool(diverged.any())
    (3, (3, 16), False)
    """
    require_count(steps, "steps", least=0)
    support = _method(method).support(tasks.losses(network)[0])
    points = [np.tile(_require_start(theta, network), (len(tasks), 1))]
    diverged = [np.zeros(len(tasks), dtype=bool)]
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(steps):
            after = inner_loop([support], points[-1], alpha)[-1]
            lost = ~np.all(np.isfinite(after), axis=1)  # and again at every later step, from the same point
            points.append(np.where(lost[:, None], points[-1], after))
            diverged.append(lost)
    return points, np.array(diverged)


@dataclass(frozen=True)
class Training:
    """How far a meta-training has come: all that is needed to go on, and what happened on the way.

    Attributes
    ----------
    settings : dict
        With what it was called.
    theta : numpy.ndarray, shape (d,)
    iteration : int
        How many outer steps are done.
    first, second : numpy.ndarray, shape (d,)
        Adam's two moments.
    path : numpy.ndarray, shape (stored, d)
        The starts after 0, `every`, 2 `every`, … iterations.
    lengths, diverged : numpy.ndarray, shape (iteration,)
        Of each iteration: how long the mean gradient was, and how many tasks diverged.
    """

    settings: dict[str, Any]
    theta: Array
    first: Array
    second: Array
    iteration: int = 0
    _path: list[Array] = field(default_factory=list, repr=False)
    _lengths: list[float] = field(default_factory=list, repr=False)
    _diverged: list[int] = field(default_factory=list, repr=False)

    # What an interrupted iteration appended is not counted: the lists are cut at the iterations that are done.

    @property
    def path(self) -> Array:
        return np.array(self._path[: self.iteration // self.settings["every"] + 1])

    @property
    def lengths(self) -> Array:
        return np.array(self._lengths[: self.iteration])

    @property
    def diverged(self) -> Array:
        return np.array(self._diverged[: self.iteration], dtype=int)


def meta_train(
    method: str | Rule,
    network: MLP,
    draw: Draw,
    start: Array | Training,
    *,
    iterations: int,
    alpha: float,
    steps: int,
    beta: float = 1e-3,
    meta_batch: int = 25,
    seed: int = 0,
    every: int = 500,
    checkpoint: str | Path | None = None,
    save_every: int = 500,
    progress: bool | None = None,
) -> Training:
    r"""Meta-train a start: Adam along the mean of the tasks' gradients.

    Parameters
    ----------
    method : str or callable
        A name in `METHODS`, or a function of (losses, query, theta, alpha) like `maml_gradient`.
    network : MLP
    draw : callable
        ``draw(rng, n)`` returns n `Tasks`: `functools.partial(sinusoid_tasks, shots=10)`, say.
    start : numpy.ndarray, shape (d,), or Training
        The first :math:`\theta`, whose dtype is kept; or a run to go on with.
    iterations : int
        Outer steps in all, those included that were done before.
    alpha, steps : float, int
        The inner step size, and K.
    beta : float
        The outer step size.
    meta_batch : int
        Tasks at each iteration.
    seed : int
        Iteration i draws its tasks from ``default_rng([seed, i])``.
    every : int
        Keep :math:`\theta` after each so many iterations.
    checkpoint : path, optional
        Where the run is saved. If the file is there already, the run goes on from it.
    save_every : int
        Save after each so many iterations, and at the end.
    progress : bool, optional
        Show a bar. Left out, it is shown on a terminal, and neither in a notebook nor where CI is set.

    Returns
    -------
    Training
        Ctrl-C ends the run, too: with a warning, and what was reached.

    Raises
    ------
    TypeError, ValueError
        Whatever is not as above; a checkpoint, or a run, that was begun with other settings.

    Notes
    -----
    A task **diverges** where a number in its inner loop, on the way back, or in the square of its gradient, is not
    finite. It then adds nothing to the mean, whose denominator stays the number of all tasks; it is counted in
    ``Training.diverged``, and a warning at the end names the sum. Nothing is clipped: a gradient that is large and
    finite counts as it is.

    A checkpoint is written beside its place, flushed to the disk and then renamed, so that a kill at any moment leaves
    the last one whole. What is resumed is, bit for bit on one machine, what would have been without the stop: the
    parameters, Adam's moments and the number of the iteration are saved, and the tasks follow from seed and iteration.

    References
    ----------
    Finn, Abbeel and Levine, 2017 (arXiv 1703.03400); Kingma and Ba, Adam, 2015 (arXiv 1412.6980).

    Examples
    --------
    >>> from mathlib.tasks import sinusoid_tasks
    >>> network = MLP((1, 5, 1), "relu")
    >>> theta = draw_start(network, np.random.default_rng(0))
    >>> run = meta_train("MAML", network, sinusoid_tasks, theta, iterations=3, alpha=0.01, steps=1)
    >>> run.iteration, run.diverged
    (3, array([0, 0, 0]))
    """
    _method(method)
    counts = {"meta_batch": meta_batch, "every": every, "save_every": save_every, "steps": steps}
    for name, count in counts.items():
        require_count(count, name)
    require_count(iterations, "iterations", least=0)
    require_count(seed, "seed", least=0)
    theta = start.theta if isinstance(start, Training) else _require_start(start, network)
    settings = {
        "method": method if isinstance(method, str) else getattr(method, "__name__", type(method).__name__),
        "network": [*network.sizes, network.activation],
        "alpha": require_step_size(alpha, theta),
        "steps": steps,
        "beta": require_step_size(beta, theta, "beta"),
        "meta_batch": meta_batch,
        "seed": seed,
        "every": every,
        "dtype": str(theta.dtype),
        "tasks": _fingerprint(draw),
    }
    run = _begin(start, settings, checkpoint)
    if run.iteration > iterations:
        raise WrongValue(f"iterations is {iterations}, and the run has done {run.iteration}; expected as many or more.")
    bar = tqdm(
        total=iterations,
        initial=run.iteration,
        desc=settings["method"],
        disable=not (_on_a_terminal() if progress is None else progress),
    )
    try:
        while run.iteration < iterations:
            tasks = draw(np.random.default_rng([seed, run.iteration]), meta_batch)
            gradients, lost = task_gradients(method, network, tasks, run.theta, alpha, steps)
            run = _advance(run, gradients.mean(axis=0), int(lost.sum()), settings["beta"])
            if checkpoint is not None and run.iteration % save_every == 0:
                _save(Path(checkpoint), run)
            bar.update()
    except KeyboardInterrupt:
        warnings.warn(
            f"stopped after {run.iteration} of {iterations} iterations; to go on, pass what this returns as start, or"
            " call it again with the same checkpoint.",
            stacklevel=2,
        )
    finally:
        bar.close()
    if checkpoint is not None:
        _save(Path(checkpoint), run)
    if run.diverged.any():
        warnings.warn(
            f"{run.diverged.sum()} of {run.iteration * meta_batch} tasks diverged, in"
            f" {np.count_nonzero(run.diverged)} of {run.iteration} iterations; each added nothing to its mean gradient."
            " A smaller alpha has fewer.",
            stacklevel=2,
        )
    return run


def _advance(run: Training, gradient: Array, lost: int, beta: float) -> Training:
    """One step of Adam. The run is replaced as a whole, so that Ctrl-C finds it before the step or after."""
    n = run.iteration + 1
    first = DECAY_FIRST * run.first + (1 - DECAY_FIRST) * gradient
    second = DECAY_SECOND * run.second + (1 - DECAY_SECOND) * gradient**2
    size = np.sqrt(second / (1 - DECAY_SECOND**n)) + EPSILON
    theta = run.theta - beta * (first / (1 - DECAY_FIRST**n)) / size
    run._lengths.append(float(np.linalg.norm(gradient)))
    run._diverged.append(lost)
    if n % run.settings["every"] == 0:
        run._path.append(theta)
    return replace(run, theta=theta, first=first, second=second, iteration=n)


def _gradients(method: Method, tasks: Tasks, network: MLP, theta: Array, alpha: float, steps: int) -> Array:
    support, query = tasks.losses(network)
    shared = np.broadcast_to(theta, (len(tasks), network.d))
    return method.rule([method.support(support)] * steps, query, shared, alpha)


def _alone(method: Method, task: Tasks, network: MLP, theta: Array, alpha: float, steps: int) -> Array:
    """One task's gradient, (1, d), or NaN where it diverged."""
    try:
        return _gradients(method, task, network, theta, alpha, steps)
    except NotFinite:
        return np.full((1, theta.size), np.nan, dtype=theta.dtype)


def _method(method: str | Rule) -> Method:
    if callable(method):
        return Method(method)
    if method not in METHODS:
        raise WrongValue(
            f"method is {method!r}; expected one of {', '.join(METHODS)}, or a function like maml_gradient."
        )
    return METHODS[method]


def _require_start(theta: object, network: MLP) -> Array:
    theta = require_array(theta, symbols=False)
    if theta.shape != (network.d,):
        raise WrongValue(
            f"theta has shape {theta.shape}; expected ({network.d},), the start that all tasks share. Write"
            " draw_start(network, rng)."
        )
    return theta


def _fingerprint(draw: Draw) -> str:
    """What a checkpoint remembers of its tasks: their shapes, their dtype, and the inputs of one.

    Targets may differ in the last bit from machine to machine, and are left out.
    """
    try:
        tasks = draw(np.random.default_rng(0), 1)
    except TypeError as error:
        raise WrongType(f"draw could not be called as draw(rng, n), with a generator and a count: {error}") from error
    if not isinstance(tasks, Tasks):
        raise WrongType(f"draw returned a {type(tasks).__name__}; expected mathlib.tasks.Tasks.")
    shapes = (tasks.support_inputs.shape, tasks.query_inputs.shape, tasks.error, str(tasks.support_inputs.dtype))
    content = repr(shapes).encode() + tasks.support_inputs.tobytes() + tasks.query_inputs.tobytes()
    return hashlib.sha256(content).hexdigest()[:16]


def _begin(start: Array | Training, settings: dict[str, Any], checkpoint: str | Path | None) -> Training:
    """The run to go on with: the checkpoint's, the one handed over, or a new one."""
    if checkpoint is not None and Path(checkpoint).exists():
        saved = _load(Path(checkpoint))
        _require_same(saved.settings, settings, f"the checkpoint {checkpoint}")
        origin = start._path[0] if isinstance(start, Training) else start
        if not np.array_equal(saved._path[0], origin):
            raise WrongValue(f"the checkpoint {checkpoint} began at another start. Name another file, or remove it.")
        return saved
    if isinstance(start, Training):
        _require_same(start.settings, settings, "the run handed over as start")
        # Lists of its own: the run that was handed over stays as it is.
        return replace(
            start, _path=list(start.path), _lengths=start.lengths.tolist(), _diverged=start.diverged.tolist()
        )
    return Training(settings, start, np.zeros_like(start), np.zeros_like(start), _path=[start])


def _require_same(saved: dict[str, Any], settings: dict[str, Any], whose: str) -> None:
    other = [name for name in settings if saved.get(name) != settings[name]]
    if other:
        differences = "; ".join(f"{name} {saved.get(name)!r} there, {settings[name]!r} here" for name in other)
        raise WrongValue(f"{whose} was begun with other settings: {differences}. Begin a new one, or call it alike.")


def _save(path: Path, run: Training) -> None:
    """Write beside the place, flush to the disk, rename: whoever is killed here leaves the last checkpoint whole."""
    beside = path.with_name(path.name + ".part")
    with open(beside, "wb") as file:
        np.savez(
            file,
            settings=json.dumps(run.settings),
            iteration=run.iteration,
            theta=run.theta,
            first=run.first,
            second=run.second,
            path=run.path,
            lengths=run.lengths,
            diverged=run.diverged,
        )
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


def _load(path: Path) -> Training:
    try:
        with np.load(path, allow_pickle=False) as saved:
            return Training(
                settings=json.loads(str(saved["settings"])),
                theta=saved["theta"],
                first=saved["first"],
                second=saved["second"],
                iteration=int(saved["iteration"]),
                _path=list(saved["path"]),
                _lengths=saved["lengths"].tolist(),
                _diverged=saved["diverged"].tolist(),
            )
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise WrongValue(f"{path} is no checkpoint of meta_train: {error}. Remove it, or name another file.") from error


def _on_a_terminal() -> bool:
    return sys.stderr.isatty() and not os.environ.get("CI")
