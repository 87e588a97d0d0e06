/* list.h: a doubly linked list whose links live in what is listed. An unlinked link
 * points nowhere, so that "is it on the list?" has an answer. */
#ifndef ER_STORE_MEMORY_LIST_H
#define ER_STORE_MEMORY_LIST_H

#include <stdbool.h>
#include <stddef.h>

#define ER_OWNER(ptr, type, member) \
    ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

struct er_link {
    struct er_link *prev, *next;
};

struct er_list {
    struct er_link *first, *last;
    size_t n;
};

static inline void er_list_append(struct er_list *list, struct er_link *link)
{
    link->prev = list->last;
    link->next = NULL;
    if (list->last)
        list->last->next = link;
    else
        list->first = link;
    list->last = link;
    list->n++;
}

/* Before `next`; NULL: at the end. */
static inline void er_list_insert(struct er_list *list, struct er_link *link,
                                  struct er_link *next)
{
    if (!next) {
        er_list_append(list, link);
        return;
    }
    link->prev = next->prev;
    link->next = next;
    if (next->prev)
        next->prev->next = link;
    else
        list->first = link;
    next->prev = link;
    list->n++;
}

static inline void er_list_remove(struct er_list *list, struct er_link *link)
{
    if (link->prev)
        link->prev->next = link->next;
    else
        list->first = link->next;
    if (link->next)
        link->next->prev = link->prev;
    else
        list->last = link->prev;
    link->prev = link->next = NULL;
    list->n--;
}

static inline bool er_list_has(const struct er_list *list, const struct er_link *link)
{
    return link->prev || link->next || list->first == link;
}

static inline struct er_link *er_list_pop(struct er_list *list)
{
    struct er_link *first = list->first;

    if (first)
        er_list_remove(list, first);
    return first;
}

#endif
