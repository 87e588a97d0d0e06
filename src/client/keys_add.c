/* keys_add.c: a new key in front of the ring. */
#include "client/keys.h"

#ifdef ERRAND_WITH_ENCRYPTION

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/error.h"
#include "core/clock.h"

enum { VARIANT = sodium_base64_VARIANT_URLSAFE_NO_PADDING };

/* "2026-11-24", or with a letter behind it when there is such a key. */
static int id_make(const struct er_key_ring *ring, char ret[ER_KEY_ID_MAX + 1])
{
    char date[32];

    er_time_format(er_clock_wall_ms(NULL), date, sizeof date);
    date[10] = '\0';
    snprintf(ret, ER_KEY_ID_MAX + 1, "%s", date);
    for (char letter = 'b'; ring && er_key_find(ring, ret, strlen(ret)); letter++) {
        if (letter > 'z')
            return -1;
        snprintf(ret, ER_KEY_ID_MAX + 1, "%s%c", date, letter);
    }
    return 0;
}

static int write_key(FILE *file, const struct er_key *key)
{
    char text[sodium_base64_ENCODED_LEN(ER_KEY_BYTES, VARIANT)];
    int n;

    sodium_bin2base64(text, sizeof text, key->bytes, sizeof key->bytes, VARIANT);
    n = fprintf(file, "%s %s\n", key->id, text);
    sodium_memzero(text, sizeof text);
    return n;
}

/* All keys, the new one first, in a file of its own: 0600 from its first byte. */
static int write_ring(const char *path, const char *id, const struct er_key_ring *old,
                      struct errand_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    struct er_key key = {{0}, {0}};
    bool has_failed;

    if (!file) {
        if (fd >= 0)
            close(fd);
        return er_error_errno(err, ERRAND_EIO, errno, "making '%s'", path);
    }
    snprintf(key.id, sizeof key.id, "%s", id);
    randombytes_buf(key.bytes, sizeof key.bytes);
    fprintf(file,
            "# errand: a key a line, its name and 32 bytes in base64; the first one "
            "encrypts\n");
    write_key(file, &key);
    sodium_memzero(&key, sizeof key);
    for (size_t i = 0; old && i < old->n; i++)
        write_key(file, &old->keys[i]);
    has_failed = fflush(file) != 0 || ferror(file) || fsync(fileno(file)) < 0;
    if (fclose(file) != 0 || has_failed)
        return er_error_errno(err, ERRAND_EIO, errno, "writing '%s'", path);
    return 0;
}

static int check_id(const struct er_key_ring *old, const char *id,
                    struct errand_error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789_-.";
    size_t len = strlen(id);

    if (!len || len > ER_KEY_ID_MAX || strspn(id, allowed) != len)
        return errand_error_set(err, ERRAND_EINVAL,
                                "a key is named by up to %d letters, digits, _ - .",
                                ER_KEY_ID_MAX);
    if (old && er_key_find(old, id, len))
        return errand_error_set(err, ERRAND_EINVAL, "the ring has a key '%s' already",
                                id);
    if (old && old->n == ER_KEY_RING_MAX)
        return errand_error_set(
            err, ERRAND_EINVAL,
            "the ring has %d keys, which is all it may have; take out "
            "what nothing is encrypted with any more",
            ER_KEY_RING_MAX);
    return 0;
}

int er_key_ring_add(const char *path, const char *id, char ret_id[ER_KEY_ID_MAX + 1],
                    struct errand_error *err)
{
    struct er_key_ring *old = NULL;
    char fresh[4096], own[ER_KEY_ID_MAX + 1];
    int rc = 0;

    if (sodium_init() < 0)
        return errand_error_set(err, ERRAND_EINTERNAL, "libsodium does not start");
    if (snprintf(fresh, sizeof fresh, "%s.new", path) >= (int)sizeof fresh)
        return errand_error_set(err, ERRAND_EINVAL,
                                "the path of the key ring is too long");
    if (access(path, F_OK) == 0 && (rc = er_key_ring_load(path, &old, err)) < 0)
        return rc;
    if (!id && id_make(old, own) == 0)
        id = own;
    if ((rc = check_id(old, id ? id : "", err)) < 0 ||
        (rc = write_ring(fresh, id, old, err)) < 0)
        goto out;
    if (rename(fresh, path) < 0) {
        rc = er_error_errno(err, ERRAND_EIO, errno, "writing '%s'", path);
        unlink(fresh);
        goto out;
    }
    snprintf(ret_id, ER_KEY_ID_MAX + 1, "%s", id);
out:
    er_key_ring_free(old);
    return rc;
}

#else

int er_key_ring_add(const char *path, const char *id, char ret_id[ER_KEY_ID_MAX + 1],
                    struct errand_error *err)
{
    (void)id;
    (void)ret_id;
    return errand_error_set(err, ERRAND_EUNSUPPORTED,
                            "key ring '%s': this errand was built without encryption "
                            "(libsodium)",
                            path);
}

#endif
