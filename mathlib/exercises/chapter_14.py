"""Exercises of notebook 14: what a framework returns for a given line of code."""

from mathlib.exercises import Exercise, between, whole


def _draw(rng):
    return {
        "a": between(rng, 2, 5),
        "b": between(rng, -4, 4),
        "theta": between(rng, 1, 4),
        "alpha": between(rng, 0.05, 0.15),
    }


def _slope(a, b, theta, alpha):
    """Q′(θ₁)"""
    return (1 - alpha * a) * theta - b


CASE = {"a": 4.0, "b": 3.0, "theta": 2.0, "alpha": 0.1}

EXERCISES = {
    # `theta.detach() - alpha * g` for L = aθ²/2, Q = (θ − b)²/2, one step
    "14A": Exercise(
        case=CASE,
        draw=_draw,
        right=lambda a, b, theta, alpha: -alpha * a * _slope(a, b, theta, alpha),
        misconceptions={
            "first order": (
                _slope,
                "That is Q′(θ₁), what you get with g.detach(). Here g is differentiated. What is not?",
            ),
            "the whole factor": (
                lambda a, b, theta, alpha: (1 - alpha * a) * _slope(a, b, theta, alpha),
                "That is MAML's. θ stands twice in the step, and one of the two is detached. Which term is lost?",
            ),
            "a lost minus": (
                lambda a, b, theta, alpha: alpha * a * _slope(a, b, theta, alpha),
                "The step subtracts αg. Which sign has its derivative?",
            ),
            "a lost α": (
                lambda a, b, theta, alpha: -a * _slope(a, b, theta, alpha),
                "What multiplies g in the step?",
            ),
        },
    ),
    # loss.backward(create_graph=True) in the loop, nothing zeroed before the query's backward
    "14B": Exercise(
        case=CASE,
        draw=_draw,
        right=lambda a, b, theta, alpha: (1 - alpha * a) * _slope(a, b, theta, alpha) + a * theta,
        misconceptions={
            "nothing left in": (
                lambda a, b, theta, alpha: (1 - alpha * a) * _slope(a, b, theta, alpha),
                "That is MAML's gradient. What was in theta.grad before the query's backward() added to it?",
            ),
            "first order": (
                lambda a, b, theta, alpha: _slope(a, b, theta, alpha) + a * theta,
                "The support gradient is in there. But create_graph=True was given: what does it change?",
            ),
            "the support gradient alone": (
                lambda a, b, theta, alpha: a * theta,
                "That was there before. What does the query's backward() add?",
            ),
            "subtracted": (
                lambda a, b, theta, alpha: (1 - alpha * a) * _slope(a, b, theta, alpha) - a * theta,
                "backward() adds to .grad. Does it subtract?",
            ),
        },
    ),
    # bytes that jax.checkpoint keeps: one theta for each step, float64
    "14C": Exercise(
        case={"K": 100, "d": 1761},
        draw=lambda rng: {"K": whole(rng, 20, 200), "d": whole(rng, 100, 2000)},
        exact=True,
        right=lambda K, d: 8 * K * d,
        misconceptions={
            "numbers, not bytes": (lambda K, d: K * d, "That counts numbers. How many bytes has one in float64?"),
            "single precision": (lambda K, d: 4 * K * d, "Four bytes are a float32. Which precision is asked for?"),
            "a matrix for each step": (
                lambda K, d: 8 * K * d * d,
                "A Hessian has d² entries. Does anybody keep one, where products are enough?",
            ),
            "one point in all": (
                lambda K, d: 8 * d,
                "From the last point alone the others cannot be had. At how many points is a Hessian needed?",
            ),
        },
    ),
}
