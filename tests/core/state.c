/* state.c: the life of a job, every move of it, and every move that is none. */
#include "core/state.h"

#include "claims.h"

enum { EVENTS_N = ER_EVENT_REHOLD + 1 };

/* Written down a second time, by event, so that a slip in the table is seen here. */
static bool is_legal(int from, int to, int event, int *ret_attempts)
{
    static const struct {
        int event;
        const char *from, *to;
        int attempts;
    } rules[] = {
        {ER_EVENT_PUSH, "", "held scheduled ready", 0},
        {ER_EVENT_RELEASE, "held", "scheduled ready", 0},
        {ER_EVENT_ABANDON, "held", "cancelled", 0},
        {ER_EVENT_DUE, "scheduled", "ready", 0},
        {ER_EVENT_PUT_OFF, "ready", "scheduled", 0},
        {ER_EVENT_RESERVE, "ready", "running", 1},
        {ER_EVENT_DONE, "running", "completed", 0},
        {ER_EVENT_FAIL, "running", "failed", 0},
        {ER_EVENT_RETRY, "running", "scheduled", 0},
        {ER_EVENT_SNOOZE, "running", "scheduled", -1},
        {ER_EVENT_HAND_BACK, "running", "ready", -1},
        {ER_EVENT_LEASE_OVER, "running", "ready", 0},
        {ER_EVENT_LEASE_SPENT, "running", "failed", 0},
        {ER_EVENT_CANCEL, "held scheduled ready", "cancelled", 0},
        {ER_EVENT_CANCELLED, "running", "cancelled", 0},
        {ER_EVENT_OPERATOR_RETRY, "failed cancelled", "ready", ER_ATTEMPTS_RESET},
        {ER_EVENT_REHOLD, "cancelled", "held", ER_ATTEMPTS_RESET},
    };
    const char *from_name = from == ER_NO_STATE ? "" : errand_state_name(from);

    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (rules[i].event != event || !strstr(rules[i].to, errand_state_name(to)) ||
            (*rules[i].from ? !*from_name || !strstr(rules[i].from, from_name)
                            : from != ER_NO_STATE))
            continue;
        *ret_attempts = rules[i].attempts;
        return true;
    }
    return false;
}

TEST(every_move_is_in_the_table_or_does_not_exist)
{
    size_t legal_n = 0;

    for (int from = ER_NO_STATE; from < ERRAND_STATES_N; from++)
        for (int to = 0; to < ERRAND_STATES_N; to++)
            for (int event = 0; event < EVENTS_N; event++) {
                const struct er_transition *t =
                    er_transition_find(from, (enum errand_state)to, (enum er_event)event);
                int attempts = 0;
                bool expected = is_legal(from, to, event, &attempts);
                if ((t != NULL) != expected)
                    fail_msg("%d to %d by %d: %s", from, to, event,
                             expected ? "missing" : "too much");
                if (t)
                    assert_int_equal(t->attempts, attempts);
                legal_n += expected;
            }
    assert_int_equal(legal_n, er_transitions_n);
}

TEST(no_move_stands_twice_in_the_table)
{
    for (size_t i = 0; i < er_transitions_n; i++) {
        const struct er_transition *t = &er_transitions[i];
        assert_ptr_equal(er_transition_find(t->from, t->to, t->event), t);
    }
}

/* Whoever prunes or answers "is it over?" relies on it. */
TEST(only_an_operator_brings_a_final_job_back)
{
    for (size_t i = 0; i < er_transitions_n; i++) {
        const struct er_transition *t = &er_transitions[i];
        if (t->from == ER_NO_STATE || !er_state_is_final((enum errand_state)t->from))
            continue;
        assert_true(t->event == ER_EVENT_OPERATOR_RETRY || t->event == ER_EVENT_REHOLD);
        assert_int_not_equal(t->from, ERRAND_COMPLETED);
        assert_int_equal(t->attempts, ER_ATTEMPTS_RESET);
    }
}

TEST(every_state_can_be_reached_and_every_open_one_left)
{
    for (int job = 0; job < ERRAND_STATES_N; job++) {
        bool is_entered = false, is_left = false;
        for (size_t i = 0; i < er_transitions_n; i++) {
            is_entered |= (int)er_transitions[i].to == job;
            is_left |= er_transitions[i].from == job;
        }
        assert_true(is_entered);
        assert_true(is_left || job == ERRAND_COMPLETED);
    }
}

TEST(only_reserve_counts_an_attempt)
{
    for (size_t i = 0; i < er_transitions_n; i++)
        assert_int_equal(er_transitions[i].attempts == 1,
                         er_transitions[i].event == ER_EVENT_RESERVE);
}

TEST(completed_failed_and_cancelled_are_final)
{
    for (int job = 0; job < ERRAND_STATES_N; job++)
        assert_int_equal(er_state_is_final((enum errand_state)job),
                         job == ERRAND_COMPLETED || job == ERRAND_FAILED ||
                             job == ERRAND_CANCELLED);
}

/* Stored numbers and names never change. */
TEST(states_have_their_numbers_and_names)
{
    static const char *const names[] = {"held",      "scheduled", "ready",    "running",
                                        "completed", "failed",    "cancelled"};

    for (int job = 0; job < ERRAND_STATES_N; job++) {
        assert_string_equal(errand_state_name((enum errand_state)job), names[job]);
        assert_int_equal(errand_state_parse(names[job]), job);
    }
}

TEST(what_is_no_state_has_no_name_and_no_number)
{
    assert_string_equal(errand_state_name((enum errand_state)7), "?");
    assert_string_equal(errand_state_name((enum errand_state) - 1), "?");
    assert_int_equal(errand_state_parse("Ready"), -1);
    assert_int_equal(errand_state_parse(""), -1);
    assert_int_equal(errand_state_parse(NULL), -1);
}

TEST(every_event_has_a_name_of_its_own)
{
    for (int i = 0; i < EVENTS_N; i++) {
        assert_string_not_equal(er_event_name((enum er_event)i), "?");
        for (int j = 0; j < i; j++)
            assert_string_not_equal(er_event_name((enum er_event)i),
                                    er_event_name((enum er_event)j));
    }
    assert_string_equal(er_event_name((enum er_event)EVENTS_N), "?");
}

/* ------------------------------------------------------------------ the document */

static FILE *open_document(void)
{
    const char *source = getenv("ERRAND_SOURCE");
    char path[4096];
    FILE *file;

    if (!source) /* run by hand, outside of meson */
        skip();
    snprintf(path, sizeof path, "%s/docs/life-of-a-job.md", source);
    if (!(file = fopen(path, "re")))
        fail_msg("%s cannot be opened", path);
    return file;
}

/* "| READY | RUNNING | reserve | +1 |": a row of the table as the document has it. */
static void write_row(const struct er_transition *t, char *row, size_t size)
{
    const char *from =
        t->from == ER_NO_STATE ? "-" : errand_state_name((enum errand_state)t->from);
    char attempts[16] = "";
    int n;

    if (t->attempts == ER_ATTEMPTS_RESET)
        snprintf(attempts, sizeof attempts, "back to 0");
    else if (t->attempts)
        snprintf(attempts, sizeof attempts, "%+d", t->attempts);
    n = snprintf(row, size, "| %s | %s |", from, errand_state_name(t->to));
    for (char *p = row; *p; p++)
        *p = *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
    snprintf(row + n, size - (size_t)n, " %s | %s%s|", er_event_name(t->event), attempts,
             *attempts ? " " : "");
}

/* A row of the table of moves: two states, or "-" and a state, in capitals. */
static bool is_row(const char *line)
{
    char from[16], to[16];

    if (sscanf(line, "| %15[-A-Z] | %15[A-Z] |", from, to) != 2)
        return false;
    for (char *p = to; *p; p++)
        *p = (char)(*p - 'A' + 'a');
    return errand_state_parse(to) >= 0;
}

/* A reader of the document must see the table that the code has, row by row. */
TEST(the_document_has_the_table_row_by_row)
{
    FILE *document = open_document();
    char line[1024], expected[256];
    size_t row = 0;

    while (fgets(line, sizeof line, document)) {
        if (!is_row(line))
            continue;
        assert_true(row < er_transitions_n);
        write_row(&er_transitions[row++], expected, sizeof expected);
        if (strncmp(line, expected, strlen(expected)) != 0)
            fail_msg("row %zu is %s  expected %s", row, line, expected);
    }
    fclose(document);
    assert_int_equal(row, er_transitions_n);
}

TEST_MAIN()
