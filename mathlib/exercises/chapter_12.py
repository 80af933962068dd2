"""Exercises of notebook 12: what a start can know, and what one step does."""

import numpy as np

from mathlib.exercises import Exercise, between


def _renumbered(mean=np.mean, of=lambda p: -np.log(p)):
    """The mean loss over all numberings of the classes, from the probabilities that a start gives them."""

    def loss(p1, p2, p3):
        return mean(of(np.array([p1, p2, p3])))

    return loss


def _draw_probabilities(rng):
    p1 = between(rng, 0.005, 0.15)
    p2 = between(rng, 0.2, 0.6)
    return {"p1": p1, "p2": p2, "p3": round(1 - p1 - p2, 3)}


def _odds(difference, factor=0.5):
    """How far apart the two logits are after one step from zero weights, one example of each class."""
    return lambda alpha, a, b, x: factor * alpha * difference(a, b) * x


EXERCISES = {
    # the loss of a start that knows nothing of the numbering
    "12A": Exercise(
        case={"p1": 0.5, "p2": 0.3, "p3": 0.2},
        draw=_draw_probabilities,
        right=_renumbered(),
        misconceptions={
            "the loss at even odds": (
                lambda p1, p2, p3: np.log(3),
                "This is the least that is possible. Are these three probabilities even?",
            ),
            "the entropy": (
                _renumbered(mean=np.sum, of=lambda p: -p * np.log(p)),
                "The entropy weighs each class by its probability. How often does each numbering occur?",
            ),
            "the loss of the likeliest class": (
                _renumbered(mean=np.min),
                "That is one numbering, the luckiest. What do the others give?",
            ),
            "a sum, not a mean": (
                _renumbered(mean=np.sum),
                "The image has one class. How many numberings are there for its place, each equally likely?",
            ),
        },
    ),
    # one step of softmax regression from zero
    "12B": Exercise(
        case={"alpha": 0.6, "a": 3.0, "b": 0.5, "x": 2.0},
        draw=lambda rng: {
            "alpha": between(rng, 0.1, 0.9),
            "a": between(rng, 2, 4),
            "b": between(rng, 0.3, 0.8),
            "x": between(rng, 1.5, 3),
        },
        right=_odds(lambda a, b: a - b),
        misconceptions={
            "a step of twice the length": (
                _odds(lambda a, b: a - b, factor=1.0),
                "The loss is a mean over the two examples. What does each of them count?",
            ),
            "one class alone": (
                _odds(lambda a, b: a - b, factor=0.25),
                "This is the logit of the first class. Where does the second one's go?",
            ),
            "the probability of the other class left out": (
                _odds(lambda a, b: a - b, factor=2.0),
                "With zero weights both classes have probability 1/2. What is p − 1 then?",
            ),
            "uphill": (
                _odds(lambda a, b: b - a),
                "Which way does gradient descent move the weights of the right class?",
            ),
            "the sum of the examples": (
                _odds(lambda a, b: a + b),
                "An example raises its own class and lowers the other. What is the difference of the two rows?",
            ),
        },
    ),
}
