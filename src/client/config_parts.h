/* config_parts.h: what config.c, config_table.c and config_yaml.c share. */
#ifndef ER_CLIENT_CONFIG_PARTS_H
#define ER_CLIENT_CONFIG_PARTS_H

#include "client/config.h"

/* Who says a value. `label` goes into the origin, `file` (or the label) into errors. */
struct er_config_place {
    const char *label; /* "errand.yml", "environment ERRAND_URL", "flag --url" */
    const char *file;  /* NULL: not a file */
    size_t line, column;
};

struct er_config_value {
    const char *const *items; /* NULL-terminated */
    size_t items_n;           /* a scalar has one */
    bool is_list;
};

/* What a key belongs to in a group of names: one of these, or neither. */
struct er_config_member {
    struct er_config_queue *queue;
    struct er_config_schedule *schedule;
};

/* The key of a pattern ("queues.*.tries"), or NULL. */
const struct er_config_key *er_config_key_find(const char *pattern);
/* True when keys stand below it: "worker", "queues", "queues.*". */
bool er_config_is_group(const char *pattern);

/* EINVAL, the message opened by the place: "/srv/app/errand.yml:3:14: ". */
int er_config_error(const struct er_config_place *place, struct errand_error *err,
                    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The same for a path that is no key, with the one that was probably meant. */
int er_config_unknown(const struct er_config_place *place, const char *group_pattern,
                      const char *group, const char *name, struct errand_error *err);

/* Puts a value where it belongs and remembers who said it. EINVAL with the place. */
int er_config_say(struct er_config *config, const struct er_config_key *key,
                  const char *path, const struct er_config_member *of,
                  const struct er_config_value *value,
                  const struct er_config_place *place, struct errand_error *err);
/* The queue of that name, made when it is new. It moves when another one is made. */
int er_config_queue_add(struct er_config *config, const char *name,
                        const struct er_config_place *place, struct er_config_queue **ret,
                        struct errand_error *err);
/* The same for a schedule. */
int er_config_schedule_add(struct er_config *config, const char *name,
                           const struct er_config_place *place,
                           struct er_config_schedule **ret, struct errand_error *err);
/* True for a group whose members have names of their own: "queues", "schedules". */
bool er_config_is_named(const char *pattern);

/* Sets project and file; `ret_cwd` is the current folder, absolute. */
int er_config_find(struct er_config *config, const struct er_config_args *args,
                   char **ret_cwd, struct errand_error *err);
/* "FOLDER/NAME" in the arena, or NULL. */
char *er_config_path(struct errand_arena *arena, const char *folder, const char *name);
/* Reads config->file once it is known to be ours and to keep its secrets. */
int er_config_read_file(struct er_config *config, struct errand_error *err);
/* Reads the text of a configuration file into `config`. */
int er_config_read_yaml(struct er_config *config, struct errand_slice text,
                        const char *file, struct errand_error *err);

#endif
