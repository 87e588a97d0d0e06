/* config.c: any errand.yml. It is read, with a value and an origin for every key that was
 * said, or refused with the file and the place. */
#include "fuzz.h"

#include "client/config_parts.h"

static const char file[] = "/project/errand.yml";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct errand_slice text = {.ptr = (const char *)data, .len = size};
    struct errand_arena *arena = er_arena_new();
    struct er_config *config = errand_arena_alloc(arena, sizeof *config);
    struct errand_error err = {0};
    int rc;

    MUST(config);
    config->arena = arena;
    rc = er_config_read_yaml(config, text, file, &err);
    MUST(rc == 0 || rc == ERRAND_EINVAL);
    if (rc < 0)
        MUST(strncmp(err.message, file, sizeof file - 1) == 0);
    for (size_t i = 0; rc == 0 && i < config->settings_n; i++) {
        const char *path = config->settings[i].path;
        MUST(strcmp(er_config_origin(config, path), config->settings[i].origin) == 0);
        MUST(er_config_value_text(config, path) != NULL);
    }
    er_config_free(config);
    return 0;
}
