/* schema.h: what the data of a job has to look like.
 *
 * A small part of JSON Schema, and all of that part exactly as the standard has it:
 *
 *     type                      one of null boolean integer number string array object,
 * or an array of them enum, const               by value: 1 and 1.0 are the same, the
 * order of keys is not looked at properties                object of schemas required
 * array of names additionalProperties      true, false or a schema, for names not in
 * properties items                     one schema for all elements minimum, maximum of
 * numbers minLength, maxLength      of strings, in characters minItems, maxItems of
 * arrays
 *
 * Any other key is an error when the schema is read: one that is passed over would let
 * through what its author meant to stop. A key that is for another type than the value's
 * (minLength for a number) lets the value pass, as in the standard: say `type`. */
#ifndef ER_CORE_SCHEMA_H
#define ER_CORE_SCHEMA_H

#include "base/arena.h"
#include "errand/types.h"

enum { ER_SCHEMA_BYTES_MAX = 64 << 10, ER_SCHEMA_DEPTH_MAX = 32 };

struct er_schema;

/* Reads the JSON of a schema. The answer lives in `arena` and points into `text`, which
 * must live as long. EINVAL or EJSON that names the place:
 * "schema: properties.to: 'format' is not supported; supported are …" */
int er_schema_compile(struct errand_slice text, struct errand_arena *arena,
                      const struct er_schema **ret, struct errand_error *err);
/* Whether er_schema_compile would work. */
int er_schema_text_check(struct errand_slice text, struct errand_error *err);

/* Is the data, which has passed er_json_check, what the schema says? 0, or EINVAL:
 * "data of 'send-email': items[0].price is a string, not a number". `what` begins the
 * message. Needs no memory. */
int er_schema_validate(const struct er_schema *schema, const char *what,
                       struct errand_slice data, struct errand_error *err);

#endif
