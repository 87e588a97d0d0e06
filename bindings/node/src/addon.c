/* addon.c: what JavaScript sees of this addon. lib/native.js is the only one to look. */
#include <stdlib.h>

#include "addon.h"

int en_function(napi_env env, napi_value exports, const char *name, napi_callback call,
                void *data)
{
    napi_value function;

    if (napi_create_function(env, name, NAPI_AUTO_LENGTH, call, data, &function) !=
            napi_ok ||
        napi_set_named_property(env, exports, name, function) != napi_ok)
        return -1;
    return 0;
}

/* errorClass(cls): what errors are made with, as new cls(message, code, retryable). */
static napi_value js_error_class(napi_env env, napi_callback_info info)
{
    struct en_instance *instance = NULL;
    napi_value cls;
    size_t n = 1;

    napi_get_cb_info(env, info, &n, &cls, NULL, NULL);
    napi_get_instance_data(env, (void **)&instance);
    if (instance && !instance->error_class)
        napi_create_reference(env, cls, 1, &instance->error_class);
    return NULL;
}

static void instance_free(napi_env env, void *data, void *hint)
{
    struct en_instance *instance = data;

    (void)hint;
    if (instance->error_class)
        napi_delete_reference(env, instance->error_class);
    free(instance);
}

/* node_api.h defines these by NAPI_MODULE_INIT without having declared them. */
#ifdef NODE_API_MODULE_GET_API_VERSION
NAPI_MODULE_EXPORT int32_t NODE_API_MODULE_GET_API_VERSION(void);
#endif
NAPI_MODULE_EXPORT napi_value NAPI_MODULE_INITIALIZER(napi_env env, napi_value exports);

NAPI_MODULE_INIT()
{
    const struct en_call *const calls[] = {
        en_dispatch_calls, en_flow_calls,   en_jobs_calls,     en_class_calls,
        en_wait_calls,     en_health_calls, en_schedule_calls, en_testing_calls};
    struct en_instance *instance = calloc(1, sizeof *instance);

    if (!instance ||
        napi_set_instance_data(env, instance, instance_free, NULL) != napi_ok) {
        free(instance);
        return NULL;
    }
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        en_calls_export(env, exports, calls[i]);
    en_function(env, exports, "errorClass", js_error_class, NULL);
    en_function(env, exports, "project", en_js_project, NULL);
    en_store_export(env, exports);
    en_scheduler_export(env, exports);
    en_worker_export(env, exports);
    en_listener_export(env, exports);
    return exports;
}
