"""Exercises of notebook 07: where first-order MAML points the wrong way."""

import numpy as np

from mathlib.exercises import Exercise, between, whole


def _lowest_cosine(kappa):
    """2√κ/(1 + κ), with κ from α, the extreme eigenvalues of A, and K."""

    def lowest(alpha, smallest, largest, K):
        k = kappa(alpha, smallest, largest, K)
        return 2 * k**0.5 / (1 + k)

    return lowest


def _rest(power):
    """Where the mean of λ(1 − αλ)^power (θ − c) vanishes."""

    def rest(lam, c, alpha, K):
        return np.average(c, weights=lam * (1 - alpha * lam) ** power(K))

    return rest


def _distance(first_order, full):
    return lambda *case: first_order(*case) - full(*case)


EXERCISES = {
    # the lowest cosine that any query gradient can bring, on a bowl
    "7A": Exercise(
        case={"alpha": 0.1, "smallest": 2.0, "largest": 7.0, "K": 3},
        draw=lambda rng: {
            "alpha": between(rng, 0.05, 0.12),
            "smallest": between(rng, 1.2, 2.5),
            "largest": between(rng, 5, 8),
            "K": whole(rng, 2, 5),
        },
        right=_lowest_cosine(lambda alpha, smallest, largest, K: ((1 - alpha * smallest) / (1 - alpha * largest)) ** K),
        misconceptions={
            "the condition number of A": (
                _lowest_cosine(lambda alpha, smallest, largest, K: largest / smallest),
                "This is the κ of the Hessian. Which matrix stands between v and g?",
            ),
            "one step alone": (
                _lowest_cosine(lambda alpha, smallest, largest, K: (1 - alpha * smallest) / (1 - alpha * largest)),
                "This is the κ of one factor. How many of them has the product?",
            ),
            "a sum instead of a product": (
                _lowest_cosine(lambda alpha, smallest, largest, K: K * (1 - alpha * smallest) / (1 - alpha * largest)),
                "You multiplied κ by K. What happens to an eigenvalue when a matrix is applied K times?",
            ),
            "one over κ": (
                lambda alpha, smallest, largest, K: ((1 - alpha * largest) / (1 - alpha * smallest)) ** K,
                "This is the smallest ratio of lengths in two directions. What is the cosine for the worst v between?",
            ),
            "an eigenvector": (
                lambda alpha, smallest, largest, K: 1.0,
                "Along an eigenvector g is a multiple of v. What happens to a v between two eigenvectors?",
            ),
        },
    ),
    # how long g can be at most, beside v, at an angle of 120°, K = 3 and 0 ⪯ αH ⪯ I
    "7B": Exercise(
        case={"psi": 2 * np.pi / 3, "K": 3},
        draw=lambda rng: {"psi": between(rng, 1.7, 3), "K": whole(rng, 3, 6)},
        right=lambda psi, K: np.cos(psi / K) ** K,
        misconceptions={
            "the bound for 90°": (
                lambda psi, K: np.cos(np.pi / 2 / K) ** K,
                "That is the length a g may have at a right angle. How far has yours turned?",
            ),
            "one turn paid for": (
                lambda psi, K: np.cos(psi / K),
                "Each of the factors turns by 40°. How often is the price paid?",
            ),
            "one factor alone": (
                lambda psi, K: abs(np.cos(psi)),
                "One factor cannot turn a vector by 120°. Into how many turns is the angle divided?",
            ),
            "the bound on the product with v": (
                lambda psi, K: np.cos(np.pi / (K + 1)) ** (K + 1),
                "This bounds −v·g. What was asked about: v·g, or the length of g?",
            ),
            "no shrinking": (
                lambda psi, K: 1.0,
                "A rotation would keep the length. What does a symmetric factor between 0 and I do when it turns?",
            ),
        },
    ),
    # how far FOMAML's resting point lies from MAML's: tasks ½λ(θ − c)², K steps
    "7C": Exercise(
        case={"lam": np.array([1.0, 2.0, 4.0]), "c": np.array([0.0, 3.0, 1.0]), "alpha": 0.2, "K": 2},
        draw=lambda rng: {
            "lam": between(rng, 0.5, 4, 3),
            "c": between(rng, -3, 3, 3),
            "alpha": between(rng, 0.1, 0.2),
            "K": whole(rng, 2, 5),
        },
        right=_distance(_rest(lambda K: K), _rest(lambda K: 2 * K)),
        misconceptions={
            "the difference turned round": (
                _distance(_rest(lambda K: 2 * K), _rest(lambda K: K)),
                "This is MAML's resting point minus FOMAML's. Which of them is subtracted?",
            ),
            "FOMAML against no adaptation": (
                _distance(_rest(lambda K: K), _rest(lambda K: 0)),
                "You compared with the minimum of the mean loss before adapting. What does MAML minimise?",
            ),
            "MAML against no adaptation": (
                _distance(_rest(lambda K: 2 * K), _rest(lambda K: 0)),
                "Neither of these is FOMAML's resting point. Which power of 1 − αλ has its gradient?",
            ),
            "one step": (
                _distance(_rest(lambda K: 1), _rest(lambda K: 2)),
                "These are the weights for K = 1. How many steps does the inner loop take here?",
            ),
            "one factor dropped": (
                _distance(_rest(lambda K: 2 * K - 1), _rest(lambda K: 2 * K)),
                "FOMAML drops the whole way back. How many factors has that?",
            ),
            "the two set equal": (
                lambda lam, c, alpha, K: 0.0,
                "They would be equal if curvature and minimum had nothing to do with each other. Have they here?",
            ),
        },
    ),
}
