"""Exercises of notebook 08: counting what a meta-gradient costs."""

from mathlib.exercises import Exercise, between, whole

EXERCISES = {
    # multiply-adds of one gradient of a network 2-5-3 on n examples
    "8A": Exercise(
        case={"inputs": 2, "hidden": 5, "outputs": 3, "n": 4},
        draw=lambda rng: {
            "inputs": whole(rng, 2, 9),
            "hidden": whole(rng, 2, 9),
            "outputs": whole(rng, 2, 9),
            "n": whole(rng, 2, 9),
        },
        exact=True,
        right=lambda i, h, o, n: n * (2 * ((i + 1) * h + (h + 1) * o) + h * o),
        misconceptions={
            "three forward passes": (
                lambda i, h, o, n: n * 3 * ((i + 1) * h + (h + 1) * o),
                "Close: this is 3F. Which weights need no product for δ on the way back?",
            ),
            "the forward pass": (
                lambda i, h, o, n: n * ((i + 1) * h + (h + 1) * o),
                "That is F, the way forward. How many products does each layer add on the way back?",
            ),
            "two forward passes": (
                lambda i, h, o, n: n * 2 * ((i + 1) * h + (h + 1) * o),
                "Forward, and one product for ∂L/∂W in each layer. How does δ come from the upper layer to the lower?",
            ),
            "no biases": (
                lambda i, h, o, n: n * (2 * (i * h + h * o) + h * o),
                "The column of ones is a column like any other: how many rows has each W?",
            ),
            "one example": (
                lambda i, h, o, n: 2 * ((i + 1) * h + (h + 1) * o) + h * o,
                "That is the work for one example. How many are there?",
            ),
            "δ down to the inputs": (
                lambda i, h, o, n: n * (2 * ((i + 1) * h + (h + 1) * o) + h * o + i * h),
                "Who needs to know how the loss moves with the inputs?",
            ),
        },
    ),
    # the query batch, in multiples of the support batch, at which MAML costs 5/4 of FOMAML
    "8B": Exercise(
        case={"K": 4, "ratio": 1.25},
        draw=lambda rng: {"K": whole(rng, 2, 9), "ratio": between(rng, 1.1, 1.9)},
        right=lambda K, ratio: K * (3 - ratio) / (ratio - 1),
        misconceptions={
            "m for one step": (
                lambda K, ratio: (3 - ratio) / (ratio - 1),
                "This is m/K. How many steps are there?",
            ),
            "the query left out of the denominator": (
                lambda K, ratio: K * (3 * ratio - 3),
                "You solved (3K + m)/3K = 5/4. Does FOMAML not ask the query?",
            ),
            "no cache": (
                lambda K, ratio: K * (4 - ratio) / (ratio - 1),
                "You paid 9F for a Hessian-vector product, gradient included. What does linearize keep?",
            ),
            "a Hessian-vector product like a gradient": (
                lambda K, ratio: K * (2 - ratio) / (ratio - 1),
                "You paid 3F for a Hessian-vector product. How many products does the derivative of one product take?",
            ),
            "the ratio upside down": (
                lambda K, ratio: K * (ratio - 1) / (3 - ratio),
                "With so small a query batch MAML costs nearly three times as much. And as m grows?",
            ),
        },
    ),
    # the segment length r that minimises (K/r)·d + r·c
    "8C": Exercise(
        case={"K": 100, "d": 1000, "c": 4000},
        draw=lambda rng: {
            "K": whole(rng, 10, 40),
            "d": whole(rng, 500, 900),
            "c": whole(rng, 2000, 9000),
        },
        right=lambda K, d, c: (K * d / c) ** 0.5,
        misconceptions={
            "the square root of K": (
                lambda K, d, c: K**0.5,
                "Best if a point took as much memory as a step's record. Which of the two is smaller here?",
            ),
            "a lost root": (
                lambda K, d, c: K * d / c,
                "Set the derivative to zero: −Kd/r² + c. Which power of r is it?",
            ),
            "the number of segments": (
                lambda K, d, c: K / (K * d / c) ** 0.5,
                "That is how many segments there are, √(Kc/d). How long is each?",
            ),
            "everything kept": (
                lambda K, d, c: K,
                "One segment of K steps is MAML without checkpoints. What does it keep?",
            ),
            "a point for every step": (
                lambda K, d, c: 1,
                "Then K points are kept, and one record. Can fewer points be had for a few records more?",
            ),
        },
    ),
}
