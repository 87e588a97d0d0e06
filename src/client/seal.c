/* seal.c: sealing and opening the data of jobs. */
#include "client/seal.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "client/keys.h"
#include "core/data.h"

#ifdef ERRAND_WITH_ENCRYPTION
#include <sodium.h>
#endif

#define HEAD "{\"errand.sealed\":\"1:"
#define TAIL "\"}"
enum { HEAD_LEN = sizeof HEAD - 1, TAIL_LEN = sizeof TAIL - 1 };

bool er_sealed_is(struct errand_slice data)
{
    return data.len > HEAD_LEN + TAIL_LEN && memcmp(data.ptr, HEAD, HEAD_LEN) == 0 &&
           memcmp(data.ptr + data.len - TAIL_LEN, TAIL, TAIL_LEN) == 0;
}

struct errand_slice er_sealed_shown(struct errand_slice data)
{
    static const char shown[] = "<encrypted>";

    return er_sealed_is(data) ? (struct errand_slice){shown, sizeof shown - 1} : data;
}

struct errand_slice er_sealed_json(struct errand_slice data)
{
    static const char shown[] = "\"<encrypted>\"";

    return er_sealed_is(data) ? (struct errand_slice){shown, sizeof shown - 1} : data;
}

/* The key's name and the base64 behind it. */
static int split(struct errand_slice sealed, struct errand_slice *ret_key,
                 struct errand_slice *ret_text)
{
    const char *from = sealed.ptr + HEAD_LEN, *end, *colon;

    if (!er_sealed_is(sealed))
        return -1;
    end = sealed.ptr + sealed.len - TAIL_LEN;
    if (!(colon = memchr(from, ':', (size_t)(end - from))))
        return -1;
    *ret_key = (struct errand_slice){from, (size_t)(colon - from)};
    *ret_text = (struct errand_slice){colon + 1, (size_t)(end - colon - 1)};
    return 0;
}

int er_sealed_key(struct errand_slice sealed, struct errand_slice *ret)
{
    struct errand_slice text;

    return split(sealed, ret, &text);
}

#ifdef ERRAND_WITH_ENCRYPTION

enum {
    NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    VARIANT = sodium_base64_VARIANT_URLSAFE_NO_PADDING,
    BOUND_MAX = 512,
};
_Static_assert((int)ER_KEY_BYTES == (int)crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
               "a key of the ring encrypts");
_Static_assert((int)ER_KEY_BYTES == (int)crypto_auth_hmacsha256_KEYBYTES,
               "a key of the ring signs");

/* No name has a NUL, so no two jobs give the same bytes. */
static size_t bind(const struct er_sealed_for *job, unsigned char ret[BOUND_MAX])
{
    int n = snprintf((char *)ret, BOUND_MAX, "errand 1%c%s%c%s%c%s", 0, job->name, 0,
                     job->queue, 0, job->id);

    return (size_t)n < BOUND_MAX ? (size_t)n : BOUND_MAX;
}

/* Nonce and ciphertext of the data, as base64 behind the head. */
static char *encode(const struct er_key *key, const unsigned char *bytes, size_t len,
                    struct errand_arena *arena, size_t *ret_len)
{
    size_t text_size = sodium_base64_encoded_len(len, VARIANT);
    size_t head = HEAD_LEN + strlen(key->id) + 1;
    char *all = errand_arena_alloc(arena, head + text_size + TAIL_LEN);

    if (!all)
        return NULL;
    snprintf(all, head + 1, HEAD "%s:", key->id);
    sodium_bin2base64(all + head, text_size, bytes, len, VARIANT);
    *ret_len = head + text_size - 1; /* without its NUL */
    memcpy(all + *ret_len, TAIL, TAIL_LEN);
    *ret_len += TAIL_LEN;
    return all;
}

int er_seal(const struct er_key_ring *ring, const struct er_sealed_for *job,
            struct errand_slice data, struct errand_arena *arena,
            struct errand_slice *ret, struct errand_error *err)
{
    unsigned char bound[BOUND_MAX], *bytes;
    size_t bound_len = bind(job, bound), len = NONCE + data.len + TAG, all_len;
    const struct er_key *key;
    char *all;

    if (!ring)
        return errand_error_set(
            err, ERRAND_EINVAL,
            "job '%s' is encrypted, and no key ring is known here: say "
            "where it is by `keys` in errand.yml or by ERRAND_KEYS; "
            "'errand keys:new' makes one",
            job->name);
    key = &ring->keys[0];
    if (!(bytes = errand_arena_alloc(arena, len)))
        return er_error_nomem(err);
    randombytes_buf(bytes, NONCE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(bytes + NONCE, NULL,
                                               (const unsigned char *)data.ptr, data.len,
                                               bound, bound_len, NULL, bytes, key->bytes);
    if (!(all = encode(key, bytes, len, arena, &all_len)))
        return er_error_nomem(err);
    if (all_len > ER_DATA_MAX)
        return errand_error_set(
            err, ERRAND_ETOOBIG,
            "data of '%s' has %zu bytes once it is encrypted, more than "
            "the %d that a store takes",
            job->name, all_len, ER_DATA_MAX);
    *ret = (struct errand_slice){all, all_len};
    return 0;
}

static int changed(const struct er_sealed_for *job, struct errand_error *err)
{
    return errand_error_set(
        err, ERRAND_ECORRUPT,
        "the encrypted data of '%s' was changed, or belongs to another "
        "job",
        job->name);
}

static const struct er_key *key_of(const struct er_key_ring *ring,
                                   const struct er_sealed_for *job,
                                   struct errand_slice id, struct errand_error *err)
{
    int len = (int)(id.len < ER_KEY_ID_MAX ? id.len : ER_KEY_ID_MAX);
    const struct er_key *key = ring ? er_key_find(ring, id.ptr, id.len) : NULL;

    if (!ring)
        errand_error_set(
            err, ERRAND_ENOTFOUND,
            "the data of '%s' is encrypted, and this worker has no key ring: "
            "say where it is by `keys` in errand.yml or by ERRAND_KEYS",
            job->name);
    else if (!key)
        errand_error_set(
            err, ERRAND_ENOTFOUND,
            "the data of '%s' is encrypted with the key '%.*s', which is not "
            "in the key ring",
            job->name, len, id.ptr);
    return key;
}

int er_unseal(const struct er_key_ring *ring, const struct er_sealed_for *job,
              struct errand_slice sealed, struct errand_arena *arena,
              struct errand_slice *ret, struct errand_error *err)
{
    unsigned char bound[BOUND_MAX], *bytes, *clear;
    size_t bound_len = bind(job, bound), len = 0;
    struct errand_slice id, text;
    const struct er_key *key;

    if (split(sealed, &id, &text) < 0)
        return changed(job, err);
    if (!(key = key_of(ring, job, id, err)))
        return ERRAND_ENOTFOUND;
    bytes = errand_arena_alloc(arena, text.len + 1);
    clear = errand_arena_alloc(arena, text.len + 1);
    if (!bytes || !clear)
        return er_error_nomem(err);
    if (sodium_base642bin(bytes, text.len, text.ptr, text.len, NULL, &len, NULL,
                          VARIANT) < 0 ||
        len < NONCE + TAG ||
        crypto_aead_xchacha20poly1305_ietf_decrypt(clear, NULL, NULL, bytes + NONCE,
                                                   len - NONCE, bound, bound_len, bytes,
                                                   key->bytes) < 0)
        return changed(job, err);
    *ret = (struct errand_slice){(char *)clear, len - NONCE - TAG};
    return 0;
}

int er_seal_key(const struct er_key_ring *ring, struct errand_slice key,
                struct errand_arena *arena, struct errand_slice *ret,
                struct errand_error *err)
{
    unsigned char own[ER_KEY_BYTES], mac[crypto_auth_hmacsha256_BYTES];
    static const unsigned char use[] = "errand keys of jobs";
    const size_t size = sizeof "hmac:" + 2 * sizeof mac;
    char *text = errand_arena_alloc(arena, size);

    if (!text)
        return er_error_nomem(err);
    /* Not the key that encrypts, but one that follows from it. */
    crypto_generichash(own, sizeof own, use, sizeof use, ring->keys[ring->n - 1].bytes,
                       ER_KEY_BYTES);
    crypto_auth_hmacsha256(mac, (const unsigned char *)key.ptr, key.len, own);
    sodium_memzero(own, sizeof own);
    memcpy(text, "hmac:", 5);
    sodium_bin2hex(text + 5, size - 5, mac, sizeof mac);
    *ret = (struct errand_slice){text, strlen(text)};
    return 0;
}

#else

static int not_built(const char *name, struct errand_error *err)
{
    return errand_error_set(err, ERRAND_EUNSUPPORTED,
                            "job '%s' is encrypted, and this errand was built without "
                            "encryption (libsodium)",
                            name);
}

int er_seal(const struct er_key_ring *ring, const struct er_sealed_for *job,
            struct errand_slice data, struct errand_arena *arena,
            struct errand_slice *ret, struct errand_error *err)
{
    (void)ring;
    (void)data;
    (void)arena;
    (void)ret;
    return not_built(job->name, err);
}

int er_unseal(const struct er_key_ring *ring, const struct er_sealed_for *job,
              struct errand_slice sealed, struct errand_arena *arena,
              struct errand_slice *ret, struct errand_error *err)
{
    (void)ring;
    (void)sealed;
    (void)arena;
    (void)ret;
    return not_built(job->name, err);
}

int er_seal_key(const struct er_key_ring *ring, struct errand_slice key,
                struct errand_arena *arena, struct errand_slice *ret,
                struct errand_error *err)
{
    (void)ring;
    (void)key;
    (void)arena;
    (void)ret;
    return not_built("?", err);
}

#endif
