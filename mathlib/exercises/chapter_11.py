"""Exercises of notebook 11: what no single function can do for many sinusoids."""

import numpy as np

from mathlib.exercises import Exercise, between


def _left(a, b, x, square=lambda a, b: (a * a + a * b + b * b) / 3, half=0.5, mean=lambda a, b: (a + b) / 2):
    """E A²·E sin² less the square of the mean, at x."""
    return square(a, b) * half - (2 / np.pi * mean(a, b) * np.cos(x)) ** 2


EXERCISES = {
    # the best single function where phases run from 0 to w
    "11A": Exercise(
        draw=lambda rng: {"x": between(rng, -3, 0.5), "m": between(rng, 2, 4), "w": between(rng, 1, 5)},
        right=lambda x, m, w: m * (np.cos(x - w) - np.cos(x)) / w,
        misconceptions={
            "the sinusoid of mean amplitude and mean phase": (
                lambda x, m, w: m * np.sin(x - w / 2),
                "That is one of the tasks. Is the mean of sin(x − φ) over φ the sine of the mean?",
            ),
            "nothing is best": (
                lambda x, m, w: 0.0,
                "The phases from 0 to 2π cancel to 0. Do those from 0 to w?",
            ),
            "an integral, not a mean": (
                lambda x, m, w: m * (np.cos(x - w) - np.cos(x)),
                "This is the integral over φ. How long is the interval it was taken over?",
            ),
            "a lost sign": (
                lambda x, m, w: m * (np.cos(x) - np.cos(x - w)) / w,
                "Differentiate cos(x − φ) with respect to φ. Which sign does the inner derivative bring?",
            ),
            "a width of π": (
                lambda x, m, w: -2 * m / np.pi * np.cos(x),
                "This is (11.1), where the phase ran to π. How far does it run here?",
            ),
        },
    ),
    # the least error of a single function at a point
    "11B": Exercise(
        case={"a": 2.0, "b": 4.0, "x": 0.6},
        draw=lambda rng: {"a": between(rng, 0.5, 1.5), "b": between(rng, 3, 5), "x": between(rng, -1, 1)},
        right=_left,
        misconceptions={
            "the square of the mean amplitude": (
                lambda a, b, x: _left(a, b, x, square=lambda a, b: ((a + b) / 2) ** 2),
                "E A² is larger than (E A)². By how much, for a uniform amplitude?",
            ),
            "the mean of y², not its variance": (
                lambda a, b, x: (a * a + a * b + b * b) / 6,
                "This is the error of the function 0. What does the best one take off?",
            ),
            "a lost half": (
                lambda a, b, x: _left(a, b, x, half=1.0),
                "What is the mean of sin² over half a period?",
            ),
            "cos x not squared": (
                lambda a, b, x: (a * a + a * b + b * b) / 6 - ((a + b) / np.pi) ** 2 * np.cos(x),
                "Which power of f*(x) stands in a variance?",
            ),
            "the variance of the amplitude": (
                lambda a, b, x: (b - a) ** 2 / 12,
                "Amplitudes vary, and so do phases. What is E y² at x?",
            ),
        },
    ),
}
