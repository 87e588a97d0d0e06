/* seal.c: sealed data, what it is bound to, and the key ring. */
#include "support/test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "client/keys.h"
#include "client/seal.h"
#include "support/folder.h"

static char folder[FOLDER_MAX], ring_path[FOLDER_MAX + 16];
static struct errand_arena *arena;
static struct errand_error err;

static int setup(void **state)
{
    (void)state;
    err = (struct errand_error){0};
    if (folder_make(folder, "seal") < 0 || !(arena = er_arena_new()))
        return -1;
    snprintf(ring_path, sizeof ring_path, "%s/keys", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    er_arena_free(arena);
    return folder_remove(folder);
}

TEST_FIXTURE(setup, teardown)

#define KEY_A "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_B "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"

static void write_ring(const char *text, mode_t mode)
{
    FILE *file = fopen(ring_path, "we");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(ring_path, mode), 0);
}

static struct er_key_ring *ring_of(const char *text)
{
    struct er_key_ring *ring = NULL;

    write_ring(text, 0600);
    if (er_key_ring_load(ring_path, &ring, &err) < 0)
        fail_msg("%s", err.message);
    return ring;
}

static void assert_ring_refused(const char *text, mode_t mode, const char *reason)
{
    struct er_key_ring *ring = NULL;
    write_ring(text, mode);
    assert_int_equal(er_key_ring_load(ring_path, &ring, &err), ERRAND_EINVAL);
    if (!strstr(err.message, ring_path) || !strstr(err.message, reason))
        fail_msg("expected '%s' in: %s", reason, err.message);
    assert_null(ring);
}

static const struct er_sealed_for mail = {"mail", "default", "id-1"};

static struct errand_slice slice(const char *text)
{
    return (struct errand_slice){text, strlen(text)};
}

static struct errand_slice sealed_with(const struct er_key_ring *ring, const char *text)
{
    struct errand_slice sealed = {0};

    if (er_seal(ring, &mail, slice(text), arena, &sealed, &err) < 0)
        fail_msg("%s", err.message);
    return sealed;
}

static int unseal(const struct er_key_ring *ring, const struct er_sealed_for *job,
                  struct errand_slice sealed, struct errand_slice *ret)
{
    return er_unseal(ring, job, sealed, arena, ret, &err);
}

TEST(what_was_sealed_opens_as_it_was)
{
    struct er_key_ring *ring = ring_of("a " KEY_A "\n");
    struct errand_slice sealed = sealed_with(ring, "{\"to\":\"ann\"}"), clear = {0};

    assert_true(er_sealed_is(sealed));
    assert_null(memmem(sealed.ptr, sealed.len, "ann", 3));
    assert_memory_equal(sealed.ptr, "{\"errand.sealed\":\"1:a:", 22);
    assert_int_equal(unseal(ring, &mail, sealed, &clear), 0);
    assert_int_equal(clear.len, 12);
    assert_memory_equal(clear.ptr, "{\"to\":\"ann\"}", 12);
    er_key_ring_free(ring);
}

TEST(the_same_data_never_looks_the_same)
{
    struct er_key_ring *ring = ring_of("a " KEY_A "\n");
    struct errand_slice one = sealed_with(ring, "1"), two = sealed_with(ring, "1");

    assert_int_equal(one.len, two.len);
    assert_memory_not_equal(one.ptr, two.ptr, one.len);
    er_key_ring_free(ring);
}

TEST(sealed_data_opens_for_no_other_job)
{
    static const struct er_sealed_for others[] = {{"mai", "ldefault", "id-1"},
                                                  {"other", "default", "id-1"},
                                                  {"mail", "other", "id-1"},
                                                  {"mail", "default", "id-2"}};
    struct er_key_ring *ring = ring_of("a " KEY_A "\n");
    struct errand_slice sealed = sealed_with(ring, "1"), clear;

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(unseal(ring, &others[i], sealed, &clear), ERRAND_ECORRUPT);
    assert_string_equal(err.message,
                        "the encrypted data of 'mail' was changed, or belongs to another "
                        "job");
    er_key_ring_free(ring);
}

TEST(a_changed_byte_anywhere_is_noticed)
{
    struct er_key_ring *ring = ring_of("a " KEY_A "\n");
    struct errand_slice sealed = sealed_with(ring, "[1,2,3]"), clear;
    char *bytes = errand_arena_copy(arena, sealed.ptr, sealed.len);

    for (size_t i = 20; i < sealed.len; i++) {
        bytes[i] ^= 1;
        assert_true(
            unseal(ring, &mail, (struct errand_slice){bytes, sealed.len}, &clear) < 0);
        bytes[i] ^= 1;
    }
    for (size_t len = 0; len < sealed.len; len++)
        assert_true(unseal(ring, &mail, (struct errand_slice){bytes, len}, &clear) < 0);
    er_key_ring_free(ring);
}

TEST(the_first_key_seals_and_the_others_still_open)
{
    struct er_key_ring *ring = ring_of("a " KEY_A "\n");
    struct errand_slice sealed = sealed_with(ring, "1"), clear, key;

    er_key_ring_free(ring);
    ring = ring_of("# newest first\n\n  b\t" KEY_B "=  \n a " KEY_A "\n");
    assert_int_equal(unseal(ring, &mail, sealed, &clear), 0);
    assert_int_equal(er_sealed_key(sealed_with(ring, "1"), &key), 0);
    assert_int_equal(key.len, 1);
    assert_int_equal(key.ptr[0], 'b');
    er_key_ring_free(ring);
    ring = ring_of("b " KEY_B "\n");
    assert_int_equal(unseal(ring, &mail, sealed, &clear), ERRAND_ENOTFOUND);
    assert_string_equal(err.message, "the data of 'mail' is encrypted with the key 'a', "
                                     "which is not in the key ring");
    er_key_ring_free(ring);
}

TEST(without_a_ring_nothing_is_sealed_or_opened)
{
    struct er_key_ring *ring = ring_of("a " KEY_A "\n");
    struct errand_slice sealed = sealed_with(ring, "1"), clear;

    er_key_ring_free(ring);
    assert_int_equal(er_seal(NULL, &mail, slice("1"), arena, &clear, &err),
                     ERRAND_EINVAL);
    assert_non_null(
        strstr(err.message, "job 'mail' is encrypted, and no key ring is known"));
    assert_int_equal(unseal(NULL, &mail, sealed, &clear), ERRAND_ENOTFOUND);
    assert_non_null(strstr(err.message, "this worker has no key ring"));
}

TEST(a_key_made_of_data_is_a_hash_that_stays_while_the_oldest_key_does)
{
    struct er_key_ring *ring = ring_of("a " KEY_A "\n");
    struct errand_slice one, two, other;

    assert_int_equal(er_seal_key(ring, slice("user:7"), arena, &one, &err), 0);
    assert_int_equal(er_seal_key(ring, slice("user:8"), arena, &other, &err), 0);
    er_key_ring_free(ring);
    ring = ring_of("b " KEY_B "\na " KEY_A "\n");
    assert_int_equal(er_seal_key(ring, slice("user:7"), arena, &two, &err), 0);
    er_key_ring_free(ring);
    assert_int_equal(one.len, 69);
    assert_memory_equal(one.ptr, two.ptr, one.len);
    assert_memory_not_equal(one.ptr, other.ptr, one.len);
}

TEST(what_is_shown_of_sealed_data_is_a_word)
{
    struct er_key_ring *ring = ring_of("a " KEY_A "\n");
    struct errand_slice shown = er_sealed_json(sealed_with(ring, "1"));

    er_key_ring_free(ring);
    assert_int_equal(shown.len, 13);
    assert_memory_equal(shown.ptr, "\"<encrypted>\"", 13);
    assert_ptr_equal(er_sealed_shown(slice("1")).ptr, "1");
    assert_false(er_sealed_is(slice("{\"errand.sealed\":\"1:\"}")));
    assert_false(er_sealed_is((struct errand_slice){0}));
}

TEST(a_ring_that_others_may_read_is_refused_with_the_command_that_mends_it)
{
    assert_ring_refused("a " KEY_A "\n", 0640,
                        "may be read by others (mode 0640); mend it: chmod 600 ");
    assert_ring_refused("a " KEY_A "\n", 0604,
                        "may be read by others (mode 0604); mend it: chmod 600 ");
}

TEST(a_ring_that_is_wrong_says_where)
{
    assert_ring_refused("", 0600, ": has no key; 'errand keys:new' adds one");
    assert_ring_refused("# nothing\n\n", 0600,
                        ": has no key; 'errand keys:new' adds one");
    assert_ring_refused("a short\n", 0600, ":1: the key is not 32 bytes in base64");
    assert_ring_refused("a\n", 0600, ":1: the key is not 32 bytes in base64");
    assert_ring_refused("a " KEY_A "\na " KEY_B "\n", 0600,
                        ":2: this name stands here twice");
    assert_ring_refused("a:b " KEY_A "\n", 0600,
                        ":1: expected the name of a key (letters, digits, _ - .), then "
                        "the key");
    assert_ring_refused("a " KEY_A " b\n", 0600, ":1: something stands behind the key");
}

TEST(a_ring_that_is_not_there_or_no_file_says_so)
{
    struct er_key_ring *ring;

    assert_int_equal(er_key_ring_load(ring_path, &ring, &err), ERRAND_EINVAL);
    assert_non_null(strstr(err.message, "No such file"));
    assert_int_equal(er_key_ring_load(folder, &ring, &err), ERRAND_EINVAL);
    assert_non_null(strstr(err.message, "is no file"));
}

TEST(a_new_key_comes_first_and_the_file_is_for_its_owner_alone)
{
    char id[ER_KEY_ID_MAX + 1];
    struct er_key_ring *ring;
    struct stat st;

    umask(0);
    assert_int_equal(er_key_ring_add(ring_path, "one", id, &err), 0);
    assert_string_equal(id, "one");
    assert_int_equal(stat(ring_path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(er_key_ring_add(ring_path, NULL, id, &err), 0);
    assert_int_equal(strlen(id), 10); /* a date */
    assert_int_equal(er_key_ring_add(ring_path, NULL, id, &err), 0);
    assert_int_equal(id[10], 'b');
    assert_int_equal(er_key_ring_load(ring_path, &ring, &err), 0);
    assert_int_equal(ring->n, 3);
    assert_string_equal(ring->keys[0].id, id);
    assert_string_equal(ring->keys[2].id, "one");
    assert_memory_not_equal(ring->keys[0].bytes, ring->keys[1].bytes, ER_KEY_BYTES);
    er_key_ring_free(ring);
    assert_int_equal(er_key_ring_add(ring_path, "one", id, &err), ERRAND_EINVAL);
    assert_string_equal(err.message, "the ring has a key 'one' already");
    assert_int_equal(er_key_ring_add(ring_path, "a b", id, &err), ERRAND_EINVAL);
}

int main(int argc, char **argv)
{
    if (!er_keys_are_built())
        return 77; /* Meson: skipped */
    return er_test_main(argc, argv);
}
