/* claims.h: what tests of the rules say often. */
#ifndef ER_TESTS_CORE_CLAIMS_H
#define ER_TESTS_CORE_CLAIMS_H

#include "support/test.h"

#include "errand/types.h"

static inline struct errand_slice slice(const char *text)
{
    return (struct errand_slice){.ptr = text, .len = strlen(text)};
}

/* The call answered this code, and the message is exactly this. */
#define assert_error(answer, err, expected_code, expected_message) \
    do {                                                           \
        int answer_ = (answer);                                    \
        if (answer_ != (expected_code))                            \
            print_error("message: %s\n", (err).message);           \
        assert_int_equal(answer_, (expected_code));                \
        assert_int_equal((err).code, (expected_code));             \
        assert_string_equal((err).message, (expected_message));    \
    } while (0)

/* The call worked; when it did not, the reason is shown. */
#define assert_works(answer, err)                       \
    do {                                                \
        int answer_ = (answer);                         \
        if (answer_ != 0)                               \
            fail_msg("%d: %s", answer_, (err).message); \
    } while (0)

#define assert_slice(slice_, expected)                                 \
    do {                                                               \
        struct errand_slice got_ = (slice_);                           \
        assert_int_equal(got_.len, sizeof(expected) - 1);              \
        assert_memory_equal(got_.ptr, expected, sizeof(expected) - 1); \
    } while (0)

#endif
