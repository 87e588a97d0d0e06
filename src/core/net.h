/* net.h: which network addresses a webhook may be sent to. */
#ifndef ER_CORE_NET_H
#define ER_CORE_NET_H

#include <stdbool.h>
#include <stdint.h>

/* An IPv6 address; IPv4 as ::ffff:a.b.c.d, so that there is one rule for both. */
struct er_address {
    uint8_t bytes[16];
};

struct er_network {
    struct er_address address;
    int bits; /* of 128 */
};

struct sockaddr;
/* 0, or -1: neither IPv4 nor IPv6. */
int er_address_of(const struct sockaddr *from, struct er_address *ret);
/* "10.0.0.0/8", "::1", "fd00::/8"; -1 when it is none, or has bits behind its prefix. */
int er_network_parse(const char *text, struct er_network *ret);
bool er_network_has(const struct er_network *network, const struct er_address *address);
/* NULL for a public address, else what it is: "loopback", "a private network", … An IPv4
 * address inside an IPv6 one (mapped, NAT64, 6to4, Teredo) counts as that. */
const char *er_address_kind(const struct er_address *address);

#endif
