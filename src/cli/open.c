/* open.c: the configuration of this command, and the store it names. */
#include <string.h>

#include "base/error.h"
#include "cli/cli.h"
#include "client/client.h"

enum { HURRY_MS = 3000 };

int er_cli_config(struct er_cli *cli, struct errand_error *err)
{
    const struct er_config_args args = {.file = er_cli_text(cli, "config"),
                                        .url = er_cli_text(cli, "url")};

    if (cli->config)
        return 0;
    return er_config_load(&args, &cli->config, err);
}

void er_cli_hurry(struct er_cli *cli)
{
    struct errand_config *client = &cli->config->client;

    if (!client->busy_ms || client->busy_ms > HURRY_MS)
        client->busy_ms = HURRY_MS;
}

int er_cli_open(struct er_cli *cli, enum er_open_how how, struct errand_error *err)
{
    struct errand_error first = {0};
    struct errand_config *client;
    int rc;

    if (cli->errand)
        return 0;
    if ((rc = er_cli_config(cli, err)) < 0)
        return rc;
    client = &cli->config->client;
    client->must_exist = client->must_exist || how != ER_OPEN_MAKE;
    rc = er_client_open(cli->config, &cli->errand, &first);
    if (rc == ERRAND_EREADONLY && how == ER_OPEN_LOOK) {
        client->read_only = true;
        rc = er_client_open(cli->config, &cli->errand, &first);
    }
    if (rc < 0) {
        if (err)
            *err = first;
        return rc;
    }
    cli->store = er_client_store(cli->errand);
    if (how == ER_OPEN_MAKE && strncmp(cli->config->url, "memory:", 7) == 0)
        er_cli_note(cli, "memory: ends with this command, and so do the jobs in it");
    return 0;
}

void er_cli_close(struct er_cli *cli)
{
    errand_close(cli->errand);
    er_config_free(cli->config);
    cli->errand = NULL;
    cli->store = NULL;
    cli->config = NULL;
}

const char *er_cli_store_file(struct er_cli *cli)
{
    const char *url = cli->config->url;
    size_t len;

    if (strncmp(url, "sqlite:", 7) != 0)
        return NULL;
    len = strcspn(url + 7, "?");
    return len ? errand_arena_copy(cli->arena, url + 7, len) : NULL;
}

const char *er_cli_store_folder(struct er_cli *cli)
{
    const char *file = er_cli_store_file(cli);
    const char *slash = file ? strrchr(file, '/') : NULL, *folder;

    if (!slash)
        return cli->config->project;
    folder =
        errand_arena_copy(cli->arena, file, slash == file ? 1 : (size_t)(slash - file));
    return folder ? folder : cli->config->project;
}
