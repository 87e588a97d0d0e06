#!/usr/bin/env python3
"""guide.py FILE...: does what a guide says, in an empty folder, and holds it to what it shows.

    ```c app/Jobs/Name.c     a block with a file name is written to that file
    ```sh                    is run by bash -e, in the folder where the one before ended
    ```text                  right after it: each line stands in its output, in any order,
                             for jobs end as they like; an ellipsis stands for anything

Other blocks are left alone. The errand command and library of ERRAND_COMMAND are used.
"""
import os
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.M | re.S)


def environment(home):
    build = os.path.dirname(os.environ["ERRAND_COMMAND"])
    env = {k: v for k, v in os.environ.items() if not k.startswith("ERRAND_")}
    env.update(
        HOME=home,
        PATH=build + ":" + env["PATH"],
        LD_LIBRARY_PATH=build,
        PKG_CONFIG_PATH=os.path.join(build, "meson-uninstalled"),
        CPATH=os.path.join(os.environ["ERRAND_SOURCE"], "include"),
        NO_COLOR="1",
    )
    return env


def show(command, output):
    if os.environ.get("GUIDE_SHOW"):
        print("$ " + command.strip().replace("\n", "\n$ ") + "\n" + output)


def run(text, folder, env):
    """Runs a block; answers its output and the folder where it ended."""
    mark = "--- the folder is "
    script = text + "\nprintf '%s%s\\n' '" + mark + '\' "$PWD"\n'
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=folder, env=env, timeout=120,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    output, _, end = done.stdout.rpartition(mark)
    if done.returncode != 0:
        raise SystemExit("this failed with %d:\n%s\n%s" % (done.returncode, text, done.stdout))
    show(text, output)
    return output, end.strip()


def check(shown, output, command):
    """Each shown line has a line of the output to itself."""
    rest = output.splitlines()
    for line in shown.splitlines():
        want = re.compile(".*".join(re.escape(part) for part in line.split("…")) + r"\s*$")
        found = [i for i, have in enumerate(rest) if want.match(have)]
        if not found:
            raise SystemExit("'%s' is not in what this printed:\n%s\n%s" % (line, command, output))
        rest.pop(found[0])


def follow(guide):
    with open(guide, encoding="utf-8") as f:
        blocks = BLOCK.findall(f.read())
    with tempfile.TemporaryDirectory(prefix="errand-guide-") as top:
        folder, env, output, command = top, environment(top), None, ""
        for language, name, text in blocks:
            if name:
                path = os.path.join(folder, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8") as f:
                    f.write(text)
                output = None
            elif language == "sh":
                command = text
                output, folder = run(text, folder, env)
            elif language == "text" and output is not None:
                check(text, output, command)
                output = None
    print("%s: %d blocks hold" % (os.path.basename(guide), len(blocks)))



for argument in sys.argv[1:]:
    follow(argument)
