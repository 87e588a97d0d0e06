/* errors.c: from struct errand_error to the class ErrandError of JavaScript. */
#include "addon.h"

int en_failed(struct errand_error *err)
{
    return errand_error_set(err, ERRAND_EINTERNAL, "JavaScript did not take a value");
}

int en_nomem(struct errand_error *err)
{
    return errand_error_set(err, ERRAND_ENOMEM, "out of memory");
}

static napi_value plain_error(napi_env env, const struct errand_error *err)
{
    napi_value error = NULL;

    napi_create_error(env, en_text(env, errand_code_name(err->code)),
                      en_text(env, err->message), &error);
    return error;
}

napi_value en_error(napi_env env, const struct errand_error *err)
{
    struct en_instance *instance = NULL;
    napi_value cls = NULL, error = NULL, args[3];

    args[0] = en_text(env, err->message);
    args[1] = en_text(env, errand_code_name(err->code));
    args[2] = en_bool(env, err->retryable);
    if (napi_get_instance_data(env, (void **)&instance) != napi_ok || !instance ||
        !instance->error_class ||
        napi_get_reference_value(env, instance->error_class, &cls) != napi_ok || !cls ||
        napi_new_instance(env, cls, 3, args, &error) != napi_ok)
        return plain_error(env, err);
    return error;
}

void en_throw(napi_env env, const struct errand_error *err)
{
    bool is_pending = false;

    napi_is_exception_pending(env, &is_pending);
    if (!is_pending)
        napi_throw(env, en_error(env, err));
}
