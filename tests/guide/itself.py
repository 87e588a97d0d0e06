#!/usr/bin/env python3
"""itself.py: the harness of the guide refuses pages that do not hold, for each way not to."""
import sys

from guide import Wrong, follow

HOLDS = [
    # what a page may say
    "```sh\necho one; echo two\n```\n```text\ntwo\no…e\n```\n",
    "```c\nprintf(\"%d\\n\", errand_dispatch(e, \"x\", \"1\", NULL, &id, &err));\n```\n```text\n0\n```\n",
    "```c\nerrand_dispatch(e, \"x\", \"{oops\", NULL, &id, &err);\n```\n```text\n…is not JSON…\n```\n",
    "<!--c\nint n = 7;\n-->\n```c\nprintf(\"%d\\n\", n);\n```\n```text\n7\n```\n",
    "```c part\nERRAND_JOB(Some, .handle = handle, .tries = 3)\n```\n",
    "```c p.c\n#include <errand.h>\n#include <stdio.h>\nint main(void) { puts(\"hi\"); return 0; }\n```\n```text\nhi\n```\n",
    "<!--file note\nhello\n-->\n<!--sh\ncp note other\n-->\n```sh\ncat other\n```\n```text\nhello\n```\n",
    "```sh\nsleep 100 &\n```\n",
    "```json\n{not looked at\n```\n",
]

DOES_NOT = [
    "```sh\nfalse\n```\n",
    "```sh\necho one\n```\n```text\none\none\n```\n",
    "```sh\necho one\n```\n```text\nones\n```\n",
    "```sh\necho a one\n```\n```text\none\n```\n",
    "```c\nnot C;\n```\n",
    "```c\nerrand_dispatch(e, \"x\", \"{oops\", NULL, &id, &err);\n```\n",
    "```c\nputs(\"a\"); fflush(stdout); errand_dispatch(e, \"x\", \"{oops\", NULL, &id, &err);\n```\n```text\na\n```\n",
    "```c\nabort();\n```\n```text\n```\n",
    "```c part\nERRAND_JOB(Some, .handle = nobody)\n```\n",
    "```c p.c\nint main(void) { return 1; }\n```\n```text\n```\n",
]


def holds(page):
    try:
        follow(page)
    except Wrong as wrong:
        return str(wrong)
    return None


bad = ["this should hold:\n%s\n%s" % (page, holds(page)) for page in HOLDS if holds(page)]
bad += ["this should not hold:\n" + page for page in DOES_NOT if not holds(page)]
sys.exit("\n".join(bad) or 0)
