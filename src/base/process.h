/* process.h: what can be known of another process of this machine. */
#ifndef ER_BASE_PROCESS_H
#define ER_BASE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/* Which space of process numbers this process is in: two processes mean the same by a
 * number only where this is the same. 0: not known. */
uint64_t er_pid_space(void);
/* It is not there, or nobody has buried it yet. */
bool er_pid_is_dead(long pid);

#endif
