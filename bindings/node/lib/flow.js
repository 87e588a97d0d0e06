// flow.js: chains and batches. None of the builders has a method called `then`: they can be awaited
// by mistake without hanging.
'use strict'

const native = require('./native.js')
const { ErrandError } = require('./errors.js')
const { decode } = require('./data.js')
const { session, settings, project, fakes } = require('./session.js')
const { itemsOf } = require('./dispatch.js')

/** Jobs one after the other: each waits for the one before to be completed. */
class Chain {
  constructor(links = []) {
    this.links = [...links]
    this.options = {}
    this.hook = null
  }

  add(job, data, options) {
    this.links.push({ job, data, options })
    return this
  }

  name(name) {
    this.options.name = name
    return this
  }

  /** A job that runs when a link has failed for good; those behind it are cancelled. */
  catch(job, data, options) {
    this.hook = { job, data, options }
    return this
  }

  /** Stores it whole; answers the id of the chain. */
  async dispatch() {
    if (!this.links.length) throw new ErrandError('a chain without links')
    const { open, items } = await itemsOf(this.links)
    const options = { ...this.options }
    if (this.hook) options.onFailure = (await itemsOf([this.hook])).items[0]
    return native.chain(open.handle, items, options)
  }
}

function resultOf(found) {
  const failures = found.failures.map(({ id, name, data, error }) => ({ id, name, jobName: name, data: decode(data), error }))
  return { ...found, failures, endedAt: found.endedMs ? new Date(found.endedMs) : null }
}

// Waiting sleeps on a thread, so it has a store of its own; all who wait share it in turn.
let waiting = null
let waiting_n = 0

async function untilEnded(ask, timeout) {
  waiting ??= native.open(settings.url, project(), settings.config)
  const until = timeout === undefined ? Infinity : Date.now() + timeout * 1000
  waiting_n++
  try {
    for (;;) {
      const left = until - Date.now()
      const found = await ask(waiting, Math.max(left > 0 ? 5 : 0, Math.min(left, 200 / waiting_n)))
      if (found !== null) return found
      if (left <= 0) throw new ErrandError(`it has not ended within ${timeout} s`, 'ETIMEOUT', true)
    }
  } finally {
    if (--waiting_n === 0) {
      native.close(waiting)
      waiting = null
    }
  }
}

/** Waits for a batch or chain to end; answers its result. `timeout` in seconds. */
async function waitForBatch(id, { timeout } = {}) {
  return resultOf(await untilEnded((store, ms) => native.batchWait(store, id, ms), timeout))
}

/** Waits for a job to end; answers its state. */
async function waitForJob(id, { timeout } = {}) {
  return untilEnded((store, ms) => native.wait(store, id, ms), timeout)
}

async function findBatch(id) {
  return resultOf(await native.batchGet((await session()).handle, id))
}

async function cancelBatch(id) {
  return native.batchCancel((await session()).handle, id)
}

/** Jobs side by side. */
class Batch {
  constructor(jobs = []) {
    this.jobs = [...jobs]
    this.options = {}
    this.calls = { onSuccess: [], onFailure: [], finally: [] }
  }

  add(job, data, options) {
    this.jobs.push(typeof job === 'string' || typeof job === 'function' ? { job, data, options } : job)
    return this
  }

  name(name) {
    this.options.name = name
    return this
  }

  /** Goes on when a member fails for good. Else the first such failure cancels what has not started. */
  allowFailures(is = true) {
    this.options.allowFailures = is
    return this
  }

  // A function is called in this process; a job, { job, data }, is stored with the batch and survives it.
  #on(when, what) {
    if (typeof what === 'function') this.calls[when].push(what)
    else this.options[when] = what
    return this
  }

  onSuccess(what) { return this.#on('onSuccess', what) }
  onFailure(what) { return this.#on('onFailure', what) }
  finally(what) { return this.#on('finally', what) }

  /** Stores it and returns at once, with its id. Functions are called when somebody waits with `wait`. */
  async start() {
    if (!this.jobs.length) throw new ErrandError('a batch without jobs')
    const { open, items } = await itemsOf(this.jobs)
    const options = { ...this.options }
    for (const when of ['onSuccess', 'onFailure', 'finally'])
      if (options[when]) options[when] = (await itemsOf([options[when]])).items[0]
    this.id = await native.batch(open.handle, items, options)
    return this.id
  }

  /** Waits for its end and calls the functions, each once. */
  async wait(options) {
    const result = await waitForBatch(this.id, options)
    const isGood = result.successful === result.total
    const calls = isGood ? this.calls.onSuccess : this.calls.onFailure
    for (const call of calls) await call(isGood ? result : result.failures, result)
    for (const call of this.calls.finally) await call(result)
    return result
  }

  // A fake runs nothing, so nothing ends.
  #recorded() {
    const total = this.jobs.length
    return { id: this.id, total, pending: total, successful: 0, failed: 0, cancelled: 0, failures: [] }
  }

  /** Stores it, and resolves with the result when it has ended. */
  async dispatch(options) {
    await this.start()
    return fakes.now() ? this.#recorded() : this.wait(options)
  }
}

const chain = (links) => new Chain(links)
const batch = (jobs) => new Batch(jobs)

module.exports = { chain, batch, Chain, Batch, waitForBatch, waitForJob, findBatch, cancelBatch }
