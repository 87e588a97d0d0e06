/* failing_malloc.h: this program's own malloc, which fails where the claim wants it to.
 *
 * For one file of a program: it defines allocation_fails(), which is asked at each
 * allocation. Ours stands before that of the C library. Sanitizers and valgrind bring
 * theirs, which stands before both: then nothing ever fails, and there is nothing to
 * show. What allocation_fails() reads is volatile, because a compiler knows that malloc
 * reads no variable of ours. */
#ifndef ER_TESTS_FAILING_MALLOC_H
#define ER_TESTS_FAILING_MALLOC_H

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || \
    __has_feature(thread_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#endif

static bool allocation_fails(void) __attribute__((unused));

#ifndef HAS_SANITIZER
void *__libc_malloc(size_t size);
void *__libc_realloc(void *ptr, size_t size);
void *__libc_calloc(size_t n, size_t size);

static bool fails_with_enomem(void)
{
    if (!allocation_fails())
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return fails_with_enomem() ? NULL : __libc_malloc(size);
}

void *realloc(void *ptr, size_t size)
{
    return fails_with_enomem() ? NULL : __libc_realloc(ptr, size);
}

void *calloc(size_t n, size_t size)
{
    return fails_with_enomem() ? NULL : __libc_calloc(n, size);
}
#endif

#endif
