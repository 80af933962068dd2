"""Exercises of notebook 06: what first-order MAML leaves out."""

from mathlib.exercises import Exercise, between, symmetric, whole


def _bias(matrix):
    """The bias of two inner steps, α·matrix(α, H₀, H₁)·v."""

    def bias(alpha, H0, H1, v):
        return alpha * matrix(alpha, H0, H1) @ v

    return bias


EXERCISES = {
    # g_FO − g after two inner steps, from α, H₀, H₁ and v = ∇Q(θ₂)
    "6A": Exercise(
        draw=lambda rng: {
            "alpha": between(rng, 0.2, 0.6),
            "H0": symmetric(rng, 2),
            "H1": symmetric(rng, 2),
            "v": between(rng, -3, 3, 2),
        },
        right=_bias(lambda alpha, H0, H1: H0 + H1 - alpha * H0 @ H1),
        misconceptions={
            "the leading term only": (
                _bias(lambda alpha, H0, H1: H0 + H1),
                "This is right to first order in α. Multiply out (I − αH₀)(I − αH₁): which term has α² in it?",
            ),
            "reversed order": (
                _bias(lambda alpha, H0, H1: H0 + H1 - alpha * H1 @ H0),
                "Which factor stands next to ∇Q(θ₂) in the meta-gradient: that of the first step, or of the last?",
            ),
            "a lost sign": (
                _bias(lambda alpha, H0, H1: H0 + H1 + alpha * H0 @ H1),
                "Set α = 1 and H₀ = H₁ = I. Then g = 0: is your bias all of g_FO?",
            ),
            "the bias turned round": (
                _bias(lambda alpha, H0, H1: alpha * H0 @ H1 - H0 - H1),
                "This is g − g_FO. Which of the two is subtracted from which?",
            ),
            "a lost factor": (
                _bias(lambda alpha, H0, H1: H1),
                "One Hessian has gone. How many steps lie between θ₀ and θ₂, and what does each subtract?",
            ),
            "the meta-gradient": (
                lambda alpha, H0, H1, v: v - alpha * (H0 + H1 - alpha * H0 @ H1) @ v,
                "This is g itself. How far is it from ∇Q(θ₂)?",
            ),
        },
    ),
    # g_FO/g on a parabola, support and query the same
    "6B": Exercise(
        case={"alpha": 0.1, "lam": 6.0, "K": 3},
        draw=lambda rng: {
            "alpha": between(rng, 0.05, 0.15),
            "lam": between(rng, 3, 6),
            "K": whole(rng, 2, 5),
        },
        right=lambda alpha, lam, K: (1 - alpha * lam) ** -K,
        misconceptions={
            "the ratio upside down": (
                lambda alpha, lam, K: (1 - alpha * lam) ** K,
                "This is g/g_FO. Which of the two is longer here?",
            ),
            "the gradient without adaptation": (
                lambda alpha, lam, K: (1 - alpha * lam) ** (-2 * K),
                "This is L′(θ₀)/g: α set to zero everywhere. At which point does FOMAML take the query's gradient?",
            ),
            "the Hessian set to 1": (
                lambda alpha, lam, K: ((1 - alpha) / (1 - alpha * lam)) ** K,
                "You put 1 for the second derivative. Which is it that becomes 1 in FOMAML: L″, or 1 − αL″?",
            ),
            "the factor set to 0": (
                lambda alpha, lam, K: 0.0,
                "If 1 − αL″ were 0, nothing would travel back. Which of L″ and 1 − αL″ does FOMAML put to zero?",
            ),
            "a lost factor": (
                lambda alpha, lam, K: 1 / (1 - alpha * lam),
                "That is the ratio after one step. How many factors has the product?",
            ),
            "a sum instead of a product": (
                lambda alpha, lam, K: 1 / (1 - K * alpha * lam),
                "This keeps what is linear in α. Is αλ small here?",
            ),
            "second order set equal": (
                lambda alpha, lam, K: 1.0,
                "A ratio of 1 would mean that nothing was dropped. Which factor has g and g_FO has not?",
            ),
        },
    ),
    # the α at which g and g_FO are orthogonal: L = (5x² + 2y²)/2, Q = 3x + 4y, K = 1
    "6C": Exercise(
        case={"a": 5.0, "b": 2.0, "p": 3.0, "q": 4.0},
        draw=lambda rng: {
            "a": between(rng, 3, 6),
            "b": between(rng, 1.2, 2.5),
            "p": between(rng, 1, 3),
            "q": between(rng, 1, 3),
        },
        right=lambda a, b, p, q: (p**2 + q**2) / (a * p**2 + b * q**2),
        misconceptions={
            "the factor set to 0": (
                lambda a, b, p, q: 1 / a,
                "There one entry of g vanishes. Is the scalar product with (3, 4) zero then?",
            ),
            "the factor of the other direction set to 0": (
                lambda a, b, p, q: 1 / b,
                "There one entry of g vanishes. Is the scalar product with (3, 4) zero then?",
            ),
            "a lost inverse": (
                lambda a, b, p, q: (a * p**2 + b * q**2) / (p**2 + q**2),
                "You found the curvature along ∇Q. At which α is 1 − α times that curvature zero?",
            ),
            "the sum of the entries": (
                lambda a, b, p, q: (p + q) / (a * p + b * q),
                "At your α the entries of g add up to zero. Which vector does g have to be orthogonal to?",
            ),
            "the mean curvature": (
                lambda a, b, p, q: 2 / (a + b),
                "You weighed both directions alike. How much of ∇Q = (3, 4) lies along each?",
            ),
        },
    ),
}
