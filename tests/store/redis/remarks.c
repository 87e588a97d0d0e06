/* remarks.c: what the server's settings do to the promises, where an operator sees it. */
#include "cli/shell.h"
#include "support/redis_server.h"

#include <signal.h>

static struct redis_server server;

static int setup(void **state)
{
    redis_server_init(&server, false, NULL);
    redis_server_start(&server);
    return shell_setup(state);
}

static int teardown(void **state)
{
    redis_server_free(&server);
    return shell_teardown(state);
}

TEST_FIXTURE(setup, teardown)

#define URL "--url='redis+unix:%s?prefix=t'"

TEST(the_doctor_warns_of_a_server_that_forgets)
{
    struct run r;

    assert_code(sh("errand queue:dispatch hello " URL, server.socket), 0);
    r = sh("errand doctor " URL, server.socket);
    assert_has(r.out, "warn: server: ");
    assert_has(r.out, "appendonly no");
    assert_has(r.out, "set appendonly yes");
    redis_server_do(&server, "CONFIG SET appendonly yes");
    r = sh("errand doctor " URL, server.socket);
    assert_lacks(r.out, "warn: server");
}

TEST(a_worker_says_so_when_it_starts)
{
    assert_has(sh("errand queue:work --stop-when-empty " URL, server.socket).err,
               "appendonly no");
}

/* ------------------------------------------------------------------ health */

TEST(a_server_that_takes_nothing_is_unhealthy)
{
    struct run r;

    assert_code(sh("errand queue:dispatch hello " URL, server.socket), 0);
    assert_code(sh("errand queue:health " URL, server.socket), 0);
    redis_server_do(&server, "CONFIG SET maxmemory 1");
    r = sh("errand queue:health " URL, server.socket);
    assert_code(r, 2);
    assert_has(r.out, "unhealthy: nothing can be stored: ");
    assert_has(r.out, "maxmemory");
    assert_has(r.out, "default");
}

TEST(the_doctor_says_what_to_do_about_full_memory)
{
    struct run r;

    assert_code(sh("errand queue:dispatch hello " URL, server.socket), 0);
    redis_server_do(&server, "CONFIG SET maxmemory 1");
    r = sh("errand doctor " URL, server.socket);
    assert_code(r, 1);
    assert_has(r.out, "fail: write: ");
    assert_has(r.out, "raise its maxmemory, or remove jobs");
}

/* Nobody waits for two hours here: whatever errand.yml says, a health check is told. */
TEST(a_server_that_hangs_is_unhealthy_and_soon)
{
    struct run r;

    assert_code(sh("echo 'busy: 3600' >errand.yml; errand queue:dispatch hello " URL,
                   server.socket),
                0);
    kill(server.pid, SIGSTOP);
    r = sh("timeout 120 errand queue:health " URL, server.socket);
    kill(server.pid, SIGCONT);
    assert_code(r, 2);
    assert_has(r.out, "unhealthy: the store does not answer: ");
}

/* ------------------------------------------------------------------ replicas */

TEST(what_only_looks_reads_a_replica)
{
    struct redis_server master;
    struct run r;

    redis_server_init(&master, true, NULL);
    redis_server_start(&master);
    assert_code(sh("errand queue:dispatch hello " URL, master.socket), 0);
    assert_code(sh("errand queue:list " URL, master.socket), 0);
    redis_server_do(&server, "REPLICAOF 127.0.0.1 %d", master.port);
    assert_true(redis_server_becomes(&server, "master_link_status", "up", 20000));
    r = sh("errand queue:list " URL, server.socket);
    assert_code(r, 0);
    assert_has(r.out, "hello");
    r = sh("errand queue:dispatch hello " URL, server.socket);
    assert_true(r.code != 0);
    assert_has(r.err, "replica");
    redis_server_free(&master);
}

TEST_MAIN()
