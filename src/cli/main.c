/* main.c: the errand command is a program like yours: it has no job classes of its own.
 */
#include "errand/worker.h"

int main(int argc, char **argv)
{
    return errand_main(argc, argv);
}
