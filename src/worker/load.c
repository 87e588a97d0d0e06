/* load.c: gathers the job classes a runner can run: those linked into the program, then
 * those of the project's C files, each compiled if it changed and vetted before it is
 * loaded here. Nothing that is wrong with one file keeps the others out. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "worker/project.h"
#include "worker/runner_inside.h"

/* What is wrong with a file is told, under the name that jobs of it probably have. */
static int file_error(struct er_classes *classes, const struct er_project_file *file,
                      const struct errand_error *why, struct errand_error *err)
{
    return er_classes_error(classes, file->path, file->stem, why->message, err);
}

static int file_add(struct er_classes *classes, struct er_build *build,
                    const char *project, const struct er_project_files *files,
                    const struct er_project_file *file, struct errand_error *err)
{
    struct errand_error why = {0};

    if (file->error)
        return er_classes_error(classes, file->path, file->stem, file->error, err);
    if (er_build_init(build, project, file, classes->arena, &why) < 0)
        return file_error(classes, file, &why, err);
    if (classes->on_compile && er_build_state(build, files, NULL) == 0)
        classes->on_compile(classes->on_compile_ctx, file->path);
    if (er_build_make(build, files, &why) < 0 || er_file_load(classes, build, &why) < 0)
        return file_error(classes, file, &why, err);
    return 0;
}

int er_classes_load(struct er_classes *classes, const char *project,
                    struct errand_error *err)
{
    struct er_project_files files;
    struct errand_error why = {0};
    struct er_build *builds;
    char absolute[PATH_MAX];
    int rc = er_classes_add(classes, NULL, "", err);

    if (rc < 0 || !project)
        return rc;
    if (!realpath(project, absolute))
        return er_error_errno(err, ERRAND_EIO, errno, "opening the project %s", project);
    if (!(project = errand_arena_copy(classes->arena, absolute, strlen(absolute))))
        return er_error_nomem(err);
    if (er_project_files(project, classes->arena, &files, &why) < 0)
        return er_classes_error(classes, ER_JOBS_FOLDER, "", why.message, err);
    builds = errand_arena_alloc(classes->arena, (files.n + 1) * sizeof *builds);
    if (!builds)
        return er_error_nomem(err);
    for (size_t i = 0; rc == 0 && i < files.n; i++)
        if (files.list[i].kind == ER_FILE_C)
            rc = file_add(classes, &builds[i], project, &files, &files.list[i], err);
    er_build_sweep(project, builds, files.n);
    return rc;
}
