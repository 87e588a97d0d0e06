/* id.c: ids that grow. */
#include "core/id.h"

#include "claims.h"

static const int64_t now_ms = INT64_C(1763963010123);

TEST(an_id_is_a_uuid_of_version_7_of_its_time)
{
    struct er_id_source source = {0};
    struct errand_id id;
    uint8_t b[16];
    uint64_t ms = 0;

    assert_int_equal(er_id_new(&source, now_ms, &id), 0);
    assert_int_equal(strlen(id.text), 36);
    assert_int_equal(er_uuid_parse(id.text, b), 0);
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | b[i];
    assert_int_equal(ms, now_ms);
    assert_int_equal(b[6] >> 4, 7);
    assert_int_equal(b[8] >> 6, 2);
}

TEST(a_derived_id_follows_from_its_parts_and_from_nothing_else)
{
    const struct errand_id uuid = {"0193b2f0-7d1c-7e55-9a5f-3c2d7f1b2a10"}, own = {"a"};
    struct errand_id one, other;
    uint8_t b[16];

    er_id_derive("x", &uuid, 1, &one);
    er_id_derive("x", &uuid, 1, &other);
    assert_string_equal(one.text, other.text);
    assert_memory_equal(one.text, uuid.text, 13); /* its time */
    assert_int_equal(er_uuid_parse(one.text, b), 0);
    assert_int_equal(b[6] >> 4, 8);
    assert_int_equal(b[8] >> 6, 2);
    er_id_derive("x", &uuid, 2, &other);
    assert_string_not_equal(one.text, other.text);
    er_id_derive("y", &uuid, 1, &other);
    assert_string_not_equal(one.text, other.text);
    er_id_derive("x", &own, 1, &other);
    assert_int_equal(er_uuid_parse(other.text, b), 0);
    assert_string_not_equal(one.text, other.text);
}

/* Far more than the counter holds, and more than one filling of random bytes. */
TEST(ids_of_one_millisecond_grow)
{
    struct er_id_source source = {0};
    struct errand_id last = {"0"}, id;

    for (int i = 0; i < 20000; i++) {
        assert_int_equal(er_id_new(&source, now_ms, &id), 0);
        assert_true(strcmp(id.text, last.text) > 0);
        last = id;
    }
}

TEST(ids_grow_while_the_clock_steps_back)
{
    static const int64_t steps[] = {0, -1, -3600000, 5, 5, -86400000, 1, 0, 3600000, -1};
    struct er_id_source source = {0};
    struct errand_id last = {"0"}, id;

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        assert_int_equal(er_id_new(&source, now_ms + steps[i], &id), 0);
        assert_true(strcmp(id.text, last.text) > 0);
        last = id;
    }
}

TEST(two_sources_give_different_ids_at_the_same_time)
{
    struct er_id_source a = {0}, b = {0};
    struct errand_id id_a, id_b;

    for (int i = 0; i < 1000; i++) {
        er_id_new(&a, now_ms, &id_a);
        er_id_new(&b, now_ms, &id_b);
        assert_string_not_equal(id_a.text + 19, id_b.text + 19);
    }
}

TEST(random_bytes_are_used_once)
{
    struct er_id_source source = {0};
    struct errand_id ids[200];

    for (size_t i = 0; i < 200; i++)
        er_id_new(&source, now_ms + (int64_t)i, &ids[i]);
    for (size_t i = 0; i < 200; i++)
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(ids[i].text + 19, ids[j].text + 19);
}

TEST(a_caller_may_bring_any_id_of_the_alphabet)
{
    struct errand_error err;
    struct errand_id id;

    assert_works(er_id_parse("order/42:paid", &id, &err), err);
    assert_string_equal(id.text, "order/42:paid");
}

TEST(an_id_that_is_none_says_why)
{
    char text[65];
    struct errand_error err;
    struct errand_id id = {"kept"};

    assert_error(er_id_parse("a b", &id, &err), err, ERRAND_EINVAL,
                 "id 'a b' has a wrong character at position 2: letters, digits and _ . "
                 ": / - are allowed");
    assert_error(er_id_parse("", &id, &err), err, ERRAND_EINVAL, "id is empty");
    memset(text, 'i', sizeof text);
    text[64] = '\0';
    assert_error(er_id_parse(text, &id, &err), err, ERRAND_EINVAL,
                 "id 'iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii...' has 64 bytes, more "
                 "than the 63 allowed");
    assert_string_equal(id.text, "kept");
    text[63] = '\0';
    assert_works(er_id_parse(text, &id, &err), err);
}

TEST(bytes_become_text_and_text_becomes_the_bytes)
{
    uint8_t bytes[16], back[16];
    struct errand_id id;

    for (int i = 0; i < 16; i++)
        bytes[i] = (uint8_t)(i * 17);
    er_uuid_format(bytes, &id);
    assert_string_equal(id.text, "00112233-4455-6677-8899-aabbccddeeff");
    assert_int_equal(er_uuid_parse(id.text, back), 0);
    assert_memory_equal(bytes, back, 16);
}

TEST(what_is_no_lower_case_uuid_is_refused)
{
    static const char *const bad[] = {
        "",
        "00112233-4455-6677-8899-aabbccddeef",
        "00112233-4455-6677-8899-aabbccddeefff",
        "00112233-4455-6677-8899-aabbccddeefg",
        "00112233-4455-6677-8899-AABBCCDDEEFF",
        "001122334-455-6677-8899-aabbccddeeff",
        "00112233-4455-6677-88990aabbccddeeff",
        "00112233x4455-6677-8899-aabbccddeeff",
    };
    uint8_t bytes[16];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(er_uuid_parse(bad[i], bytes), -1);
}

TEST_MAIN()
