/* fuzz.h: a fuzz program is one function and a claim about every input.
 *
 * MUST(claim) ends the program with the claim when it is false, whatever NDEBUG says: the
 * fuzzer keeps the input that did it. */
#ifndef ER_FUZZ_FUZZ_H
#define ER_FUZZ_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "errand/types.h"

#define MUST(claim)                                                                \
    do {                                                                           \
        if (!(claim)) {                                                            \
            fprintf(stderr, "%s:%d: is not so: %s\n", __FILE__, __LINE__, #claim); \
            abort();                                                               \
        }                                                                          \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input up to its first newline, as a string in the arena; the rest. */
static inline const char *first_line(struct errand_arena *arena,
                                     struct errand_slice *rest)
{
    const char *newline = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
    size_t len = newline ? (size_t)(newline - rest->ptr) : rest->len;
    const char *line = errand_arena_copy(arena, rest->ptr, len);

    MUST(line);
    len += newline != NULL;
    rest->ptr += len;
    rest->len -= len;
    return line;
}

static inline struct errand_slice buf_slice(const struct er_buf *buf)
{
    return (struct errand_slice){.ptr = buf->ptr, .len = buf->len};
}

#endif
