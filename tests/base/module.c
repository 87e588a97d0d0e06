/* module.c: which file is taken for a module. That what is loaded works is shown where
 * modules are used. */
#include "base/module.h"

#include <sys/stat.h>
#include <unistd.h>

#include "support/folder.h"
#include "support/test.h"

static const struct er_module module = {
    .name = "part", .folder = "src/part", .what = "the part", .entry = "part"};
static char folder[FOLDER_MAX], path[FOLDER_MAX + 16];
static struct errand_error err;

static int setup(void **state)
{
    FILE *file;

    (void)state;
    err = (struct errand_error){0};
    if (folder_make(folder, "module") < 0)
        return -1;
    snprintf(path, sizeof path, "%s/part.so", folder);
    if (!(file = fopen(path, "we")) || fclose(file) != 0 || chmod(path, 0644) < 0)
        return -1;
    return setenv("ERRAND_MODULES", folder, 1);
}

static int teardown(void **state)
{
    (void)state;
    unsetenv("ERRAND_MODULES");
    return folder_remove(folder);
}

TEST_FIXTURE(setup, teardown)

static void refused(const char *says)
{
    const void *entry;

    assert_int_equal(er_module_check(&module, &err), ERRAND_EINVAL);
    assert_non_null(strstr(err.message, says));
    assert_int_equal(er_module_load(&module, &entry, &err), ERRAND_EINVAL);
}

TEST(a_module_that_only_we_can_change_is_taken)
{
    assert_int_equal(er_module_check(&module, &err), 0);
}

TEST(a_folder_is_named_from_the_root)
{
    setenv("ERRAND_MODULES", ".", 1);
    refused("ERRAND_MODULES leads to './part.so'");
}

TEST(a_file_that_others_can_change_is_not_loaded)
{
    chmod(path, 0646);
    refused("part.so can be changed by others");
}

TEST(a_folder_that_others_can_change_is_not_looked_into)
{
    chmod(folder, 01777);
    refused(folder);
}

/* Whoever can exchange the link chooses the file. */
TEST(a_link_in_a_folder_of_everybody_is_not_followed)
{
    char open[FOLDER_MAX], link[FOLDER_MAX + 16];

    assert_int_equal(folder_make(open, "open"), 0);
    snprintf(link, sizeof link, "%s/part.so", open);
    assert_int_equal(symlink(path, link), 0);
    setenv("ERRAND_MODULES", open, 1);
    assert_int_equal(er_module_check(&module, &err), 0);
    chmod(open, 0777);
    refused(open);
    chmod(open, 0700);
    chmod(path, 0666);
    refused(path);
    folder_remove(open);
}

/* Only root can give a file away. */
TEST(a_file_of_another_user_is_not_loaded)
{
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(path, 12345, 0), 0);
    refused("belongs to user 12345");
    assert_int_equal(chown(path, 0, 12345), 0);
    chmod(path, 0664);
    refused("can be changed by others");
}

TEST_MAIN()
