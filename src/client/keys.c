/* keys.c: reading the key ring, and adding to it. */
#include "client/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#ifdef ERRAND_WITH_ENCRYPTION
#include <sodium.h>

enum { FILE_MAX = 16 << 10, VARIANT = sodium_base64_VARIANT_URLSAFE_NO_PADDING };

/* One line of the file while it is read. */
struct line {
    const char *path, *begin, *end;
    size_t number;
    struct errand_error *err;
};

bool er_keys_are_built(void)
{
    return true;
}

static int wrong(const struct line *l, const char *what)
{
    return errand_error_set(l->err, ERRAND_EINVAL, "%s:%zu: %s", l->path, l->number,
                            what);
}

static bool is_id(const char *id, size_t len)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789_-.";

    if (!len || len > ER_KEY_ID_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!id[i] || !strchr(allowed, id[i]))
            return false;
    return true;
}

/* Base64 of either alphabet, with or without its padding. */
static int key_read(const char *text, size_t len, struct er_key *ret)
{
    const int variants[] = {VARIANT, sodium_base64_VARIANT_URLSAFE,
                            sodium_base64_VARIANT_ORIGINAL_NO_PADDING,
                            sodium_base64_VARIANT_ORIGINAL};
    size_t got;

    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
        if (sodium_base642bin(ret->bytes, sizeof ret->bytes, text, len, NULL, &got, NULL,
                              variants[i]) == 0 &&
            got == ER_KEY_BYTES)
            return 0;
    return -1;
}

static int line_read(struct line *l, struct er_key_ring *ring)
{
    static const char spaces[] = " \t\r";
    const char *p = l->begin, *id, *text;
    struct er_key *key;

    while (p < l->end && strchr(spaces, *p))
        p++;
    if (p == l->end || *p == '#')
        return 0;
    for (id = p; p < l->end && !strchr(spaces, *p); p++)
        ;
    if (!is_id(id, (size_t)(p - id)))
        return wrong(l,
                     "expected the name of a key (letters, digits, _ - .), then the key");
    if (er_key_find(ring, id, (size_t)(p - id)))
        return wrong(l, "this name stands here twice");
    if (ring->n == ER_KEY_RING_MAX)
        return wrong(l, "more than 64 keys");
    key = &ring->keys[ring->n];
    *key = (struct er_key){0};
    memcpy(key->id, id, (size_t)(p - id));
    while (p < l->end && strchr(spaces, *p))
        p++;
    for (text = p; p < l->end && !strchr(spaces, *p); p++)
        ;
    if (key_read(text, (size_t)(p - text), key) < 0)
        return wrong(l, "the key is not 32 bytes in base64");
    while (p < l->end && strchr(spaces, *p))
        p++;
    if (p < l->end)
        return wrong(l, "something stands behind the key");
    ring->n++;
    return 0;
}

static int text_read(const char *path, const char *text, size_t len,
                     struct er_key_ring *ring, struct errand_error *err)
{
    struct line l = {.path = path, .begin = text, .err = err};
    const char *end = text + len;
    int rc;

    for (; l.begin < end; l.begin = l.end + 1) {
        l.end = memchr(l.begin, '\n', (size_t)(end - l.begin));
        l.end = l.end ? l.end : end;
        l.number++;
        if ((rc = line_read(&l, ring)) < 0)
            return rc;
    }
    if (ring->n)
        return 0;
    return errand_error_set(err, ERRAND_EINVAL,
                            "%s: has no key; 'errand keys:new' adds one", path);
}

/* Only its owner may read it, and only root or we may be that. */
static int check_file(int fd, const char *path, struct errand_error *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return er_error_errno(err, ERRAND_EIO, errno, "key ring '%s'", path);
    if (!S_ISREG(st.st_mode))
        return errand_error_set(err, ERRAND_EINVAL, "key ring '%s' is no file", path);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return errand_error_set(err, ERRAND_EINVAL,
                                "key ring '%s' belongs to another user (%u)", path,
                                (unsigned)st.st_uid);
    if (st.st_mode & 077)
        return errand_error_set(
            err, ERRAND_EINVAL,
            "key ring '%s' may be read by others (mode %04o); mend it: "
            "chmod 600 '%s'",
            path, (unsigned)(st.st_mode & 07777), path);
    return 0;
}

static int file_read(int fd, const char *path, char *text, size_t *ret_len,
                     struct errand_error *err)
{
    ssize_t n;

    *ret_len = 0;
    while ((n = read(fd, text + *ret_len, FILE_MAX - *ret_len)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return er_error_errno(err, ERRAND_EIO, errno, "reading key ring '%s'", path);
        *ret_len += (size_t)n;
        if (*ret_len == FILE_MAX)
            return errand_error_set(err, ERRAND_EINVAL, "key ring '%s' is too long",
                                    path);
    }
    return 0;
}

static struct er_key_ring *ring_new(void)
{
    struct er_key_ring *ring = calloc(1, sizeof *ring);

    /* Not swapped out, not dumped, wiped when it is freed. */
    if (ring && !(ring->keys = sodium_malloc(ER_KEY_RING_MAX * sizeof *ring->keys))) {
        free(ring);
        return NULL;
    }
    return ring;
}

void er_key_ring_free(struct er_key_ring *ring)
{
    if (!ring)
        return;
    sodium_free(ring->keys);
    free(ring);
}

int er_key_ring_load(const char *path, struct er_key_ring **ret, struct errand_error *err)
{
    struct er_key_ring *ring = NULL;
    char *text = NULL;
    size_t len = 0;
    int fd, rc;

    if (sodium_init() < 0)
        return errand_error_set(err, ERRAND_EINTERNAL, "libsodium does not start");
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return er_error_errno(err, ERRAND_EINVAL, errno, "opening key ring '%s'", path);
    if ((rc = check_file(fd, path, err)) < 0)
        goto out;
    ring = ring_new();
    text = sodium_malloc(FILE_MAX);
    if (!ring || !text) {
        rc = er_error_nomem(err);
        goto out;
    }
    if ((rc = file_read(fd, path, text, &len, err)) < 0 ||
        (rc = text_read(path, text, len, ring, err)) < 0)
        goto out;
    sodium_mprotect_readonly(ring->keys);
    *ret = ring;
    ring = NULL;
out:
    close(fd);
    sodium_free(text);
    er_key_ring_free(ring);
    return rc;
}

#else

bool er_keys_are_built(void)
{
    return false;
}

int er_key_ring_load(const char *path, struct er_key_ring **ret, struct errand_error *err)
{
    (void)ret;
    return errand_error_set(err, ERRAND_EUNSUPPORTED,
                            "key ring '%s': this errand was built without encryption "
                            "(libsodium)",
                            path);
}

void er_key_ring_free(struct er_key_ring *ring)
{
    (void)ring;
}

#endif

const struct er_key *er_key_find(const struct er_key_ring *ring, const char *id,
                                 size_t len)
{
    for (size_t i = 0; i < ring->n; i++)
        if (strlen(ring->keys[i].id) == len && memcmp(ring->keys[i].id, id, len) == 0)
            return &ring->keys[i];
    return NULL;
}
