"""How the tests run: each notebook's cell once, by nbval, which is asked here for more; files in any order.

nbval compares text, and passes over a cell whose outputs were stripped and over a picture that is stale. Here it
notices both.
"""

import ast
import json
import random

import pytest
from nbval.plugin import IPyNbCell
from notebooks_as_data import TEST_FRAMEWORKS, absent_frameworks, read

START = "import sys; sys.path.append({tools!r}); import watch_pictures; watch_pictures.start(); sys.path.pop()"
REPORT = "__import__('watch_pictures').report({path!r}, {number})"


def pytest_addoption(parser):
    parser.addoption("--shuffle", type=int, metavar="SEED", help="run files, and the tests in them, in another order")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """A notebook without its frameworks is skipped as a whole, in a sentence that says which command has them."""
    cells = [item for item in items if isinstance(item, IPyNbCell)]
    missing = {path: absent_frameworks(read(path)) for path in {item.path for item in cells}}
    for item in cells:
        if missing[item.path]:
            reason = f"{', '.join(missing[item.path])} not installed; {TEST_FRAMEWORKS} has them"
            item.add_marker(pytest.mark.skip(reason=reason))
    shuffle(config, items)


def shuffle(config, items):
    """Another order of files, and of the tests in each; a notebook's cells need theirs."""
    seed = config.getoption("shuffle")
    if seed is None:
        return
    files = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    order = random.Random(seed)
    shuffled = list(files.values())
    order.shuffle(shuffled)
    for tests in shuffled:
        if not isinstance(tests[0], IPyNbCell):
            order.shuffle(tests)
    items[:] = [item for tests in shuffled for item in tests]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Run a test; of a notebook's cell ask afterwards what nbval passed over."""
    asked = isinstance(item, IPyNbCell) and not item.config.option.nbval_lax
    if asked and not hasattr(item.parent, "is_watched"):
        ask(item, START.format(tools=str(item.config.rootpath / "tools")))
        item.parent.is_watched = True
    result = yield
    if asked:
        wrong = json.loads(ask(item, "", REPORT.format(path=str(item.path), number=item.cell_num)))
        if not item.options["check"]:
            return result
        if item.test_outputs and not item.cell.outputs:
            wrong.append("the cell shows something, and nothing is stored")
        if wrong:
            item.raise_cell_error("; ".join(wrong))
    return result


def ask(item, code, expression="None"):
    """Run code in the kernel of a notebook, out of its sight, and return the value of an expression there."""
    client = item.parent.kernel.kc
    asked = client.execute(code, silent=True, user_expressions={"answer": expression})
    while True:
        reply = client.get_shell_msg(timeout=60)
        if reply["parent_header"].get("msg_id") == asked:
            break
    content = reply["content"]
    if content["status"] != "ok" or content["user_expressions"]["answer"]["status"] != "ok":
        raise RuntimeError(f"the kernel could not say what was drawn: {content}")
    return ast.literal_eval(content["user_expressions"]["answer"]["data"]["text/plain"])
