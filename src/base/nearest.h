/* nearest.h: how far is one word from another? For "did you mean …?". */
#ifndef ER_BASE_NEAREST_H
#define ER_BASE_NEAREST_H

#include <stddef.h>

/* Edits from one to the other: insert, drop, change, swap of neighbours. Case does not
 * count, nor whether it is - or _. SIZE_MAX for words of more than 64 bytes. */
size_t er_word_distance(const char *a, const char *b);
/* Further off than so many edits from what was typed, a name is a guess and no help. */
size_t er_word_reach(const char *typed);

#endif
