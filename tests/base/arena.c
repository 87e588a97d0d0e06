/* arena.c: memory that is freed all at once. */
#include "support/test.h"

#include <stdalign.h>

#include "base/arena.h"

/* AddressSanitizer ends the process at sizes that malloc merely refuses. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static struct errand_arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = er_arena_new();
    return arena ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    er_arena_free(arena);
    return 0;
}
TEST_FIXTURE(setup, teardown)

TEST(memory_is_zeroed_and_aligned_for_any_object)
{
    for (size_t size = 0; size < 300; size++) {
        unsigned char *p = errand_arena_alloc(arena, size);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xff, size);
    }
}

TEST(pieces_do_not_overlap)
{
    enum { N = 5000 };
    unsigned char *pieces[N];

    for (size_t i = 0; i < N; i++) {
        pieces[i] = errand_arena_alloc(arena, i % 97 + 1);
        assert_non_null(pieces[i]);
        memset(pieces[i], (int)(i % 251), i % 97 + 1);
    }
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < i % 97 + 1; j++)
            assert_int_equal(pieces[i][j], i % 251);
}

TEST(a_piece_larger_than_any_block_fits)
{
    size_t size = 5 << 20;
    unsigned char *big = errand_arena_alloc(arena, size), *small;

    assert_non_null(big);
    big[size - 1] = 1;
    small = errand_arena_alloc(arena, 8);
    assert_non_null(small);
    assert_true(small < big || small >= big + size);
}

TEST(what_cannot_be_had_is_null_and_not_a_crash)
{
    assert_null(errand_arena_alloc(arena, SIZE_MAX));
    assert_null(errand_arena_alloc(arena, SIZE_MAX / 2 - 64));
    assert_null(errand_arena_copy(arena, "x", SIZE_MAX));
    assert_non_null(errand_arena_alloc(arena, 8));
}

TEST(a_copy_has_a_nul_behind_it)
{
    char *copy = errand_arena_copy(arena, "ab\0cd", 5);

    assert_memory_equal(copy, "ab\0cd\0", 6);
    assert_string_equal(errand_arena_copy(arena, NULL, 0), "");
}

TEST(a_slice_is_a_copy_with_its_length)
{
    char text[] = "mail";
    struct errand_slice slice = er_arena_slice(arena, text, 4);

    text[0] = 'x';
    assert_int_equal(slice.len, 4);
    assert_memory_equal(slice.ptr, "mail", 4);
}

TEST(printf_takes_as_much_room_as_it_needs)
{
    char *text = er_arena_printf(arena, "%0*d", 9000, 7);

    assert_int_equal(strlen(text), 9000);
    assert_int_equal(text[8999], '7');
}

TEST(reset_forgets_everything_and_keeps_memory_for_the_next_round)
{
    void *before;

    for (int i = 0; i < 100; i++)
        assert_non_null(errand_arena_alloc(arena, 1000));
    assert_true(er_arena_used(arena) >= 100 * 1000);
    er_arena_reset(arena);
    assert_int_equal(er_arena_used(arena), 0);
    before = errand_arena_alloc(arena, 1000);
    er_arena_reset(arena);
    assert_ptr_equal(errand_arena_alloc(arena, 1000), before);
}

TEST(memory_after_reset_is_zeroed_again)
{
    memset(errand_arena_alloc(arena, 100), 0xff, 100);
    er_arena_reset(arena);
    assert_int_equal(*(char *)errand_arena_alloc(arena, 100), 0);
}

TEST(an_unused_arena_can_be_reset_and_null_can_be_freed)
{
    er_arena_reset(arena);
    er_arena_free(NULL);
    assert_int_equal(er_arena_used(arena), 0);
}

TEST_MAIN()
