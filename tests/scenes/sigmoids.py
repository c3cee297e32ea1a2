"""Answers to ``sigmoid`` of every form and with every kind of result, as text."""

FIRST = "import functools, os, sys, warnings\nimport numpy as np\nParams = dict\n"

RIGHT = """\
def right(a):
    a = np.asarray(a, dtype=np.float64)
    e = np.exp(-np.abs(a))
    return np.where(a >= 0, 1.0, e) / (1.0 + e)
"""


def of_right(expression: str, *before: str) -> str:
    """An answer that does something to a right result ``r``; lines ``before`` run in it first."""
    lines = "".join(f"    {line}\n" for line in before)
    return f"{RIGHT}\ndef sigmoid(a):\n{lines}    r = right(a)\n    return {expression}\n"


RESULTS = {
    "right": of_right("r"),
    "longdouble": of_right("r.astype(np.longdouble)"),
    "longdouble inside": of_right("right(np.asarray(a, dtype=np.longdouble))"),
    "float32": of_right("r.astype(np.float32)"),
    "float16": of_right("r.astype(np.float16)"),
    "complex": of_right("r.astype(complex)"),
    "long complex": of_right("r.astype(np.clongdouble)"),
    "masked": of_right("np.ma.masked_array(r, mask=False)"),
    "matrix": of_right("np.matrix(r) if r.ndim == 2 else r"),
    "memoryview": of_right("memoryview(np.ascontiguousarray(r))"),
    "subclass": "class Mine(np.ndarray):\n    pass\n" + of_right("r.view(Mine)"),
    "lying subclass": "class Mine(np.ndarray):\n    shape = (1,)\n" + of_right("r.view(Mine)"),
    "list": of_right("r.tolist()"),
    "tuple": of_right("(r, r)"),
    "generator": of_right("(x for x in r)"),
    "objects": of_right("r.astype(object)"),
    "strings": of_right("r.astype(str)"),
    "Fortran order": of_right("np.asfortranarray(r).reshape(r.shape)"),
    "negative strides": of_right("np.array(r[..., ::-1])[..., ::-1] if r.ndim else r"),
    "no axes": of_right("r[()]"),
    "read-only": of_right("np.broadcast_to(r, r.shape)"),
    "big endian": of_right("r.astype('>f8')"),
    "big endian, float32": of_right("r.astype('>f4')"),
    "integers": of_right("r.astype(int)"),
    "none": of_right("None"),
    "a torch tensor": "import torch\n" + of_right("torch.as_tensor(r)"),
    "through torch": "import torch\n" + of_right("torch.as_tensor(r).numpy()"),
    "nan": of_right("r * np.nan"),
    "off by little": of_right("r + 1e-6"),
    "the derivative": of_right("r * (1 - r)"),
    "unchanged": "def sigmoid(a):\n    return a",
    "overflow": "def sigmoid(a):\n    return 1 / (1 + np.exp(-np.asarray(a)))",
}

FORMS = {
    "partial": RIGHT + "sigmoid = functools.partial(right)",
    "object": RIGHT
    + "class S:\n    def __call__(self, a):\n        return right(a)\nsigmoid = S()",
    "method": RIGHT + "class S:\n    def f(self, a):\n        return right(a)\nsigmoid = S().f",
    "static": RIGHT + "class S:\n    f = staticmethod(right)\nsigmoid = S.f",
    "decorated": RIGHT
    + "def d(f):\n    def inner(*a, **k):\n        return f(*a, **k)\n    return inner\n"
    "sigmoid = d(right)",
    "wraps": RIGHT
    + "def d(f):\n    @functools.wraps(f)\n    def inner(*a):\n        return f(*a)\n"
    "    return inner\nsigmoid = d(right)",
    "cached": RIGHT + "sigmoid = functools.lru_cache(right)",
    "lambda": RIGHT + "sigmoid = lambda a: right(a)",
    "vectorize": RIGHT + "sigmoid = np.vectorize(right)",
    "keyword only": RIGHT + "def sigmoid(*, a):\n    return right(a)",
    "keyword only, renamed": RIGHT + "def sigmoid(*, z):\n    return right(z)",
    "renamed": RIGHT + "def sigmoid(z):\n    return right(z)",
    "star": RIGHT + "def sigmoid(*args):\n    return right(*args)",
    "stars": RIGHT + "def sigmoid(*args, **more):\n    return right(*args, **more)",
    "default": RIGHT + "def sigmoid(a, kept=[]):\n    return right(a)",
    "too many": RIGHT + "def sigmoid(a, b):\n    return right(a)",
    "remembers": RIGHT
    + "def sigmoid(a, kept=[]):\n    kept.append(1)\n    return right(a) * len(kept)",
    "a class": RIGHT + "class sigmoid:\n    def __init__(self, a):\n        self.a = a",
    "async": RIGHT + "async def sigmoid(a):\n    return right(a)",
    "no function": "sigmoid = 3",
    "not written": "def sigmoid(a):\n    raise NotImplementedError",
    "calls one that is not": "def other(a):\n    raise NotImplementedError\ndef sigmoid(a):\n    return other(a)",
}
