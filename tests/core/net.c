/* net.c: a webhook is sent to the internet, and nowhere else unasked. */
#include "core/net.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "support/test.h"

static struct er_address address(const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct er_address ret;

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        assert_int_equal(er_address_of((struct sockaddr *)&v4, &ret), 0);
        return ret;
    }
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    assert_int_equal(er_address_of((struct sockaddr *)&v6, &ret), 0);
    return ret;
}

static const char *kind(const char *text)
{
    struct er_address a = address(text);

    return er_address_kind(&a);
}

static bool has(const char *network, const char *text)
{
    struct er_address a = address(text);
    struct er_network n;

    assert_int_equal(er_network_parse(network, &n), 0);
    return er_network_has(&n, &a);
}

TEST(public_addresses_are_public)
{
    static const char *const good[] = {"1.1.1.1",     "8.8.8.8",        "100.63.255.255",
                                       "100.128.0.0", "172.15.255.255", "172.32.0.0",
                                       "192.169.0.1", "223.255.255.1",  "2606:4700::1111",
                                       "2a00::1",     "2001:4860::8888"};

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_null(kind(good[i]));
}

TEST(what_is_not_the_internet_is_told_by_name)
{
    static const char *const bad[] = {"0.0.0.0",
                                      "10.0.0.1",
                                      "100.64.0.1",
                                      "100.127.255.255",
                                      "127.0.0.1",
                                      "127.255.255.254",
                                      "169.254.169.254",
                                      "172.16.0.1",
                                      "172.31.255.255",
                                      "192.168.1.1",
                                      "198.18.0.1",
                                      "224.0.0.1",
                                      "255.255.255.255",
                                      "168.63.129.16",
                                      "::",
                                      "::1",
                                      "fc00::1",
                                      "fd00:ec2::254",
                                      "fe80::1",
                                      "ff02::1"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_non_null(kind(bad[i]));
    assert_string_equal(kind("127.0.0.1"), "loopback");
    assert_string_equal(kind("10.9.8.7"), "a private network");
}

TEST(an_address_in_an_address_counts)
{
    static const char *const bad[] = {
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b::10.0.0.1",
        "2002:7f00:1::",
        "2002:c0a8:101::1",
        "::ffff:0:127.0.0.1",
        "2001:0:1:2:3:4:80ff:fffe" /* 127.0.0.1, each bit turned */};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_non_null(kind(bad[i]));
    assert_null(kind("::ffff:8.8.8.8"));
    assert_null(kind("64:ff9b::8.8.8.8"));
}

TEST(a_network_has_its_addresses_alone)
{
    assert_true(has("127.0.0.0/8", "127.1.2.3"));
    assert_false(has("127.0.0.0/8", "128.0.0.1"));
    assert_true(has("10.1.2.3", "10.1.2.3"));
    assert_false(has("10.1.2.3", "10.1.2.2"));
    assert_true(has("192.168.4.0/22", "192.168.7.255"));
    assert_false(has("192.168.4.0/22", "192.168.8.0"));
    assert_true(has("0.0.0.0/0", "9.9.9.9"));
    assert_false(has("0.0.0.0/0", "2606::1"));
    assert_true(has("::/0", "9.9.9.9"));
    assert_true(has("fd00::/8", "fdff::1"));
    assert_true(has("127.0.0.1", "::ffff:127.0.0.1"));
}

TEST(what_is_no_network_is_refused)
{
    static const char *const bad[] = {
        "",         "x",       "10.0.0.0/33", "10.0.0.0/",   "10.0.0.0/8x", "10.0.0.1/8",
        "10.0.0/8", "::1/129", "fd00::1/8",   "10.0.0.0/-1", "10.0.0.0/ 8", "localhost"};
    struct er_network n;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(er_network_parse(bad[i], &n), -1);
}

TEST_MAIN()
