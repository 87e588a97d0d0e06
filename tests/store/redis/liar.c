/* liar.c: a server that answers what no Redis would: broken, or somebody else's. Each
 * answer that cannot be true is an error, and nothing is read or written beside it. */
#include "store/redis/world.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* What every store asks for first. */
#define INFO "$21\r\nredis_version:7.0.0\r\n\r\n"
#define NO_CONFIG "-NOPERM config\r\n"
#define VERSION ":2\r\n"

static char folder[64], path[96];
static pid_t liar;

/* One answer a command, whatever it was; then it hangs up. */
static void lie(int listening, const struct errand_slice *answers, size_t n)
{
    static char command[1 << 20];
    int fd = accept(listening, NULL, NULL);

    for (size_t i = 0; i < n; i++)
        if (read(fd, command, sizeof command) <= 0 ||
            write(fd, answers[i].ptr, answers[i].len) < 0)
            _exit(1);
    _exit(0);
}

static void liar_start(const struct errand_slice *answers, size_t n)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 8), 0);
    if ((liar = fork()) == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        lie(fd, answers, n);
    }
    close(fd);
}

#define LIES(...)                                         \
    do {                                                  \
        const struct errand_slice lies[] = {__VA_ARGS__}; \
        liar_start(lies, sizeof lies / sizeof *lies);     \
    } while (0)
#define LIE(text) ((struct errand_slice){"" text, sizeof text - 1})

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/errand-liar-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s", folder);
    now = 0;
    arena = er_arena_new();
    return arena ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    er_store_close(store);
    store = NULL;
    kill(liar, SIGKILL);
    waitpid(liar, NULL, 0);
    unlink(path);
    rmdir(folder);
    er_arena_free(arena);
    arena = NULL;
    return 0;
}

TEST_FIXTURE(setup, teardown)

static int open_url(const char *url)
{
    struct er_store_options options = {.open = {.busy_ms = 2000}};

    return er_store_open(url, &options, &store, &err);
}

static int open_plain(void)
{
    char url[128];

    snprintf(url, sizeof url, "redis+unix:%s", path);
    return open_url(url);
}

/* ------------------------------------------------------------------ at start */

TEST(a_setting_that_is_no_text_is_not_known)
{
    LIES(LIE(INFO), LIE("*2\r\n:1\r\n:2\r\n"), LIE(VERSION));
    ok(open_plain());
}

TEST(a_sentinel_that_names_no_address_is_refused)
{
    char url[128];

    LIES(LIE("*2\r\n:1\r\n:2\r\n"));
    snprintf(url, sizeof url, "redis+sentinel://%%2Ftmp%%2F%s%%2Fs/jobs",
             folder + strlen("/tmp/"));
    fails(ERRAND_EUNAVAILABLE, open_url(url));
    assert_said("Sentinel");
}

/* ------------------------------------------------------------------ answers of scripts
 */

/* Less than one for each outcome: nobody may read on behind it. */
TEST(each_outcome_has_an_answer)
{
    struct errand_outcome outcomes[] = {
        {.token = 1, .key = 1, .id = {"a"}, .kind = ERRAND_OUT_DONE, .queue = "q"}};
    struct errand_exchange_params p = {.outcomes = outcomes, .outcomes_n = 1};
    struct errand_exchange_result ret;

    LIES(LIE(INFO), LIE(NO_CONFIG), LIE(VERSION),
         LIE("*1\r\n$8\r\n\x90\0\0\0\0\0\0\x90\r\n"));
    ok(open_plain());
    fails(ERRAND_ECORRUPT, er_store_exchange(store, &p, arena, &ret, &err));
}

/* A row of list: 23 values, all 0 or empty. */
#define ROW \
    "\xb7"  \
    "\0\xa0\0\0\0\0\0\0\xa0\xa0\xa0\0\0\xa0\0\0\xa0\0\xa0\x90\xa0\xa0\xa0"

TEST(a_page_has_no_more_rows_than_were_asked_for)
{
    struct errand_list_result ret;

    LIES(LIE(INFO), LIE(NO_CONFIG), LIE(VERSION),
         LIE("*2\r\n:0\r\n$73\r\n\x93" ROW ROW ROW "\r\n"));
    ok(open_plain());
    fails(ERRAND_ECORRUPT, er_store_list(store, &(struct errand_list_params){.max = 1},
                                         arena, &ret, &err));
}

TEST_MAIN()
