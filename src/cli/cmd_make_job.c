/* cmd_make_job.c: errand make:job NAME: one job file from a template. */
#include <ctype.h>
#include <dirent.h>
#include <string.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "core/name.h"

static const char *const langs[] = {"c", "sh", "py", NULL};

static const struct er_flag flags[] = {
    {"lang", "LANG", "c, sh or py; default c, or what NAME ends in", ER_FLAG_TEXT, 0, 0,
     langs},
    {0},
};

/* The template by --lang, or by the end of the name, which is then cut off. */
static const struct er_template *template_of(struct er_cli *cli, char *name)
{
    const char *lang = er_cli_text(cli, "lang");

    for (size_t i = 0; i < er_job_templates_n; i++) {
        const struct er_template *t = &er_job_templates[i];
        size_t len = strlen(name), end = strlen(t->suffix);
        bool ends_so = len > end && strcmp(name + len - end, t->suffix) == 0;

        if (lang ? strcmp(lang, t->lang) != 0 : !ends_so)
            continue;
        if (ends_so)
            name[len - end] = '\0';
        return t;
    }
    return &er_job_templates[0];
}

/* send-welcome-email is SendWelcomeEmail in C: the two are one name to errand. */
static char *class_name(struct er_cli *cli, const char *name)
{
    char *class_text = errand_arena_alloc(cli->arena, strlen(name) + 1);
    bool is_start = true;
    size_t n = 0;

    if (!class_text)
        return NULL;
    for (const char *p = name; *p; p++) {
        if (isalnum((unsigned char)*p)) {
            class_text[n++] = (char)(is_start ? toupper((unsigned char)*p) : *p);
            is_start = false;
        } else {
            is_start = true;
        }
    }
    return class_text;
}

static int name_check(const struct er_template *t, const char *name,
                      struct errand_error *err)
{
    if (er_name_check("job name", name, err) < 0)
        return ERRAND_EINVAL;
    if (strpbrk(name, "/:") || !isalnum((unsigned char)name[0]))
        return errand_error_set(
            err, ERRAND_EINVAL,
            "job name '%s' cannot be a file in app/Jobs: begin with a "
            "letter, and use no / or :",
            name);
    if (strcmp(t->lang, "c") == 0 && !isalpha((unsigned char)name[0]))
        return errand_error_set(
            err, ERRAND_EINVAL,
            "job name '%s' cannot be a name in C: begin with a letter", name);
    return 0;
}

/* Two files of one name would be one job too many: send-email.sh beside SendEmail.c. */
static int taken_check(const char *folder, const char *name, struct errand_error *err)
{
    char key[ER_NAME_MAX + 1], other[ER_NAME_MAX + 1], stem[ER_NAME_MAX + 1];
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int rc = 0;

    if (!dir)
        return 0; /* made below */
    er_name_key(name, key);
    while (rc == 0 && (entry = readdir(dir))) {
        const char *dot = strrchr(entry->d_name, '.');
        size_t len = dot ? (size_t)(dot - entry->d_name) : strlen(entry->d_name);

        if (len == 0 || len > ER_NAME_MAX)
            continue;
        memcpy(stem, entry->d_name, len);
        stem[len] = '\0';
        if (strcmp(er_name_key(stem, other), key) == 0)
            rc = errand_error_set(
                err, ERRAND_ECONFLICT,
                "app/Jobs/%s is job '%s' already; nothing was overwritten", entry->d_name,
                name);
    }
    closedir(dir);
    return rc;
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    char *name = errand_arena_copy(cli->arena, cli->args[0], strlen(cli->args[0]));
    const struct er_template *t;
    char *folder, *path, *text, *class_text;
    int rc;

    if (!name)
        return er_error_nomem(err);
    t = template_of(cli, name);
    if ((rc = name_check(t, name, err)) < 0 || (rc = er_cli_config(cli, err)) < 0)
        return rc;
    folder = er_arena_printf(cli->arena, "%s/app/Jobs", cli->config->project);
    path = er_arena_printf(cli->arena, "%s/%s%s", folder ? folder : "", name, t->suffix);
    class_text = class_name(cli, name);
    text = class_text ? er_template_fill(t->text, name, class_text, cli->arena) : NULL;
    if (!folder || !path || !text)
        return er_error_nomem(err);
    if ((rc = taken_check(folder, name, err)) < 0 ||
        (rc = er_folder_make(folder, err)) < 0 ||
        (rc = er_file_make(path, t->mode, text, err)) < 0)
        return rc;
    er_printf(&cli->out, "made app/Jobs/%s%s\n\nnext:\n  errand queue:dispatch %s '{}'\n",
              name, t->suffix, name);
    return ER_EXIT_DONE;
}

const struct er_command er_cmd_make_job = {
    .name = "make:job",
    .group = "Start",
    .args = "NAME",
    .args_min = 1,
    .args_max = 1,
    .flags = flags,
    .help = "writes one job file from a template into app/Jobs",
    .example = "errand make:job send-email\nerrand make:job backup --lang=sh",
    .exec = exec,
};
