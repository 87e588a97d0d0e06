/* pack.c: see pack.h. */
#include "store/redis/pack.h"

#include <string.h>

#include "core/id.h"

/* ------------------------------------------------------------------ writing */

static void put(struct er_buf *buf, unsigned char kind, uint64_t value, size_t bytes)
{
    unsigned char out[9] = {kind};

    for (size_t i = 0; i < bytes; i++)
        out[1 + i] = (unsigned char)(value >> 8 * (bytes - 1 - i));
    er_buf_add(buf, out, 1 + bytes);
}

void er_pack_int(struct er_buf *buf, int64_t number)
{
    if (number > ER_PACK_MOST)
        number = ER_PACK_MOST;
    if (number < -ER_PACK_MOST)
        number = -ER_PACK_MOST;
    if (number >= -32 && number < 128)
        put(buf, (unsigned char)number, 0, 0);
    else if (number >= INT16_MIN && number <= INT16_MAX)
        put(buf, 0xd1, (uint64_t)number, 2);
    else if (number >= INT32_MIN && number <= INT32_MAX)
        put(buf, 0xd2, (uint64_t)number, 4);
    else
        put(buf, 0xd3, (uint64_t)number, 8);
}

void er_pack_bool(struct er_buf *buf, bool value)
{
    put(buf, value ? 0xc3 : 0xc2, 0, 0);
}

void er_pack_bytes(struct er_buf *buf, const void *ptr, size_t len)
{
    if (len < 32)
        put(buf, (unsigned char)(0xa0 | len), 0, 0);
    else if (len <= UINT8_MAX)
        put(buf, 0xd9, len, 1);
    else if (len <= UINT16_MAX)
        put(buf, 0xda, len, 2);
    else
        put(buf, 0xdb, len, 4);
    if (len)
        er_buf_add(buf, ptr, len);
}

void er_pack_slice(struct er_buf *buf, struct errand_slice slice)
{
    er_pack_bytes(buf, slice.ptr, slice.len);
}

void er_pack_text(struct er_buf *buf, const char *text)
{
    er_pack_slice(buf, errand_text(text));
}

void er_pack_id(struct er_buf *buf, const struct errand_id *id)
{
    char key[ERRAND_ID_MAX];

    er_pack_bytes(buf, key, er_id_to_key(id, key));
}

void er_pack_array(struct er_buf *buf, size_t n)
{
    if (n < 16)
        put(buf, (unsigned char)(0x90 | n), 0, 0);
    else if (n <= UINT16_MAX)
        put(buf, 0xdc, n, 2);
    else
        put(buf, 0xdd, n, 4);
}

void er_pack_map(struct er_buf *buf, size_t n)
{
    put(buf, (unsigned char)(0x80 | n), 0, 0);
}

/* ------------------------------------------------------------------ ids */

enum { UUID_LEN = 16, VARIANT_AT = 8 };

size_t er_id_to_key(const struct errand_id *id, char *ret)
{
    uint8_t bytes[UUID_LEN];
    size_t len = strlen(id->text);

    if (er_uuid_parse(id->text, bytes) == 0 && bytes[VARIANT_AT] >= 0x80) {
        memcpy(ret, bytes, sizeof bytes);
        return sizeof bytes;
    }
    memcpy(ret, id->text, len);
    return len;
}

void er_id_of_key(struct errand_slice key, struct errand_id *ret)
{
    size_t len = key.len < ERRAND_ID_MAX ? key.len : ERRAND_ID_MAX;

    if (key.len == UUID_LEN && (unsigned char)key.ptr[VARIANT_AT] >= 0x80) {
        er_uuid_format((const uint8_t *)key.ptr, ret);
        return;
    }
    if (len)
        memcpy(ret->text, key.ptr, len);
    ret->text[len] = '\0';
}

/* ------------------------------------------------------------------ reading */

struct er_unpack er_unpack_init(const void *ptr, size_t len)
{
    return (struct er_unpack){.at = ptr, .end = (const unsigned char *)ptr + len};
}

static uint64_t take(struct er_unpack *u, size_t bytes)
{
    uint64_t value = 0;

    if (u->is_bad || (size_t)(u->end - u->at) < bytes) {
        u->is_bad = true;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | *u->at++;
    return value;
}

static int64_t bounded(double number)
{
    /* What is no number compares with none. */
    if (!(number < (double)ER_PACK_MOST))
        return ERRAND_FOREVER;
    return number <= -(double)ER_PACK_MOST ? -ER_PACK_MOST : (int64_t)number;
}

static int64_t real(uint64_t bits)
{
    double number;

    memcpy(&number, &bits, sizeof number);
    return bounded(number);
}

static int64_t real_short(uint32_t bits)
{
    float number;

    memcpy(&number, &bits, sizeof number);
    return bounded((double)number);
}

static int64_t whole(uint64_t value)
{
    return value >= (uint64_t)ER_PACK_MOST ? ERRAND_FOREVER : (int64_t)value;
}

int64_t er_unpack_int(struct er_unpack *u)
{
    unsigned kind = (unsigned)take(u, 1);

    if (kind < 0x80)
        return kind;
    if (kind >= 0xe0)
        return (int8_t)kind;
    switch (kind) {
    case 0xc0:
    case 0xc2:
        return 0;
    case 0xc3:
        return 1;
    case 0xca:
        return real_short((uint32_t)take(u, 4));
    case 0xcb:
        return real(take(u, 8));
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
        return whole(take(u, (size_t)1 << (kind - 0xcc)));
    case 0xd0:
        return (int8_t)take(u, 1);
    case 0xd1:
        return (int16_t)take(u, 2);
    case 0xd2:
        return (int32_t)take(u, 4);
    case 0xd3:
        return bounded((double)(int64_t)take(u, 8));
    default:
        u->is_bad = true;
        return 0;
    }
}

/* Of what begins with `kind`, or SIZE_MAX when that is no bytes. */
static size_t bytes_len(struct er_unpack *u, unsigned kind)
{
    if (kind >= 0xa0 && kind <= 0xbf)
        return kind & 0x1f;
    if (kind >= 0xd9 && kind <= 0xdb)
        return (size_t)take(u, (size_t)1 << (kind - 0xd9));
    return SIZE_MAX;
}

struct errand_slice er_unpack_slice(struct er_unpack *u)
{
    unsigned kind = (unsigned)take(u, 1);
    size_t len = kind == 0xc0 ? 0 : bytes_len(u, kind);
    struct errand_slice slice = {(const char *)u->at, len};

    if (u->is_bad || (size_t)(u->end - u->at) < len) {
        u->is_bad = true;
        return (struct errand_slice){"", 0};
    }
    u->at += len;
    return slice;
}

void er_unpack_id(struct er_unpack *u, struct errand_id *ret)
{
    er_id_of_key(er_unpack_slice(u), ret);
}

static size_t many(struct er_unpack *u, unsigned small, unsigned large)
{
    unsigned kind = (unsigned)take(u, 1);
    size_t n;

    if (kind == 0x80 || kind == 0x90 || kind == 0xc0)
        return 0;
    if ((kind & 0xf0) == small)
        n = kind & 0x0f;
    else if (kind == large)
        n = (size_t)take(u, 2);
    else if (kind == large + 1)
        n = (size_t)take(u, 4);
    else
        n = SIZE_MAX;
    /* Each takes a byte at least. */
    if (n > (size_t)(u->end - u->at))
        u->is_bad = true;
    return u->is_bad ? 0 : n;
}

size_t er_unpack_array(struct er_unpack *u)
{
    return many(u, 0x90, 0xdc);
}

size_t er_unpack_map(struct er_unpack *u)
{
    return many(u, 0x80, 0xde);
}

/* How many values more there are to skip behind this one; bytes are passed over. */
static size_t skip_one(struct er_unpack *u)
{
    unsigned kind = u->at < u->end ? *u->at : 0xc1;

    if ((kind & 0xf0) == 0x90 || kind == 0xdc || kind == 0xdd)
        return er_unpack_array(u);
    if ((kind & 0xf0) == 0x80 || kind == 0xde || kind == 0xdf)
        return 2 * er_unpack_map(u);
    if ((kind >= 0xa0 && kind <= 0xbf) || (kind >= 0xd9 && kind <= 0xdb))
        er_unpack_slice(u);
    else
        er_unpack_int(u);
    return 0;
}

void er_unpack_skip(struct er_unpack *u)
{
    for (size_t left = 1; left && !u->is_bad; left--)
        left += skip_one(u);
}

struct errand_slice er_unpack_copy(struct er_unpack *u, struct errand_arena *arena)
{
    struct errand_slice from = er_unpack_slice(u);
    const char *copy = errand_arena_copy(arena, from.ptr, from.len);

    if (!copy)
        u->is_bad = true;
    return (struct errand_slice){copy, copy ? from.len : 0};
}

const char *er_unpack_text(struct er_unpack *u, struct errand_arena *arena)
{
    return er_unpack_copy(u, arena).ptr;
}
