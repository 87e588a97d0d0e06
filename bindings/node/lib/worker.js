// worker.js: workers in this process. Handlers run on its event loop; a thread of the addon reserves, keeps
// the leases and the time, and settles. What blocks the loop delays the others, but loses no lease: a job
// that is late is settled without its handler, and what that says afterwards counts for nothing.
'use strict'

const native = require('./native.js')
const { ErrandError, JobTimeoutError } = require('./errors.js')
const { decode } = require('./data.js')
const { session, settings, project } = require('./session.js')
const { JobContext, runHandler, hook, doneOf, thrownOf, errorFrom } = require('./run.js')

const mendAfter = 10

function queuesOf({ queues, queue }) {
  const list = queues ?? queue
  if (list === undefined || list === '*') return undefined
  return (Array.isArray(list) ? list : String(list).split(',')).map((each) => each.trim())
}

const reasons = {
  late: (context) => new JobTimeoutError(context.timeout),
  cancelled: () => new ErrandError('it was cancelled', 'EJOB'),
  lost: () => new ErrandError('its lease is over: another worker has it', 'EJOB'),
  stopping: () => new ErrandError('the worker stops', 'EJOB'),
}

/** Works jobs of some queues, left first, at most `concurrency` at a time. */
class QueueWorker {
  #native = null
  #jobs = null
  #running = new Map() // by place
  #ended = Promise.resolve()
  #isStarting = false

  constructor(options = {}) {
    this.options = options
    this.processed = 0
    this.failures = 0
  }

  get isRunning() {
    return this.#native !== null
  }

  get active() {
    return this.#running.size
  }

  /** Resolves when it works; what happens then is until stop(), maxJobs or stopWhenEmpty. */
  async start() {
    if (this.#native || this.#isStarting) throw new ErrandError('this worker works already', 'ECONFLICT')
    this.#isStarting = true
    try {
      await this.#startNow()
    } finally {
      this.#isStarting = false
    }
    return this
  }

  async #startNow() {
    this.#jobs = (await session()).jobs
    const { concurrency = 1, maxJobs, stopWhenEmpty, grace = 30, lease, name } = this.options
    let isEnded
    const ended = new Promise((resolve) => { isEnded = resolve })
    await new Promise((resolve, reject) => {
      const told = {
        working: resolve,
        ended: ({ text }) => {
          setImmediate(() => this.#end(isEnded))
          if (text) reject(new ErrandError(text, 'EUNAVAILABLE', true))
        },
        warning: ({ text }) => this.#warn(text),
        job: (job) => this.#begin(job),
        stop: (stop) => this.#stopOne(stop),
      }
      this.#native = native.workerStart({
        url: settings.url, folder: project(), config: settings.url === undefined ? undefined : settings.config,
        queues: queuesOf(this.options), concurrency, maxJobs, stopWhenEmpty, grace, lease, name,
      }, (what) => told[what.kind](what))
      this.#ended = ended // from now on there is something to wait for
    })
  }

  /** Reserves nothing more, lets what runs end within the grace, hands the rest back. */
  async stop({ now = false } = {}) {
    if (this.#native) native.workerStop(this.#native, now)
    await this.#ended
  }

  /** Resolves when it has ended by itself: maxJobs, stopWhenEmpty. */
  wait() {
    return this.#ended
  }

  #end(isEnded) {
    native.workerEnd(this.#native)
    this.#native = null
    this.#running.clear()
    isEnded()
  }

  #warn(text) {
    if (this.options.onWarning) this.options.onWarning(text)
    else console.error(`errand: ${text}`)
  }

  #begin(told) {
    const entry = this.#jobs.find(told.name)
    if (!native.workerBegin(this.#native, told.place, told.serial, Boolean(entry?.told?.hasFailed))) return
    // One that ends after its worker has ended has nobody to tell: the next one counts its places anew.
    const on = this.#native
    const finish = (outcome) => {
      if (this.#native !== on) return
      native.workerFinish(on, told.place, told.serial, outcome)
      this.#running.delete(told.place)
    }
    const run = told.isFailedHook ? this.#runHook(entry, told) : this.#runJob(entry, told, on)
    run.then(finish).catch((wrong) => finish({ verdict: 'retry', error: String(wrong?.message) })) // of an outcome without sense
  }

  async #runHook(entry, { name, data, error }) {
    try {
      if (entry && !entry.error) await hook(entry.source, 'failed', errorFrom(error), decode(data))
    } catch (wrong) {
      this.#warn(`failed() of ${name} went wrong: ${wrong?.message}`)
    }
    return { verdict: 'done' }
  }

  async #runJob(entry, told, on) {
    if (!entry) {
      const names = this.#jobs.list.map((each) => each.name).join(', ') || 'none'
      return { verdict: 'retry', error: `there is no job '${told.name}' in this worker; it has ${names}` }
    }
    if (entry.error) return { verdict: 'snooze', wait: mendAfter, error: entry.error.message }
    const { id, name, queue, attempt, tries, timeoutMs, place, serial } = told
    const context = new JobContext({ id, name, queue, attempt, tries, data: decode(told.data), timeout: timeoutMs / 1000 })
    context.onProgress = (percent, note) => native.workerProgress(on, place, serial, Math.round(percent), note ?? '')
    this.#running.set(place, { serial, entry, context })
    let outcome
    try {
      outcome = doneOf(context, await runHandler(entry.source, context))
    } catch (error) {
      outcome = thrownOf(context, error)
      this.failures++
    }
    this.processed++
    return outcome
  }

  // Its place is settled, or wants to be: what the handler says from now on counts for nothing.
  #stopOne({ place, serial, text }) {
    const run = this.#running.get(place)
    if (!run || run.serial !== serial) return
    run.context.abort(reasons[text](run.context))
    if (text === 'late')
      hook(run.entry.source, 'timedOut', run.context.data).catch((error) => this.#warn(`timedOut() of ${run.context.name} went wrong: ${error.message}`))
  }
}

/** Several workers, each with queues and places of its own. */
class WorkerManager {
  #workers = []

  constructor(options = {}) {
    this.options = options
  }

  /** A worker for one queue, or several by comma, left first. */
  addWorker(queues, options = {}) {
    if (this.isRunning) throw new ErrandError('the manager works already', 'ECONFLICT')
    const worker = new QueueWorker({ ...this.options, ...options, queues })
    this.#workers.push(worker)
    return worker
  }

  get workers() {
    return [...this.#workers]
  }

  get isRunning() {
    return this.#workers.some((worker) => worker.isRunning)
  }

  /** Resolves when all work; when one cannot, none does. */
  async start() {
    if (!this.#workers.length) throw new ErrandError('the manager has no worker: addWorker(queue, { concurrency })')
    try {
      await Promise.all(this.#workers.map((worker) => worker.start()))
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  async stop(options) {
    await Promise.all(this.#workers.map((worker) => worker.stop(options)))
  }
}

module.exports = { QueueWorker, WorkerManager }
