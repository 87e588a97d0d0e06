/* errand.h: background jobs. Everything an application needs; driver.h is for those who
 * write a store. */
#ifndef ERRAND_H
#define ERRAND_H

#include "errand/client.h"
#include "errand/engine.h"
#include "errand/error.h"
#include "errand/events.h"
#include "errand/failed.h"
#include "errand/flow.h"
#include "errand/health.h"
#include "errand/job.h"
#include "errand/limit.h"
#include "errand/middleware.h"
#include "errand/notify.h"
#include "errand/project.h"
#include "errand/schedule.h"
#include "errand/types.h"
#include "errand/worker.h"

#endif
