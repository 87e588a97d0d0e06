/* project.c: making a project and job files. */
#include "cli/shell.h"

TEST_FIXTURE(shell_setup, shell_teardown)

static unsigned mode_of(const char *name)
{
    char path[PATH_MAX + 64];
    struct stat st;

    snprintf(path, sizeof path, "%s/%s", shell_folder, name);
    assert_int_equal(stat(path, &st), 0);
    return (unsigned)st.st_mode & 07777;
}

TEST(new_makes_a_project_and_says_what_to_type_next)
{
    struct run r = sh("umask 000; errand new shop");

    assert_code(r, 0);
    assert_has(r.out, "cd shop");
    assert_has(r.out, "errand queue:dispatch hello");
    assert_int_equal(mode_of("shop/errand.yml"), 0600);
    assert_int_equal(mode_of("shop/app/Jobs"), 0755);
    assert_int_equal(mode_of("shop/app/Jobs/hello.c"), 0644);
    assert_has(sh("cat shop/.gitignore").out, "errand.db");
}

TEST(new_takes_the_empty_folder_it_is_in)
{
    assert_code(sh("mkdir shop && cd shop && errand new . && test -f errand.yml"), 0);
}

TEST(new_leaves_a_folder_with_something_in_it_alone)
{
    struct run r = sh("mkdir shop; echo mine >shop/notes; errand new shop");

    assert_code(r, 1);
    assert_has(r.err, "'shop' is not empty");
    assert_string_equal(sh("ls -A shop").out, "notes\n");
    assert_code(sh("errand new shop/notes"), 1);
    assert_string_equal(sh("cat shop/notes").out, "mine\n");
}

TEST(new_says_so_when_the_folder_cannot_be_made)
{
    struct run r = sh("touch file; errand new file/shop");

    assert_code(r, 1);
    assert_has(r.err, "file/shop");
    assert_has(r.err, "not a folder");
    assert_code(sh("errand new ''"), 2);
}

TEST(the_configuration_that_new_writes_is_accepted)
{
    assert_code(sh("errand new shop && cd shop && errand config:check"), 0);
}

TEST(make_job_writes_one_file_for_each_language)
{
    assert_code(sh("errand make:job send-email"), 0);
    assert_code(sh("errand make:job backup --lang=sh"), 0);
    assert_code(sh("errand make:job resize.py"), 0);
    assert_has(sh("cat app/Jobs/send-email.c").out, "ERRAND_JOB(SendEmail,");
    assert_has(sh("cat app/Jobs/backup.sh").out, "# errand: tries=3");
    assert_has(sh("head -2 app/Jobs/resize.py").out, "# errand: tries=3");
    assert_int_equal(mode_of("app/Jobs/backup.sh") & 0111, 0111);
    assert_int_equal(mode_of("app/Jobs/resize.py") & 0111, 0111);
    assert_int_equal(mode_of("app/Jobs/send-email.c") & 0111, 0);
}

TEST(make_job_finds_the_project_from_a_folder_inside_it)
{
    assert_code(sh("errand new shop; mkdir shop/deep; cd shop/deep; errand make:job x"),
                0);
    assert_code(sh("test -f shop/app/Jobs/x.c"), 0);
}

TEST(make_job_never_overwrites)
{
    struct run r =
        sh("errand make:job mail; echo mine >app/Jobs/mail.c; errand make:job mail");

    assert_code(r, 1);
    assert_has(r.err, "nothing was overwritten");
    assert_string_equal(sh("cat app/Jobs/mail.c").out, "mine\n");
}

TEST(make_job_refuses_a_second_file_for_the_same_job)
{
    struct run r = sh("errand make:job send-email; errand make:job SendEmail --lang=sh");

    assert_code(r, 1);
    assert_has(r.err, "app/Jobs/send-email.c is job 'SendEmail' already");
}

TEST(make_job_checks_the_name)
{
    assert_code(sh("errand make:job 'two words'"), 2);
    assert_code(sh("errand make:job ../../etc/x"), 2);
    assert_code(sh("errand make:job .hidden"), 2);
    assert_code(sh("errand make:job 2fa"), 2);
    assert_code(sh("errand make:job ''"), 2);
    assert_code(sh("errand make:job x --lang=cobol"), 2);
    assert_code(sh("test -e app"), 1);
}

TEST(the_c_templates_compile_without_a_warning)
{
    struct run r = sh("errand make:job mail; errand new p; for f in app/Jobs/mail.c "
                      "p/app/Jobs/hello.c; do cc -Wall -Wextra -Werror -fsyntax-only "
                      "-I\"$ERRAND_SOURCE/include\" $f || exit 1; done");

    assert_code(r, 0);
}

TEST_MAIN()
