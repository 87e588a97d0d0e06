/* thread.h: a thread of the library in somebody's program. */
#ifndef ER_BASE_THREAD_H
#define ER_BASE_THREAD_H

#include <pthread.h>

/* All signals are blocked in it: they are for the threads of the program. 0, or what
 * errno would be. */
int er_thread_start(pthread_t *ret, void *(*run)(void *), void *arg);

#endif
