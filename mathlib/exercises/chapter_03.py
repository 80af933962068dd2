"""Exercises of notebook 03: the error of a quotient, and which mistakes a check can see."""

import numpy as np

from mathlib.exercises import Exercise, between, whole

EXERCISES = {
    # the step h that makes the forward difference of a float32 loss best
    "3A": Exercise(
        case={"epsilon": 2.0**-23, "size": 6.0, "curvature": 0.24},
        draw=lambda rng: {
            "epsilon": 2.0 ** -whole(rng, 20, 40),
            "size": between(rng, 2, 9),
            "curvature": between(rng, 0.1, 0.9),
        },
        right=lambda epsilon, size, curvature: 2 * np.sqrt(epsilon * size / curvature),
        misconceptions={
            "the smallest step is the best": (
                lambda epsilon, size, curvature: epsilon,
                "Truncation is tiny there. But each of the two values is rounded: by what is that divided?",
            ),
            "the rule of thumb": (
                lambda epsilon, size, curvature: np.sqrt(epsilon),
                "√ε forgets the function. This one is large and nearly straight: which of the two errors is the worse?",
            ),
            "a lost factor": (
                lambda epsilon, size, curvature: np.sqrt(epsilon * size / curvature),
                "Write down both terms of the bound again. How many values are rounded, and where is the ½?",
            ),
            "one rounded value": (
                lambda epsilon, size, curvature: np.sqrt(2 * epsilon * size / curvature),
                "The quotient subtracts two values. How many of them carry an error?",
            ),
            "size and curvature exchanged": (
                lambda epsilon, size, curvature: 2 * np.sqrt(epsilon * curvature / size),
                "Which of the two makes the truncation worse, and does that ask for a smaller step or a larger one?",
            ),
            "double precision": (
                lambda epsilon, size, curvature: 2 * np.sqrt(2.0**-52 * size / curvature),
                "In which precision is the loss computed, and what is ε there?",
            ),
            "the rule of the central difference": (
                lambda epsilon, size, curvature: np.cbrt(3 * epsilon * size / curvature),
                "The cube root comes from a truncation error in h². Which power of h does the forward difference have?",
            ),
        },
    ),
    # the weight w in w D(h/2) + (1 − w) D(h) that removes an error C h^p
    "3B": Exercise(
        draw=lambda rng: {"p": between(rng, 0.5, 3.5)},
        right=lambda p: 2**p / (2**p - 1),
        misconceptions={
            "the weight for an error in h²": (
                lambda p: 4 / 3,
                "This is the central difference's weight. By which factor does an error C·hᵖ shrink when h is halved?",
            ),
            "weights that do not sum to one": (
                lambda p: 2**p,
                "If both quotients were exact, what would your combination give?",
            ),
            "the weight of the coarser one": (
                lambda p: -1 / (2**p - 1),
                "This weight belongs to D(h). Which of the two quotients is the better one?",
            ),
            "a mean": (
                lambda p: 2**p / (2**p + 1),
                "Both errors have the same sign, so no mean of the two can cancel them. Must a weight be positive?",
            ),
            "halving h halves the error": (
                lambda p: p / (p - 1),
                "Put h/2 in place of h in C·hᵖ. Is the factor 1/p?",
            ),
        },
    ),
    # the unit vector v for which v·(wrong − right) is largest
    "3C": Exercise(
        draw=lambda rng: {"right": between(rng, -3, 3, 3), "wrong": between(rng, -3, 3, 3)},
        right=lambda right, wrong: (wrong - right) / np.linalg.norm(wrong - right),
        misconceptions={
            "the direction of the gradient": (
                lambda right, wrong: right / np.linalg.norm(right),
                "Along it the function changes most. Is that where the mistake is?",
            ),
            "the direction of the wrong gradient": (
                lambda right, wrong: wrong / np.linalg.norm(wrong),
                "Along it the wrong formula predicts most. Does it differ most from the right one there?",
            ),
            "the mistake, not of length one": (
                lambda right, wrong: wrong - right,
                "The direction is right. What is its length?",
            ),
            "the other sign": (
                lambda right, wrong: (right - wrong) / np.linalg.norm(wrong - right),
                "Compute v·(wrong − right) with your v. Is it the largest, or the smallest?",
            ),
            "the worst component alone": (
                lambda right, wrong: np.sign(wrong - right) * (np.abs(wrong - right) == np.abs(wrong - right).max()),
                "One axis sees one component of the mistake. Can a slanted direction collect the others too?",
            ),
        },
    ),
}
