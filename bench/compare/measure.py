"""What a command takes: processor seconds and peak memory by GNU time, the median of some turns."""

import os
import pathlib
import statistics
import subprocess
import tempfile
import textwrap

# A turn that works longer is ended; one that works longer than LONG is not repeated.
LIMIT = 180
LONG = 4
TURNS = 3


def run(command, cwd=None, env=None):
    """Runs a command once, and gives its exit code, output and errors."""
    done = subprocess.run(command, cwd=cwd, env=environment(env), stdin=subprocess.DEVNULL, capture_output=True)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def environment(env):
    return {**os.environ, "NO_COLOR": "1", "LC_ALL": "C.UTF-8", **(env or {})}


def turn(command, cwd, env, out, err):
    """One turn. Its own exit code says what it found, so it is told and does not count."""
    with tempfile.NamedTemporaryFile("r") as times, open(out, "wb") as said, open(err, "wb") as beside:
        timed = ["/usr/bin/time", "-o", times.name, "-f", "%U %S %M %e %x", "prlimit", f"--cpu={LIMIT}", "--", *command]
        subprocess.run(timed, cwd=cwd, env=environment(env), stdin=subprocess.DEVNULL, stdout=said, stderr=beside)
        lines = times.read().splitlines()
    user, system, kilobytes, wall, code = lines[-1].split()
    return {"cpu": float(user) + float(system), "mb": int(kilobytes) / 1024, "wall": float(wall), "exit": int(code),
            "ended": any("signal" in line for line in lines)}


def measure(command, cwd=None, env=None, turns=TURNS, into=os.devnull, errors=os.devnull):
    """The median of some turns; `into` and `errors` keep what the last one said."""
    command = [str(part) for part in command]
    done = []
    while len(done) < turns:
        done.append(turn(command, cwd, env, into, errors))
        if done[-1]["ended"] or done[-1]["cpu"] > LONG:
            break
    return {"cpu": statistics.median(one["cpu"] for one in done), "mb": statistics.median(one["mb"] for one in done),
            "wall": statistics.median(one["wall"] for one in done), "exit": done[-1]["exit"],
            "ended": done[-1]["ended"], "turns": len(done), "command": textwrap.shorten(" ".join(command), 300, placeholder=" …")}


def machine():
    """What it ran on."""
    cpu = next((line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), "unknown")
    memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) // 1024 // 1024
    return {"cpu": cpu, "cores": os.cpu_count(), "memoryGB": memory, "load": load()}


def load():
    return round(os.getloadavg()[0], 1)
