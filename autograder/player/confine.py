"""Keeps a player apart from everything else, with what Linux offers to anybody.

Four layers, each of which is left out where the system does not offer it; ``available`` says
which ones it does, by trying:

``namespaces``  the player sees none of the machine's processes, network, shared memory and
                files: its root is an empty folder with Python in it, read-only. user_namespaces(7),
                pid_namespaces(7), network_namespaces(7), mount_namespaces(7)
``landlock``    files may be read where Python is and written in the scratch folder; landlock(7)
``seccomp``     only the system calls that computing needs; seccomp(2), by libseccomp
``limits``      memory, processor time, file size, threads, open files; setrlimit(2)

The zygote calls ``enter`` once, before it runs anybody's code, then ``fork`` for each player;
the player itself calls ``confine``, after which no code of it can undo any of this.
"""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import signal
import struct
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LAYERS = ("namespaces", "landlock", "seccomp", "limits")

MEANS = {
    "namespaces": "submissions can see the machine's processes, network and files",
    "landlock": "nothing but the namespaces keeps submissions from files",
    "seccomp": "submissions can make every system call",
    "limits": "a submission can take all memory and processor time",
}
"""What it means that a layer is missing."""

NOBODY = 65534

_OLD_ROOT = "player-old-root"


@dataclass(frozen=True)
class Limits:
    """What one player may use, all its cells and calls together."""

    memory: int = 2 << 30
    """bytes, beyond what the zygote has when it forks"""
    processor_seconds: int = 300
    file_size: int = 32 << 20
    """bytes, of one file in the scratch folder"""
    scratch: int = 64 << 20
    """bytes, of all files in the scratch folder"""
    files: int = 256
    """open at a time"""
    threads: int = 64


def python_folders() -> list[Path]:
    """The folders and files that Python itself needs; of installed packages, see ``packages``."""
    paths = {sysconfig.get_path(key) for key in ("stdlib", "platstdlib")}
    paths |= {f"{sys.base_prefix}/lib", "/lib", "/lib64", "/usr/lib", "/usr/lib64"}
    paths |= {"/usr/local/lib", "/usr/share/zoneinfo"}
    paths |= {"/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/dev/zero"}
    paths |= {"/dev/random", "/dev/urandom"}
    found = sorted({Path(path).resolve() for path in paths if path and os.path.exists(path)})
    return [path for path in found if not any(other in path.parents for other in found)]


class Cage:
    """The confinement of one zygote's players.

    ``readable`` are folders and files that players may read, ``hidden`` those of which they may
    not, but for the files and folders in them that are ``shown``. ``layers`` are the ones wanted,
    by default all that ``available`` finds.
    """

    def __init__(
        self,
        readable: Sequence[Path],
        hidden: Sequence[Path] = (),
        shown: Sequence[Path] = (),
        limits: Limits | None = None,
        layers: Sequence[str] | None = None,
    ):
        self.readable = [Path(path).resolve() for path in readable]
        self.hidden = sorted({Path(path).resolve() for path in hidden if Path(path).exists()})
        self.shown = sorted({Path(path).resolve() for path in shown if Path(path).exists()})
        self.limits = limits or Limits()
        wanted = available() if layers is None else layers
        self.active = tuple(layer for layer in LAYERS if layer in wanted)
        self.scratch = Path("/player-scratch")
        self._filter: bytes | None = None
        self._ids: tuple[int, int] | None = None
        self._pid_namespace = -1
        self._address_space: int | None = None

    def enter(self) -> None:
        """Prepare this process, which must have one thread. Raises OSError."""
        self._address_space = _address_space()
        if "seccomp" in self.active:
            self._filter = _allowed_system_calls()
        if "namespaces" in self.active:
            self._enter_namespaces()
        else:
            self.scratch = Path(tempfile.mkdtemp(prefix="player-")).resolve()
            if os.geteuid() == 0 and all(_open_to_all(path) for path in self.readable):
                self._ids = NOBODY, NOBODY
        _set(_PR_SET_PDEATHSIG, signal.SIGKILL)

    def fork(self) -> int:
        """Fork a player, in a PID namespace of its own where there are namespaces.

        Returns as ``os.fork`` does. Raises OSError.
        """
        if "namespaces" in self.active:
            # A process can make one namespace for its children at a time: go back, make the next.
            _check(_libc.setns(self._pid_namespace, _CLONE_NEWPID), "setns")
            _check(_libc.unshare(_CLONE_NEWPID), "unshare")
            size = f"size={self.limits.scratch},nr_inodes=4096,mode=1777"
            _mount("tmpfs", self.scratch, "tmpfs", _MS_NOSUID | _MS_NODEV, size)
        else:
            self.scratch.mkdir(exist_ok=True)
            if self._ids:
                os.chown(self.scratch, *self._ids)
        return os.fork()

    def clean(self) -> None:
        """Remove what a player that has ended left behind."""
        if "namespaces" in self.active:
            _check(_libc.umount2(os.fsencode(self.scratch), _MNT_DETACH), "umount")
        else:
            shutil.rmtree(self.scratch, ignore_errors=True)

    def confine(self) -> None:
        """Give up, in the player, everything that running cells does not need. Raises OSError."""
        _set(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os.chdir(self.scratch)
        os.umask(0o077)
        if "limits" in self.active:
            self._set_limits()
        if self._ids:
            user, group = self._ids
            os.setgroups([])
            os.setresgid(group, group, group)
            os.setresuid(user, user, user)
        if "namespaces" in self.active or self._ids:
            _drop_capabilities()
        _set(_PR_SET_NO_NEW_PRIVS, 1)
        if "landlock" in self.active:
            self._restrict_files()
        if self._filter is not None:
            _load_filter(self._filter)

    # Namespaces

    def _enter_namespaces(self) -> None:
        user, group = os.geteuid(), os.getegid()
        _check(_libc.unshare(_CLONE_ALL), "unshare")
        mapped = _map_ids(user, group)
        if mapped and user == 0:
            self._ids = NOBODY, NOBODY
        self._change_root()
        # From here on this process only waits: its child is the first of a PID namespace, and
        # whatever lives there dies with it.
        pid = os.fork()
        if pid:
            _, status = os.waitpid(pid, 0)
            os._exit(os.waitstatus_to_exitcode(status) & 0x7F)
        self._pid_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        _check(_libc.umount2(b"/proc", _MNT_DETACH), "umount")

    def _change_root(self) -> None:
        _mount(None, "/", None, _MS_REC | _MS_PRIVATE)
        root = self._place_for_root()
        os.umask(0o022)  # the folders of the new root are for the player to pass through
        _mount("tmpfs", root, "tmpfs", _MS_NOSUID | _MS_NODEV, "size=1m,mode=755")
        for path in self.readable:
            self._bind(path, root)
        self._hide(root)
        for name in ("/lib", "/lib64", "/bin"):
            if os.path.islink(name) and not (root / name[1:]).exists():
                (root / name[1:]).symlink_to(os.readlink(name))
        # Names that no folder with a Python in it has; it may well be below /tmp.
        for name in ("proc", _OLD_ROOT, self.scratch.name):
            (root / name).mkdir(exist_ok=True)
        if not (root / "tmp").exists():
            (root / "tmp").symlink_to(self.scratch.name)
        # Only to find the PID namespace; gone before anybody's code runs.
        _mount("/proc", root / "proc", None, _MS_BIND | _MS_REC)
        _check(
            _libc.syscall(_PIVOT_ROOT, os.fsencode(root), os.fsencode(root / _OLD_ROOT)),
            "pivot_root",
        )
        os.chdir("/")
        _check(_libc.umount2(os.fsencode(f"/{_OLD_ROOT}"), _MNT_DETACH), "umount")
        os.rmdir(f"/{_OLD_ROOT}")
        _make_read_only(Path("/"), below=False)
        _check(_libc.sethostname(b"player", 6), "sethostname")

    @staticmethod
    def _bind(path: Path, root: Path) -> None:
        """Have a file or folder of the machine at its place below the new root, read-only."""
        there = root / path.relative_to("/")
        if path.is_dir():
            there.mkdir(parents=True, exist_ok=True)
        else:
            there.parent.mkdir(parents=True, exist_ok=True)
            there.touch()
        _mount(path, there, None, _MS_BIND | _MS_REC)
        if path.parts[1] != "dev":
            _make_read_only(there)

    def _hide(self, root: Path) -> None:
        """Put an empty folder over each hidden one, and into it what is shown of it."""
        for path in self.hidden:
            there = root / path.relative_to("/")
            inside = [shown for shown in self.shown if path in shown.parents]
            if inside:
                there.mkdir(parents=True, exist_ok=True)
            if there.is_dir():
                _mount("tmpfs", there, "tmpfs", _MS_NOSUID | _MS_NODEV, "size=1m,mode=755")
                for shown in inside:
                    self._bind(shown, root)
                _make_read_only(there, below=False)
            elif there.exists():
                _mount("/dev/null", there, None, _MS_BIND)

    def _place_for_root(self) -> Path:
        """A folder of the machine that holds nothing which players read, to mount their root on."""
        for name in ("/mnt", "/media", "/srv", "/tmp", "/var/tmp", "/opt", "/home"):
            place = Path(name)
            read = (*self.readable, *self.shown)
            taken = (place == path or place in path.parents for path in read)
            if place.is_dir() and not place.is_symlink() and not any(taken):
                return place
        raise OSError("no folder to mount a root on: neither /mnt nor /tmp is there")

    # Landlock

    def _restrict_files(self) -> None:
        rights = landlock_rights()
        ruleset = _landlock_ruleset(rights)
        try:
            for path in self._readable_for_landlock():
                _landlock_allow(ruleset, path, _LL_READ & rights.files)
            _landlock_allow(ruleset, self.scratch, _LL_WRITE & rights.files)
            if os.path.exists(os.devnull):
                _landlock_allow(ruleset, Path(os.devnull), _LL_WRITE & rights.files)
            _check(_libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0), "landlock_restrict_self")
        finally:
            os.close(ruleset)

    def _readable_for_landlock(self) -> list[Path]:
        """Without mounts that hide folders, rules name their neighbors one by one."""
        if "namespaces" in self.active:  # what is hidden is not there; what is shown of it is
            return [*self.readable, *(path for path in self.hidden if path.exists())]
        seen = [path for folder in self.readable for path in _without(folder, self.hidden)]
        return [*seen, *self.shown]

    # Limits

    def _set_limits(self) -> None:
        limits = self.limits
        wanted = {
            resource.RLIMIT_CPU: limits.processor_seconds,
            resource.RLIMIT_FSIZE: limits.file_size,
            resource.RLIMIT_NOFILE: limits.files,
            resource.RLIMIT_CORE: 0,
            resource.RLIMIT_MEMLOCK: 0,
            resource.RLIMIT_MSGQUEUE: 0,
        }
        if self._address_space is not None:
            wanted[resource.RLIMIT_AS] = self._address_space + limits.memory
        if "namespaces" in self.active:  # elsewhere other processes of the user would count
            wanted[resource.RLIMIT_NPROC] = limits.threads
        for name, most in wanted.items():
            _, hard = resource.getrlimit(name)
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(name, (most, most))


def available() -> tuple[str, ...]:
    """The layers that work on this machine, found by trying them in processes of their own."""
    if sys.platform != "linux":
        return ("limits",) if os.name == "posix" else ()
    found = []
    for layer in LAYERS:
        # -c, not fork: the caller may have threads, and namespaces want one.
        program = f"from autograder.player.confine import attempt; attempt({layer!r})"
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
        )
        if done.returncode == 0:
            found.append(layer)
    return tuple(found)


def attempt(layer: str) -> None:
    """Put a child of this process behind one layer; exit with 0 where the layer held."""
    cage = Cage(python_folders(), layers=(layer,))
    probes: dict[str, Callable[[], bool]] = {
        "namespaces": lambda: not os.path.exists("/home") and os.getpid() == 1,
        "landlock": lambda: _fails(lambda: os.listdir("/")),
        "seccomp": lambda: _fails(os.fork),
        "limits": lambda: resource.getrlimit(resource.RLIMIT_CORE)[1] == 0,
    }
    cage.enter()
    pid = cage.fork()
    if pid == 0:
        code = 1
        with suppress(OSError):
            cage.confine()
            code = 0 if probes[layer]() else 1
        os._exit(code)
    _, status = os.waitpid(pid, 0)
    cage.clean()
    os._exit(os.waitstatus_to_exitcode(status) & 0x7F)


def _fails(action: Callable) -> bool:
    try:
        action()
    except OSError:
        return True
    return False


# System calls of the kernel, from linux/*.h

_libc = ctypes.CDLL(None, use_errno=True)

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_SECCOMP_MODE_FILTER = 2
_CLONE_NEWPID = 0x20000000
_CLONE_ALL = 0x10000000 | 0x00020000 | 0x40000000 | 0x08000000 | 0x04000000 | _CLONE_NEWPID
"""user, mount, network, IPC, UTS and PID namespaces"""
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 2, 4, 4096, 16384, 1 << 18
_MNT_DETACH = 2
_PIVOT_ROOT = 41 if os.uname().machine == "aarch64" else 155
_MOUNT_SETATTR = 442
_LANDLOCK_CREATE_RULESET, _LANDLOCK_ADD_RULE, _LANDLOCK_RESTRICT_SELF = 444, 445, 446


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _set(option: int, value: int) -> None:
    _check(_libc.prctl(option, value, 0, 0, 0), "prctl")


def _mount(source, target, kind: str | None, flags: int, data: str | None = None) -> None:
    parts = (source, target, kind, data)
    source, target, *rest = (None if part is None else os.fsencode(part) for part in parts)
    _check(
        _libc.mount(source, target, rest[0], ctypes.c_ulong(flags), rest[1]), f"mount {target!r}"
    )


def _make_read_only(path: Path, below: bool = True) -> None:
    """This mount, and those below it, keeping what else they forbid; mount_setattr(2)."""
    forbid = struct.pack("=QQQQ", 0x1 | 0x2 | 0x4, 0, 0, 0)  # writing, set-user-ID, devices
    recursive = 0x8000 if below else 0
    arguments = (-100, os.fsencode(path), recursive, forbid, len(forbid))
    _check(_libc.syscall(_MOUNT_SETATTR, *arguments), f"mount_setattr {path}")


def _map_ids(user: int, group: int) -> bool:
    """Name the users of this new user namespace; whether there is a nobody apart from oneself."""
    if user == 0:
        with suppress(OSError):
            for name in ("gid_map", "uid_map"):
                Path("/proc/self", name).write_text(f"0 0 1\n{NOBODY} {NOBODY} 1\n")
            return True
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} {group} 1\n")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} {user} 1\n")
    return False


def _drop_capabilities() -> None:
    """Version 3 of capset(2): two headers of 32 bit, three sets twice."""
    head = struct.pack("=Ii", 0x20080522, 0)
    _check(_libc.capset(head, bytes(24)), "capset")


def _address_space() -> int | None:
    """Bytes of address space that this process has, None where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return None


def _open_to_all(path: Path) -> bool:
    """Whether every user may read ``path``."""
    reach = all(folder.stat().st_mode & 0o001 for folder in path.parents)
    return reach and bool(path.stat().st_mode & 0o004)


def _without(folder: Path, hidden: Sequence[Path]) -> list[Path]:
    """``folder``, or where something in it is hidden, everything else in it."""
    if folder in hidden:
        return []
    if not any(folder in path.parents for path in hidden):
        return [folder]
    return [path for entry in sorted(folder.iterdir()) for path in _without(entry, hidden)]


# Landlock

_LL_READ = 1 << 2 | 1 << 3  # read files, list folders
_LL_WRITE = _LL_READ | 1 << 1 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 14
"""Also: write, remove folders and files, make folders and regular files, truncate."""


@dataclass(frozen=True)
class LandlockRights:
    """What this kernel's Landlock can forbid: bits of file rights, network rights, scopes."""

    files: int
    network: int
    scopes: int


def landlock_rights() -> LandlockRights:
    """Raises OSError where there is no Landlock."""
    version = _check(_libc.syscall(_LANDLOCK_CREATE_RULESET, None, 0, 1), "landlock")
    bits = {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)
    return LandlockRights((1 << bits) - 1, 0b11 if version >= 4 else 0, 0b11 if version >= 6 else 0)


def _landlock_ruleset(rights: LandlockRights) -> int:
    fields = [rights.files]
    if rights.network:
        fields.append(rights.network)
    if rights.scopes:
        fields.append(rights.scopes)
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    call = (_LANDLOCK_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    return _check(_libc.syscall(*call), "landlock_create_ruleset")


def _landlock_allow(ruleset: int, path: Path, rights: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not path.is_dir():
            rights &= 1 << 1 | 1 << 2 | 1 << 14
        rule = struct.pack("=Qi", rights, descriptor)
        _check(_libc.syscall(_LANDLOCK_ADD_RULE, ruleset, 1, rule, 0), f"landlock rule for {path}")
    finally:
        os.close(descriptor)


# Seccomp

_COMPUTING = """
read write readv writev pread64 pwrite64 lseek close close_range dup dup2 dup3 fcntl
open openat stat lstat fstat newfstatat statx access faccessat faccessat2 readlink readlinkat
getdents getdents64 getcwd chdir fchdir statfs fstatfs umask
mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 truncate ftruncate fallocate
fsync fdatasync flock pipe pipe2
poll ppoll select pselect6 epoll_create1 epoll_create epoll_ctl epoll_wait epoll_pwait eventfd2
sendto sendmsg recvfrom recvmsg shutdown getsockopt setsockopt getsockname getpeername
mmap munmap mprotect mremap madvise brk msync mincore
rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait sigaltstack
setitimer getitimer alarm pause restart_syscall
nanosleep clock_nanosleep clock_gettime clock_getres gettimeofday time times getrusage
getpid getppid gettid getuid geteuid getgid getegid getresuid getresgid getgroups getpgrp
getpgid getsid uname sysinfo getrlimit getpriority getcpu getrandom
futex set_robust_list get_robust_list rseq set_tid_address arch_prctl membarrier
sched_yield sched_getaffinity sched_getparam sched_getscheduler
sched_get_priority_max sched_get_priority_min
exit exit_group
"""
"""What Python, NumPy and torch need to compute; what is not listed fails with EPERM."""


def _allowed_system_calls() -> bytes:
    """The filter as the kernel takes it: made once, since libseccomp needs milliseconds for it.

    Raises OSError where libseccomp is missing.
    """
    import errno
    import socket

    try:
        import pyseccomp as seccomp
    except (ImportError, RuntimeError) as error:
        raise OSError(f"no libseccomp: {error}") from error

    known = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))

    def rule(action, name, *conditions):
        try:
            known.add_rule(action, name, *conditions)
        except (ValueError, OSError):  # a call that this processor does not have
            if conditions:
                raise

    for name in _COMPUTING.split():
        rule(seccomp.ALLOW, name)
    thread = 0x00010000
    rule(seccomp.ALLOW, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, thread, thread))
    rule(seccomp.ERRNO(errno.ENOSYS), "clone3")  # the C library falls back to clone
    rule(seccomp.ALLOW, "socketpair", seccomp.Arg(0, seccomp.EQ, int(socket.AF_UNIX)))
    rule(seccomp.ALLOW, "prlimit64", seccomp.Arg(2, seccomp.EQ, 0))  # only asking
    for option in (15, 16):  # names of threads
        rule(seccomp.ALLOW, "prctl", seccomp.Arg(0, seccomp.EQ, option))
    for request in (0x5401, 0x5421, 0x541B, 0x5450, 0x5451):
        # is it a terminal, blocking or not, bytes waiting, closed on exec or not
        rule(seccomp.ALLOW, "ioctl", seccomp.Arg(1, seccomp.EQ, request))
    with open(os.memfd_create("filter"), "w+b") as file:
        known.export_bpf(file)
        file.seek(0)
        return file.read()


def _load_filter(program: bytes) -> None:
    """Have the kernel apply a filter to this process from now on; seccomp(2). Raises OSError."""
    instructions = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))
    _check(_libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, head, 0, 0), "seccomp")
