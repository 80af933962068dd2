"""How curved is the loss of the MAML paper's miniImageNet network, at its random start? The run behind notebook 17.

    python3 lab.py run -m pip install --editable ".[frameworks]"   PyTorch, once
    python3 lab.py run benchmarks/conv4.py                         ten minutes of one core; goes on where it stopped

Network, random start, inner loss, α and K are those of the authors' code (cbfinn/maml at a7f45f1, with its flags for
5-way 1-shot miniImageNet); notebook 17 lists them. Not theirs: float64, and the images. Nothing is trained. A seed
draws a network and a task. `residual` is the larger ‖Hu − λu‖/|λ| of both eigenvalues. Stored: with PyTorch 2.13.0.
"""

import one_thread  # noqa: F401  before NumPy

# isort: split
import itertools
import math
import sys
from pathlib import Path
from types import SimpleNamespace

import matplotlib.cbook
import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.sparse.linalg import LinearOperator, eigsh

from mathlib import inner_loop, maml_gradient

try:
    import torch
except ImportError:
    sys.exit('PyTorch is not installed: python3 lab.py run -m pip install --editable ".[frameworks]"')

STORED = Path(__file__).resolve().parents[1] / "mathlib" / "data" / "conv4.csv"
WAYS, SHOTS, QUERY_SHOTS, SIZE, FILTERS = 5, 1, 15, 84, 32
ALPHA, STEPS = 0.01, (1, 5)  # theirs takes 5
NORMS = {"batch norm": 0.001, "batch norm with ε = 0": 0.0, "none": None}  # what is added under the root
STARTS = {"released": 1, "He": 1, "released × 0.1": 0.1, "released × 0.01": 0.01}  # by what the draw is multiplied
CASES = list(itertools.product(("photograph",), ("batch norm", "none"), STARTS))
CASES += itertools.product(("photograph",), ("batch norm with ε = 0",), ("released", "released × 0.01"))
CASES += itertools.product(("smooth", "noise"), ("batch norm", "none"), ("released",))
HEADER = "seed,images,norm,start,K,alpha_lambda_min,alpha_lambda_max,residual,cosine,fomaml_over_maml,loss,loss_after"


class ImageLoss:
    """The cross-entropies of images (classes, n, 3, size, size), summed, as a loss of all weights in one vector."""

    def __init__(self, images, epsilon, filters=FILTERS):
        self.images = torch.tensor(images).flatten(0, 1)
        self.labels = torch.arange(WAYS).repeat_interleave(images.shape[1])
        self.epsilon, self.shapes = epsilon, shapes(images.shape[-1], filters)

    def _value(self, theta):
        parts = theta.split([math.prod(shape) for shape in self.shapes])
        *convolutions, W, b = (part.view(shape) for part, shape in zip(parts, self.shapes, strict=True))
        h = self.images
        for kernel, bias in zip(convolutions[::2], convolutions[1::2], strict=True):
            h = torch.nn.functional.conv2d(h, kernel, bias, padding=1)
            if self.epsilon is not None:  # the batch's own mean and variance, no scale, the offset at its start, 0
                h = h - h.mean((0, 2, 3), keepdim=True)
                h = h / (h.square().mean((0, 2, 3), keepdim=True) + self.epsilon).sqrt()
            h = torch.nn.functional.max_pool2d(torch.nn.functional.relu(h), 2)
        return torch.nn.functional.cross_entropy(h.flatten(1) @ W + b, self.labels, reduction="sum")

    def value(self, theta):
        return self._value(torch.tensor(theta)).item()

    def gradient(self, theta):
        theta = torch.tensor(theta, requires_grad=True)
        return torch.autograd.grad(self._value(theta), theta)[0].numpy()

    def linearize(self, theta):
        """∇L(θ), and v ↦ H v by reverse mode over reverse mode."""
        theta = torch.tensor(theta, requires_grad=True)
        (slope,) = torch.autograd.grad(self._value(theta), theta, create_graph=True)
        return slope.detach().numpy(), lambda v: torch.autograd.grad(slope, theta, torch.tensor(v), True)[0].numpy()


def shapes(size=SIZE, filters=FILTERS):
    """Kernel and bias of each convolution, then the linear layer; a pooling halves the image, rounded down."""
    convolutions = [shape for channels in (3, *[filters] * 3) for shape in ((filters, channels, 3, 3), (filters,))]
    return [*convolutions, (filters * (size // 16) ** 2, WAYS), (WAYS,)]


def draw_start(rng, start, **network):
    """All weights in one vector: Xavier's uniform or He's normal draw, times a factor; biases 0."""
    parts = []
    both = shapes(**network)
    for kernel, bias in zip(both[::2], both[1::2], strict=True):
        fan_in = math.prod(kernel) // bias[0]
        fans = math.prod(kernel[2:]) * (kernel[0] + kernel[1])
        he = start == "He"
        W = rng.normal(size=kernel) * (2 / fan_in) ** 0.5 if he else rng.uniform(-1, 1, kernel) * (6 / fans) ** 0.5
        parts += [STARTS[start] * W.ravel(), np.zeros(bias)]
    return np.concatenate(parts)


def draw_images(rng, kind, n=SHOTS + QUERY_SHOTS, size=SIZE):
    """Images of each class, (classes, n, 3, size, size), in [0, 1]."""
    if kind == "noise":  # uniform pixels, which know of no class
        return rng.uniform(size=(WAYS, n, 3, size, size))
    if kind == "smooth":  # a blurred field of the class and one of the image, in equal parts
        fields = gaussian_filter(rng.normal(size=(WAYS, n + 1, 3, size, size)), size / 10, mode="wrap", axes=(3, 4))
        mixed = fields[:, :1] + fields[:, 1:]
        return np.clip(0.5 + 0.2 * mixed / mixed.std(), 0, 1)
    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as file:  # a portrait that matplotlib brings
        photograph = np.asarray(Image.open(file).convert("RGB")).transpose(2, 0, 1) / 255
    images = []
    for band in np.array_split(photograph, WAYS, axis=1):  # a class is a band of it, an image a crop at random
        corners = rng.integers(0, (band.shape[1] - size, band.shape[2] - size), (n, 2))
        images.append([band[:, i : i + size, j : j + size] for i, j in corners])
    return np.array(images)


def ends_of_spectrum(product, d):
    """The smallest and the largest eigenvalue, with their signs, and the larger of their relative residuals."""
    start = np.random.default_rng(0).normal(size=d)
    values, vectors = eigsh(LinearOperator((d, d), product, dtype=float), k=2, which="BE", v0=start, tol=0.001)
    residuals = [np.linalg.norm(product(u) / value - u) for value, u in zip(values, vectors.T, strict=True)]
    return *values, max(residuals)


def measure(seed, images, norm, start):
    """A row for each number of inner steps."""
    theta = draw_start(np.random.default_rng(seed), start)
    task = draw_images(np.random.default_rng([seed, 1]), images)
    support, query = (ImageLoss(part, NORMS[norm]) for part in np.split(task, [SHOTS], axis=1))
    smallest, largest, residual = ends_of_spectrum(support.linearize(theta)[1], theta.size)
    for K in STEPS:
        adapted = inner_loop([support] * K, theta, ALPHA)[-1]
        v = query.gradient(adapted)  # FOMAML's; the query is dear, so MAML is handed its gradient
        g = maml_gradient([support] * K, SimpleNamespace(gradient=lambda _, v=v: v), theta, ALPHA)
        compared = v @ g / np.sqrt((v @ v) * (g @ g)), np.sqrt((v @ v) / (g @ g))
        numbers = ALPHA * smallest, ALPHA * largest, residual, *compared, support.value(theta), support.value(adapted)
        yield seed, images, norm, start, K, *(f"{number:.4g}" for number in numbers)


def main(output=STORED, seeds=range(10)):
    with open(output, "a+", encoding="utf-8", newline="\n") as table:
        table.seek(0)
        done = {tuple(line.split(",")[:4]) for line in table}
        if not done:
            print(HEADER, file=table)
        for seed, case in itertools.product(seeds, CASES):
            if (str(seed), *case) not in done:
                table.writelines([",".join(map(str, row)) + "\n" for row in measure(seed, *case)])
                table.flush()  # all rows of a case, or none


if __name__ == "__main__":
    main()
