/* schema_inside.h: a schema as the validator walks it. Private to src/core. */
#ifndef ER_CORE_SCHEMA_INSIDE_H
#define ER_CORE_SCHEMA_INSIDE_H

#include <stdbool.h>

#include "core/json.h"
#include "core/schema.h"

/* Bits of `types`. */
enum er_schema_type {
    ER_SCHEMA_NULL = 1 << 0,
    ER_SCHEMA_BOOLEAN = 1 << 1,
    ER_SCHEMA_INTEGER = 1 << 2,
    ER_SCHEMA_NUMBER = 1 << 3,
    ER_SCHEMA_STRING = 1 << 4,
    ER_SCHEMA_ARRAY = 1 << 5,
    ER_SCHEMA_OBJECT = 1 << 6,
};
extern const char *const er_schema_type_names[]; /* in the order of the bits */
enum { ER_SCHEMA_TYPES_N = 7 };

struct er_schema_property {
    struct er_schema_property *next;
    struct errand_slice name; /* what it means, unescaped */
    const struct er_schema *schema;
};

struct er_schema {
    uint32_t types; /* 0: any */
    bool has_const;
    struct errand_slice constant, choices; /* JSON; choices: an array, len 0: none */
    struct er_schema_property *properties; /* in the order they were written */
    struct er_schema_property *required;   /* schema is NULL */
    bool is_closed;                        /* additionalProperties: false */
    const struct er_schema *others;        /* additionalProperties: a schema; or NULL */
    const struct er_schema *items;         /* or NULL */
    struct errand_slice minimum, maximum;  /* as written; len 0: none */
    int64_t min_length, max_length, min_items, max_items; /* max < 0: none */
};

/* schema_same.c: do two JSON values mean the same? */
bool er_json_same(struct errand_slice a, struct errand_slice b);
/* The value of that key (with its quotes), however the two are escaped: the last, as
 * JSON.parse has it. */
bool er_json_member(struct errand_slice object, struct errand_slice key,
                    struct errand_slice *ret);
/* < 0, 0, > 0 of two numbers; whole ones of 64 bits exactly, others as doubles */
int er_json_compare(struct errand_slice a, struct errand_slice b);
/* Characters of a JSON string with its quotes; a surrogate pair is one. */
int64_t er_json_length(struct errand_slice string);
/* 3, 3.0 and 3e2 are whole */
bool er_json_is_whole(struct errand_slice number);

#endif
