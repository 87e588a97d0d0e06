/* main.c: a program of your own with job classes inside. It is its own errand command,
 * its own worker and its own runner:
 *
 *     cc *.c -o shop $(pkg-config --cflags --libs errand)
 *     ./shop queue:dispatch count-words '{"file":"/usr/share/common-licenses/GPL-3"}'
 *     ./shop queue:work --stop-when-empty
 *     ./shop queue:list
 *
 * Link liberrand.a in place of the shared library and the program needs nothing else on
 * the machine; add -rdynamic then if app/Jobs has C files, which call back into it. */
#include <errand.h>

int main(int argc, char **argv)
{
    return errand_main(argc, argv); /* before anything else: the worker starts this
                                     * program again to run jobs */
}
