/* acl.c: the user of docs/stores/redis.md, with just the rights that stand there: the
 * whole conformance suite runs as that user. */
#include "store/redis/world.h"

#include <sys/wait.h>
#include <unistd.h>

static int setup(void **state)
{
    return world_begin(state, NULL);
}

TEST_FIXTURE(setup, world_end)

enum { WORDS_MAX = 128 };

/* The words of the command in the docs, for prefixes that begin with "t". */
static size_t acl_words(char *text, const char **words)
{
    const char *path = getenv("ERRAND_SOURCE");
    char *at, *end, *save = NULL;
    size_t len, n = 0;
    char name[512];
    FILE *file;

    assert_non_null(path);
    snprintf(name, sizeof name, "%s/docs/stores/redis.md", path);
    assert_non_null(file = fopen(name, "re"));
    len = fread(text, 1, 65535, file);
    fclose(file);
    text[len] = '\0';
    assert_non_null(at = strstr(text, "ACL SETUSER errand"));
    assert_non_null(end = strstr(at, "```"));
    *end = '\0';
    for (char *word = strtok_r(at, " \n", &save); word;
         word = strtok_r(NULL, " \n", &save)) {
        assert_true(n < WORDS_MAX);
        if (strcmp(word, "~{errand}:*") == 0)
            word = (char *)"~{t*}:*";
        else if (strcmp(word, "&{errand}:*") == 0)
            word = (char *)"&{t*}:*";
        words[n++] = word;
    }
    return n;
}

static void user_make(void)
{
    static char text[65536];
    const char *words[WORDS_MAX];
    size_t n = acl_words(text, words);
    redisContext *link = redis_server_link(&server);
    redisReply *reply;

    assert_non_null(link);
    reply = redisCommandArgv(link, (int)n, words, NULL);
    assert_non_null(reply);
    if (reply->type == REDIS_REPLY_ERROR)
        fail_msg("%s", reply->str);
    freeReplyObject(reply);
    redisFree(link);
}

/* All it prints, with what went wrong. */
static char *conformance_run(const char *url)
{
    const char *program = getenv("ERRAND_TEST_CONFORMANCE");
    size_t size = 1 << 20, used = 0;
    char *out = malloc(size);
    int fds[2];
    ssize_t n;
    pid_t pid;

    assert_non_null(program);
    assert_int_equal(pipe(fds), 0);
    fflush(NULL);
    if ((pid = fork()) == 0) {
        setenv("ERRAND_TEST_URL", url, 1);
        if (dup2(fds[1], 1) < 0 || dup2(fds[1], 2) < 0)
            _exit(98);
        execl(program, program, (char *)NULL);
        _exit(99);
    }
    close(fds[1]);
    while (used < size - 1 && (n = read(fds[0], out + used, size - 1 - used)) > 0)
        used += (size_t)n;
    out[used] = '\0';
    close(fds[0]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    return out;
}

static size_t times(const char *text, const char *word)
{
    size_t n = 0;

    while ((text = strstr(text, word))) {
        text += strlen(word);
        n++;
    }
    return n;
}

/* Whether the suite passes is told by itself; here nothing may be refused. */
TEST(the_rights_that_are_documented_suffice)
{
    char *out;

    user_make();
    out = conformance_run(url_on(&server, "user=errand&password=SECRET&prefix=t%"));
    assert_true(times(out, "[       OK ]") > 300);
    if (strstr(out, "NOPERM"))
        fail_msg("%.300s", strstr(out, "NOPERM"));
    free(out);
}

TEST(they_reach_no_other_keys)
{
    redisContext *link;
    redisReply *reply;

    user_make();
    assert_non_null(link = redis_server_link(&server));
    freeReplyObject(redisCommand(link, "AUTH errand SECRET"));
    reply = redisCommand(link, "HSET other field value");
    assert_non_null(reply);
    assert_int_equal(reply->type, REDIS_REPLY_ERROR);
    assert_int_equal(strncmp(reply->str, "NOPERM", 6), 0);
    freeReplyObject(reply);
    redisFree(link);
}

TEST_MAIN()
