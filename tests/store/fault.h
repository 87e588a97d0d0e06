/* fault.h: what the cases of the fault test and their runner share. */
#ifndef ER_TESTS_STORE_FAULT_H
#define ER_TESTS_STORE_FAULT_H

#include <stdbool.h>
#include <stddef.h>

struct fault_case {
    const char *operation; /* its name in the vtable */
    void (*run)(void);
    int first; /* uses before it that are not the case's: the failing one comes later */
};
extern const struct fault_case fault_cases[];
extern const size_t fault_cases_n;

extern int faults;    /* calls that failed; a case in which none did proves nothing */
extern bool is_after; /* the failing call had been committed */

#endif
