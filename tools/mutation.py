"""Change the code in one place at a time, and see whether the tests notice.

    python3 lab.py run tools/mutation.py [module …] [--only FUNCTION] [--list | --stale]

Each module's mutants run against its own unit tests and doctests until the first test fails. The table says how many
were killed, how many survivors mutation_survivors.toml judges harmless, and how many are open; these are printed as
entries for that file. With --list nothing is run, nor with --stale, which lists the entries whose mutant is gone.

The changes are those of mutmut (operators, numbers, strings, arguments, assignments) and a few more: either operand
of `and` and `or`, negated conditions, any for all, the smallest for the largest. They are applied here and not by
mutmut's own runner because that mutates undecorated functions only: no constant, no table such as ACTIVATIONS, no
property. And a process is forked for each mutant from one that has imported the libraries, because importing them
anew, as cosmic-ray does, takes longer than the tests that kill most mutants.
"""

import argparse
import contextlib
import difflib
import importlib.abc
import importlib.util
import multiprocessing
import os
import resource
import sys
import tomllib
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

TOOLS = Path(__file__).resolve().parent
ROOT = TOOLS.parent
SURVIVORS = TOOLS / "mutation_survivors.toml"
FIELDS = ("module", "function", "old", "new")
PROCESSES = 2
NOT_MUTATED = 99  # the exit code where the tests have passed without the mutant
TESTS = {
    "finite_differences": ["test_finite_differences", "test_inputs"],
    "checks": ["test_checks", "test_errors"],
    "networks": ["test_networks", "test_network_batches", "test_network_inputs"],
    "network_inputs": ["test_network_inputs", "test_networks"],
    "network_parts": ["test_networks", "test_network_batches"],
    "proofs": ["test_proofs", "test_checks"],
    "meta_gradients": ["test_meta_gradients", "test_inputs"],
    "mistakes": ["test_mistakes"],
    "steps": ["test_steps"],
    "losses": ["test_losses", "test_inputs", "test_meta_gradients"],
    "inputs": ["test_inputs"],
    "logcosh": ["test_losses"],
    "rounding": ["test_checks", "test_diagnose", "test_function_check"],
    "unknown": ["test_losses", "test_proofs", "test_meta_gradients"],
    "exercises": ["test_exercises"],
    "diagnosis": ["test_diagnose"],
    "diagnose": ["test_diagnose"],
    "foreign": ["test_foreign"],
    "function_check": ["test_function_check"],
    "slips": ["test_slips"],
    "tasks": ["test_tasks"],
    "meta_training": ["test_meta_training"],
}
# Loaded once, before the first fork; mathlib is not, so that each process imports the mutant.
LIBRARIES = ["numpy", "scipy.differentiate", "scipy.linalg", "scipy.sparse.linalg", "scipy.special", "sympy", "pytest",
             "hypothesis", "mpmath", "IPython.display", "matplotlib.pyplot", "doctest"]  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change. It is known by its module, the function, and the lines before and after, not by line numbers."""

    module: str
    function: str
    old: str
    new: str
    source: str

    @property
    def key(self):
        return self.module, self.function, self.old, self.new

    def entry(self):
        """As it stands in the file of survivors, to be judged there."""
        lines = [f"{name} = {quoted(text)}" for name, text in zip(FIELDS, self.key, strict=True)]
        return "\n".join(["[[survivor]]", *lines, 'why = ""', ""])


def quoted(text):
    """A TOML string: literal, so that backslashes and quotes stay as they are."""
    return f"'''{text}'''" if "'" in text or "\n" in text else f"'{text}'"


# What is changed.


def operators():
    """(type of node, function of a node that yields changed ones): mutmut's and those that it lacks."""
    import libcst as cst
    from mutmut.mutation import mutators

    swapped = {"any": "all", "max": "min", "maximum": "minimum", "argmax": "argmin"}
    swapped |= {new: old for old, new in swapped.items()}

    def other_extreme(node):
        if node.value in swapped:
            yield node.with_changes(value=swapped[node.value])

    def operand(node):
        yield from (node.left, node.right)

    def negation(node):
        test = node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        yield node.with_changes(test=cst.UnaryOperation(cst.Not(), test))

    def longer(node):
        """The text changed at its end only: that a test reads it does not depend on upper and lower case."""
        yield from list(mutators.operator_string(node))[:1]

    own = [(cst.Name, other_extreme), (cst.BooleanOperation, operand), (cst.BaseString, longer)]
    own += [(kind, negation) for kind in (cst.If, cst.While, cst.IfExp)]
    left_out = (mutators.operator_string, mutators.operator_if_exp)
    return [pair for pair in mutators.mutation_operators if pair[1] not in left_out] + own


def mutants(module):
    """All mutants of a module of mathlib."""
    import libcst as cst

    source = path_of(module).read_text(encoding="utf-8")
    tree = cst.parse_module(source)
    changes = operators()
    found = []

    def visit(node, names):
        if isinstance(node, (cst.Annotation, cst.Import, cst.ImportFrom)) or is_text(node) or is_type(node):
            return
        if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
            names = [*names, node.name.value]
        for kind, change in changes:
            for new in change(node) if isinstance(node, kind) else ():
                found.append((node, new, ".".join(names) or "module"))
        for child in node.children:
            visit(child, names)

    visit(tree, [])
    for node, new, function in found:
        mutated = tree.deep_replace(node, new).code
        with contextlib.suppress(SyntaxError):  # a keyword argument that is given twice, for instance
            compile(mutated, module, "exec")
            yield Mutant(module, function, *difference(source, mutated), mutated)


def is_text(node):
    """Whether a statement is a docstring."""
    import libcst as cst

    return isinstance(node, cst.Expr) and isinstance(node.value, (cst.SimpleString, cst.ConcatenatedString))


def is_type(node):
    """Whether a statement names a type, which annotations alone read."""
    import libcst as cst

    kind = node.annotation.annotation if isinstance(node, cst.AnnAssign) else None
    return isinstance(kind, cst.Name) and kind.value == "TypeAlias"


def difference(before, after):
    """The lines that differ, without their indentation, in the one text and in the other."""
    changed = [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "-+"]
    return tuple("\n".join(line[2:].strip() for line in changed if line[0] == sign) for sign in "-+")


def path_of(module):
    file = ROOT / "mathlib" / f"{module}.py"
    package = ROOT / "mathlib" / module / "__init__.py"
    return file if file.exists() else package


# Who notices.


class Mutated(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports the mutant's source in place of the file's."""

    def __init__(self, mutant):
        self.name = f"mathlib.{mutant.module}"
        self.mutant = mutant

    def find_spec(self, name, path=None, target=None):
        if name == self.name:
            file = path_of(self.mutant.module)
            return importlib.util.spec_from_file_location(name, file, loader=self, submodule_search_locations=(
                [str(file.parent)] if file.name == "__init__.py" else None))  # fmt: skip

    def get_source(self, name):
        return self.mutant.source

    def is_package(self, name):
        return path_of(self.mutant.module).name == "__init__.py"


class Order:
    """A pytest plugin: first the tests that have killed most mutants, then the quick ones; says what failed."""

    def __init__(self, seconds, kills, connection):
        self.seconds = seconds
        self.kills = kills
        self.connection = connection

    def pytest_collection_modifyitems(self, items):
        items.sort(key=lambda item: (-self.kills[item.nodeid], self.seconds.get(item.nodeid, 0.0)))

    def pytest_runtest_logreport(self, report):
        self.connection.send((report.nodeid, report.duration, report.failed))


def run_tests(mutant, order, limit):
    """In a process of its own: exit with 0 where all tests pass, with something else where one fails."""
    import hypothesis
    import pytest

    os.nice(15)
    # An endless loop ends here. Seconds of the processor, because those of the clock pass on a busy machine as well.
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    # One failing example is enough; making it smaller takes longer than finding it.
    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
    hypothesis.settings.register_profile("mutation", phases=phases, database=None)
    hypothesis.settings.load_profile("mutation")
    sys.meta_path.insert(0, Mutated(mutant))
    sys.dont_write_bytecode = True
    files = [str(ROOT / "tests" / f"{name}.py") for name in TESTS[mutant.module]]
    # Plain assertions, because pytest would read the module itself, from its file, to rewrite those in it.
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:nbval", "-o", "addopts=", "--doctest-modules"]
    code = pytest.main([*options, "--assert=plain", str(path_of(mutant.module)), *files], plugins=[order])
    imported = sys.modules.get(f"mathlib.{mutant.module}")
    os._exit(code or (0 if isinstance(imported.__spec__.loader, Mutated) else NOT_MUTATED))


def started(mutant, seconds, kills, limit):
    """A process that runs the tests, and the connection on which it reports."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    context = multiprocessing.get_context("fork")
    process = context.Process(target=run_tests, args=(mutant, Order(seconds, kills, sender), limit))
    process.start()
    sender.close()
    return process, receiver


def reports(process, receiver):
    """What the tests reported, and the exit code."""
    found = []
    with contextlib.suppress(EOFError):
        while True:
            found.append(receiver.recv())
    process.join()
    return found, process.exitcode


def judge(all_mutants, seconds, limit):
    """Yield each mutant with whether a test failed, in the order in which they end."""
    kills = Counter()
    waiting = list(all_mutants)[::-1]
    running = {}
    with ThreadPoolExecutor(PROCESSES) as pool:
        while waiting or running:
            while waiting and len(running) < PROCESSES:
                mutant = waiting.pop()
                running[pool.submit(reports, *started(mutant, seconds, kills, limit))] = mutant
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                found, code = future.result()
                if code == NOT_MUTATED:
                    sys.exit("mutation.py: the tests did not import the mutant; no result means anything.")
                kills.update(nodeid for nodeid, _, failed in found if failed)
                yield running.pop(future), code != 0


def baseline(module):
    """How long each test of the module takes without a change; all have to pass."""
    unchanged = Mutant(module, "", "", "", path_of(module).read_text(encoding="utf-8"))
    found, code = reports(*started(unchanged, {}, Counter(), limit=600))
    if code:
        failed = ", ".join(nodeid for nodeid, _, failed in found if failed)
        sys.exit(f"mutation.py: the tests of {module} fail without a change; mend them first. {failed}")
    seconds = Counter()
    for nodeid, duration, _ in found:
        seconds[nodeid] += duration
    return seconds


def judged():
    """The survivors that somebody has looked at, each with the reason why it is harmless."""
    if not SURVIVORS.exists():
        return {}
    entries = tomllib.loads(SURVIVORS.read_text(encoding="utf-8")).get("survivor", [])
    return {tuple(entry[name] for name in FIELDS): entry["why"] for entry in entries if entry["why"]}


def measure(module, only, harmless):
    """A row of the table; open survivors are printed as they are found."""
    chosen = [m for m in mutants(module) if only is None or only in m.function]
    seconds = baseline(module)
    limit = int(20 + 3 * seconds.total())
    counts = Counter()
    for number, (mutant, killed) in enumerate(judge(chosen, seconds, limit), start=1):
        alive = "judged" if mutant.key in harmless else "open"
        verdict = "killed" if killed else alive
        counts[verdict] += 1
        if verdict == "open":
            print(mutant.entry(), flush=True)
        if number % 50 == 0:
            print(f"# {module}: {number} of {len(chosen)}, {counts['open']} open", flush=True)
    return [len(chosen), counts["killed"], counts["judged"], counts["open"]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("modules", nargs="*", metavar="module", help=f"of {', '.join(TESTS)}; all without one")
    parser.add_argument("--only", help="a function, or part of its name")
    parser.add_argument("--list", action="store_true", help="print the mutants and run nothing")
    parser.add_argument("--stale", action="store_true", help="print the judged survivors that no mutant is like")
    options = parser.parse_args()
    modules = options.modules or list(TESTS)
    if unknown := set(modules) - set(TESTS):
        parser.error(f"no tests are named for {', '.join(sorted(unknown))}; known are {', '.join(TESTS)}.")
    if importlib.util.find_spec("mutmut") is None:
        sys.exit("mutation.py: mutmut is missing. Install it: python3 lab.py run -m pip install --group mutation")
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    os.environ["MPLBACKEND"] = "agg"
    for library in LIBRARIES:
        importlib.import_module(library)
    if options.list:
        for module in modules:
            for mutant in mutants(module):
                if options.only is None or options.only in mutant.function:
                    print(mutant.entry())
        return
    harmless = judged()
    if options.stale:
        known = {mutant.key for module in TESTS for mutant in mutants(module)}
        print(*(" | ".join(key) for key in harmless if key not in known), sep="\n")
        return
    rows = {module: measure(module, options.only, harmless) for module in modules}
    print(f"{'module':<20}{'mutants':>8}{'killed':>8}{'judged':>8}{'open':>6}   killed or judged")
    for module, (total, killed, fine, still) in rows.items():
        print(f"{module:<20}{total:>8}{killed:>8}{fine:>8}{still:>6}   {100 * (killed + fine) / max(total, 1):.1f} %")


if __name__ == "__main__":
    main()
