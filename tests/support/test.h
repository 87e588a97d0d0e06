/* test.h: a test is a claim with a body:
 *
 *     TEST(retry_waits_for_backoff) { … cmocka assertions … }
 *
 * Tests register themselves; TEST_MAIN() at the end of the file makes the program. Run
 * one by `program -t name`. */
#ifndef ER_TESTS_TEST_H
#define ER_TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ER_TESTS_MAX = 1024 };
static struct CMUnitTest er_test_list[ER_TESTS_MAX];
static size_t er_test_list_n;
static CMFixtureFunction er_test_setup, er_test_teardown;

#define TEST(claim)                                                    \
    static void claim(void **state);                                   \
    __attribute__((constructor)) static void er_register_##claim(void) \
    {                                                                  \
        er_test_list[er_test_list_n++] =                               \
            (struct CMUnitTest){.name = #claim, .test_func = claim};   \
    }                                                                  \
    static void claim(void **state __attribute__((unused)))

/* Functions that run before and after each test of this file. */
#define TEST_FIXTURE(setup, teardown)                                  \
    __attribute__((constructor)) static void er_register_fixture(void) \
    {                                                                  \
        er_test_setup = (setup);                                       \
        er_test_teardown = (teardown);                                 \
    }

static inline int er_test_main(int argc, char **argv)
{
    for (size_t i = 0; i < er_test_list_n; i++) {
        er_test_list[i].setup_func = er_test_setup;
        er_test_list[i].teardown_func = er_test_teardown;
    }
    if (argc == 3 && strcmp(argv[1], "-t") == 0)
        cmocka_set_test_filter(argv[2]);
    return _cmocka_run_group_tests(argv[0], er_test_list, er_test_list_n, NULL, NULL);
}

#define TEST_MAIN()                      \
    int main(int argc, char **argv)      \
    {                                    \
        return er_test_main(argc, argv); \
    }

#endif
