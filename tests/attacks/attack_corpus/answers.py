"""Attacks that look the answers up: in memory, in files, in the package."""

from attack_corpus.record import ANSWER_AS_EXPECTED, Attack

FAMILY = "Reading answers"

EXECUTE_ANSWERS = """
import re

def take_answers(path):
    text = path.read_text(encoding="utf-8")
    blocks = re.findall(r'solution": true}\\n(.*?)\\n# %%', text, flags=re.DOTALL)
    for block in blocks:
        exec(block, globals())
"""
"""Run the answers found in a solution source, and keep them where the empty cells do not reach."""

REMEMBERED = """
stolen = {name: value for name, value in globals().items() if callable(value)}
"""

FROM_STOLEN = "NAME = stolen.get('NAME')"

ASK_THE_JUDGE = """
def ask(stand_in, name, inputs):
    # Where a function was not right, something stands in its place that asks the judge.
    player = stand_in.answer.func.__self__
    player._reply({"ask": name, "inputs": dict(inputs)})
    return tuple(player.channel.receive()["outputs"].values())
"""

READING = (
    Attack(
        "The judge asked for the answer itself",
        FAMILY,
        "An answer that is tried once more, with the judge behind what it builds on, asks for its own.",
        cells=(ASK_THE_JUDGE,),
        answers={
            "forget_gate": """
            def forget_gate(x, h_prev, params):
                return ask(sigmoid, "forget_gate", locals())[0]
            """,
            "lstm_step": """
            def lstm_step(x, h_prev, c_prev, params):
                return ask(forget_gate, "lstm_step", locals())
            """,
            "lstm_forward": """
            def lstm_forward(xs, h0, c0, params):
                return ask(lstm_step, "lstm_forward", locals())
            """,
        },
        engine_says=frozenset({"exception", "tamper"}),
    ),
    Attack(
        "The judge asked until it knows",
        FAMILY,
        "The gate that the judge answers for is asked ten thousand times, to fill a table of answers.",
        cells=(ASK_THE_JUDGE,),
        answers={
            "lstm_step": """
            def lstm_step(x, h_prev, c_prev, params):
                inputs = {"x": x, "h_prev": h_prev, "params": params}
                if hasattr(forget_gate, "answer"):
                    for _ in range(10_000):
                        gate = ask(forget_gate, "forget_gate", inputs)[0]
                    return gate, gate
                return x, x
            """,
        },
        engine_says=frozenset({"type", "values", "shape", "tamper"}),
    ),
    Attack(
        "The expected values in the caller's frame",
        FAMILY,
        "The function walks up `sys._getframe()` to the judge and returns what it expects.",
        cells=(
            ANSWER_AS_EXPECTED,
            """
            import sys

            def peek(given):
                frame = sys._getframe()
                while frame is not None:
                    known = frame.f_locals
                    if isinstance(known.get("expected"), list) and "inputs" in known:
                        for drawn, outputs in zip(known["inputs"], known["expected"]):
                            if same(drawn, given):
                                return as_answer(outputs)
                    frame = frame.f_back
                raise NotImplementedError
            """,
        ),
        answer="def NAME(*args, **inputs):\n    return peek(list(inputs.values()) or args)",
    ),
    Attack(
        "The reference found by the garbage collector",
        FAMILY,
        "`gc.get_objects()` lists the exercise records, whose `answer` computes every solution.",
        cells=(
            ANSWER_AS_EXPECTED,
            """
            import gc

            def ask(name, given):
                for thing in gc.get_objects():
                    if type(thing).__name__ == "Exercise" and thing.name == name:
                        keys = [p.split(":")[0].strip() for p in
                                thing.signature.partition("(")[2].partition(")")[0].split(",")]
                        return as_answer(thing.answer(dict(zip(keys, given))))
                raise NotImplementedError
            """,
        ),
        answer="def NAME(*args, **inputs):\n    return ask('NAME', list(inputs.values()) or args)",
    ),
    Attack(
        "The package asked for its answers",
        FAMILY,
        "`autograder.course.gated_memory.COURSE.get(name).answer(inputs)` is the grader's own reference.",
        cells=(ANSWER_AS_EXPECTED,),
        answer="""
            def NAME(*args, **inputs):
                import inspect
                from autograder.course.gated_memory import COURSE
                exercise = COURSE.get("NAME")
                names = [part.split(":")[0].strip() for part in
                         exercise.signature.partition("(")[2].partition(")")[0].split(",")]
                return as_answer(exercise.answer(dict(zip(names, args)) | inputs))
        """,
        engine_says=frozenset({"course"}),
    ),
    Attack(
        "The torch reference imported",
        FAMILY,
        "`import autograder.course.reference` brings every equation, ready to be called.",
        answer="""
            def NAME(*args, **inputs):
                import torch
                from autograder.course import reference

                def tensor(value):
                    if isinstance(value, dict):
                        return {key: torch.tensor(part) for key, part in value.items()}
                    return torch.tensor(np.asarray(value, dtype=float))

                values = [tensor(value) for value in (*args, *inputs.values())]
                if "NAME" == "sigmoid":
                    return reference.torch.sigmoid(values[0]).numpy()
                if "NAME".startswith("count"):
                    D, H = args or inputs.values()
                    return 4 * (D * H + H * H + H)
                found = getattr(reference, "NAME")(*values)
                return tuple(f.numpy() for f in found) if isinstance(found, tuple) else found.numpy()
        """,
        answers={"count_lstm_parameters": ""},
        engine_says=frozenset({"course"}),
    ),
    Attack(
        "The recorded answers looked up",
        FAMILY,
        "The check is told to use the public probes, whose answers lie recorded in the package.",
        cells=(
            ANSWER_AS_EXPECTED,
            """
            import os
            from pathlib import Path
            import autograder

            os.environ["AUTOGRADER_SEED"] = "2014"

            def look_up(name, given):
                from autograder.course import gated_memory
                path = Path(autograder.__file__).parent / "course" / "recorded" / "public.npz"
                stored = np.load(path)
                exercise = gated_memory.COURSE.get(name)
                for probe, drawn in zip(exercise.probes, exercise.draw(2014)):
                    prefix = f"{name}/{probe.name}/output/"
                    if same(drawn, given):
                        return as_answer({k: stored[k] for k in stored.files if k.startswith(prefix)})
                raise NotImplementedError
            """,
        ),
        answer="def NAME(*args, **inputs):\n    return look_up('NAME', list(inputs.values()) or args)",
        engine_says=frozenset({"exception", "not written"}),
    ),
    Attack(
        "The secret seed read from the environment",
        FAMILY,
        "`AUTOGRADER_SEED` tells which inputs will come; all answers are computed in advance.",
        cells=(
            ANSWER_AS_EXPECTED,
            """
            import os
            from autograder.checking import answers
            from autograder.course import gated_memory

            seed = answers.as_seed(os.environ["AUTOGRADER_SEED"])
            table = {
                exercise.name: [(drawn, exercise.answer(drawn)) for drawn in exercise.draw(seed)]
                for exercise in gated_memory.COURSE.assignments["lstm"]
            }

            def look_up(name, given):
                for drawn, outputs in table[name]:
                    if same(drawn, given):
                        return as_answer(outputs)
                raise NotImplementedError
            """,
        ),
        answer="def NAME(*args, **inputs):\n    return look_up('NAME', list(inputs.values()) or args)",
        engine_says=frozenset({"exception"}),
    ),
    Attack(
        "Solutions, three folders up",
        FAMILY,
        "`../../../solutions/lstm.py`, as seen from the folder in which notebooks are executed.",
        cells=(
            EXECUTE_ANSWERS,
            """
            import numpy as np
            from pathlib import Path
            Params = dict
            take_answers(Path("../../../solutions/lstm.py"))
            """,
            REMEMBERED,
        ),
        answer=FROM_STOLEN,
        engine_says=frozenset({"undefined", "exception"}),
    ),
    Attack(
        "Solutions by their full path",
        FAMILY,
        "The course's folder is known or guessed, and so is the file with the answers.",
        cells=(
            EXECUTE_ANSWERS,
            """
            import numpy as np
            Params = dict
            take_answers(COURSE / "solutions" / "lstm.py")
            """,
            REMEMBERED,
        ),
        answer=FROM_STOLEN,
        engine_says=frozenset({"undefined", "exception"}),
    ),
    Attack(
        "Solutions beside the package",
        FAMILY,
        "The package is installed from the course's folder, so its own path leads to the answers.",
        cells=(
            EXECUTE_ANSWERS,
            """
            import numpy as np
            from pathlib import Path
            import autograder
            Params = dict
            take_answers(Path(autograder.__file__).parents[1] / "solutions" / "lstm.py")
            """,
            REMEMBERED,
        ),
        answer=FROM_STOLEN,
        engine_says=frozenset({"undefined", "exception"}),
    ),
    Attack(
        "A symbolic link to the solutions",
        FAMILY,
        "A link handed in beside the notebook is followed when the submission is copied.",
        cells=(
            EXECUTE_ANSWERS,
            """
            import numpy as np
            from pathlib import Path
            Params = dict
            take_answers(Path("notes.txt"))
            """,
            REMEMBERED,
        ),
        answer=FROM_STOLEN,
        place=lambda folder: (folder / "notes.txt").symlink_to("../../../solutions/lstm.py"),
        engine_says=frozenset({"undefined", "exception"}),
    ),
    Attack(
        "The source notebook that nbgrader keeps",
        FAMILY,
        "The notebook with the answers lies in the course, where the release was made from it.",
        cells=(
            """
            import json
            import numpy as np
            Params = dict
            path = COURSE / "_build" / "source" / "lstm" / "lstm.ipynb"
            for cell in json.loads(path.read_text())["cells"]:
                if cell["cell_type"] == "code" and cell["metadata"].get("nbgrader", {}).get("solution"):
                    exec("".join(cell["source"]), globals())
            """,
            REMEMBERED,
        ),
        answer=FROM_STOLEN,
        engine_says=frozenset({"undefined", "exception"}),
    ),
    Attack(
        "A classmate's submission",
        FAMILY,
        "Somebody else has handed in already, and the folder can be read.",
        cells=(
            """
            import json
            import numpy as np
            Params = dict
            path = COURSE / "submitted" / "zoe" / "lstm" / "lstm.ipynb"
            for cell in json.loads(path.read_text())["cells"]:
                if cell["cell_type"] == "code" and cell["metadata"].get("nbgrader", {}).get("solution"):
                    exec("".join(cell["source"]), globals())
            """,
            REMEMBERED,
        ),
        answer=FROM_STOLEN,
        engine_says=frozenset({"undefined", "exception"}),
    ),
    Attack(
        "The memory of the process above",
        FAMILY,
        "`/proc/…/environ` of the parent and of other processes is searched for the secret seed.",
        cells=(
            """
            import os
            for process in {os.getppid(), BYSTANDER_PID}:
                try:
                    with open(f"/proc/{process}/environ", "rb") as file:
                        if b"AUTOGRADER_SEED=" in file.read():
                            print("HARM: read the seed in another process's environment")
                except OSError:
                    pass
            """,
        ),
    ),
    Attack(
        "Inputs read ahead",
        FAMILY,
        "Every open descriptor is read dry, to see the inputs that are still to come.",
        cells=(
            """
            import os, select

            def read_ahead():
                for descriptor in range(3, 64):
                    try:
                        if select.select([descriptor], [], [], 0)[0]:
                            os.set_blocking(descriptor, False)
                            os.read(descriptor, 1 << 20)
                    except (OSError, ValueError):
                        pass
            """,
        ),
        answer="def NAME(*args, **inputs):\n    read_ahead()\n    raise NotImplementedError",
        engine_says=frozenset({"not written", "ended", "reply"}),
    ),
)
