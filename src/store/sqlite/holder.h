/* holder.h: the process that holds the write lock of a file. */
#ifndef ER_STORE_SQLITE_HOLDER_H
#define ER_STORE_SQLITE_HOLDER_H

#include <stddef.h>
#include <sys/types.h>

/* 0 when nobody else does, or it cannot be told (another machine, another container).
 * name gets the name of its program, "" when that is not known. */
pid_t er_sqlite_holder(const char *file, char *name, size_t size);

#endif
