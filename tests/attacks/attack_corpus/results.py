"""Attacks that leave the work undone and forge what the grader concludes."""

from attack_corpus.record import RIGHT_SHAPES, Attack

FAMILY = "Forged results"

RESULTS = (
    Attack(
        "The check replaced by a shrug",
        FAMILY,
        "`check` becomes a function that returns nothing; a test without output counts as passed.",
        cells=("check = lambda function: None",),
    ),
    Attack(
        "A score that is no plain number",
        FAMILY,
        "`check` returns a NumPy number, whose text is not a number and therefore counts in full.",
        cells=("import numpy as np\ncheck = lambda function: np.float64(0.0)",),
    ),
    Attack(
        "The package's grading function replaced",
        FAMILY,
        "`autograder.grade` is replaced by one that gives every exercise its full points.",
        cells=(
            """
            import types, autograder
            from autograder.course import gated_memory

            def generous(code, name=None):
                return types.SimpleNamespace(points=gated_memory.COURSE.get(code.__name__).points)

            autograder.grade = generous
            """,
        ),
    ),
    Attack(
        "The judge's comparison replaced",
        FAMILY,
        "Answers have the right shapes and no content; `judge.failure_of` finds nothing wrong.",
        cells=(
            "import autograder.checking.judge\nautograder.checking.judge.failure_of = lambda *anything: None",
        ),
        answers=RIGHT_SHAPES,
        engine_says=frozenset({"values"}),
    ),
    Attack(
        "NumPy's arithmetic replaced",
        FAMILY,
        "`np.abs` and `np.isnan` are replaced, so that every difference is zero.",
        cells=(
            """
            import numpy as np
            np.abs = lambda a, *rest, **more: np.zeros(np.shape(a))
            np.isnan = lambda a, *rest, **more: np.zeros(np.shape(a), dtype=bool)
            """,
        ),
        answers=RIGHT_SHAPES,
        engine_says=frozenset({"values"}),
    ),
    Attack(
        "NumPy's test functions replaced",
        FAMILY,
        "`np.testing`, `np.allclose`, `np.isclose` and `np.array_equal` always agree.",
        cells=(
            """
            import numpy as np
            for name in dir(np.testing):
                if name.startswith("assert"):
                    setattr(np.testing, name, lambda *rest, **more: None)
            for name in ("allclose", "isclose", "array_equal"):
                setattr(np, name, lambda *rest, **more: True)
            """,
        ),
        answers=RIGHT_SHAPES,
        engine_says=frozenset({"values"}),
    ),
    Attack(
        "Loaded dice",
        FAMILY,
        "`np.random.default_rng` draws only zeros, for which the answers are easy to guess.",
        cells=(
            """
            import numpy as np

            class Zeros:
                def __getattr__(self, name):
                    return lambda *rest, size=None, **more: np.zeros(size or rest[-1])
                def standard_normal(self, size=()):
                    return np.zeros(size)
                def uniform(self, low, high, size=()):
                    return np.zeros(size)
                def choice(self, values, size=()):
                    return np.zeros(size)
                def permutation(self, values):
                    return np.array(values)
                def integers(self, low, high=None, size=()):
                    return np.full(size, low)[()]

            np.random.default_rng = lambda *seed: Zeros()
            """,
        ),
        answers=RIGHT_SHAPES
        | {
            name: f"def {name}(x, h_prev, params):\n    return np.full_like(h_prev, 0.5)"
            for name in ("forget_gate", "input_gate", "output_gate")
        },
        engine_says=frozenset({"values"}),
    ),
    Attack(
        "Torch itself made to lie",
        FAMILY,
        "`torch.sigmoid` and `torch.tanh` give zeros, so that the reference agrees with zeros.",
        cells=(
            """
            import torch
            torch.sigmoid = torch.tanh = lambda a: a * 0.0
            """,
        ),
        answers=RIGHT_SHAPES,
        engine_says=frozenset({"values"}),
    ),
    Attack(
        "An array subclass that lies",
        FAMILY,
        "Every operation with the answer gives zeros: `__array_ufunc__` of an ndarray subclass.",
        cells=(
            """
            import numpy as np

            class Liar(np.ndarray):
                def __array_ufunc__(self, ufunc, method, *inputs, **more):
                    return np.zeros(self.shape)
                def __array_function__(self, function, types, args, kwargs):
                    return np.zeros(self.shape)
                def tobytes(self, *rest):
                    return b""

            def lie(shape):
                return np.zeros(shape).view(Liar)
            """,
        ),
        answers={
            name: source.replace("np.zeros(", "lie(").replace(
                "np.zeros_like(h_prev)", "lie(h_prev.shape)"
            )
            for name, source in RIGHT_SHAPES.items()
        },
        engine_says=frozenset({"values"}),
    ),
    Attack(
        "An object that equals everything",
        FAMILY,
        "The answer is no array, but claims the right shape and type and to equal whatever it meets.",
        cells=(
            """
            import numpy as np

            class Chameleon:
                shape, dtype, ndim = (), np.dtype(float), 0
                __eq__ = __le__ = __ge__ = lambda self, other: True
                __ne__ = __lt__ = __gt__ = lambda self, other: False
                __sub__ = __rsub__ = __abs__ = lambda self, *other: 0.0
                __hash__ = None
                def __array__(self, *rest, **more):
                    return np.zeros(())
            """,
        ),
        answer="def NAME(*args, **inputs):\n    return Chameleon()",
        engine_says=frozenset({"type"}),
    ),
    Attack(
        "A pickle inside an array",
        FAMILY,
        "The answer is an array of objects that run a command on being unpickled.",
        cells=(
            """
            import numpy as np

            class Bomb:
                def __reduce__(self):
                    return exec, (f"open({str(COURSE / 'unpickled')!r}, 'w').close()",)
            """,
        ),
        answer="def NAME(*args, **inputs):\n    return np.array([Bomb()], dtype=object)",
        engine_says=frozenset({"type"}),
    ),
    Attack(
        "Built-in functions replaced",
        FAMILY,
        "`float`, which `check` calls last, answers with a word; a word counts in full.",
        cells=(
            """
            import builtins
            builtins.float = lambda value: "full marks"
            """,
        ),
        engine_says=frozenset({"not written", "exception", "ended"}),
    ),
    Attack(
        "A trace function that rewrites variables",
        FAMILY,
        "`sys.settrace` watches `check` run and exchanges its verdict before it is returned.",
        cells=(
            """
            import ctypes, sys, types

            def follow(frame, event, argument):
                verdict = frame.f_locals.get("verdict")
                if verdict is not None:
                    frame.f_locals["verdict"] = types.SimpleNamespace(points=verdict.max_points)
                    ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))
                return follow

            def trace(frame, event, argument):
                if frame.f_code.co_name == "check":
                    return follow

            def quiet_print(*words, **more):
                pass

            import autograder
            autograder.print = quiet_print
            sys.settrace(trace)
            """,
        ),
        answer="""
            import sys
            sys.settrace(trace)

            def NAME(*args, **inputs):
                raise NotImplementedError
        """,
    ),
    Attack(
        "A profiler that rewrites the judge",
        FAMILY,
        "`sys.setprofile` waits until the judge is loaded and replaces its comparison.",
        cells=(
            """
            import sys

            def profile(frame, event, argument):
                judge = sys.modules.get("autograder.checking.judge")
                if judge is not None and hasattr(judge, "judge"):
                    judge.failure_of = lambda *anything: None

            sys.setprofile(profile)
            """,
        ),
        answers=RIGHT_SHAPES,
        engine_says=frozenset({"values"}),
    ),
    Attack(
        "An audit hook that breaks the grader",
        FAMILY,
        "A hook that cannot be removed makes every import and every opened file fail.",
        cells=(
            """
            import sys

            def refuse(event, arguments):
                if armed and event in ("import", "open", "compile"):
                    raise RuntimeError("no grading today")

            armed = False
            sys.addaudithook(refuse)
            armed = True
            """,
        ),
        engine_says=frozenset({"not written", "undefined"}),
    ),
    Attack(
        "Another judge in the module table",
        FAMILY,
        "`sys.modules` holds a judge of the student's own before the real one is imported.",
        cells=(
            """
            import sys, types
            mine = types.ModuleType("autograder.checking.judge")
            mine.judge = lambda exercise, player: types.SimpleNamespace(points=exercise.points)
            sys.modules["autograder.checking.judge"] = mine
            """,
        ),
    ),
    Attack(
        "An import hook",
        FAMILY,
        "A finder on `sys.meta_path` delivers a generous judge whenever one is imported.",
        cells=(
            """
            import importlib.abc, importlib.machinery, sys, types

            class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
                def find_spec(self, name, path, target=None):
                    if name in ("autograder.checking.judge", "autograder.course.reference"):
                        return importlib.machinery.ModuleSpec(name, self)
                def exec_module(self, module):
                    full = lambda exercise, player: types.SimpleNamespace(points=exercise.points)
                    module.judge = full

            for name in ("autograder.checking.judge", "autograder.course.reference"):
                sys.modules.pop(name, None)
            sys.meta_path.insert(0, Finder())
            """,
        ),
    ),
    Attack(
        "Replies forged on every open channel",
        FAMILY,
        "Full marks, as text and as frames, are written to every file descriptor there is.",
        cells=(
            """
            import os

            def shout():
                for descriptor in range(3, 64):
                    for reply in FORGED:
                        try:
                            os.set_blocking(descriptor, False)
                            os.write(descriptor, reply)
                        except OSError:
                            pass

            FORGED = [b'{"status": "ok", "points": 100}\\n', b"\\x00\\x00\\x00\\x02{}", bytes(64)]
            """,
        ),
        answer="def NAME(*args, **inputs):\n    shout()\n    raise NotImplementedError",
        engine_says=frozenset({"not written", "reply", "ended"}),
    ),
    Attack(
        "A reply far too long",
        FAMILY,
        "The first function returns 100 megabytes where a small array belongs.",
        answers={"sigmoid": "def sigmoid(a):\n    return np.ones(12_500_000)"},
        engine_says=frozenset({"shape", "type", "reply", "exception"}),
    ),
    Attack(
        "An answer that changes afterwards",
        FAMILY,
        "A thread keeps writing into the returned arrays while they are copied and compared.",
        cells=(
            """
            import threading, time
            import numpy as np

            returned = []

            def keep_writing():
                while True:
                    for array in list(returned):
                        array += 0.1
                    time.sleep(0.0001)

            threading.Thread(target=keep_writing, daemon=True).start()
            """,
        ),
        answer="""
            def NAME(*args, **inputs):
                returned.append(np.full(np.shape((list(inputs.values()) or args)[0]), 7.0))
                return returned[-1]
        """,
        engine_says=frozenset({"values", "shape", "type"}),
    ),
    Attack(
        "The inputs handed back and then changed",
        FAMILY,
        "The answer is the input array itself, overwritten so that both sides look alike.",
        answer="""
            def NAME(*args, **inputs):
                values = [v for v in (*args, *inputs.values()) if isinstance(v, np.ndarray)]
                for value in values:
                    value[...] = 0.5
                return values[-1] if values else 0.5
        """,
        engine_says=frozenset({"mutation"}),
    ),
)
