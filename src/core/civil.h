/* civil.h: days and dates. Proleptic Gregorian, no leap seconds, any year. */
#ifndef ER_CORE_CIVIL_H
#define ER_CORE_CIVIL_H

#include <stdint.h>

/* Days since 1970-01-01 and back; month 1 to 12, day 1 to 31. */
int64_t er_days_from_civil(int64_t year, int month, int day);
void er_civil_from_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day);
int er_month_days(int64_t year, int month);
/* 0, Sunday, to 6 */
int er_weekday(int64_t days);

#endif
