/* main.c: the conformance suite: what every driver of a store must do. Each claim is a
 * test with a name; docs/store.md tells how to run it on a driver of your own. */
#include "store/support.h"

SUITE_MAIN()
