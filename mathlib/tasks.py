r"""Tasks to learn to learn: sinusoids, and few examples of classes never seen before.

All tasks of a batch stand in one array, tasks first, as `mathlib.networks.MLP.loss` takes them. What is drawn follows
from the generator that the caller hands over.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from mathlib.contracts import Array
from mathlib.errors import WrongType, WrongValue
from mathlib.inputs import require_array, require_count, require_generator
from mathlib.networks import MLP, NetworkLoss

__all__ = ["Tasks", "few_shot_tasks", "nearest_centroid", "sinusoid_tasks"]

AMPLITUDES = (0.1, 5.0)
PHASES = (0.0, np.pi)
INPUTS = (-5.0, 5.0)


@dataclass(frozen=True)
class Tasks:
    r"""A batch of tasks: the examples that each adapts to, and those that judge it.

    Attributes
    ----------
    support_inputs, query_inputs : numpy.ndarray, shape (tasks, n, inputs)
    support_targets, query_targets : numpy.ndarray
        (tasks, n, outputs) for "squared", whole numbers (tasks, n), the classes, for "cross-entropy".
    error : {"squared", "cross-entropy"}
        By which a network is judged on them.

    Examples
    --------
    >>> tasks = sinusoid_tasks(np.random.default_rng(0), 3, shots=5)
    >>> len(tasks), tasks.support_inputs.shape, len(tasks[:2])
    (3, (3, 5, 1), 2)
    """

    support_inputs: Array
    support_targets: Array
    query_inputs: Array
    query_targets: Array
    error: str

    def __len__(self) -> int:
        return len(self.support_inputs)

    def __getitem__(self, some: slice) -> "Tasks":
        """Some of the tasks, by a slice."""
        if not isinstance(some, slice):
            raise WrongType(f"tasks are taken by slices, and {some!r} is none; for one of them write tasks[i:i + 1].")
        return Tasks(
            self.support_inputs[some],
            self.support_targets[some],
            self.query_inputs[some],
            self.query_targets[some],
            self.error,
        )

    def losses(self, network: MLP) -> tuple[NetworkLoss, NetworkLoss]:
        """The support loss and the query loss of all the tasks at once, functions of parameters (tasks, d)."""
        return (
            network.loss(self.support_inputs, self.support_targets, self.error),
            network.loss(self.query_inputs, self.query_targets, self.error),
        )


def sinusoid_tasks(
    rng: np.random.Generator, n: int, shots: int = 10, query_shots: int = 10, dtype: DTypeLike = np.float64
) -> Tasks:
    r"""Sinusoids :math:`y = A \sin(x - \phi)` to be fitted from a few points.

    :math:`A \sim U[0.1, 5]`, :math:`\phi \sim U[0, \pi]`, :math:`x \sim U[-5, 5]`, no noise.

    Parameters
    ----------
    rng : numpy.random.Generator
    n, shots, query_shots : int
        How many tasks; how many support and query points each has.
    dtype : numpy.dtype
        Numbers are drawn in double precision, then rounded to it.

    Returns
    -------
    Tasks
        Inputs and targets of shape (n, shots, 1), and (n, query_shots, 1).

    Raises
    ------
    TypeError, ValueError
        What is no generator, or a number that is no positive whole one.

    References
    ----------
    Finn, Abbeel and Levine, Model-Agnostic Meta-Learning, 2017 (arXiv 1703.03400), section 5.1.

    Examples
    --------
    >>> tasks = sinusoid_tasks(np.random.default_rng(0), 2, shots=3, query_shots=1)
    >>> tasks.query_targets.shape
    (2, 1, 1)
    """
    require_generator(rng)
    for name, count in (("n", n), ("shots", shots), ("query_shots", query_shots)):
        require_count(count, name)
    amplitude = rng.uniform(*AMPLITUDES, (n, 1, 1))
    phase = rng.uniform(*PHASES, (n, 1, 1))
    x = rng.uniform(*INPUTS, (n, shots + query_shots, 1))
    y = (amplitude * np.sin(x - phase)).astype(dtype)
    x = x.astype(dtype)
    return Tasks(x[:, :shots], y[:, :shots], x[:, shots:], y[:, shots:], "squared")


def few_shot_tasks(
    rng: np.random.Generator,
    n: int,
    images: Array,
    labels: Array,
    ways: int = 2,
    shots: int = 1,
    query_shots: int = 10,
    fixed: bool = False,
) -> Tasks:
    """Few-shot classification: some classes, a few examples of each, and others to be told apart.

    Each task draws `ways` of the classes in `labels` and numbers them anew, in random order: what is to be learned is
    to tell classes apart, not their names. No image stands in a task twice.

    Parameters
    ----------
    rng : numpy.random.Generator
    n : int
        How many tasks.
    images : numpy.ndarray, shape (examples, pixels)
        Floating; the tasks have its dtype.
    labels : numpy.ndarray of int, shape (examples,)
        To keep classes for testing, hand over the examples of the others alone.
    ways, shots, query_shots : int
        How many classes a task has; how many support and query examples of each.
    fixed : bool
        Number the drawn classes in ascending order. With all classes in each task that is plain classification.

    Returns
    -------
    Tasks
        Support inputs (n, ways · shots, pixels), class by class, their targets (n, ways · shots); the query's alike.

    Raises
    ------
    TypeError, ValueError
        Whatever is not as above, and fewer classes, or examples of a class, than a task needs.

    Examples
    --------
    >>> images, labels = np.eye(6), np.array([7, 7, 8, 8, 9, 9])
    >>> tasks = few_shot_tasks(np.random.default_rng(0), 4, images, labels, ways=2, shots=1, query_shots=1)
    >>> tasks.support_inputs.shape, tasks.support_targets[0]
    ((4, 2, 6), array([0, 1]))
    """
    require_generator(rng)
    counts = {"n": n, "ways": ways, "shots": shots, "query_shots": query_shots}
    for name, count in counts.items():
        require_count(count, name)
    members = _members(images, labels, ways, shots + query_shots)
    drawn = np.stack([_draw_classes(rng, members, ways, shots + query_shots, fixed) for _ in range(n)])
    support = drawn[:, :, :shots].reshape(n, -1)
    query = drawn[:, :, shots:].reshape(n, -1)
    classes = np.arange(ways)
    return Tasks(
        images[support],
        np.tile(np.repeat(classes, shots), (n, 1)),
        images[query],
        np.tile(np.repeat(classes, query_shots), (n, 1)),
        "cross-entropy",
    )


def nearest_centroid(tasks: Tasks) -> Array:
    """The share of query examples that the nearest class mean of the support examples tells right, (tasks,).

    Nothing is learned across tasks, and no network is asked: what meta-learning has to beat.

    Examples
    --------
    >>> images, labels = np.repeat(np.eye(2), 3, axis=0), np.array([0, 0, 0, 1, 1, 1])
    >>> nearest_centroid(few_shot_tasks(np.random.default_rng(0), 2, images, labels, query_shots=2))
    array([1., 1.])
    """
    classes = np.arange(tasks.support_targets.max() + 1)
    member = (tasks.support_targets[:, None] == classes[:, None]).astype(tasks.support_inputs.dtype)
    centroids = member @ tasks.support_inputs / member.sum(axis=-1, keepdims=True)
    apart = tasks.query_inputs[:, :, None] - centroids[:, None]
    nearest = (apart**2).sum(axis=-1).argmin(axis=-1)
    return np.mean(nearest == tasks.query_targets, axis=-1)


def _members(images: Any, labels: Any, ways: int, needed: int) -> list[Array]:
    """The examples of each class, by their places in `images`."""
    images = require_array(images, "images", symbols=False, mend="Leave that image out, or fill it in.")
    if images.ndim != 2:
        raise WrongValue(f"images has shape {images.shape}; expected (examples, pixels). Flatten each image first.")
    if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "iu" or labels.shape != images.shape[:1]:
        given = f"{labels.dtype} of shape {labels.shape}" if isinstance(labels, np.ndarray) else type(labels).__name__
        raise WrongType(f"labels is {given}; expected an array of {len(images)} whole numbers, a class for each image.")
    members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    if len(members) < ways:
        raise WrongValue(f"labels holds {len(members)} classes; a task of {ways} ways needs {ways}.")
    fewest = min(map(len, members))
    if fewest < needed:
        raise WrongValue(
            f"a class has {fewest} examples; expected at least shots + query_shots = {needed}, so that no image stands"
            " in a task twice. Ask for fewer, or leave that class out."
        )
    return members


def _draw_classes(rng: np.random.Generator, members: list[Array], ways: int, needed: int, fixed: bool) -> Array:
    """One task's examples, (ways, needed)."""
    classes = rng.permutation(len(members))[:ways]
    if fixed:
        classes.sort()
    return np.stack([rng.choice(members[label], needed, replace=False) for label in classes])
