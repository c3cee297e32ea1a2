"""Attacks that take what there is, or break what grades: loops, memory, processes, output."""

from attack_corpus.record import Attack

FAMILY = "Resources and faults"

OWN_PROCESSES = """
import os, time

def named():
    \"\"\"Give this process the name by which whoever looks for survivors knows it.\"\"\"
    with open("/proc/self/comm", "w") as file:
        file.write(MARK[:15])

def detached(work):
    \"\"\"Run ``work`` in a process that belongs to nobody any more.\"\"\"
    first = os.fork()
    if first:
        os.waitpid(first, 0)
        return
    os.setsid()
    if os.fork() == 0:
        named()
        for descriptor in range(3, 256):
            try:
                os.close(descriptor)
            except OSError:
                pass
        try:
            work()
        finally:
            os._exit(0)
    os._exit(0)
"""
"""A cell with two functions for attacks that start processes."""

LOOPS = (
    Attack(
        "A loop in a cell",
        FAMILY,
        "A cell before the answers never ends.",
        cells=("while True:\n    pass",),
        engine_says=frozenset({"timeout"}),
    ),
    Attack(
        "A loop in a function",
        FAMILY,
        "The first function that is asked for loops forever.",
        answers={"sigmoid": "def sigmoid(a):\n    while True:\n        pass"},
        engine_says=frozenset({"timeout"}),
    ),
    Attack(
        "A loop that swallows every exception",
        FAMILY,
        "Interrupts arrive as exceptions, and the loop catches all of them.",
        cells=(
            """
            while True:
                try:
                    while True:
                        pass
                except BaseException:
                    continue
            """,
        ),
        engine_says=frozenset({"timeout"}),
    ),
    Attack(
        "A loop that ignores signals",
        FAMILY,
        "All signals that can be ignored are, and blocked as well, before the loop begins.",
        cells=(
            """
            import signal
            for number in signal.valid_signals():
                try:
                    signal.signal(number, signal.SIG_IGN)
                except (OSError, ValueError):
                    pass
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            while True:
                pass
            """,
        ),
        engine_says=frozenset({"timeout"}),
    ),
    Attack(
        "A regular expression that explodes",
        FAMILY,
        "Matching takes longer than the universe is old, inside C code that hears no signal.",
        cells=("import re\nre.match(r'(a+)+$', 'a' * 60 + 'b')",),
        engine_says=frozenset({"timeout"}),
    ),
    Attack(
        "A power too large",
        FAMILY,
        "`9 ** 9 ** 9` is computed in C code, where no signal is heard.",
        cells=("exponent = 9 ** 9\nlen(str(9 ** exponent))",),
        engine_says=frozenset({"timeout"}),
    ),
    Attack(
        "A sum without end",
        FAMILY,
        "`sum(itertools.repeat(0))` loops in C code.",
        answers={
            "sigmoid": "def sigmoid(a):\n    import itertools\n    return sum(itertools.repeat(0))"
        },
        engine_says=frozenset({"timeout"}),
    ),
    Attack(
        "A long sleep",
        FAMILY,
        "The cell uses no processor time at all, only the clock's.",
        cells=("import time\ntime.sleep(10 ** 6)",),
        engine_says=frozenset({"timeout"}),
    ),
    Attack(
        "A lock taken twice",
        FAMILY,
        "A thread waits for itself.",
        cells=("import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()",),
        engine_says=frozenset({"timeout"}),
    ),
    Attack(
        "A question nobody answers",
        FAMILY,
        "`input()` waits for somebody to type.",
        cells=("input('How many points do you give me? ')",),
    ),
    Attack(
        "A result that is slow to show",
        FAMILY,
        "The cell ends at once; writing its result down does not.",
        cells=(
            """
            class Slow:
                def __repr__(self):
                    while True:
                        pass
            Slow()
            """,
        ),
        engine_says=frozenset({"timeout"}),
    ),
    Attack(
        "A result that is slow to read",
        FAMILY,
        "The function returns at once an object whose length is never found.",
        cells=(
            """
            class Endless(tuple):
                def __len__(self):
                    while True:
                        pass
                def __array__(self, *rest, **more):
                    while True:
                        pass
                __iter__ = __getitem__ = __len__
            """,
        ),
        answers={"sigmoid": "def sigmoid(a):\n    return Endless()"},
        engine_says=frozenset({"timeout", "type"}),
    ),
    Attack(
        "A loop at the exit",
        FAMILY,
        "What is registered with `atexit` loops when the process wants to end.",
        cells=("import atexit\n@atexit.register\ndef stay():\n    while True:\n        pass",),
    ),
)

MEMORY = (
    Attack(
        "A large array",
        FAMILY,
        "NumPy fills 3 GB with ones.",
        cells=(
            """
            import numpy as np
            kept = np.ones((3, 1 << 30), dtype=np.uint8)
            print("HARM: took 3 GB of memory")
            """,
        ),
    ),
    Attack(
        "A list that grows",
        FAMILY,
        "Blocks of 64 MB are kept one after the other, up to 3 GB.",
        cells=(
            """
            kept = []
            for block in range(48):
                kept.append(bytearray(b"x") * (64 << 20))
            print("HARM: took 3 GB of memory")
            """,
        ),
    ),
    Attack(
        "Shared memory",
        FAMILY,
        "3 GB of anonymous shared memory are mapped and written to.",
        cells=(
            """
            import mmap
            kept = mmap.mmap(-1, 3 << 30)
            for page in range(0, 3 << 30, 4096):
                kept[page] = 1
            print("HARM: took 3 GB of memory")
            """,
        ),
    ),
    Attack(
        "A file in memory",
        FAMILY,
        "`memfd_create` makes a file of 3 GB that lies in memory and counts as nobody's.",
        cells=(
            """
            import os
            kept = os.memfd_create("kept")
            for block in range(48):
                os.write(kept, bytes([1]) * (64 << 20))
            print("HARM: took 3 GB of memory")
            """,
        ),
    ),
    Attack(
        "A figure of a gigapixel",
        FAMILY,
        "Matplotlib is to draw 30,000 by 30,000 points, 3.6 GB.",
        cells=(
            """
            %matplotlib inline
            import matplotlib.pyplot as plt
            figure = plt.figure(figsize=(200, 200), dpi=140)
            figure.canvas.draw()
            print("HARM: took 3 GB of memory")
            """,
        ),
        engine_says=frozenset({"not written", "ended", "timeout"}),
    ),
    Attack(
        "Recursion without a limit",
        FAMILY,
        "The limit is lifted, and the stack grows until the process breaks.",
        answers={
            "sigmoid": """
                import sys
                def sigmoid(a):
                    sys.setrecursionlimit(10 ** 9)
                    deep = []
                    for _ in range(10 ** 6):
                        deep = [deep]
                    return repr(deep)
            """
        },
        engine_says=frozenset({"ended", "exception", "type"}),
    ),
)

PROCESSES = (
    Attack(
        "A fork bomb",
        FAMILY,
        "Fifty children are started, and none is waited for; a real one would never stop.",
        cells=(
            OWN_PROCESSES,
            """
            for _ in range(50):
                if os.fork() == 0:
                    named()
                    time.sleep(20)
                    os._exit(0)
            """,
        ),
    ),
    Attack(
        "A bomb of threads",
        FAMILY,
        "Five hundred threads are started that wait for each other.",
        cells=(
            """
            import threading
            never = threading.Event()
            for _ in range(500):
                threading.Thread(target=never.wait, args=(20,), daemon=True).start()
            print("HARM: started 500 threads")
            """,
        ),
    ),
    Attack(
        "A daemon that outlives the run",
        FAMILY,
        "A process that forks twice belongs to nobody and writes into the course after the run.",
        cells=(
            OWN_PROCESSES,
            """
            def later():
                for second in range(15):
                    time.sleep(1)
                    (COURSE / "solutions" / "from-a-daemon.py").write_text(f"second = {second}")

            detached(later)
            """,
        ),
    ),
    Attack(
        "A program started in the background",
        FAMILY,
        "Another Python is started in a session of its own, and stays.",
        cells=(
            """
            import subprocess, sys
            program = "import time; open('/proc/self/comm', 'w').write(%r); time.sleep(20)"
            subprocess.Popen(
                [sys.executable, "-c", program % MARK[:15]],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            """,
        ),
    ),
    Attack(
        "A command of the operating system",
        FAMILY,
        "A line that begins with an exclamation mark goes to a shell.",
        cells=("!touch {COURSE}/solutions/by-a-shell.py",),
    ),
)

ENDS = (
    Attack(
        "os._exit in a cell",
        FAMILY,
        "The process in which the notebook runs ends without a word.",
        cells=("import os\nos._exit(0)",),
        engine_says=frozenset({"ended"}),
    ),
    Attack(
        "os._exit in a function",
        FAMILY,
        "Every function ends the process that calls it.",
        answer="def NAME(*args, **inputs):\n    import os\n    os._exit(0)",
        engine_says=frozenset({"ended"}),
    ),
    Attack(
        "sys.exit in a function",
        FAMILY,
        "`SystemExit` is no ordinary exception and ends what does not expect it.",
        answer="def NAME(*args, **inputs):\n    import sys\n    sys.exit(0)",
        engine_says=frozenset({"exception", "ended"}),
    ),
    Attack(
        "Ctrl-C from inside",
        FAMILY,
        "The function raises `KeyboardInterrupt`, as if the instructor had stopped the run.",
        answer="def NAME(*args, **inputs):\n    raise KeyboardInterrupt",
        engine_says=frozenset({"exception", "ended"}),
    ),
    Attack(
        "A segmentation fault",
        FAMILY,
        "`ctypes` reads at address zero.",
        cells=("import ctypes\nctypes.string_at(0)",),
        engine_says=frozenset({"ended"}),
    ),
    Attack(
        "A signal to itself",
        FAMILY,
        "The process kills itself with SIGKILL, which cannot be caught.",
        answer="def NAME(*args, **inputs):\n    import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)",
        engine_says=frozenset({"ended", "exception"}),
    ),
    Attack(
        "A process that stops itself",
        FAMILY,
        "SIGSTOP halts the process; it neither ends nor answers.",
        cells=("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",),
        engine_says=frozenset({"timeout", "not written"}),
    ),
    Attack(
        "Every file closed",
        FAMILY,
        "All open files of the process are closed, the channel to the grader among them.",
        cells=("import os\nos.closerange(3, 4096)",),
        engine_says=frozenset({"ended", "reply", "timeout"}),
    ),
    Attack(
        "The rights to compute given up",
        FAMILY,
        "The process forbids itself memory and open files, so that whatever grades in it fails.",
        cells=(
            """
            import resource
            resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
            resource.setrlimit(resource.RLIMIT_AS, (1 << 20, 1 << 20))
            """,
        ),
        engine_says=frozenset({"not written", "ended"}),
    ),
)

FLOODS = (
    Attack(
        "50 megabytes printed",
        FAMILY,
        "A cell prints until the graded notebook can hardly be opened.",
        cells=("for _ in range(50):\n    print('x' * (1 << 20))",),
        engine_says=frozenset({"flood"}),
    ),
    Attack(
        "50 megabytes on the error channel",
        FAMILY,
        "The same on standard error, past Python, by its file descriptor.",
        cells=("import os\nfor _ in range(800):\n    os.write(2, b'x' * (1 << 16))",),
    ),
    Attack(
        "50 megabytes as a result",
        FAMILY,
        "The result of a cell is one string of 50 megabytes.",
        cells=("'x' * (50 << 20)",),
        engine_says=frozenset({"flood"}),
    ),
    Attack(
        "50 megabytes in an exception",
        FAMILY,
        "The message of the exception that the first function raises is 50 megabytes long.",
        answers={"sigmoid": "def sigmoid(a):\n    raise ValueError('x' * (50 << 20))"},
        engine_says=frozenset({"exception"}),
    ),
    Attack(
        "An exception that cannot be shown",
        FAMILY,
        "Asking the exception for its message raises another, or never returns.",
        cells=(
            """
            class Unspeakable(Exception):
                def __str__(self):
                    while True:
                        pass
                __repr__ = __str__
            """,
        ),
        answers={"sigmoid": "def sigmoid(a):\n    raise Unspeakable"},
        engine_says=frozenset({"timeout", "exception"}),
    ),
    Attack(
        "Twenty thousand results",
        FAMILY,
        "A cell shows twenty thousand small things.",
        cells=("for number in range(20_000):\n    display(number)",),
        engine_says=frozenset({"flood"}),
    ),
    Attack(
        "A full disk",
        FAMILY,
        "Ten files of 20 MB are written beside the notebook; a real one would not stop at ten.",
        cells=(
            """
            for number in range(10):
                with open(f"{MARK}-{number}", "wb") as file:
                    for _ in range(20):
                        file.write(b"x" * (1 << 20))
            print("HARM: filled 200 MB of disk")
            """,
        ),
    ),
    Attack(
        "Very many files",
        FAMILY,
        "Twenty thousand empty files are made, where a real attack would make millions.",
        cells=(
            """
            for number in range(20_000):
                open(f"{MARK}-{number}", "w").close()
            print("HARM: made 20,000 files")
            """,
        ),
    ),
    Attack(
        "Folders in folders",
        FAMILY,
        "A thousand folders inside each other, too deep for what cleans up by recursion.",
        cells=(
            """
            import os
            home = os.getcwd()
            for _ in range(1000):
                os.mkdir("d")
                os.chdir("d")
            os.chdir(home)
            """,
        ),
    ),
    Attack(
        "A folder that cannot be opened",
        FAMILY,
        "What is left beside the notebook forbids everybody to look at it or to remove it.",
        cells=(
            """
            import os
            os.makedirs("closed/inside")
            os.chmod("closed", 0)
            """,
        ),
    ),
)

RESOURCES = (*LOOPS, *MEMORY, *PROCESSES, *ENDS, *FLOODS)
