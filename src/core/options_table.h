/* options_table.h: every option as a row of one table, which the check, the JSON form and
 * the text form all read. Private to src/core. */
#ifndef ER_CORE_OPTIONS_TABLE_H
#define ER_CORE_OPTIONS_TABLE_H

#include "core/options.h"

/* What a field holds, and so how it is read, written and checked. */
enum er_option_kind {
    ER_KIND_NAME,    /* const char *, a name */
    ER_KIND_TEXT,    /* const char *, at most 512 bytes */
    ER_KIND_INT32,   /* int32_t */
    ER_KIND_INT64,   /* int64_t */
    ER_KIND_SIZE,    /* size_t; in text "64k", "1MiB" */
    ER_KIND_SECONDS, /* int64_t in ms */
    ER_KIND_INSTANT, /* int64_t in ms since 1970 */
    ER_KIND_WORD,    /* an enum, see er_option_words */
    ER_KIND_BACKOFF, /* list, or base when a strategy is said */
    ER_KIND_CAP,     /* double, seconds */
    ER_KIND_JITTER,  /* double, a share */
    ER_KIND_TAGS,
    ER_KIND_SET,     /* uint32_t, a bit a word */
    ER_KIND_COMMAND, /* const char *, a JSON array */
    ER_KIND_RATE,    /* struct er_rate */
    ER_KIND_SCHEMA,  /* const char *, a JSON object */
    ER_KIND_BOOL,    /* bool */
};

struct er_option_field {
    const char *name; /* as in JSON; text says - for _ as well */
    enum er_option_bit bit;
    enum er_option_kind kind;
    size_t offset;
    int64_t min, max; /* of numbers */
};

extern const struct er_option_field er_option_fields[];
extern const size_t er_option_fields_n;

/* The names of an enum's values, from 0, or of a set's bits; NULL after the last. */
const char *const *er_option_words(const struct er_option_field *field);
/* The value of that name, - and _ being one, or -1. */
int er_option_word_find(const char *const *words, const char *name, size_t len);

/* Is what the options say in this field allowed? 0 or EINVAL. */
int er_option_check(const struct er_option_field *field, const struct er_options *options,
                    struct errand_error *err);
/* "60" with a strategy is its base, and alone a list of one; call it when both are known.
 */
void er_backoff_settle(struct errand_backoff *backoff);

static inline void *er_option_at(const struct er_option_field *field,
                                 struct er_options *options)
{
    return (char *)options + field->offset;
}

static inline const void *er_option_of(const struct er_option_field *field,
                                       const struct er_options *options)
{
    return (const char *)options + field->offset;
}

#endif
