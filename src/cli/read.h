/* read.h: a whole file, or standard input, for commands that take one. */
#ifndef ER_CLI_READ_H
#define ER_CLI_READ_H

#include "cli/cli.h"

/* What is in the file at `path`, or for "-" on standard input, without the line ends at
 * its end and with a NUL behind it, in cli->arena. `what` begins messages. ETOOBIG: more
 * than max_mib MiB; EJSON: a NUL byte in it, which no JSON has. */
int er_cli_read(struct er_cli *cli, const char *what, const char *path, int max_mib,
                struct errand_slice *ret, struct errand_error *err);

#endif
