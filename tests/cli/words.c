/* words.c: the small things that all pages are made of: escaping, widths, times, values.
 */
#include "support/test.h"

#include "cli/cli.h"
#include "cli/line.h"
#include "cli/table.h"
#include "cli/when.h"
#include "cli/words.h"

static struct er_buf buf;
static char *printed;
static size_t printed_len;
static struct er_print out;

static int setup(void **state)
{
    (void)state;
    er_buf_init(&buf, 1 << 20);
    er_print_init(&out, open_memstream(&printed, &printed_len));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    er_buf_done(&buf);
    assert_int_equal(er_print_done(&out, NULL), 0);
    fclose(out.file);
    free(printed);
    return 0;
}

TEST_FIXTURE(setup, teardown)

static const char *escaped(const char *bytes, size_t len, bool keep_lines)
{
    er_buf_reset(&buf);
    assert_int_equal(er_text_escape(&buf, (struct errand_slice){bytes, len}, keep_lines),
                     0);
    return buf.ptr ? buf.ptr : "";
}
#define ESCAPED(text, keep_lines) escaped((text), sizeof(text) - 1, (keep_lines))

TEST(control_characters_are_written_out)
{
    assert_string_equal(ESCAPED("a\033[2Jb\a\177", false), "a\\x1b[2Jb\\x07\\x7f");
    assert_string_equal(ESCAPED("\xc2\x9b"
                                "31m",
                                false),
                        "\\x9b31m");
    assert_string_equal(ESCAPED("a\0b", false), "a\\x00b");
    assert_string_equal(ESCAPED("a\r\n\tb", false), "a\\r\\n\\tb");
}

TEST(lines_are_kept_where_there_is_room_for_them)
{
    assert_string_equal(ESCAPED("a\r\n\tb\rc\033", true), "a\n\tb\\rc\\x1b");
}

TEST(bytes_that_are_no_characters_are_written_out)
{
    assert_string_equal(ESCAPED("\xff\xc3(\xed\xa0\x80", false),
                        "\\xff\\xc3(\\xed\\xa0\\x80");
    assert_string_equal(ESCAPED("\xc3", false), "\\xc3");
    assert_string_equal(ESCAPED("für 日本", false), "für 日本");
}

TEST(signs_that_turn_the_writing_are_written_out)
{
    assert_string_equal(ESCAPED("a\xe2\x80\xae"
                                "b\xe2\x81\xa6\xef\xbb\xbf",
                                false),
                        "a\\u202eb\\u2066\\ufeff");
    assert_string_equal(ESCAPED("\xf3\xa0\x81\x81", false), "\\u{e0041}");
}

TEST(width_counts_columns_not_bytes)
{
    assert_int_equal(er_text_width(&out, "abc", 3), 3);
    assert_int_equal(er_text_width(&out, "für", 4), 3);
    assert_int_equal(er_text_width(&out, "日本", 6), 4);
    assert_int_equal(er_text_width(&out, "e\xcc\x81", 3), 1);
    assert_int_equal(er_text_fit(&out, "日本語", 9, 5), 6);
    assert_int_equal(er_text_fit(&out, "abc", 3, 5), 3);
}

TEST(a_table_aligns_and_cuts)
{
    static const struct er_column columns[] = {
        {.title = "NAME", .max = 6}, {.title = "N", .is_right = true}, {.title = "LAST"}};
    struct er_table *t = er_table_new(&out, columns, 3);

    er_table_str(t, ER_RED, "日本語日本語");
    er_table_int(t, ER_PLAIN, 7);
    er_table_str(t, ER_PLAIN, "x\ny");
    er_table_str(t, ER_PLAIN, "b");
    er_table_int(t, ER_PLAIN, -1234);
    er_table_str(t, ER_PLAIN, "");
    er_table_flush(t);
    er_table_free(t);
    fflush(out.file);
    assert_string_equal(printed, "NAME       N  LAST\n"
                                 "日本…      7  x\\ny\n"
                                 "b      -1234\n");
}

TEST(a_table_on_a_terminal_ends_at_its_edge)
{
    static const struct er_column columns[] = {{.title = "ID"}, {.title = "TEXT"}};
    struct er_table *t;

    out.columns = 20;
    t = er_table_new(&out, columns, 2);
    er_table_str(t, ER_PLAIN, "1234");
    er_table_str(t, ER_PLAIN, "a text that is too long for it");
    er_table_flush(t);
    er_table_free(t);
    fflush(out.file);
    assert_string_equal(printed, "ID    TEXT\n1234  a text that i…\n");
}

TEST(a_table_without_rows_is_nothing)
{
    static const struct er_column columns[] = {{.title = "ID"}};
    struct er_table *t = er_table_new(&out, columns, 1);

    er_table_flush(t);
    er_table_free(t);
    fflush(out.file);
    assert_int_equal(printed_len, 0);
}

static void assert_span(int64_t ms, const char *expected)
{
    char text[ER_WHEN_SIZE];

    assert_string_equal(er_span_text(ms, text), expected);
}

TEST(spans_have_two_units_at_most)
{
    assert_span(-5, "0 ms");
    assert_span(850, "850 ms");
    assert_span(1000, "1 s");
    assert_span(1250, "1.2 s");
    assert_span(59999, "59 s");
    assert_span(60000, "1 min");
    assert_span(200000, "3 min 20 s");
    assert_span(7500000, "2 h 5 min");
    assert_span(86400000, "1 d");
    assert_span(INT64_C(100) * 86400000 + 7200000, "100 d 2 h");
    assert_span(INT64_MAX, "106751991167 d 7 h");
}

static void assert_ago(int64_t ms, const char *expected)
{
    char text[ER_WHEN_SIZE];

    assert_string_equal(er_ago_text(ms, INT64_C(1000000000), text), expected);
}

TEST(times_are_told_from_here)
{
    assert_ago(0, "-");
    assert_ago(1000000000, "now");
    assert_ago(1000000000 - 999, "now");
    assert_ago(1000000000 - 61000, "1 min ago");
    assert_ago(1000000000 + 599990, "in 10 min");
    assert_ago(1000000000 - 86400000, "24 h ago");
    assert_ago(1000000000 - 4 * 86400000, "4 d ago");
}

TEST(counts_have_their_thousands_apart)
{
    char text[ER_WHEN_SIZE];

    assert_string_equal(er_count_text(0, text), "0");
    assert_string_equal(er_count_text(999, text), "999");
    assert_string_equal(er_count_text(1000, text), "1,000");
    assert_string_equal(er_count_text(-1234567, text), "-1,234,567");
    assert_string_equal(er_count_text(INT64_MIN, text), "-9,223,372,036,854,775,808");
}

static const char *pretty(const char *json)
{
    er_buf_reset(&buf);
    assert_int_equal(er_json_pretty(&buf, (struct errand_slice){json, strlen(json)}, 2),
                     0);
    return buf.ptr;
}

TEST(json_is_laid_out_over_lines)
{
    assert_string_equal(pretty("{\"a\":[1, {}],\"b\":\"x,{\\\"\","
                               "\"c\":\"so long that one line would not hold it all\"}"),
                        "  {\n"
                        "    \"a\": [\n"
                        "      1,\n"
                        "      {}\n"
                        "    ],\n"
                        "    \"b\": \"x,{\\\"\",\n"
                        "    \"c\": \"so long that one line would not hold it all\"\n"
                        "  }");
    assert_string_equal(pretty(" 12 "), "  12");
    assert_string_equal(pretty("[ ]"), "  []");
    assert_string_equal(pretty("not json"), "  not json");
}

TEST(short_json_stays_on_one_line)
{
    assert_string_equal(pretty("{\n\"a\":[1,2],\"b\":\"x,y\"}"),
                        "  {\"a\": [1, 2], \"b\": \"x,y\"}");
}

TEST(a_cause_is_told_in_words)
{
    char text[ER_CAUSE_SIZE];

    assert_string_equal(
        er_cause_text(
            &(struct errand_attempt){.cause = ERRAND_CAUSE_SIGNAL, .signal = 11}, text),
        "killed by SIGSEGV");
    assert_string_equal(
        er_cause_text(
            &(struct errand_attempt){.cause = ERRAND_CAUSE_SIGNAL, .signal = 50}, text),
        "killed by signal 50");
    assert_string_equal(
        er_cause_text(
            &(struct errand_attempt){.cause = ERRAND_CAUSE_EXIT, .exit_code = 3}, text),
        "exit code 3");
    assert_string_equal(
        er_cause_text(
            &(struct errand_attempt){.cause = ERRAND_CAUSE_TIMEOUT, .ended_ms = 120000},
            text),
        "timed out after 2 min");
    assert_string_equal(er_cause_text(&(struct errand_attempt){0}, text), "");
}

TEST(the_nearest_name_is_suggested)
{
    static const char *const names[] = {"queue:dispatch", "queue:work", "queue:workers",
                                        "new"};

    assert_string_equal(er_suggest("queue:dipsatch", names, 4), "queue:dispatch");
    assert_string_equal(er_suggest("dispatch", names, 4), "queue:dispatch");
    assert_string_equal(er_suggest("WORK", names, 4), "queue:work");
    assert_string_equal(er_suggest("nwe", names, 4), "new");
    assert_null(er_suggest("xyzzy", names, 4));
    assert_null(er_suggest("", names, 4));
}

TEST(a_line_is_json_whatever_the_bytes)
{
    struct er_line line;

    er_line_init(&line);
    er_line_begin(&line);
    er_line_text(&line, "error", (struct errand_slice){"a\xff\"\n", 4});
    er_line_raw(&line, "data", (struct errand_slice){"{\n \"a\" : 1}", 11});
    er_line_raw(&line, "broken", (struct errand_slice){"{\"a\"", 4});
    er_line_raw(&line, "none", (struct errand_slice){NULL, 0});
    er_line_time(&line, "never", 0);
    er_line_time(&line, "at", 1);
    er_line_open(&line, "list", '[');
    er_line_int(&line, NULL, 1);
    er_line_bool(&line, NULL, true);
    er_line_close(&line, ']');
    er_line_end(&line, &out);
    er_line_done(&line);
    fflush(out.file);
    assert_string_equal(printed,
                        "{\"error\":\"a\xef\xbf\xbd\\\"\\n\",\"data\":{  \"a\" : 1},"
                        "\"broken\":\"{\\\"a\\\"\",\"none\":null,\"never\":null,"
                        "\"at\":\"1970-01-01T00:00:00.001Z\",\"list\":[1,true]}\n");
}

TEST_MAIN()
