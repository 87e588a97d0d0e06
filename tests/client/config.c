/* config.c: what errand.yml, the environment and --url may say, and what they are told
 * when they say something else. */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/config.h"
#include "support/folder.h"

static char folder[PATH_MAX];
static struct er_config *config;
static struct errand_error error;

static void path_in(char *buf, size_t size, const char *name)
{
    assert_true(snprintf(buf, size, "%s/%s", folder, name) < (int)size);
}

static void write_mode(const char *name, const char *text, mode_t mode)
{
    char path[PATH_MAX + 64];
    FILE *f;

    path_in(path, sizeof path, name);
    assert_non_null(f = fopen(path, "w"));
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static int load_args(struct er_config_args args)
{
    er_config_free(config);
    config = NULL;
    error = (struct errand_error){0};
    if (!args.cwd)
        args.cwd = folder;
    return er_config_load(&args, &config, &error);
}

static void load(const char *yaml)
{
    write_mode("errand.yml", yaml, 0644);
    if (load_args((struct er_config_args){0}) < 0)
        fail_msg("%s", error.message);
}

/* The load fails, and the message holds this. */
static void refuse(const char *yaml, const char *says)
{
    write_mode("errand.yml", yaml, 0644);
    assert_true(load_args((struct er_config_args){0}) < 0);
    if (!strstr(error.message, says))
        fail_msg("'%s' is not in '%s'", says, error.message);
}

static int setup(void **state __attribute__((unused)))
{
    char *real;

    for (size_t i = 0; i < er_config_keys_n; i++)
        if (er_config_keys[i].env)
            unsetenv(er_config_keys[i].env);
    unsetenv("ERRAND_CONFIG");
    if (folder_make(folder, "config") < 0 || !(real = realpath(folder, NULL)))
        return -1;
    snprintf(folder, sizeof folder, "%s", real);
    free(real);
    return 0;
}

static int teardown(void **state __attribute__((unused)))
{
    er_config_free(config);
    config = NULL;
    return folder_remove(folder);
}

TEST_FIXTURE(setup, teardown)

/* ------------------------------------------------------------------ values */

TEST(without_a_file_the_defaults_hold)
{
    char url[PATH_MAX + 64];

    assert_int_equal(load_args((struct er_config_args){0}), 0);
    snprintf(url, sizeof url, "sqlite:%s/errand.db", folder);
    assert_string_equal(config->url, url);
    assert_string_equal(config->project, folder);
    assert_null(config->file);
    assert_null(config->worker.queues);
    assert_null(config->env_allow);
    assert_int_equal(config->settings_n, 0);
}

TEST(every_kind_of_value_is_read)
{
    load("# a comment\n"
         "url: sqlite:data/jobs.db\n"
         "durable: full\n"
         "busy: 1.5s\n"
         "force: true\n"
         "keep_completed: none\n"
         "keep_completed_max: all\n"
         "max_data: 512KiB\n"
         "max_depth: 12\n"
         "worker:\n"
         "  queues: [high, default]\n"
         "  concurrency: 8\n"
         "  grace: 2m\n"
         "  memory: 256\n"
         "  name: w1\n"
         "  quiet: false\n"
         "  env:\n"
         "    - PATH\n"
         "    - HOME\n");
    assert_int_equal(config->client.durable, ERRAND_DURABLE_FULL);
    assert_int_equal(config->client.busy_ms, 1500);
    assert_true(config->client.force);
    assert_int_equal(config->client.keep_completed_ms, ERRAND_KEEP_NONE);
    assert_int_equal(config->client.keep_completed_n, ERRAND_KEEP_ALL);
    assert_int_equal(config->client.max_data, 512 * 1024);
    assert_int_equal(config->client.max_depth, 12);
    assert_string_equal(config->worker.queues[0], "high");
    assert_string_equal(config->worker.queues[1], "default");
    assert_null(config->worker.queues[2]);
    assert_int_equal(config->worker.concurrency, 8);
    assert_true(config->worker.grace == 120.0);
    assert_int_equal(config->worker.memory, 256);
    assert_string_equal(config->worker.name, "w1");
    assert_false(config->worker.is_quiet);
    assert_string_equal(config->env_allow[1], "HOME");
    assert_ptr_equal(config->worker.env_allow, config->env_allow);
    assert_null(config->env_allow[2]);
}

TEST(sizes_take_units_and_a_bare_number_of_memory_is_mebibytes)
{
    load("max_data: 2M\nworker: {memory: 1GiB}\n");
    assert_int_equal(config->client.max_data, 2 << 20);
    assert_int_equal(config->worker.memory, 1024);
    load("max_data: 4096\n");
    assert_int_equal(config->client.max_data, 4096);
}

TEST(defaults_and_queues_hold_options)
{
    const struct er_config_queue *mail;

    load("defaults:\n"
         "  queue: work\n"
         "  tries: 5\n"
         "  timeout: 90\n"
         "  backoff: [1, 5, 10m]\n"
         "queues:\n"
         "  mail:\n"
         "    tries: 8\n"
         "    weight: 3\n"
         "  a.b:\n"
         "    timeout: 1h\n"
         "  empty:\n");
    assert_int_equal(config->defaults.tries, 5);
    assert_int_equal(config->defaults.timeout_ms, 90000);
    assert_int_equal(config->defaults.backoff.list_n, 3);
    assert_true(config->defaults.backoff.list[2] == 600.0);
    assert_string_equal(config->client.queue, "work");
    assert_int_equal(config->client.tries, 5);
    assert_true(config->client.timeout == 90.0);
    assert_int_equal(config->client.backoff.list_n, 3);
    assert_int_equal(config->queues_n, 3);
    assert_non_null(mail = er_config_queue_find(config, "mail"));
    assert_int_equal(mail->options.tries, 8);
    assert_int_equal(mail->weight, 3);
    assert_int_equal(er_config_queue_find(config, "a.b")->options.timeout_ms, 3600000);
    assert_int_equal(er_config_queue_find(config, "empty")->weight, 0);
    assert_null(er_config_queue_find(config, "other"));
    assert_int_equal(config->worker.queue_options_n, 3);
    assert_string_equal(config->worker.queue_options[0].name, "mail");
    assert_int_equal(config->worker.queue_options[0].tries, 8);
    assert_int_equal(config->worker.queue_options[0].weight, 3);
    assert_true(config->worker.queue_options[1].timeout == 3600.0);
}

TEST(all_is_the_word_for_no_list)
{
    load("worker: {queues: all, env: all}\n");
    assert_null(config->worker.queues);
    assert_null(config->env_allow);
    load("worker: {env: []}\n");
    assert_non_null(config->env_allow);
    assert_null(config->env_allow[0]);
}

TEST(an_empty_file_and_comments_alone_say_nothing)
{
    load("");
    assert_int_equal(config->settings_n, 0);
    load("# nothing\n");
    load("---\n");
    load("worker:\nqueues:\n");
    assert_int_equal(config->settings_n, 0);
}

/* ------------------------------------------------------------------ errors */

TEST(an_error_names_file_line_and_column)
{
    char place[PATH_MAX + 64];

    snprintf(place, sizeof place, "%s/errand.yml:3:16: worker.concurrency: 'many'",
             folder);
    refuse("durable: full\nworker:\n  concurrency: many\n", place);
    assert_int_equal(error.code, ERRAND_EINVAL);
    refuse("url: 'x\n", "errand.yml:2:1: found unexpected end of stream");
    refuse("url: memory:\n", "errand.yml:1:12: a ':' stands where none can; ");
    refuse("url: [a\n", "errand.yml:2:1:");
    refuse("\tworker: 1\n", "errand.yml:1:1: a tab cannot indent in YAML; write spaces");
    refuse("worker:\n  \tgrace: 1\n",
           "errand.yml:2:3: a tab cannot indent in YAML; write spaces");
}

TEST(an_unknown_key_is_told_which_one_was_meant)
{
    refuse("worker:\n  concurency: 3\n",
           "errand.yml:2:3: there is no key 'worker.concurency', did you mean "
           "'concurrency'?");
    refuse("wroker:\n  grace: 1\n", "there is no key 'wroker', did you mean 'worker'?");
    refuse("concurrency: 3\n", "did you mean 'worker.concurrency'?");
    refuse("queues: {mail: {trys: 3}}\n",
           "no key 'queues.mail.trys', did you mean 'tries'?");
    refuse("zzzzzzzz: 1\n", "docs/configuration.md lists all");
    refuse("worker: {grace: {x: 1}}\n", "worker.grace wants seconds, found keys");
}

TEST(a_key_that_stands_twice_is_an_error)
{
    refuse("max_depth: 3\nmax_depth: 4\n",
           "errand.yml:2:1: max_depth stands here twice, first at errand.yml:1");
    refuse("worker: {grace: 1}\nworker: {lease: 1}\n", "worker stands here twice");
    refuse("queues:\n  mail: {tries: 1}\n  mail: {tries: 2}\n",
           "errand.yml:3:3: queue 'mail' stands here twice");
}

TEST(a_value_of_the_wrong_type_is_an_error)
{
    refuse("worker: {concurrency: 1.5}\n", "'1.5' is not a whole number from 1 to 1000");
    refuse("worker: {concurrency: 0}\n", "'0' is not a whole number");
    refuse("worker: {concurrency: [1]}\n", "wants number, found a list");
    refuse("worker: {concurrency: }\n", "worker.concurrency has no value");
    refuse("worker: 3\n", "worker wants keys on indented lines");
    refuse("worker: [a]\n", "worker wants keys on indented lines");
    refuse("worker: {grace: soon}\n", "'soon' is not a time; write 90, 1.5s");
    refuse("worker: {grace: -1}\n", "'-1' is not a time");
    refuse("worker: {grace: 0}\n", "'0' is not a time in seconds from 0.001");
    refuse("force: yes\n", "'yes' is neither true nor false");
    refuse("durable: very\n", "'very' is neither normal nor full");
    refuse("max_data: 17MiB\n", "'17MiB' is not a size in bytes from 1 to 16777216");
    refuse("max_data: lots\n", "'lots' is not a size");
    refuse("max_data: 1 . 2\n", "is not a size");
    refuse("keep_completed_max: -4\n", "'-4' is not a number, none or all");
    refuse("defaults: {tries: none}\n", "defaults.tries");
    refuse("defaults: {tries: 0}\n", "defaults.tries");
    refuse("queues: {'b d': {tries: 1}}\n", "'b d' is not the name of a queue");
    refuse("worker: {queues: [ok, 'b d']}\n", "'b d' is not the name of a queue");
    refuse("worker: {queues: []}\n", "worker.queues is an empty list");
    refuse("worker: {queues: [[a]]}\n", "an item is not a plain value");
    refuse("worker: {env: [A, '']}\n", "item 2 is empty");
    refuse("url: ''\n", "url is empty");
    refuse("url: foo\n", "errand.yml:1: url: store URL does not begin with a kind of");
    refuse("url: 'postgress:x'\n", "url: no store of the kind 'postgress:'");
    refuse("worker: {memory: 15}\n", "'15' is not a size in MiB from 16");
    refuse("- a\n", "expected keys");
    refuse("just words\n", "expected keys");
    refuse("? [a]\n: b\n", "a key is not a plain word");
}

TEST(what_a_configuration_does_not_need_is_refused)
{
    refuse("worker: &w {grace: 1}\n", "anchors (&w)");
    refuse("a: &x 1\nb: *x\n", "a");
    refuse("worker: *w\n", "aliases (*w)");
    refuse("url: !!str x\n", "tags (tag:yaml.org,2002:str)");
    refuse("url: memory:x\n---\nurl: b\n", "errand.yml:2:1: a second document");
    refuse("url: \"a\\0b\"\n", "a NUL stands in the text");
    refuse("url: \xff\xfe\xfd\n", "errand.yml: byte");
}

TEST(deep_nesting_and_large_files_end_in_an_error)
{
    static char text[(1 << 20) + 64];

    memset(text, '[', 100000);
    text[100000] = '\0';
    refuse(text, "expected keys");
    memset(text, '#', sizeof text - 1);
    refuse(text, "larger than 1 MiB");
    assert_int_equal(error.code, ERRAND_ETOOBIG);
}

/* ------------------------------------------------------------------ who wins */

TEST(environment_wins_over_the_file_and_a_flag_over_both)
{
    setenv("ERRAND_URL", "memory:env", 1);
    setenv("ERRAND_CONCURRENCY", "7", 1);
    setenv("ERRAND_QUEUES", "a,b", 1);
    load("url: memory:file\nworker: {concurrency: 2, grace: 5}\n");
    assert_string_equal(config->url, "memory:env");
    assert_int_equal(config->worker.concurrency, 7);
    assert_true(config->worker.grace == 5.0);
    assert_string_equal(config->worker.queues[1], "b");
    assert_int_equal(load_args((struct er_config_args){.url = "memory:flag"}), 0);
    assert_string_equal(config->url, "memory:flag");
}

TEST(an_empty_variable_says_nothing)
{
    setenv("ERRAND_URL", "", 1);
    load("url: memory:file\n");
    assert_string_equal(config->url, "memory:file");
}

TEST(a_wrong_variable_is_named)
{
    setenv("ERRAND_CONCURRENCY", "x", 1);
    refuse("", "environment ERRAND_CONCURRENCY: worker.concurrency: 'x' is not");
}

/* A handler has ERRAND_QUEUE and ERRAND_TRIES from its worker; what it dispatches must
 * not follow them. */
TEST(the_environment_of_a_job_is_no_configuration)
{
    setenv("ERRAND_QUEUE", "emails", 1);
    setenv("ERRAND_TRIES", "9", 1);
    load("");
    assert_null(config->client.queue);
    assert_int_equal(config->client.tries, 0);
    for (size_t i = 0; i < er_config_keys_n; i++) {
        const char *env = er_config_keys[i].env;
        assert_false(env && (strcmp(env, "ERRAND_QUEUE") == 0 ||
                             strcmp(env, "ERRAND_TRIES") == 0));
    }
    unsetenv("ERRAND_QUEUE");
    unsetenv("ERRAND_TRIES");
}

TEST(every_value_tells_where_it_came_from)
{
    setenv("ERRAND_GRACE", "9", 1);
    load("# one\nworker:\n  concurrency: 4\n  grace: 5\nqueues:\n  a.b: {tries: 2}\n"
         "defaults: {backoff: [1, 2]}\n");
    assert_string_equal(er_config_origin(config, "worker.concurrency"), "errand.yml:3");
    assert_string_equal(er_config_value_text(config, "worker.concurrency"), "4");
    assert_string_equal(er_config_origin(config, "worker.grace"),
                        "environment ERRAND_GRACE");
    assert_string_equal(er_config_value_text(config, "worker.grace"), "9");
    assert_string_equal(er_config_origin(config, "worker.lease"), "default");
    assert_string_equal(er_config_value_text(config, "worker.lease"), "30");
    assert_string_equal(er_config_origin(config, "queues.a.b.tries"), "errand.yml:6");
    assert_string_equal(er_config_origin(config, "queues.a.b.timeout"), "default");
    assert_string_equal(er_config_value_text(config, "defaults.backoff"), "1,2");
    assert_null(er_config_origin(config, "worker.nothing"));
    assert_null(er_config_value_text(config, "queues.x"));
}

TEST(the_list_has_every_key_once_and_queues_where_they_were_said)
{
    struct er_config_setting *list;
    size_t n, queues_n = 0;

    load("queues:\n  mail: {tries: 2, weight: 4}\nmax_depth: 9\n");
    assert_int_equal(er_config_list(config, config->arena, &list, &n, &error), 0);
    for (size_t i = 0; i < n; i++) {
        queues_n += strncmp(list[i].path, "queues.", 7) == 0;
        assert_null(strchr(list[i].path, '*'));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(list[i].path, list[j].path);
    }
    assert_int_equal(queues_n, 2);
    assert_string_equal(list[0].path, "url");
    assert_string_equal(list[0].text, "sqlite:errand.db");
    assert_string_equal(list[0].origin, "default");
}

/* ------------------------------------------------------------------ the project */

TEST(the_project_is_the_nearest_parent_with_a_file)
{
    char deep[PATH_MAX + 64], url[PATH_MAX + 64];

    path_in(deep, sizeof deep, "a");
    assert_int_equal(mkdir(deep, 0755), 0);
    path_in(deep, sizeof deep, "a/b");
    assert_int_equal(mkdir(deep, 0755), 0);
    write_mode("errand.yml", "url: sqlite:x.db\n", 0644);
    assert_int_equal(load_args((struct er_config_args){.cwd = deep}), 0);
    assert_string_equal(config->project, folder);
    assert_string_equal(config->worker.project, folder);
    snprintf(url, sizeof url, "sqlite:%s/x.db", folder);
    assert_string_equal(config->url, url);
    write_mode("a/errand.yml", "", 0644);
    assert_int_equal(load_args((struct er_config_args){.cwd = deep}), 0);
    path_in(url, sizeof url, "a");
    assert_string_equal(config->project, url);
}

TEST(a_flags_path_is_relative_to_the_current_folder)
{
    char deep[PATH_MAX + 64], url[PATH_MAX + 128];

    path_in(deep, sizeof deep, "sub");
    assert_int_equal(mkdir(deep, 0755), 0);
    write_mode("errand.yml", "", 0644);
    assert_int_equal(
        load_args((struct er_config_args){.cwd = deep, .url = "sqlite:y.db"}), 0);
    snprintf(url, sizeof url, "sqlite:%s/y.db", deep);
    assert_string_equal(config->url, url);
    assert_string_equal(config->project, folder);
    assert_int_equal(
        load_args((struct er_config_args){.cwd = deep, .url = "sqlite:/abs/z.db"}), 0);
    assert_string_equal(config->url, "sqlite:/abs/z.db");
}

TEST(a_named_file_makes_its_folder_the_project)
{
    char other[PATH_MAX + 64];

    path_in(other, sizeof other, "else");
    assert_int_equal(mkdir(other, 0755), 0);
    write_mode("else/prod.yml", "max_depth: 5\n", 0644);
    write_mode("errand.yml", "max_depth: 6\n", 0644);
    assert_int_equal(load_args((struct er_config_args){.file = "else/prod.yml"}), 0);
    assert_string_equal(config->project, other);
    assert_int_equal(config->client.max_depth, 5);
    assert_string_equal(er_config_origin(config, "max_depth"), "prod.yml:1");
    setenv("ERRAND_CONFIG", "else/prod.yml", 1);
    assert_int_equal(load_args((struct er_config_args){0}), 0);
    assert_int_equal(config->client.max_depth, 5);
    unsetenv("ERRAND_CONFIG");
    assert_int_equal(load_args((struct er_config_args){.file = "no.yml"}),
                     ERRAND_ENOTFOUND);
    assert_non_null(strstr(error.message, "no.yml"));
}

/* ------------------------------------------------------------------ trust */

/* T50: secrets in files */
TEST(a_password_in_a_file_that_others_can_read_is_refused)
{
    char want[PATH_MAX + 64];

    write_mode("errand.yml", "url: postgres://me:hunter2@db/jobs\n", 0640);
    assert_int_equal(load_args((struct er_config_args){0}), ERRAND_EINVAL);
    snprintf(want, sizeof want, "chmod 600 %s/errand.yml", folder);
    assert_non_null(strstr(error.message, want));
    assert_null(strstr(error.message, "hunter2"));
    write_mode("errand.yml", "url: postgres://me:hunter2@db/jobs\n", 0600);
    assert_int_equal(load_args((struct er_config_args){0}), 0);
    assert_string_equal(config->url, "postgres://me:hunter2@db/jobs");
}

TEST(a_password_is_not_in_what_is_shown)
{
    setenv("ERRAND_URL", "postgres://me:hunter2@db/jobs", 1);
    load("");
    assert_null(strstr(er_config_value_text(config, "url"), "hunter2"));
    assert_non_null(strstr(er_config_value_text(config, "url"), "postgres://me:"));
}

TEST(a_file_that_everybody_can_change_is_refused)
{
    write_mode("errand.yml", "", 0666);
    assert_int_equal(load_args((struct er_config_args){0}), ERRAND_EINVAL);
    assert_non_null(strstr(error.message, "chmod o-w"));
}

/* As root this has to become somebody else first. */
TEST(a_file_of_another_user_is_not_followed)
{
    char path[PATH_MAX + 64];

    if (geteuid() != 0)
        skip();
    write_mode("errand.yml", "", 0644);
    path_in(path, sizeof path, "errand.yml");
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(chown(path, 1234, 1234), 0);
    assert_int_equal(load_args((struct er_config_args){0}), 0); /* root may */
    assert_int_equal(seteuid(4321), 0);
    int rc = load_args((struct er_config_args){0});
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(rc, ERRAND_EINVAL);
    assert_non_null(strstr(error.message, "belongs to user 1234"));
}

/* Else the project further up would be taken, or none, without a word. */
TEST(a_link_to_nowhere_is_an_error)
{
    char path[PATH_MAX + 64];

    path_in(path, sizeof path, "errand.yml");
    unlink(path);
    assert_int_equal(symlink("nowhere", path), 0);
    assert_true(load_args((struct er_config_args){0}) < 0);
    assert_non_null(strstr(error.message, path));
    unlink(path);
}

TEST(a_folder_named_errand_yml_is_an_error)
{
    char path[PATH_MAX + 64];

    path_in(path, sizeof path, "errand.yml");
    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(load_args((struct er_config_args){0}), ERRAND_EINVAL);
    assert_non_null(strstr(error.message, "is not a file"));
}

/* ------------------------------------------------------------------ the docs */

static char *docs_read(void)
{
    char path[PATH_MAX];
    char *text = calloc(1, 1 << 16);
    FILE *f;

    snprintf(path, sizeof path, "%s/docs/configuration.md", getenv("ERRAND_SOURCE"));
    assert_non_null(f = fopen(path, "r"));
    assert_true(fread(text, 1, (1 << 16) - 1, f) > 0);
    fclose(f);
    return text;
}

static void row_of(const struct er_config_key *key, char *buf, size_t size)
{
    const char *star = strchr(key->path, '*');
    char path[64];

    snprintf(path, sizeof path, "%s", key->path);
    if (star)
        snprintf(path, sizeof path, "%.*sNAME%s", (int)(star - key->path), key->path,
                 star + 1);
    snprintf(buf, size, "| `%s` | %s | %s | %s%s%s | %s |\n", path, key->type,
             key->standard, key->env ? "`" : "", key->env ? key->env : "",
             key->env ? "`" : "", key->help);
}

TEST(the_docs_list_every_key_as_the_table_has_it)
{
    char *docs = docs_read(), row[512];
    size_t rows_n = 0;

    for (size_t i = 0; i < er_config_keys_n; i++) {
        row_of(&er_config_keys[i], row, sizeof row);
        if (!strstr(docs, row))
            fail_msg("docs/configuration.md lacks this row:\n%s", row);
    }
    for (char *p = docs; (p = strstr(p, "\n| `")); p++)
        rows_n++;
    assert_int_equal(rows_n, er_config_keys_n);
    free(docs);
}

TEST_MAIN()
