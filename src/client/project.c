/* project.c: what errand/project.h says: a project as a program has it, and classes that
 * are told of without being linked. */
#include "errand/project.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "client/class.h"
#include "client/config.h"
#include "client/handle.h"
#include "client/schedules.h"
#include "core/name.h"

struct errand_project {
    struct er_config *config;
};

errand_project *errand_project_read(const char *folder, struct errand_error *err)
{
    const struct er_config_args args = {.cwd = folder};
    errand_project *project = calloc(1, sizeof *project);

    if (!project) {
        er_error_nomem(err);
        return NULL;
    }
    if (er_config_load(&args, &project->config, err) == 0)
        return project;
    free(project);
    return NULL;
}

void errand_project_free(errand_project *project)
{
    if (project)
        er_config_free(project->config);
    free(project);
}

const char *errand_project_folder(const errand_project *project)
{
    return project->config->project;
}

const char *errand_project_url(const errand_project *project)
{
    return project->config->url;
}

const char *errand_project_name(const errand_project *project)
{
    return er_config_owner(project->config);
}

const struct errand_worker_options *errand_project_worker(const errand_project *project)
{
    return &project->config->worker;
}

errand *errand_open_project(const errand_project *project, struct errand_error *err)
{
    errand *e = NULL;

    (void)er_client_open(project->config, &e, err);
    return e;
}

/* ------------------------------------------------------------------ classes */

static int class_define(const struct errand_job_class *job_class,
                        struct errand_arena *arena, struct errand_definition *ret,
                        struct errand_error *err)
{
    const char *name = job_class->name ? job_class->name : "";
    struct er_options options;
    struct er_buf spec;
    char key[ER_NAME_MAX + 1];
    int rc;

    if ((rc = er_name_check("job name", name, err)) < 0)
        return rc;
    if ((rc = er_class_options(job_class, &options, err)) < 0)
        return er_error_wrap(err, rc, "class '%s'", name);
    if (job_class->schedule && (rc = er_options_check_schedule(&options, err)) < 0)
        return er_error_wrap(err, rc, "class '%s'", name);
    er_name_key(name, key);
    er_buf_init(&spec, 1 << 20);
    if (er_options_encode(&options, &spec) == 0) {
        *ret = (struct errand_definition){.name = name};
        ret->key = errand_arena_copy(arena, key, strlen(key));
        ret->spec = er_arena_slice(arena, spec.ptr, spec.len);
    }
    er_buf_done(&spec);
    return ret->key && ret->spec.ptr ? 0 : er_error_nomem(err);
}

static int schedules_bring(errand *e, const errand_project *project,
                           const struct errand_job_class *const *classes, size_t n,
                           struct errand_arena *arena, struct errand_error *err)
{
    struct er_schedule_classes said = {.n = n, .is_part = true};

    said.owner = project ? er_config_owner(project->config) : er_program_owner(arena);
    said.list = errand_arena_alloc(arena, (n + 1) * sizeof *said.list);
    if (!said.owner || !said.list)
        return er_error_nomem(err);
    for (size_t i = 0; i < n; i++)
        said.list[i] = (struct er_schedule_class){classes[i]->name, classes[i]->schedule,
                                                  classes[i]->zone};
    return er_schedules_bring_classes(e->store, &said, er_client_wall_ms(e), err);
}

int errand_define(errand *e, const errand_project *project,
                  const struct errand_job_class *const *classes, size_t n,
                  struct errand_error *err)
{
    struct errand_arena *arena = er_arena_new();
    struct errand_definition *list = NULL;
    int rc = 0;

    if (arena)
        list = errand_arena_alloc(arena, (n + 1) * sizeof *list);
    if (!list) {
        rc = er_error_nomem(err);
        goto out;
    }
    memset(list, 0, (n + 1) * sizeof *list);
    for (size_t i = 0; i < n; i++)
        if ((rc = class_define(classes[i], arena, &list[i], err)) < 0)
            goto out;
    if (n == 0)
        goto out;
    if ((rc = er_store_define(e->store, list, n, 0, err)) < 0)
        goto out;
    e->definitions.is_filled = false;
    rc = schedules_bring(e, project, classes, n, arena, err);
out:
    er_arena_free(arena);
    return rc;
}
