"""Is this expression zero? Refuted at random exact points, or proved by expansion, or undecided.

Refuting is sound for unknown functions too: a finite set of partial derivatives at finitely many points
may have any values at all, and some smooth function has them. So each unknown, at each point where it is
met, is played by an independent random number, and noncommuting symbols by random matrices.
"""

import math
import random
from collections.abc import Iterable
from functools import cache
from typing import Any

import sympy

from mathlib.unknown import UnknownFunction

MOST_TERMS = 20_000  # what `expand` still does in about a second
SEEDS = (1, 2, 3)  # of the random points
DIGITS = 40  # to which functions such as exp are evaluated at the random points


def random_values(*expressions: sympy.Expr, seed: int) -> list[Any]:
    """Evaluate expressions at one random point: a list of numbers, or of 3 × 3 matrices if some do not commute."""

    def number(*what: Any) -> sympy.Rational:
        """A random number that depends on what it stands for, and not on the order in which it is met."""
        draw = random.Random(f"{seed} {what}")
        return sympy.Rational(draw.choice([n for n in range(-30, 31) if n]), draw.randint(7, 13))

    def leaf(symbol: sympy.Symbol) -> Any:
        if not symbol.is_commutative:
            return sympy.ImmutableMatrix(3, 3, lambda j, k: number(symbol.name, j, k))
        return abs(number(symbol.name)) if symbol.is_nonnegative else number(symbol.name)

    @cache
    def value(node: sympy.Basic) -> Any:
        if node.is_Symbol:
            return leaf(node)
        if not node.args:
            return node
        arguments = [value(argument) for argument in node.args]
        if isinstance(node, UnknownFunction):
            return number(node.func.__name__, *map(_decimal, arguments))
        if node.is_commutative:
            return node.func(*arguments)
        if node.is_Add:
            return sum((_as_matrix(a) for a in arguments), start=sympy.zeros(3)).as_immutable()
        return math.prod(arguments) if node.is_Mul else arguments[0] ** arguments[1]

    results = [value(sympy.sympify(e)) for e in expressions]
    if all(e.is_commutative for e in map(sympy.sympify, expressions)):
        return [sympy.N(r, DIGITS) if not r.is_Rational else r for r in results]
    return [_as_matrix(r) for r in results]


def differ(a: Any, b: Any) -> bool:
    """Whether two evaluated sides differ by more than evaluation to 40 digits explains."""
    gap, size = (x.norm() if x.is_Matrix else abs(x) for x in (a - b, a))
    return bool(gap.is_finite and gap > sympy.Float(10) ** (10 - DIGITS) * (1 + size))


def differ_at(left: sympy.Expr, right: sympy.Expr, seeds: Iterable[int] = SEEDS) -> tuple[Any, Any] | None:
    """The values of both sides at a random point where they differ, or None where none of the points shows it."""
    for seed in seeds:
        a, b = random_values(left, right, seed=seed)
        if differ(a, b):
            return a, b
    return None


def is_proved_zero(expression: sympy.Expr) -> bool:
    """True if `expand` turns it into 0; False if it would grow too large, or leaves something: undecided then."""
    return predicted_terms(expression) <= MOST_TERMS and sympy.expand(_with_unknowns_named(expression)) == 0


def _with_unknowns_named(expression: sympy.Expr) -> sympy.Expr:
    """The expression with a letter for each unknown function at each argument, where arguments are expanded.

    So each argument is expanded once, and not wherever it stands. Two that are equal without looking so get two
    letters; that can leave a difference undecided, but proves nothing false.
    """
    letters: dict[tuple[Any, ...], sympy.Symbol] = {}

    @cache
    def named(node: sympy.Basic) -> sympy.Basic:
        if not node.args:
            return node
        arguments = [named(argument) for argument in node.args]
        if not isinstance(node, UnknownFunction):
            return node.func(*arguments)
        return letters.setdefault((node.func, *map(sympy.expand, arguments)), sympy.Dummy())

    return named(sympy.sympify(expression))


def predicted_terms(expression: sympy.Expr) -> int:
    """A bound on the number of terms that `expand` will produce, without expanding.

    It tells apart what the number of operations does not: 16,000 operations on unknown functions that
    expand in a second, and 1,800 on Rosenbrock's loss after two steps, which would become 10⁸ terms.
    """
    memory: dict[sympy.Basic, int] = {}

    def terms(node: sympy.Basic) -> int:
        if node not in memory:
            below = [terms(argument) for argument in node.args]
            if node.is_Add:
                memory[node] = sum(below)
            elif node.is_Mul:
                memory[node] = math.prod(below)
            elif node.is_Pow and node.exp.is_Rational:
                n = math.ceil(abs(node.exp))
                memory[node] = math.comb(below[0] + n - 1, n) if node.is_commutative else below[0] ** n
            elif isinstance(node, sympy.log):  # the logarithm of a product becomes a sum
                memory[node] = len(sympy.Mul.make_args(node.args[0]))
            else:
                memory[node] = 1
        return memory[node]

    terms(sympy.sympify(expression))
    return max(memory.values())


def _decimal(value: Any) -> tuple[str, ...]:
    """A number's first 25 decimals, the same for sin² + cos² as for 1: equal arguments, however they are written."""
    return tuple(
        str(sympy.Integer(sympy.floor(part * 10**25 + sympy.Rational(1, 3))))
        for part in sympy.N(value, DIGITS).as_real_imag()
    )


def _as_matrix(value: Any) -> sympy.MatrixBase:
    return value if value.is_Matrix else value * sympy.eye(3)
