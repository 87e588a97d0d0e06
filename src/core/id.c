/* id.c: UUIDv7 and the ids of callers.
 *
 * Ids of one process grow even when the clock stands still or steps back: then the last
 * time is kept and the counter goes on, and a full counter borrows the next millisecond.
 */
#include "core/id.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "core/name.h"

enum { COUNT_MAX = 0xfff, RANDOM_BYTES = 8 };

/* A new millisecond starts its count anywhere in the lower half: other processes start
 * elsewhere, and 2,048 more ids fit before the next millisecond is borrowed. */
enum { COUNT_START_MASK = 0x7ff };

static int random_fill(struct er_id_source *source)
{
    size_t have = 0;

    while (have < sizeof source->random) {
        ssize_t n = getrandom(source->random + have, sizeof source->random - have, 0);
        if (n < 0 && errno != EINTR)
            return -1;
        have += n > 0 ? (size_t)n : 0;
    }
    source->random_left = sizeof source->random;
    return 0;
}

/* Bytes that were handed out are overwritten: they are no key, but they are not for a
 * core dump either. */
static int random_take(struct er_id_source *source, uint8_t ret[RANDOM_BYTES])
{
    uint8_t *from;

    if (source->random_left < RANDOM_BYTES && random_fill(source) < 0)
        return -1;
    from = source->random + sizeof source->random - source->random_left;
    memcpy(ret, from, RANDOM_BYTES);
    memset(from, 0, RANDOM_BYTES);
    source->random_left -= RANDOM_BYTES;
    return 0;
}

static void tick(struct er_id_source *source, int64_t now_ms, uint32_t start)
{
    if (now_ms > source->last_ms) {
        source->last_ms = now_ms;
        source->count = start & COUNT_START_MASK;
    } else if (source->count < COUNT_MAX) {
        source->count++;
    } else {
        source->last_ms++;
        source->count = start & COUNT_START_MASK;
    }
}

int er_id_new(struct er_id_source *source, int64_t now_ms, struct errand_id *ret)
{
    uint8_t b[16], start[RANDOM_BYTES] = {0};
    uint64_t ms;

    if (random_take(source, b + 8) < 0)
        return -1;
    if ((now_ms > source->last_ms || source->count == COUNT_MAX) &&
        random_take(source, start) < 0)
        return -1;
    tick(source, now_ms, (uint32_t)start[0] << 8 | start[1]);
    ms = (uint64_t)source->last_ms;
    for (int i = 0; i < 6; i++)
        b[i] = (uint8_t)(ms >> (40 - 8 * i));
    b[6] = (uint8_t)(0x70 | source->count >> 8);
    b[7] = (uint8_t)source->count;
    b[8] = (uint8_t)(0x80 | (b[8] & 0x3f));
    er_uuid_format(b, ret);
    return 0;
}

static uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

/* SipHash-2-4 over bytes and one number, with a key that is no secret: ids of callers
 * may be chosen with care, and the cheaper hashes let two of them meet. */
static uint64_t sip_hash(uint64_t key, const char *bytes, size_t len, uint64_t number)
{
    uint64_t v[4] = {0x736f6d6570736575u ^ key, 0x646f72616e646f6du,
                     0x6c7967656e657261u ^ key, 0x7465646279746573u};
    size_t words = len / 8 + 2;

    for (size_t i = 0; i < words; i++) {
        size_t at = i * 8, left = at < len ? len - at : 0;
        uint64_t word = i + 1 == words ? number : (uint64_t)len << 56;
        for (size_t k = 0; i + 1 < words && k < left && k < 8; k++)
            word ^= (uint64_t)(uint8_t)bytes[at + k] << (8 * k);
        v[3] ^= word;
        sip_round(v);
        sip_round(v);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void er_id_derive(const char *salt, const struct errand_id *from, uint64_t number,
                  struct errand_id *ret)
{
    char text[2 * (ERRAND_ID_MAX + 1)];
    uint8_t b[16], time[16];
    uint64_t high, low;
    int len = snprintf(text, sizeof text, "%.32s %s", salt, from->text);

    high = sip_hash(1, text, (size_t)len, number);
    low = sip_hash(2, text, (size_t)len, number);
    for (int i = 0; i < 8; i++) {
        b[i] = (uint8_t)(high >> (56 - 8 * i));
        b[8 + i] = (uint8_t)(low >> (56 - 8 * i));
    }
    if (er_uuid_parse(from->text, time) == 0)
        memcpy(b, time, 6);
    b[6] = (uint8_t)(0x80 | (b[6] & 0x0f));
    b[8] = (uint8_t)(0x80 | (b[8] & 0x3f));
    er_uuid_format(b, ret);
}

int er_id_parse(const char *text, struct errand_id *ret, struct errand_error *err)
{
    size_t len;
    int rc;

    if ((rc = er_name_check("id", text, err)) < 0)
        return rc;
    if ((len = strlen(text)) > ERRAND_ID_MAX)
        return errand_error_set(err, ERRAND_EINVAL,
                                "id '%.40s...' has %zu bytes, more than the %d allowed",
                                text, len, ERRAND_ID_MAX);
    memset(ret, 0, sizeof *ret);
    memcpy(ret->text, text, len);
    return 0;
}

/* Where the byte pairs stand in xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx. */
static const uint8_t places[16] = {0,  2,  4,  6,  9,  11, 14, 16,
                                   19, 21, 24, 26, 28, 30, 32, 34};

void er_uuid_format(const uint8_t bytes[16], struct errand_id *ret)
{
    static const char hex[] = "0123456789abcdef";

    memset(ret, 0, sizeof *ret);
    for (int i = 0; i < 16; i++) {
        ret->text[places[i]] = hex[bytes[i] >> 4];
        ret->text[places[i] + 1] = hex[bytes[i] & 15];
    }
    ret->text[8] = ret->text[13] = ret->text[18] = ret->text[23] = '-';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int er_uuid_parse(const char *text, uint8_t ret_bytes[16])
{
    uint8_t bytes[16];

    if (strnlen(text, 37) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' ||
        text[23] != '-')
        return -1;
    for (int i = 0; i < 16; i++) {
        int high = hex_value(text[places[i]]), low = hex_value(text[places[i] + 1]);
        if (high < 0 || low < 0)
            return -1;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    memcpy(ret_bytes, bytes, sizeof bytes);
    return 0;
}
