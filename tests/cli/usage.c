/* usage.c: finding one's way: help, names that are nearly right, garbage. */
#include "cli/shell.h"

TEST_FIXTURE(shell_setup, shell_teardown)

TEST(without_a_command_it_lists_all_of_them)
{
    struct run r = sh("errand");

    assert_code(r, 0);
    assert_has(r.out, "queue:dispatch");
    assert_has(r.out, "stores a job and prints its id");
    assert_string_equal(r.err, "");
}

TEST(version_is_one_line)
{
    struct run r = sh("errand --version");

    assert_code(r, 0);
    assert_has(r.out, "errand ");
    assert_int_equal(lines_n(r), 1);
}

TEST(each_command_explains_itself_with_an_example)
{
    struct run list = sh("errand help --markdown | sed -n 's/^### //p'");
    char *rest = NULL;
    int n = 0;

    assert_code(list, 0);
    for (char *c = strtok_r(list.out, "\n", &rest); c; c = strtok_r(NULL, "\n", &rest)) {
        struct run r = sh("errand %s --help", c);

        assert_code(r, 0);
        assert_has(r.out, "Example");
        assert_has(r.out, "$ errand ");
        n++;
    }
    assert_true(n >= 23);
}

TEST(help_of_a_command_is_the_same_both_ways)
{
    struct run r = sh("errand help queue:work >a; errand queue:work --help >b; cmp a b");

    assert_code(r, 0);
}

TEST(help_names_every_kind_of_store)
{
    static const char *const kinds[] = {"sqlite:", "postgres:", "redis:", "memory:"};
    struct run r = sh("errand queue:work --help | grep -e --url=URL");

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        assert_has(r.out, kinds[i]);
}

TEST(help_wins_over_missing_arguments)
{
    assert_code(sh("errand queue:inspect --help"), 0);
}

TEST(an_unknown_command_gets_the_nearest_one)
{
    struct run r = sh("errand queue:dipsatch x");

    assert_code(r, 2);
    assert_string_equal(r.out, "");
    assert_has(
        r.err,
        "errand: unknown command 'queue:dipsatch'; did you mean 'queue:dispatch'?");
    assert_has(sh("errand work").err, "did you mean 'queue:work'?");
    assert_has(sh("errand xyzzyplugh").err, "errand --help lists them");
}

TEST(an_unknown_option_gets_the_nearest_one)
{
    struct run r = sh("errand queue:list --qeue=x");

    assert_code(r, 2);
    assert_has(r.err, "unknown option '--qeue'; did you mean --queue?");
    r = sh("errand queue:pause mail");
    assert_code(r, 2);
    assert_has(r.err, "no argument 'mail'; for a queue write --queue=mail");
    assert_code(sh("errand queue:list -z"), 2);
}

TEST(values_that_cannot_be_are_named_with_what_can)
{
    struct run r = sh("errand queue:work --concurrency=many");

    assert_code(r, 2);
    assert_has(r.err, "--concurrency wants a whole number from 1 to 1000, not 'many'");
    assert_code(sh("errand queue:work --concurrency=0"), 2);
    assert_code(sh("errand queue:work --concurrency="), 2);
    assert_code(sh("errand queue:work --concurrency=99999999999999999999"), 2);
    r = sh("errand queue:list --state=redy");
    assert_code(r, 2);
    assert_has(r.err, "ready");
    assert_code(sh("errand queue:dispatch x --delay=soon"), 2);
    assert_code(sh("errand queue:dispatch x --delay=-5"), 2);
    assert_code(sh("errand queue:list --json=yes"), 2);
    assert_code(sh("errand queue:list --queue"), 2);
}

TEST(arguments_are_counted)
{
    assert_code(sh("errand queue:dispatch"), 2);
    assert_code(sh("errand queue:inspect a b"), 2);
    assert_code(sh("errand queue:status extra"), 2);
}

TEST(global_options_stand_before_or_behind_the_command)
{
    assert_code(sh("errand --json --no-color help"), 0);
    assert_code(sh("errand help --json --no-color"), 0);
}

/* Every byte but NUL, as an argument in each place where one is taken. */
TEST(garbage_is_refused_with_a_message_and_never_a_crash)
{
    struct run r =
        sh("for c in queue:dispatch queue:inspect queue:retry make:job help "
           "queue:cancel; do for g in \"$(printf '\\377\\376')\" "
           "\"$(printf '\\033[31m')\" '' ' ' '{' '../../x' \"$(printf '%%5000d' 0)\"; "
           "do errand $c \"$g\" --url=sqlite:none/x.db >/dev/null 2>e; s=$?; "
           "[ $s -ge 1 ] && [ $s -le 3 ] && [ -s e ] || echo \"$c '$g' $s\"; "
           "grep -q \"$(printf '\\033')\" e && echo \"$c speaks to the terminal\"; "
           "done; done; true");

    assert_string_equal(r.out, "");
}

/* CLI.md's codes, by what is wrong: the command line and its data, a file of jobs, what
 * is not there. */
TEST(what_is_wrong_decides_the_exit_code_whatever_the_command)
{
    static const struct {
        int code;
        const char *args;
    } calls[] = {
        {2, "queue:dispatch x '{bad'"},
        {2, "queue:dispatch 'b d'"},
        {2, "queue:dispatch x --delay=no"},
        {2, "queue:dispatch x --id='a b'"},
        {2, "queue:dispatch x --tag='a b'"},
        {2, "queue:dispatch x --priority=x"},
        {2, "queue:dispatch x - <bad"},
        {2, "queue:run"},
        {2, "queue:work --concurrency=0"},
        {2, "queue:work --memory=1"},
        {2, "queue:list --state=zz"},
        {2, "queue:list --queue='a b'"},
        {2, "queue:inspect 'a b'"},
        {2, "queue:failed --since=zz"},
        {2, "queue:retry 'a b'"},
        {2, "queue:cancel 'a b'"},
        {2, "queue:forget 'a b'"},
        {2, "queue:pause --queue='a b'"},
        {2, "queue:events --type=zz"},
        {2, "queue:prune --older-than=zz"},
        {2, "queue:limit set 'a b' --rate=1/1 --queue=q"},
        {2, "schedule:next '61 * * * *'"},
        {2, "schedule:put x '61 * * * *'"},
        {2, "schedule:put x '* * * * *' --zone=Nope"},
        {2, "keys:new 'a b'"},
        {2, "make:job 'a b'"},
        {2, "queue:list --url=foo"},
        {1, "queue:dispatch x --file bad"},
        {1, "queue:chain bad"},
        {1, "queue:batch bad"},
        {1, "queue:flow bad"},
        {3, "queue:chain none"},
        {3, "queue:dispatch x --file none"},
        {3, "queue:list --after=none"},
        {3, "queue:inspect none"},
        {3, "queue:retry none"},
        {3, "queue:forget none"},
        {3, "queue:cancel none"},
        {3, "queue:limit remove none"},
        {3, "schedule:next none"},
        {3, "schedule:trigger none"},
        {3, "schedule:pause none"},
    };

    assert_code(sh("errand migrate; echo '{bad' >bad"), 0);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct run r = sh("errand %s", calls[i].args);

        if (r.code != calls[i].code)
            fail_msg("errand %s: %d, not %d: %s", calls[i].args, r.code, calls[i].code,
                     r.err);
    }
}

TEST(the_page_of_commands_is_made_from_the_table)
{
    struct run r =
        sh("errand help --markdown | cmp - \"$ERRAND_SOURCE/docs/commands.md\"");

    assert_code(r, 0);
}

TEST_MAIN()
