"""Attacks on everybody else: classmates, the course, the machine."""

from attack_corpus.record import Attack
from attack_corpus.resources import OWN_PROCESSES

FAMILY = "Harm to others"

OTHERS = (
    Attack(
        "A classmate's submission overwritten",
        FAMILY,
        "What somebody else has handed in is replaced by an empty notebook.",
        cells=(
            """
            theirs = COURSE / "submitted" / "zoe" / "lstm" / "lstm.ipynb"
            theirs.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
            """,
        ),
    ),
    Attack(
        "A classmate's submission removed",
        FAMILY,
        "The folder of somebody else is moved away.",
        cells=("(COURSE / 'submitted' / 'zoe').rename(COURSE / 'submitted' / 'nobody')",),
    ),
    Attack(
        "A classmate's graded notebook",
        FAMILY,
        "What the grader wrote about somebody else is rewritten.",
        cells=(
            """
            for path in (COURSE / "autograded" / "zoe" / "lstm").glob("*"):
                path.chmod(0o644)
                path.write_text("{}")
            """,
        ),
    ),
    Attack(
        "The gradebook",
        FAMILY,
        "SQL turns one's own points to full marks and everybody else's to zero.",
        cells=(
            """
            import sqlite3
            with sqlite3.connect(COURSE / "gradebook.db", timeout=3) as gradebook:
                gradebook.execute("UPDATE grade SET auto_score = 0")
            """,
        ),
    ),
    Attack(
        "The gradebook, after the run",
        FAMILY,
        "A process that outlives the run gives full marks when nobody looks any more.",
        cells=(
            OWN_PROCESSES,
            """
            def later():
                import sqlite3
                for _ in range(8):
                    time.sleep(2)
                    with sqlite3.connect(COURSE / "gradebook.db", timeout=1) as gradebook:
                        gradebook.execute(
                            "UPDATE grade SET auto_score = (SELECT max_score FROM grade_cells "
                            "WHERE grade_cells.id = grade.cell_id), needs_manual_grade = 0"
                        )

            detached(later)
            """,
        ),
    ),
    Attack(
        "The gradebook locked",
        FAMILY,
        "A process holds the database, so that no grade can be written any more.",
        cells=(
            OWN_PROCESSES,
            """
            def later():
                import sqlite3
                gradebook = sqlite3.connect(COURSE / "gradebook.db", isolation_level=None)
                gradebook.execute("BEGIN EXCLUSIVE")
                time.sleep(20)

            detached(later)
            time.sleep(0.5)
            """,
        ),
    ),
    Attack(
        "The solutions changed",
        FAMILY,
        "A mistake is built into the solution from which everything is made.",
        cells=(
            """
            path = COURSE / "solutions" / "lstm.py"
            path.write_text(path.read_text().replace("np.tanh", "np.sin"))
            """,
        ),
    ),
    Attack(
        "A file for everybody",
        FAMILY,
        "A file in the folder of the release goes out to the whole class with the next copy.",
        cells=(
            """
            for name in ("source", "release"):
                (COURSE / "_build" / name / "lstm" / "numpy.py").write_text("import os")
            """,
        ),
    ),
    Attack(
        "The settings of the course",
        FAMILY,
        "A line is added to `nbgrader_config.py`, which runs with the instructor's rights.",
        cells=(
            """
            with open(COURSE / "nbgrader_config.py", "a") as file:
                file.write("\\nc.Execute.timeout = 1\\n")
            """,
        ),
    ),
    Attack(
        "The secret seed removed",
        FAMILY,
        "Without the file, the next run uses the public inputs.",
        cells=("(COURSE / 'secret_seed.txt').unlink()",),
    ),
    Attack(
        "The secret seed read",
        FAMILY,
        "The file with the seed lies in the course and can be read.",
        cells=(
            """
            if (COURSE / "secret_seed.txt").read_text():
                print("HARM: read the secret seed")
            """,
        ),
    ),
    Attack(
        "A classmate's notebook read",
        FAMILY,
        "What others have handed in can be read and copied.",
        cells=(
            """
            if (COURSE / "submitted" / "zoe" / "lstm" / "lstm.ipynb").read_text():
                print("HARM: read a classmate's submission")
            """,
        ),
    ),
    Attack(
        "Rights taken away",
        FAMILY,
        "The folder of somebody else can no longer be read by anybody.",
        cells=("(COURSE / 'submitted' / 'zoe' / 'lstm' / 'lstm.ipynb').chmod(0)",),
    ),
    Attack(
        "Dates changed",
        FAMILY,
        "The files of somebody else look as if they were handed in years late.",
        cells=(
            """
            import os
            os.utime(COURSE / "submitted" / "zoe" / "lstm" / "lstm.ipynb", (4e9, 4e9))
            """,
        ),
    ),
    Attack(
        "Attributes attached",
        FAMILY,
        "Extended attributes, which few confinements think of, are attached to a course file.",
        cells=(
            """
            import os
            os.setxattr(COURSE / "gradebook.db", "user.attack", b"was here")
            """,
        ),
    ),
    Attack(
        "A hard link to the gradebook",
        FAMILY,
        "A second name for the gradebook lies in the student's own folder and comes back with it.",
        cells=("import os\nos.link(COURSE / 'gradebook.db', 'mine.db')",),
    ),
    Attack(
        "A symbolic link left behind",
        FAMILY,
        "Where the next run writes somebody's result, a link leads to the gradebook.",
        cells=(
            """
            import os
            os.makedirs(COURSE / "autograded" / "ada" / "lstm", exist_ok=True)
            os.symlink(COURSE / "gradebook.db", COURSE / "autograded" / "ada" / "lstm" / "lstm.ipynb")
            """,
        ),
    ),
    Attack(
        "A file through a link of one's own",
        FAMILY,
        "A link in the folder that the notebook runs in is followed to a file of the course.",
        cells=(
            """
            import os
            os.symlink(COURSE / "solutions", "elsewhere")
            open("elsewhere/through-a-link.py", "w").close()
            """,
        ),
    ),
    Attack(
        "A network connection",
        FAMILY,
        "What was read is sent to another computer; here to a port of this one.",
        cells=(
            """
            import socket
            with socket.create_connection(("127.0.0.1", PORT), timeout=5) as line:
                line.sendall(b"secret seed")
            """,
        ),
    ),
    Attack(
        "A datagram",
        FAMILY,
        "A single packet, for which no connection is needed, carries a secret away.",
        cells=(
            """
            import socket
            line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            line.sendto(b"secret seed", ("127.0.0.1", PORT))
            """,
        ),
    ),
    Attack(
        "A socket without a file",
        FAMILY,
        "Abstract Unix sockets have no file whose rights could protect them.",
        cells=(
            """
            import socket
            line = socket.socket(socket.AF_UNIX)
            line.connect("\\0" + MARK)
            line.sendall(b"hello")
            """,
        ),
    ),
    Attack(
        "A socket that listens",
        FAMILY,
        "The notebook opens a port and waits for orders from outside.",
        cells=(
            """
            import socket
            door = socket.socket()
            door.bind(("127.0.0.1", 0))
            door.listen()
            print("HARM: opened a port")
            """,
        ),
    ),
    Attack(
        "Files in /tmp",
        FAMILY,
        "Files that others may read, or trip over, are left in the machine's shared folders.",
        cells=(
            """
            for folder in ("/tmp", "/var/tmp", "/dev/shm"):
                try:
                    with open(f"{folder}/{MARK}", "w") as file:
                        file.write("for the next attack")
                except OSError:
                    pass
            """,
        ),
    ),
    Attack(
        "Shared memory left behind",
        FAMILY,
        "A segment of System V shared memory stays until the machine is started again.",
        cells=(
            """
            import ctypes
            libc = ctypes.CDLL(None)
            libc.shmget(SEGMENT, ctypes.c_size_t(1 << 20), 0o1666)
            """,
        ),
    ),
    Attack(
        "A module for every Python",
        FAMILY,
        "`usercustomize.py` in the home folder runs whenever the instructor starts Python.",
        cells=(
            """
            import site
            from pathlib import Path
            folder = Path(site.getusersitepackages())
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "usercustomize.py").write_text("import os")
            """,
        ),
    ),
    Attack(
        "The instructor's shell",
        FAMILY,
        "A line in `.bashrc` runs with the next terminal.",
        cells=(
            """
            from pathlib import Path
            with open(Path.home() / ".bashrc", "a") as file:
                file.write("true\\n")
            """,
        ),
    ),
    Attack(
        "A kernel for everybody",
        FAMILY,
        "A kernel specification of the student's own takes the place of Python's.",
        cells=(
            """
            import json, os
            from pathlib import Path
            data = os.environ.get("JUPYTER_DATA_DIR", Path.home() / ".local/share/jupyter")
            folder = Path(data) / "kernels" / "python3"
            folder.mkdir(parents=True, exist_ok=True)
            kernel = {"argv": ["true"], "display_name": "Python 3", "language": "python"}
            (folder / "kernel.json").write_text(json.dumps(kernel))
            """,
        ),
    ),
    Attack(
        "The process above killed",
        FAMILY,
        "SIGKILL goes to the parent process, which grades the class.",
        cells=(
            """
            import os, signal
            if os.getppid() > 1:
                os.kill(os.getppid(), signal.SIGKILL)
            """,
        ),
    ),
    Attack(
        "The process above stopped",
        FAMILY,
        "SIGSTOP halts the parent process, and the run waits forever.",
        cells=(
            """
            import os, signal
            if os.getppid() > 1:
                os.kill(os.getppid(), signal.SIGSTOP)
            """,
        ),
    ),
    Attack(
        "The whole group killed",
        FAMILY,
        "A signal goes to every process of the group that the notebook runs in.",
        cells=("import os, signal\nos.killpg(0, signal.SIGKILL)",),
        engine_says=frozenset({"not written", "ended"}),
    ),
    Attack(
        "A stranger killed",
        FAMILY,
        "A signal goes to another process of the same user.",
        cells=("import os, signal\nos.kill(BYSTANDER_PID, signal.SIGKILL)",),
    ),
    Attack(
        "A stranger slowed down",
        FAMILY,
        "Another process of the same user gets the lowest priority and may open no file any more.",
        cells=(
            """
            import os, resource
            for act in (
                lambda: os.setpriority(os.PRIO_PROCESS, BYSTANDER_PID, 19),
                lambda: resource.prlimit(BYSTANDER_PID, resource.RLIMIT_NOFILE, (3, 3)),
            ):
                try:
                    act()
                except OSError:
                    pass
            """,
        ),
    ),
)
