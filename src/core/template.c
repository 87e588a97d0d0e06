/* template.c: keys made from the data: "order:{orderId}". */
#include "core/json.h"

#include <string.h>

#include "base/buf.h"
#include "base/error.h"

enum { KEY_BYTES_MAX = 64 << 10, PATH_MAX_LEN = 255 };

/* A piece of a template: literal text, or (is_path) what stands between braces. */
struct piece {
    bool is_path;
    const char *text;
    size_t len;
};

/* Moves *p over the next piece. False when the template is broken there, with `err`. */
static bool next_piece(const char *whole, const char **p, struct piece *ret,
                       struct errand_error *err)
{
    const char *begin = *p, *close;
    size_t place = (size_t)(begin - whole) + 1;

    if ((*begin == '{' || *begin == '}') && begin[1] == *begin) {
        *ret = (struct piece){.text = begin, .len = 1};
        *p = begin + 2;
        return true;
    }
    if (*begin == '}') {
        errand_error_set(err, ERRAND_EINVAL,
                         "template '%s' has a '}' too much at position %zu: write '}}' "
                         "for a brace",
                         whole, place);
        return false;
    }
    if (*begin != '{') {
        *ret = (struct piece){.text = begin, .len = strcspn(begin, "{}")};
        *p = begin + ret->len;
        return true;
    }
    close = begin + strcspn(begin, "}");
    *ret = (struct piece){
        .is_path = true, .text = begin + 1, .len = (size_t)(close - begin)};
    if (*close && --ret->len > 0 && ret->len <= PATH_MAX_LEN &&
        !memchr(ret->text, '{', ret->len)) {
        *p = close + 1;
        return true;
    }
    errand_error_set(err, ERRAND_EINVAL,
                     "template '%s' has a '{' at position %zu without a path and a '}': "
                     "write '{{' for a brace",
                     whole, place);
    return false;
}

static void piece_path(const struct piece *piece, char path[PATH_MAX_LEN + 1])
{
    memcpy(path, piece->text, piece->len);
    path[piece->len] = '\0';
}

/* Appends the value at the path of a piece. */
static int add_value(struct er_buf *buf, const struct piece *piece,
                     struct errand_slice json, struct errand_arena *arena,
                     struct errand_error *err)
{
    char path[PATH_MAX_LEN + 1];
    struct errand_slice value;
    enum er_json_type type;
    int rc;

    piece_path(piece, path);
    if ((rc = er_json_find(json, path, &type, &value, err)) < 0)
        return rc;
    if (type == ER_JSON_STRING && (rc = er_json_unescape(value, arena, &value, err)) < 0)
        return rc;
    if (memchr(value.ptr, '\0', value.len))
        return errand_error_set(err, ERRAND_EINVAL,
                                "the value at '%s' has a NUL in it, a key cannot", path);
    if (er_buf_add(buf, value.ptr, value.len) < 0)
        return buf->len + value.len > KEY_BYTES_MAX
                   ? errand_error_set(
                         err, ERRAND_ETOOBIG,
                         "the value at '%s' is too long for a key: %zu bytes", path,
                         value.len)
                   : er_error_nomem(err);
    return 0;
}

int er_template_expand(const char *template_text, struct errand_slice json,
                       struct errand_arena *arena, char **ret, struct errand_error *err)
{
    const char *p = template_text;
    struct er_buf buf;
    struct piece piece;
    char *text;
    int rc = 0;

    er_buf_init(&buf, KEY_BYTES_MAX);
    while (*p && rc == 0) {
        if (!next_piece(template_text, &p, &piece, err))
            rc = ERRAND_EINVAL;
        else if (!piece.is_path)
            rc = er_buf_add(&buf, piece.text, piece.len) < 0 ? er_error_nomem(err) : 0;
        else if ((rc = add_value(&buf, &piece, json, arena, err)) < 0)
            er_error_wrap(err, rc, "template '%s'", template_text);
    }
    if (rc == 0 && !(text = errand_arena_copy(arena, buf.ptr, buf.len)))
        rc = er_error_nomem(err);
    if (rc == 0)
        *ret = text;
    er_buf_done(&buf);
    return rc;
}

int er_template_check(const char *template_text, struct errand_error *err)
{
    char path[PATH_MAX_LEN + 1];
    struct piece piece;
    int rc;

    for (const char *p = template_text; *p;) {
        if (!next_piece(template_text, &p, &piece, err))
            return ERRAND_EINVAL;
        if (!piece.is_path)
            continue;
        piece_path(&piece, path);
        if ((rc = er_json_path_check(path, err)) < 0)
            return er_error_wrap(err, rc, "template '%s'", template_text);
    }
    return 0;
}

bool er_template_has_path(const char *template_text)
{
    const char *p = template_text;
    struct piece piece = {0};

    while (*p && !piece.is_path && next_piece(template_text, &p, &piece, NULL))
        ;
    return piece.is_path;
}
