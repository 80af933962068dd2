"""Programs in another style than mathlib's: dense Jacobians carried forwards, gradient buffers, derivatives by hand."""

from dataclasses import dataclass

import numpy as np

from mathlib import MLP, logistic, quadratic, rosenbrock


@dataclass(frozen=True)
class Problem:
    """A case for mathlib, and the same functions written by hand: a gradient and a Hessian for each inner step."""

    losses: list
    query: object
    theta: np.ndarray
    alpha: float
    by_hand: list  # (gradient, hessian) of each step
    query_by_hand: tuple

    @property
    def case(self):
        return self.losses, self.query, self.theta, self.alpha


def valley():
    """Rosenbrock's valleys, and a bowl that judges."""

    def rosenbrock_by_hand(a, b):
        def gradient(t):
            x, y = t
            return np.array([-2 * (a - x) - 4 * b * x * (y - x * x), 2 * b * (y - x * x)])

        def hessian(t):
            x, y = t
            return np.array([[2 - 4 * b * (y - 3 * x * x), -4 * b * x], [-4 * b * x, 2 * b]])

        return gradient, hessian

    A, c = np.array([[1.0, -0.5], [-0.5, 2.0]]), np.array([-1.0, 0.5])
    pairs = [(1.0, 1.0), (0.5, 3.0), (-1.0, 2.0)]
    return Problem(
        [rosenbrock(a, b) for a, b in pairs],
        quadratic(A, c),
        np.array([0.3, -0.6]),
        0.07,
        [rosenbrock_by_hand(a, b) for a, b in pairs],
        (lambda t: A @ (t - c), lambda t: A),
    )


def network():
    """Three batches of a sine for a network 1-4-1."""
    rng = np.random.default_rng(1)
    batches = [rng.uniform(-2, 2, 6) for _ in range(4)]
    net = MLP((1, 4, 1), "tanh")

    def by_hand(x):
        y = np.sin(x)

        def gradient(t):
            w, b, u, c = t[:4], t[4:8], t[8:12], t[12]
            total = np.zeros(13, dtype=t.dtype)
            for x_i, y_i in zip(x, y, strict=True):
                a = np.tanh(w * x_i + b)
                r = 2 * (a @ u + c - y_i) / len(x)
                back = r * u * (1 - a * a)
                total += np.concatenate([back * x_i, back, r * a, [r]])
            return total

        def hessian(t):
            return np.array([gradient(t + 1e-30j * e).imag / 1e-30 for e in np.eye(13)]).T

        return gradient, hessian

    losses = [net.loss(x[:, None], np.sin(x)[:, None]) for x in batches]
    hands = [by_hand(x) for x in batches]
    return Problem(losses[:3], losses[3], rng.normal(size=13), 0.15, hands[:3], hands[3])


def regression():
    """Logistic regression on three batches of five."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(4, 5, 3)).round(2)
    y = np.where(rng.uniform(size=(4, 5)) < 0.5, -1.0, 1.0)

    def by_hand(X, y):
        def gradient(t):
            return -(y / (1 + np.exp(y * (X @ t)))) @ X / len(y)

        def hessian(t):
            p = 1 / (1 + np.exp(-y * (X @ t)))
            return X.T @ np.diag(p * (1 - p)) @ X / len(y)

        return gradient, hessian

    losses = [logistic(*batch) for batch in zip(X, y, strict=True)]
    hands = [by_hand(*batch) for batch in zip(X, y, strict=True)]
    return Problem(losses[:3], losses[3], np.array([0.8, -1.1, 0.4]), 0.9, hands[:3], hands[3])


def forwards(problem, slip=""):
    """dθ_i/dθ₀ carried along with θ_i, as one does without automatic differentiation; with a slip if one is named."""
    theta = start = problem.theta.copy()
    d, alpha, K = len(theta), problem.alpha, len(problem.by_hand)
    steps = list(problem.by_hand)
    g_q, h_q = problem.query_by_hand
    if slip == "adapt on the query set":
        steps = [problem.query_by_hand] * K
    if slip == "sets exchanged":
        steps, g_q = [problem.query_by_hand] * K, problem.by_hand[-1][0]
    if slip == "judge on the support set":
        g_q = problem.by_hand[-1][0]
    if slip == "range(K - 1)":
        steps = steps[:-1]
    if slip == "range(K + 1)":
        steps = [*steps, steps[-1]]
    J, total, sum_H = np.eye(d), np.zeros(d), np.zeros((d, d))
    extra = np.zeros(d)
    velocity, dv = np.zeros(d), np.zeros((d, d))
    for i, (g, h) in enumerate(steps):
        old = theta
        n = g(start if slip == "model(theta_0) in the loop" else old)
        H = h(start if slip in ("H(theta_0)", "model(theta_0) in the loop") else old)
        if slip == "backward in the loop":
            extra += J.T @ n
        if slip in ("no zero_grad in the loop", "momentum"):
            mu = 1.0 if slip == "no zero_grad in the loop" else 0.9
            velocity, dv = mu * velocity + n, mu * dv + H @ J
            theta, J = old - alpha * velocity, J - alpha * dv
            continue
        theta = old + alpha * n if slip == "theta + alpha * g" else old - alpha * n
        if slip == "H after the update":
            H = h(theta)
        if slip == "H of the query":
            H = h_q(old)
        sum_H += H
        factor = {
            "I - H": np.eye(d) - H,
            "I + alpha * H": np.eye(d) + alpha * H,
            "theta + alpha * g": np.eye(d) + alpha * H,
            "1 - alpha * H": 1 - alpha * H,
            "I - alpha**2 * H": np.eye(d) - alpha**2 * H,
            "theta.detach() - alpha * g": -alpha * H,
            "H.sum(axis=0)": np.diag(1 - alpha * H.sum(axis=0)),
        }.get(slip, np.eye(d) - alpha * H)
        if slip == "create_graph=(i > 0)" and i == 0:
            factor = np.eye(d)
        if slip == "create_graph=(i < K - 1)" and i == K - 1:
            factor = np.eye(d)
        if slip == "detach before the last step" and i == K - 1:
            J = np.eye(d)
        if slip == "model(theta_0) in the loop":
            J = J - alpha * H
            continue
        J = J @ factor if slip == "J @ factor" else factor @ J
        if slip == "query in the loop":
            total += J.T @ g_q(theta)
    v = g_q(start if slip == "query before adapting" else theta)
    if slip == "query in the loop":
        return total
    if slip == "sum of Hessians":
        return v - alpha * sum_H @ v
    return (J @ v if slip == "J @ v" else J.T @ v) + extra


def in_place(problem, zero_before_step=True, zero_before_query=True, slip=""):
    """SGD that writes into its parameters, with a buffer for gradients, as one writes a first-order loop."""
    weights = problem.theta.copy()
    buffer = np.zeros_like(weights)
    steps = list(problem.by_hand)
    query = problem.query_by_hand[0]
    momentum = np.zeros_like(weights)
    if slip == "range(K - 1)":
        steps.pop()
    if slip == "range(K + 1)":
        steps.append(steps[-1])
    if slip == "adapt on the query set":
        steps = [problem.query_by_hand] * len(steps)
    if slip == "sets exchanged":
        steps, query = [problem.query_by_hand] * len(steps), problem.by_hand[-1][0]
    if slip == "judge on the support set":
        query = problem.by_hand[-1][0]
    total = np.zeros_like(weights)
    for g, _ in steps:
        if zero_before_step:
            buffer[:] = 0
        buffer += g(problem.theta if slip == "model(theta_0) in the loop" else weights)
        momentum = 0.9 * momentum + buffer if slip == "momentum" else buffer
        weights -= (-1 if slip == "weights += alpha * g" else 1) * problem.alpha * momentum
        total += query(weights)
    if zero_before_query:
        buffer[:] = 0
    buffer += query(weights)
    if slip == "query in the loop":
        return total
    if slip == "displacement":
        return problem.theta - weights
    return buffer


PLANTED = {
    # what a program does → what diagnose has to call it
    "": "MAML",
    "J @ factor": "reversed order",
    "J @ v": "reversed order",
    "H after the update": "the Hessian after the step",
    "H(theta_0)": "every Hessian at the start",
    "H of the query": "the query's Hessian",
    "query before adapting": "the query's gradient at the start",
    "I - H": "a lost α",
    "I + alpha * H": "plus for minus",
    "1 - alpha * H": "a vector of ones",
    "I - alpha**2 * H": "α twice",
    "theta.detach() - alpha * g": "a lost identity",
    "H.sum(axis=0)": "row sums of the Hessian",
    "create_graph=(i > 0)": "a lost factor",
    "create_graph=(i < K - 1)": "the last factor lost",
    "detach before the last step": "the last factor alone",
    "sum of Hessians": "a sum instead of a product",
    "adapt on the query set": "adapted to the query",
    "sets exchanged": "support and query exchanged",
    "judge on the support set": "the support loss in place of the query's",
    "range(K - 1)": "one inner step too few",
    "range(K + 1)": "one inner step too many",
    "theta + alpha * g": "an inner loop that goes uphill",
    "model(theta_0) in the loop": "every inner gradient at the start",
    "no zero_grad in the loop": "inner gradients that add up",
    "momentum": "momentum in the inner loop",
    "backward in the loop": "support gradients left in",
    "query in the loop": "the query after every step",
}
IN_PLACE = {
    (True, True, ""): "FOMAML",
    (False, True, ""): "inner gradients that add up, first order",
    (False, False, ""): "gradients never zeroed",
    (True, False, ""): "the last support gradient left in",
    (True, True, "range(K - 1)"): "one inner step too few, first order",
    (True, True, "range(K + 1)"): "one inner step too many, first order",
    (True, True, "adapt on the query set"): "adapted to the query, first order",
    (True, True, "sets exchanged"): "support and query exchanged, first order",
    (True, True, "judge on the support set"): "the support loss in place of the query's, first order",
    (True, True, "weights += alpha * g"): "an inner loop that goes uphill, first order",
    (True, True, "model(theta_0) in the loop"): "every inner gradient at the start, first order",
    (True, True, "momentum"): "momentum in the inner loop, first order",
    (True, True, "query in the loop"): "the query after every step, first order",
}
