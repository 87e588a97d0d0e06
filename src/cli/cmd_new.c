/* cmd_new.c: errand new DIR: a project that works at once. */
#include <string.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/files.h"

static int make_one(struct er_cli *cli, const char *dir, const char *name, mode_t mode,
                    const char *text, struct errand_error *err)
{
    char *path = er_arena_printf(cli->arena, "%s/%s", dir, name);

    return path ? er_file_make(path, mode, text, err) : er_error_nomem(err);
}

/* A folder with something in it may be anything: it is left alone. */
static int folder_claim(struct er_cli *cli, const char *dir, struct errand_error *err)
{
    struct errand_error look = {0};
    int rc = er_folder_is_empty(dir, &look);
    char *jobs = er_arena_printf(cli->arena, "%s/app/Jobs", dir);

    if (!jobs)
        return er_error_nomem(err);
    if (rc == 0)
        return errand_error_set(err, ERRAND_ECONFLICT,
                                "'%s' is not empty; name a folder that is new or empty",
                                dir);
    if (rc < 0 && rc != ERRAND_ENOTFOUND) {
        if (err)
            *err = look;
        return rc;
    }
    return er_folder_make(jobs, err);
}

static void next_steps(struct er_cli *cli, const char *dir)
{
    struct er_print *out = &cli->out;

    er_printf(out, "made ");
    er_print_safe(out, dir);
    er_printf(out, ": errand.yml, .gitignore, app/Jobs/hello.c\n\nnext:\n");
    if (strcmp(dir, ".") != 0) {
        er_printf(out, "  cd ");
        er_print_safe(out, dir);
        er_printf(out, "\n");
    }
    er_printf(out, "  errand queue:dispatch hello '{\"name\":\"Ann\"}'\n"
                   "  errand queue:work --stop-when-empty\n"
                   "  errand queue:list\n");
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    const char *dir = cli->args[0];
    int rc;

    /* An empty name would be the root of the file system. */
    if (!*dir)
        return errand_error_set(err, ERRAND_EINVAL, "'' is no name for a folder");
    if ((rc = folder_claim(cli, dir, err)) < 0)
        return rc;
    /* The configuration may come to hold a password. */
    if ((rc = make_one(cli, dir, "errand.yml", 0600, er_template_config, err)) < 0 ||
        (rc = make_one(cli, dir, ".gitignore", 0644, er_template_gitignore, err)) < 0 ||
        (rc = make_one(cli, dir, "app/Jobs/hello.c", 0644, er_template_hello, err)) < 0)
        return rc;
    next_steps(cli, dir);
    return ER_EXIT_DONE;
}

const struct er_command er_cmd_new = {
    .name = "new",
    .group = "Start",
    .args = "DIR",
    .args_min = 1,
    .args_max = 1,
    .help = "makes a project that works at once",
    .about =
        "Writes errand.yml, .gitignore and one example job into a folder that is new or "
        "empty.",
    .example = "errand new shop",
    .exec = exec,
};
