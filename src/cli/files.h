/* files.h: making files and folders for new and make:job. Nothing is ever overwritten. */
#ifndef ER_CLI_FILES_H
#define ER_CLI_FILES_H

#include <sys/types.h>

#include "base/arena.h"

/* The folder and its missing parents, 0755. 0 when it is there already. */
int er_folder_make(const char *path, struct errand_error *err);
/* 1: no entries but . and .., 0: some, or an error. ENOTFOUND: no such folder. */
int er_folder_is_empty(const char *path, struct errand_error *err);
/* Writes a new file whole, or leaves none. ECONFLICT when there is one. */
int er_file_make(const char *path, mode_t mode, const char *text,
                 struct errand_error *err);

/* Templates of `new` and `make:job`: {name} is the name as given, {class} the same as a
 * C name. */
struct er_template {
    const char *lang; /* "c" */
    const char *suffix;
    mode_t mode;
    const char *text;
};
extern const struct er_template er_job_templates[];
extern const size_t er_job_templates_n;
extern const char er_template_config[], er_template_gitignore[], er_template_hello[];
/* NULL: out of memory */
char *er_template_fill(const char *text, const char *name, const char *class_name,
                       struct errand_arena *arena);

#endif
