/* net.c: networks that are not the internet, by the registries of IANA (special-purpose
 * addresses, IPv4 and IPv6). */
#include "core/net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static void from_v4(const void *four, struct er_address *ret)
{
    memcpy(ret->bytes, mapped, sizeof mapped);
    memcpy(ret->bytes + 12, four, 4);
}

int er_address_of(const struct sockaddr *from, struct er_address *ret)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (from->sa_family == AF_INET) {
        memcpy(&v4, from, sizeof v4);
        from_v4(&v4.sin_addr, ret);
        return 0;
    }
    if (from->sa_family != AF_INET6)
        return -1;
    memcpy(&v6, from, sizeof v6);
    memcpy(ret->bytes, &v6.sin6_addr, sizeof ret->bytes);
    return 0;
}

bool er_network_has(const struct er_network *network, const struct er_address *address)
{
    int whole = network->bits / 8, rest = network->bits % 8;
    uint8_t mask = (uint8_t)(0xff00 >> rest);

    if (memcmp(network->address.bytes, address->bytes, (size_t)whole) != 0)
        return false;
    return !rest ||
           !((network->address.bytes[whole] ^ address->bytes[whole]) & (mask & 0xff));
}

static bool has_rest(const struct er_network *network)
{
    for (int i = network->bits; i < 128; i++)
        if (network->address.bytes[i / 8] & (0x80 >> i % 8))
            return true;
    return false;
}

int er_network_parse(const char *text, struct er_network *ret)
{
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    char address[INET6_ADDRSTRLEN], *end;
    struct in_addr v4;
    long bits, most = 128;

    if (len >= sizeof address)
        return -1;
    memcpy(address, text, len);
    address[len] = '\0';
    if (inet_pton(AF_INET, address, &v4) == 1) {
        from_v4(&v4, &ret->address);
        most = 32;
    } else if (inet_pton(AF_INET6, address, ret->address.bytes) != 1) {
        return -1;
    }
    bits = most;
    if (slash) {
        if (slash[1] < '0' || slash[1] > '9')
            return -1;
        bits = strtol(slash + 1, &end, 10);
        if (*end || bits > most)
            return -1;
    }
    ret->bits = (int)(128 - most + bits);
    return has_rest(ret) ? -1 : 0;
}

/* ------------------------------------------------------------------ kinds */

struct kind {
    const char *network, *what;
};

static const struct kind kinds[] = {
    {"0.0.0.0/8", "this network"},
    {"10.0.0.0/8", "a private network"},
    {"100.64.0.0/10", "the network of a provider (CGNAT)"},
    {"127.0.0.0/8", "loopback"},
    {"169.254.0.0/16", "link-local, where clouds keep their metadata"},
    {"172.16.0.0/12", "a private network"},
    {"192.0.0.0/24", "reserved"},
    {"192.0.2.0/24", "for documentation"},
    {"192.88.99.0/24", "reserved"},
    {"192.168.0.0/16", "a private network"},
    {"198.18.0.0/15", "for benchmarks"},
    {"198.51.100.0/24", "for documentation"},
    {"203.0.113.0/24", "for documentation"},
    {"224.0.0.0/4", "multicast"},
    {"240.0.0.0/4", "reserved"},
    {"168.63.129.16/32", "a cloud's own address"},
    {"::/128", "no address"},
    {"::1/128", "loopback"},
    {"100::/64", "reserved"},
    {"2001:db8::/32", "for documentation"},
    {"3fff::/20", "for documentation"},
    {"5f00::/16", "reserved"},
    {"fc00::/7", "a private network"},
    {"fe80::/10", "link-local"},
    {"fec0::/10", "a private network"},
    {"ff00::/8", "multicast"},
};

static bool is_in(const char *network, const struct er_address *address)
{
    struct er_network n;

    return er_network_parse(network, &n) == 0 && er_network_has(&n, address);
}

/* Where an IPv6 address leads when a gateway unpacks it. */
static bool unpack(const struct er_address *address, struct er_address *ret)
{
    const uint8_t *b = address->bytes;
    uint8_t four[4];

    if (is_in("64:ff9b::/96", address) || is_in("64:ff9b:1::/48", address) ||
        is_in("::/96", address) || is_in("::ffff:0:0:0/96", address)) {
        from_v4(b + 12, ret);
    } else if (is_in("2002::/16", address)) {
        from_v4(b + 2, ret);
    } else if (is_in("2001::/32", address)) {
        for (int i = 0; i < 4; i++)
            four[i] = (uint8_t)~b[12 + i];
        from_v4(four, ret);
    } else {
        return false;
    }
    return true;
}

const char *er_address_kind(const struct er_address *address)
{
    struct er_address inner;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (is_in(kinds[i].network, address))
            return kinds[i].what;
    return unpack(address, &inner) ? er_address_kind(&inner) : NULL;
}
