// schedule.js: the scheduler, on a thread of its own, and schedules run by hand.
'use strict'

const native = require('./native.js')
const { session, urlNow } = require('./session.js')

let scheduler = null

/** Dispatches what is scheduled from now on. Many may run; each slot gives one job. */
async function startScheduler() {
  if (scheduler && !native.schedulerStatus(scheduler).running) scheduler = null
  await session() // the store is told of the jobs, and so of their schedules
  scheduler ??= native.schedulerStart(urlNow())
}

async function stopScheduler() {
  if (scheduler) native.schedulerStop(scheduler)
}

/** { running, isRunning, nextRunTimes: { DailyReport: Date }, schedules } */
function getSchedulerStatus() {
  const { running, entries } = (scheduler && native.schedulerStatus(scheduler)) ?? { running: false, entries: [] }
  const nextRunTimes = {}
  for (const { name, nextMs } of entries) if (nextMs) nextRunTimes[name] = new Date(nextMs)
  return { running, isRunning: running, nextRunTimes, schedules: entries }
}

/** Dispatches the job of a schedule now, and moves nothing. Answers the id of the job. */
async function triggerJob(name) {
  return native.trigger((await session()).handle, name)
}

module.exports = { startScheduler, stopScheduler, getSchedulerStatus, triggerJob }
