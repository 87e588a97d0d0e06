// failed.js: jobs that have failed for good, and what is done about them.
'use strict'

const native = require('./native.js')
const { decode } = require('./data.js')
const { session } = require('./session.js')
const { errorFrom } = require('./run.js')

const pageSize = 1000

function failedOf(job) {
  const data = decode(job.data)
  return {
    id: job.id, name: job.name, jobName: job.name, queue: job.queue, data, payload: data,
    error: errorFrom(job.error), exception: job.error, attempts: job.attempts, attemptsMade: job.attempts,
    tries: job.tries, maxAttempts: job.tries,
    failedAt: new Date(job.finishedMs), createdAt: new Date(job.createdMs),
  }
}

function filterOf({ since, until, ...filter } = {}) {
  return { ...filter, sinceMs: since && since.getTime(), untilMs: until && until.getTime() }
}

/** That it is not among the failed ones (any more) is an answer; all else is an error. */
async function isDone(promise) {
  try {
    await promise
    return true
  } catch (error) {
    if (error.code === 'ENOTFOUND' || error.code === 'ECONFLICT') return false
    throw error
  }
}

class FailedJobManager {
  /** All that match, the last to be dispatched first: { queue, name, tag, search, since, until }. */
  async all(filter) {
    const { handle } = await session()
    const found = []
    for (let page = { more: true, jobs: [] }; page.more;) {
      page = await native.failedList(handle, { ...filterOf(filter), max: pageSize, after: page.jobs.at(-1)?.id })
      found.push(...page.jobs.map(failedOf))
    }
    return found
  }

  /** One with its attempts; null when there is none. */
  async find(id) {
    try {
      const { job, attempts } = await native.failedFind((await session()).handle, id)
      return {
        ...failedOf(job),
        history: attempts.map((a) => ({ ...a, startedAt: new Date(a.startedMs), endedAt: new Date(a.endedMs) })),
      }
    } catch (error) {
      if (error.code === 'ENOTFOUND') return null
      throw error
    }
  }

  async count(filter) {
    return native.failedCount((await session()).handle, filterOf(filter))
  }

  /** Back to its queue, with all its tries. */
  async retry(id) {
    await native.failedRetry((await session()).handle, id)
  }

  /** All that match; answers how many. */
  async retryAll(filter) {
    return native.failedRetryAll((await session()).handle, filterOf(filter))
  }

  /** False when it is not among the failed ones any more. */
  async delete(id) {
    return isDone(native.failedDelete((await session()).handle, id))
  }

  forget(id) {
    return this.delete(id)
  }

  /** Removes all that match and failed at least `olderThan` seconds ago; answers how many. */
  async flush({ olderThan, ...filter } = {}) {
    return native.failedFlush((await session()).handle, { ...filterOf(filter), olderThan })
  }
}

const retryFailedJob = (id) => new FailedJobManager().retry(id)
const executeFailedJobs = (filter) => new FailedJobManager().retryAll(filter)

module.exports = { FailedJobManager, retryFailedJob, executeFailedJobs }
