/* tls.c: TLS by OpenSSL through hiredis_ssl, which is there from hiredis 1.0 on. The
 * session is made here and not by hiredis: that would not compare the name of the host
 * with the certificate. */
#include "store/redis/tls.h"

#include "base/error.h"
#include "store/redis/redis.h"

#ifdef ERRAND_REDIS_TLS

#include <arpa/inet.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static int fail(struct errand_error *err, const char *doing)
{
    char text[160];

    ERR_error_string_n(ERR_get_error(), text, sizeof text);
    return errand_error_set(err, ERRAND_EUNAVAILABLE, "TLS: %s: %s", doing, text);
}

static int context_fill(const struct er_redis_target *t, SSL_CTX *ctx,
                        struct errand_error *err)
{
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (t->cacert ? !SSL_CTX_load_verify_locations(ctx, t->cacert, NULL)
                  : !SSL_CTX_set_default_verify_paths(ctx))
        return fail(err, "reading the authorities (cacert=)");
    if (t->cert && !SSL_CTX_use_certificate_chain_file(ctx, t->cert))
        return fail(err, "reading the certificate (cert=)");
    if (t->tls_key && !SSL_CTX_use_PrivateKey_file(ctx, t->tls_key, SSL_FILETYPE_PEM))
        return fail(err, "reading the key (tlskey=)");
    return 0;
}

static bool is_address(const char *host)
{
    unsigned char buf[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, buf) == 1 || inet_pton(AF_INET6, host, buf) == 1;
}

static bool expect(SSL *ssl, const char *host)
{
    if (is_address(host))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

static int session_start(SSL_CTX *ctx, const char *host, redisContext *link,
                         struct errand_error *err)
{
    SSL *ssl = SSL_new(ctx);

    if (!ssl)
        return er_error_nomem(err);
    if (!expect(ssl, host)) {
        SSL_free(ssl);
        return fail(err, "expecting the name of the host");
    }
    /* The link owns the session from here on, also when it fails. */
    if (redisInitiateSSL(link, ssl) != REDIS_OK)
        return er_link_error(link, err, "TLS");
    return 0;
}

int er_tls_start(const struct er_redis_target *target, const char *host,
                 redisContext *link, struct errand_error *err)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    int rc;

    if (!ctx)
        return er_error_nomem(err);
    if ((rc = context_fill(target, ctx, err)) == 0)
        rc = session_start(ctx, host, link, err);
    SSL_CTX_free(ctx);
    return rc;
}

#else

int er_tls_start(const struct er_redis_target *target, const char *host,
                 redisContext *link, struct errand_error *err)
{
    (void)target, (void)host, (void)link;
    return errand_error_set(err, ERRAND_EUNSUPPORTED,
                            "this errand was built with a hiredis that has no TLS "
                            "(hiredis_ssl of hiredis 1.0 or newer)");
}

#endif
