/* project.c: the jobs of the project, and the store's knowledge of them. */
#include "cli/project.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "client/client.h"
#include "core/name.h"
#include "worker/registry.h"

/* When the file was last changed or put here; 0: there is none. Not the time of its
 * contents: a file copied over with its old date is a change as well. */
static int64_t changed_ms(int folder, const char *name)
{
    struct stat st;

    if (fstatat(folder, name, &st, 0) < 0 || !S_ISREG(st.st_mode))
        return 0;
    return (int64_t)st.st_ctim.tv_sec * 1000 + st.st_ctim.tv_nsec / 1000000;
}

/* The last change of any job file, and of the program, which may have jobs linked in. -1:
 * neither is there. */
static int64_t newest_ms(const char *folder)
{
    int64_t newest = changed_ms(AT_FDCWD, "/proc/self/exe");
    DIR *dir = opendir(folder);
    struct dirent *entry;

    if (!dir)
        return er_registry_newest() ? newest : -1;
    while ((entry = readdir(dir))) {
        int64_t ms = changed_ms(dirfd(dir), entry->d_name);

        newest = ms > newest ? ms : newest;
    }
    closedir(dir);
    return newest;
}

static const char *nearest(struct er_cli *cli, const struct er_jobs_about *jobs,
                           const char *name)
{
    const char **names =
        errand_arena_alloc(cli->arena, (jobs->jobs_n + 1) * sizeof *names);

    for (size_t i = 0; names && i < jobs->jobs_n; i++)
        names[i] = jobs->jobs[i].name;
    return names ? er_suggest(name, names, jobs->jobs_n) : NULL;
}

/* 1: the store knows the job, and nothing in the project is newer than that. */
static int is_known(struct er_cli *cli, const char *name, int64_t newest,
                    struct errand_error *err)
{
    struct errand_definitions_result found = {0};
    char key[ER_NAME_MAX + 1];
    int rc =
        er_store_definitions(cli->store, er_name_key(name, key), cli->arena, &found, err);

    if (rc < 0)
        return rc;
    return found.definitions_n > 0 && found.definitions[0].updated_ms >= newest;
}

/* Nobody: neither this project nor a worker that has told of its jobs. */
static int unknown(struct er_cli *cli, const struct er_jobs_about *jobs, const char *name,
                   bool is_callback, struct errand_error *err)
{
    const struct er_options *published = NULL;
    const char *near = nearest(cli, jobs, name);
    const char *before = near ? "; did you mean '" : "", *after = near ? "'?" : "";
    int rc = er_client_definition(cli->errand, name, &published, err);

    if (rc < 0 || published)
        return rc;
    if (!near)
        near = "";
    if (is_callback)
        return errand_error_set(err, ERRAND_ENOTFOUND,
                                "no job named '%s' in %s/app/Jobs, and no worker knows "
                                "one%s%s%s",
                                name, cli->config->project, before, near, after);
    er_cli_note_later(cli, "no job named '%s' here; a worker elsewhere may know it%s%s%s",
                      name, before, near, after);
    return 0;
}

static int know(struct er_cli *cli, const char *name, bool is_callback,
                struct errand_error *err)
{
    char *folder = er_arena_printf(cli->arena, "%s/app/Jobs", cli->config->project);
    const struct er_job_about *job;
    struct er_jobs_about jobs = {0};
    struct errand_error trouble = {0};
    int64_t newest;
    int rc;

    if (!folder)
        return er_error_nomem(err);
    /* A name that is none is refused where it is dispatched. */
    if (er_name_check("job name", name, NULL) < 0 || (newest = newest_ms(folder)) < 0)
        return 0;
    if ((rc = is_known(cli, name, newest, err)) != 0)
        return rc < 0 ? rc : 0;
    if (er_project_describe(cli->config->project, cli->arena, &jobs, &trouble) < 0) {
        er_cli_note_later(cli, "app/Jobs could not be read: %s", trouble.message);
        return 0;
    }
    if ((rc = er_jobs_publish(cli->store, &jobs, er_config_owner(cli->config), err)) < 0)
        return rc;
    if (!(job = er_jobs_about_find(&jobs, name)))
        return unknown(cli, &jobs, name, is_callback, err);
    if (job->error)
        er_cli_note_later(cli, "the job is stored, but cannot run as it is: %s",
                          job->error);
    return 0;
}

int er_project_know(struct er_cli *cli, const char *name, struct errand_error *err)
{
    return know(cli, name, false, err);
}

int er_project_know_callback(struct er_cli *cli, const char *name,
                             struct errand_error *err)
{
    return know(cli, name, true, err);
}

void er_project_remark(struct er_cli *cli, const char *name)
{
    char *folder = er_arena_printf(cli->arena, "%s/app/Jobs", cli->config->project);
    struct er_jobs_about jobs = {0};
    const struct er_job_about *job;

    if (!folder || newest_ms(folder) < 0 ||
        er_project_describe(cli->config->project, cli->arena, &jobs, NULL) < 0)
        return;
    if ((job = er_jobs_about_find(&jobs, name)) && job->error)
        er_cli_note(cli, "it cannot run as it is: %s", job->error);
}

int er_project_job(struct er_cli *cli, const char *name, const struct er_job_about **ret,
                   struct errand_error *err)
{
    struct er_jobs_about jobs = {0};
    const char *near;
    int rc = er_project_describe(cli->config->project, cli->arena, &jobs, err);

    if (rc < 0)
        return rc;
    if ((*ret = er_jobs_about_find(&jobs, name)))
        return 0;
    near = nearest(cli, &jobs, name);
    return errand_error_set(err, ERRAND_ENOTFOUND,
                            "no job named '%s' in %s/app/Jobs%s%s%s", name,
                            cli->config->project, near ? "; did you mean '" : "",
                            near ? near : "", near ? "'?" : "");
}
