/* load.c: gathers the job classes a runner can run. */
#include "worker/runner_inside.h"

int er_classes_load(struct er_classes *classes, const char *project,
                    struct errand_error *err)
{
    (void)project;
    return er_classes_add(classes, NULL, "", err);
}
