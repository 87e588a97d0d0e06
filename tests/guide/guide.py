#!/usr/bin/env python3
"""guide.py PAGE: does what a page of the guide says, in an empty folder, and holds it to what it shows.

    ```c app/Jobs/Name.c     a block with a file name is written to that file, whatever its language
    ```c program.c           the same; a C file outside of app/ that is followed by ```text is also
                             compiled and run
    ```c                     statements: run in a main() that has `errand *e`, open on the project's
                             store, `struct errand_error err` and `struct errand_id id`; whoever
                             leaves an error in `err` has failed, unless the page shows it
    ```c part                declarations, such as a job class or a middleware: compiled, not run; a
                             `handle` that the block does not define is there
    ```sh                    is run by bash -e, in the folder where the one before ended
    ```text                  right after one that ran: each line stands in its output, in any order,
                             for jobs end as they like; an ellipsis stands for anything

What readers need not see stands in a comment of the page, whose first line is like a block's:

    <!--c        goes before the statements of the next ```c, or above the next ```c part
    <!--sh       is run
    <!--file F   is written to the file F

A page that says `errand new` begins in an empty folder, any other in a project without jobs. Blocks
of other languages are left alone. The errand command and library that were built are used, every
example compiles without a warning, and what a page leaves running is ended with it.
GUIDE_SHOW=1 prints what the page prints.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$|^<!--(c|sh|file)(?: (\S+))?\n(.*?)^-->$", re.M | re.S)
UNHANDLED = 3

HEAD = """#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errand.h>
#include <errand/testing.h>
"""

MAIN = HEAD + """
int main(void)
{
    struct errand_error err = {0};
    struct errand_id id = {{0}};
    errand *e = errand_open("sqlite:errand.db", NULL, &err);

    if (!e) {
        fprintf(stderr, "%%s\\n", err.message);
        return 1;
    }
    (void)id;
%s
#line 1 "what the page shows"
%s
    errand_close(e);
    if (err.code)
        fprintf(stderr, "%%s\\n", err.message);
    return err.code ? %d : 0;
}
"""

HANDLE = "static int handle(errand_job *job, struct errand_error *err)"
PART = HEAD + """
%s
#line 1 "what the page shows"
%s
"""


class Wrong(Exception):
    pass


def environment(home):
    build = os.path.dirname(os.environ["ERRAND_COMMAND"])
    env = {k: v for k, v in os.environ.items() if not k.startswith("ERRAND_")}
    env.update(
        HOME=home,
        PATH=build + ":" + env["PATH"],
        LD_LIBRARY_PATH=build,
        PKG_CONFIG_PATH=os.path.join(build, "meson-uninstalled"),
        SOURCE=os.environ["ERRAND_SOURCE"],
        NO_COLOR="1",
    )
    return env


class Page:
    """The folder of a page, and what its blocks have done there so far."""

    def __init__(self, top):
        self.top = self.folder = top
        self.env = environment(top)
        self.groups = []      # of processes that were started
        self.given = ""       # <!--c for the next block
        self.ran = None       # (what, output, status) of the block before, when it ran
        self.source = None    # C file of the block before
        self.programs = 0

    def execute(self, argv, what):
        """Output goes to a file: what stays in the background must not hold us up."""
        with tempfile.TemporaryFile() as out:
            child = subprocess.Popen(argv, cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL,
                                     stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
            self.groups.append(child.pid)
            try:
                status = child.wait(timeout=120)
            except subprocess.TimeoutExpired:
                raise Wrong("this did not end in two minutes:\n" + what)
            out.seek(0)
            return out.read().decode("utf-8", "replace"), status

    def shell(self, text):
        mark = "--- the folder is "
        output, status = self.execute(
            ["bash", "-e", "-c", text + "\nprintf '%s%s\\n' '" + mark + "' \"$PWD\"\n"], text)
        if status != 0:
            raise Wrong("this failed with %d:\n%s\n%s" % (status, text, output))
        output, _, rest = output.rpartition(mark)
        end, _, late = rest.partition("\n")
        self.folder = end
        self.ran = (text, output + late, 0)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    def compile(self, source, what, *flags):
        found = subprocess.run(["pkg-config", "--cflags", "--libs", "errand"], env=self.env, check=True,
                               stdout=subprocess.PIPE, text=True).stdout.split()
        output, status = self.execute(
            ["cc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-unused-variable",
             "-Wno-unused-parameter", "-Wno-missing-field-initializers", source, *flags, *found], what)
        if status != 0:
            raise Wrong("this does not compile:\n%s\n%s" % (what, output))

    def run_c(self, source, what):
        self.programs += 1
        program = os.path.join(self.top, ".program-%d" % self.programs)
        self.compile(source, what, "-o", program)
        output, status = self.execute([program], what)
        self.ran = (what, output, status)

    def statements(self, text):
        source = os.path.join(self.top, ".statements.c")
        with open(source, "w", encoding="utf-8") as f:
            f.write(MAIN % (self.given, text, UNHANDLED))
        self.given = ""
        self.run_c(source, text)

    def part(self, text):
        given = self.given
        if "handle(" not in text + given:
            given += HANDLE + "\n{\n    return ERRAND_DONE;\n}\n"
        source = os.path.join(self.top, ".part.c")
        with open(source, "w", encoding="utf-8") as f:
            f.write(PART % (given, text))
        self.given = ""
        self.compile(source, text, "-fsyntax-only", "-Wno-unused-function", "-Wno-unused-const-variable")

    def settle(self, shown=None):
        """What ran must have ended well, or the page shows the error it ended with."""
        if self.ran is None:
            return
        what, output, status = self.ran
        self.ran = None
        if os.environ.get("GUIDE_SHOW"):
            print("$ " + what.strip().replace("\n", "\n$ ") + "\n" + output)
        if shown is not None:
            check(shown, output, what)
            if status == UNHANDLED and any(wants(line).match(output.splitlines()[-1])
                                           for line in shown.splitlines()):
                status = 0
        if status != 0:
            raise Wrong("this ended with %d:\n%s\n%s" % (status, what, output))

    def block(self, language, name, text):
        if language == "text":
            if self.source:
                self.run_c(os.path.join(self.folder, self.source), text)
            self.source = None
            self.settle(text)
            return
        self.settle()
        self.source = None
        if language == "c" and name == "part":
            self.part(text)
        elif name:
            self.write(name, text)
            if language == "c" and not name.startswith("app/"):
                self.source = name
        elif language == "c":
            self.statements(text)
        elif language == "sh":
            self.shell(text)

    def hidden(self, kind, name, text):
        self.settle()
        self.source = None
        if kind == "c":
            self.given = text
        elif kind == "file":
            self.write(name, text)
        else:
            self.shell(text)
            self.settle()

    def end(self):
        for group in self.groups:
            try:
                os.killpg(group, signal.SIGKILL)
            except ProcessLookupError:
                pass


def wants(line):
    return re.compile(".*".join(re.escape(part) for part in line.split("…")) + r"\s*$")


def check(shown, output, what):
    """Each shown line has a line of the output to itself."""
    rest = output.splitlines()
    for line in shown.splitlines():
        found = [i for i, have in enumerate(rest) if wants(line).match(have)]
        if not found:
            raise Wrong("'%s' is not in what this printed:\n%s\n%s" % (line, what, output))
        rest.pop(found[0])


def project(page):
    """A project as `errand new` makes it, without its example."""
    page.shell("errand new project >/dev/null && cd project && rm -f app/Jobs/*")
    page.ran = None


def follow(text):
    """Answers how many blocks there were."""
    top = tempfile.mkdtemp(prefix="errand-guide-")
    page = Page(top)
    n = 0
    try:
        if "errand new" not in text:
            project(page)
        for match in BLOCK.finditer(text):
            n += 1
            if match.group(1):
                page.block(*match.group(1, 2, 3))
            else:
                page.hidden(*match.group(4, 5, 6))
        page.settle()
    finally:
        page.end()
        shutil.rmtree(top, ignore_errors=True)
    return n


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        text = f.read()
    try:
        print("%s: %d blocks hold" % (os.path.basename(sys.argv[1]), follow(text)))
    except Wrong as wrong:
        raise SystemExit("%s: %s" % (sys.argv[1], wrong))


if __name__ == "__main__":
    main()
