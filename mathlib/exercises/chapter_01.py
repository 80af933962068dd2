"""Exercises of notebook 01: one number."""

from mathlib.exercises import Exercise, between


def _meta_derivative(curvature):
    """M'(θ) for L = θ⁴/4 and Q = (θ − 1)²/2, with 1 − α·curvature(θ, θ₁, α) as the factor."""

    def derivative(theta, alpha):
        theta_1 = theta - alpha * theta**3
        return (1 - alpha * curvature(theta, theta_1, alpha)) * (theta_1 - 1)

    return derivative


def _quartic(rng):
    return {"theta": between(rng, -2, 2), "alpha": between(rng, 0.05, 0.3)}


EXERCISES = {
    # M'(θ) for L = θ⁴/4, Q = (θ − 1)²/2
    "1A": Exercise(
        draw=_quartic,
        right=_meta_derivative(lambda theta, theta_1, alpha: 3 * theta**2),
        misconceptions={
            "first order only": (
                _meta_derivative(lambda theta, theta_1, alpha: 0),
                "This is Q′(θ₁), a derivative with respect to θ₁. What happens to θ₁ when θ moves a little?",
            ),
            "the Hessian after the step": (
                _meta_derivative(lambda theta, theta_1, alpha: 3 * theta_1**2),
                "The step computes L′ at one point only. Is that the point before the step, or after it?",
            ),
            "the query's Hessian": (
                _meta_derivative(lambda theta, theta_1, alpha: 1),
                "The curvature comes from differentiating the update. Whose gradient stands in the update?",
            ),
            "a lost α": (
                _meta_derivative(lambda theta, theta_1, alpha: 3 * theta**2 / alpha),
                "Differentiate θ − αL′(θ) term by term: what multiplies L″?",
            ),
            "a gradient in place of the curvature": (
                _meta_derivative(lambda theta, theta_1, alpha: theta**3),
                "The update contains L′ already. What is the derivative of that?",
            ),
        },
    ),
    # the α at which the meta-gradient of the double well vanishes at θ = 1.5
    "1B": Exercise(
        case={"theta": 1.5},
        draw=lambda rng: {"theta": between(rng, 1.2, 2.5)},
        right=lambda theta: 1 / (3 * theta**2 - 1),
        misconceptions={
            "a gradient in place of the curvature": (
                lambda theta: 1 / (theta**3 - theta),
                "Which derivative of L stands in the factor: the first or the second?",
            ),
            "a lost inverse": (
                lambda theta: 3 * theta**2 - 1,
                "Put your α into 1 − αL″(θ). Is it zero?",
            ),
        },
    ),
    # two steps on L = θ²·a/2 with a = 3, as a number: the factor in front of Q′(θ₂)
    "1C": Exercise(
        case={"alpha": 0.1, "a": 3.0},
        draw=lambda rng: {"alpha": between(rng, 0.05, 0.2), "a": between(rng, 1.5, 4)},
        right=lambda alpha, a: (1 - alpha * a) ** 2,
        misconceptions={
            "a lost factor": (
                lambda alpha, a: 1 - alpha * a,
                "θ₂ depends on θ₁, and θ₁ on θ₀. How many links has the chain?",
            ),
            "a sum instead of a product": (
                lambda alpha, a: 1 - 2 * alpha * a,
                "This keeps only what is linear in α. Multiply out the two factors: what is left over?",
            ),
            "a lost α": (
                lambda alpha, a: (1 - a) ** 2,
                "Differentiate θ − α·aθ: what multiplies a?",
            ),
        },
    ),
}
