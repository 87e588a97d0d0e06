/* encrypted.c: encrypted data for who sits at the shell: the job gets it, nothing shows
 * it. */
#include "shell.h"

#include "client/keys.h"

#define SECRET "correct-horse-battery"

TEST_FIXTURE(shell_setup, shell_teardown)

/* A project with a key ring and an encrypted executable that fails unless it gets the
 * data, and never gets to know where the keys are. */
static void project(void)
{
    assert_code(
        sh("errand new . >/dev/null && echo 'keys: errand.keys' >>errand.yml && "
           "errand keys:new one && "
           "printf '%%s\\n' '#!/bin/sh' '# errand: tries=2 backoff=0 encrypted=yes' "
           "'grep -q " SECRET " && [ -z \"$ERRAND_KEYS\" ]' >app/Jobs/secret.sh && "
           "chmod +x app/Jobs/secret.sh"),
        0);
}

static const char *dispatch(void)
{
    struct run run = sh("errand queue:dispatch secret '{\"password\":\"" SECRET "\"}'");

    assert_code(run, 0);
    return word(run);
}

TEST(an_executable_gets_the_data_and_no_list_page_or_log_shows_it)
{
    const char *id;

    project();
    id = dispatch();
    assert_has(sh("errand queue:list").out, "<encrypted>");
    assert_has(sh("errand queue:list --json").out, "\"data\":\"<encrypted>\"");
    assert_has(sh("errand queue:inspect %s", id).out, "<encrypted>");
    assert_has(sh("errand queue:inspect %s --json", id).out, "\"data\":\"<encrypted>\"");
    assert_code(
        sh("ERRAND_KEYS=errand.keys errand queue:work --stop-when-empty >work.log 2>&1"),
        0);
    assert_has(sh("errand queue:inspect %s", id).out, "completed");
    assert_code(
        sh("{ errand queue:list; errand queue:list --json; errand queue:inspect %s; "
           "errand queue:inspect %s --json; errand queue:events; } >all.log",
           id, id),
        0);
    assert_code(sh("grep -r " SECRET " *.log errand.db*"), 1);
}

TEST(a_call_or_an_item_of_a_batch_may_ask_for_it)
{
    project();
    assert_code(sh("errand queue:dispatch other '{\"password\":\"" SECRET
                   "\"}' --encrypted && echo '[{\"job\":\"other\",\"encrypted\":true,"
                   "\"data\":\"" SECRET "\"}]' >b.json && errand queue:batch b.json"),
                0);
    assert_string_equal(sh("errand queue:list --json | grep -c '<encrypted>'").out,
                        "2\n");
    assert_code(sh("grep " SECRET " errand.db*"), 1);
}

TEST(a_job_that_failed_keeps_its_secret_and_can_be_retried)
{
    const char *id;

    project();
    id = dispatch();
    assert_code(sh("mv errand.keys away && errand queue:work --stop-when-empty; rc=$?; "
                   "mv away errand.keys; exit $rc"),
                2);
    assert_code(sh("cp app/Jobs/secret.sh good && echo 'exit 65' >>app/Jobs/secret.sh && "
                   "errand queue:work --stop-when-empty"),
                0);
    assert_has(sh("errand queue:failed").out, "exited with code 65");
    assert_has(sh("errand queue:failed --json").out, "\"data\":\"<encrypted>\"");
    assert_code(sh("mv good app/Jobs/secret.sh"), 0);
    assert_code(sh("errand queue:retry %s && errand queue:work --stop-when-empty", id),
                0);
    assert_has(sh("errand queue:inspect %s", id).out, "completed");
}

TEST(a_new_key_takes_over_and_the_old_one_may_go)
{
    const char *id;

    project();
    id = dispatch();
    assert_string_equal(sh("errand keys:new two").out, "two\n");
    assert_string_equal(sh("errand keys:rotate").out, "1 encrypted with 'two'\n");
    assert_string_equal(sh("errand keys:rotate").out, "0 encrypted with 'two'\n");
    assert_code(sh("sed -i '/^one/d' errand.keys && errand queue:work --stop-when-empty"),
                0);
    assert_has(sh("errand queue:inspect %s", id).out, "completed");
    assert_string_equal(sh("stat -c %%a errand.keys").out, "600\n");
}

TEST(who_has_no_ring_is_told_by_dispatch_doctor_and_check)
{
    struct run run;

    project();
    assert_code(
        sh("errand doctor >doctor.log; grep 'keys: 1 in .*errand.keys, .one. encrypts' "
           "doctor.log"),
        0);
    assert_code(sh("errand config:check"), 0);
    assert_code(sh("chmod 644 errand.keys"), 0);
    run = sh("errand config:check");
    assert_code(run, 1);
    assert_has(run.err, "may be read by others (mode 0644); mend it: chmod 600");
    run = sh("errand queue:dispatch secret 1");
    assert_code(run, 2);
    assert_has(run.err, "may be read by others");
    assert_has(sh("errand doctor").out, "fail: keys: key ring");
    assert_code(sh("mv errand.keys away; errand doctor >doctor.log; mv away errand.keys"),
                0);
    /* Not: make a new one. That would open nothing of what waits. */
    assert_code(sh("grep 'fail: keys: .*bring back the ring' doctor.log"), 0);
    assert_code(sh("sed -i '/^keys/d' errand.yml"), 0);
    run = sh("errand queue:dispatch secret 1");
    assert_code(run, 2);
    assert_has(run.err, "job 'secret' is encrypted, and no key ring is known here");
    assert_has(sh("errand doctor").out,
               "'secret' is encrypted, and there is no key ring");
}

TEST(a_worker_without_the_ring_says_so_and_the_job_keeps_its_tries)
{
    struct run run;

    project();
    dispatch();
    run = sh(
        "sed -i '/^keys/d' errand.yml; errand queue:work --name=bob 2>work.log & w=$!; "
        "until errand queue:workers --json | grep -q 'no key ring'; do sleep 0.05; "
        "done; errand doctor; errand queue:health --json; kill $w; wait $w; "
        "errand queue:list --json; cat work.log");
    assert_has(run.out,
               "workers: bob leaves encrypted jobs waiting: the data of 'secret' "
               "is encrypted, and this worker has no key ring");
    assert_has(run.out, "\"keys\"");
    assert_has(run.out, "\"attempts\":0");
    assert_has(run.out, "has no key ring: say where it is by `keys` in errand.yml or by "
                        "ERRAND_KEYS; such jobs wait, and lose no attempt");
}

int main(int argc, char **argv)
{
    if (!er_keys_are_built())
        return 77; /* Meson: skipped */
    return er_test_main(argc, argv);
}
