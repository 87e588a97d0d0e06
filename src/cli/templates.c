/* templates.c: what `new` and `make:job` write. Each runs as it stands. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cli/files.h"

enum { TEMPLATE_MAX = 64 << 10 };

static const char job_c[] =
    "/* {class}: say here what this job does.\n"
    " *\n"
    " *     errand queue:dispatch {name} '{\"name\":\"Ann\"}' */\n"
    "#include <errand.h>\n"
    "\n"
    "static int handle(errand_job *job, struct errand_error *err)\n"
    "{\n"
    "    const char *name = \"world\";\n"
    "\n"
    "    if (errand_job_has(job, \"name\") && errand_job_string(job, \"name\", &name, "
    "err) < 0)\n"
    "        return ERRAND_FAIL; /* bad data: no retry helps */\n"
    "    errand_job_log(job, \"hello, %s: attempt %d of %d\", name, "
    "errand_job_attempt(job),\n"
    "                   errand_job_tries(job));\n"
    "    /* What may work later: errand_error_set(err, 1, \"why\") and return "
    "ERRAND_RETRY. */\n"
    "    return ERRAND_DONE;\n"
    "}\n"
    "\n"
    "ERRAND_JOB({class}, .handle = handle, .tries = 3, .timeout = 60)\n";

static const char job_sh[] = "#!/bin/sh\n"
                             "# errand: tries=3 timeout=60\n"
                             "#\n"
                             "# {name}: say here what this job does.\n"
                             "#\n"
                             "#     errand queue:dispatch {name} '{\"name\":\"Ann\"}'\n"
                             "#\n"
                             "# The data comes on standard input. Exit 0 is done, 75 try "
                             "again, 65 failed for good.\n"
                             "# What is printed is the attempt's log; the last JSON line "
                             "on descriptor 3 its result.\n"
                             "set -eu\n"
                             "\n"
                             "data=$(cat)\n"
                             "echo \"attempt $ERRAND_ATTEMPT of $ERRAND_TRIES: $data\"\n"
                             "echo '{\"ok\":true}' >&3\n";

static const char job_py[] =
    "#!/usr/bin/env python3\n"
    "# errand: tries=3 timeout=60\n"
    "\"\"\"{name}: say here what this job does.\n"
    "\n"
    "    errand queue:dispatch {name} '{\"name\":\"Ann\"}'\n"
    "\n"
    "What is printed is the attempt's log. Exit 75 is try again, 65 failed for good.\n"
    "\"\"\"\n"
    "import json\n"
    "import os\n"
    "import sys\n"
    "\n"
    "\n"
    "def handle(data):\n"
    "    print(f\"attempt {os.environ['ERRAND_ATTEMPT']} of "
    "{os.environ['ERRAND_TRIES']}: {data}\")\n"
    "    return {\"ok\": True}\n"
    "\n"
    "\n"
    "if __name__ == \"__main__\":\n"
    "    result = handle(json.load(sys.stdin))\n"
    "    with os.fdopen(3, \"w\") as answer:  # descriptor 3 takes the result\n"
    "        print(json.dumps(result), file=answer)\n";

const struct er_template er_job_templates[] = {
    {"c", ".c", 0644, job_c},
    {"sh", ".sh", 0755, job_sh},
    {"py", ".py", 0755, job_py},
};
const size_t er_job_templates_n = sizeof er_job_templates / sizeof *er_job_templates;

const char er_template_hello[] =
    "/* Hello: a first job. It answers with how long the greeting was.\n"
    " *\n"
    " *     errand queue:dispatch hello '{\"name\":\"Ann\"}' */\n"
    "#include <errand.h>\n"
    "#include <stdio.h>\n"
    "#include <string.h>\n"
    "\n"
    "static int handle(errand_job *job, struct errand_error *err)\n"
    "{\n"
    "    const char *name = \"world\";\n"
    "    char result[64];\n"
    "\n"
    "    if (errand_job_has(job, \"name\") && errand_job_string(job, \"name\", &name, "
    "err) < 0)\n"
    "        return ERRAND_FAIL; /* bad data: no retry helps */\n"
    "    errand_job_log(job, \"hello, %s\", name);\n"
    "    snprintf(result, sizeof result, \"{\\\"letters\\\":%zu}\", strlen(name));\n"
    "    if (errand_job_result(job, result, err) < 0)\n"
    "        return ERRAND_RETRY;\n"
    "    return ERRAND_DONE;\n"
    "}\n"
    "\n"
    "ERRAND_JOB(Hello, .handle = handle, .tries = 3, .timeout = 60)\n";

const char er_template_config[] =
    "# errand.yml: this folder is an errand project. `errand config:check` shows every\n"
    "# setting, its value and where it comes from.\n"
    "url: sqlite:errand.db\n"
    "\n"
    "# durable: full         # survives loss of power, not only of processes\n"
    "\n"
    "# defaults:             # for jobs that say nothing themselves\n"
    "#   tries: 3\n"
    "#   timeout: 300\n"
    "\n"
    "# worker:\n"
    "#   concurrency: 4\n";

const char er_template_gitignore[] = "/errand.db*\n"
                                     "/errand.keys*\n"
                                     "/.errand/\n";

char *er_template_fill(const char *text, const char *name, const char *class_name,
                       struct errand_arena *arena)
{
    struct er_buf buf;
    char *filled = NULL;

    er_buf_init(&buf, TEMPLATE_MAX);
    while (*text) {
        size_t len = strcspn(text, "{");

        er_buf_add(&buf, text, len);
        text += len;
        if (strncmp(text, "{name}", 6) == 0) {
            er_buf_str(&buf, name);
            text += 6;
        } else if (strncmp(text, "{class}", 7) == 0) {
            er_buf_str(&buf, class_name);
            text += 7;
        } else if (*text) {
            er_buf_add(&buf, text++, 1);
        }
    }
    if (!buf.has_failed)
        filled = errand_arena_copy(arena, buf.ptr, buf.len);
    er_buf_done(&buf);
    return filled;
}
