// fake.js: testing what dispatches, and testing jobs.
'use strict'

const native = require('./native.js')
const { ErrandError, JobTimeoutError } = require('./errors.js')
const { encode, decode } = require('./data.js')
const { nameKey, nameOf } = require('./names.js')
const { session, fakes } = require('./session.js')
const { JobContext, runWithin, hook, Snooze } = require('./run.js')
const { isJob } = require('./jobs.js')

const same = (a, b) => nameKey(nameOf(a)) === nameKey(nameOf(b))

/** What was handed out since fake(), in order. */
class FakeQueue {
  #session

  constructor(open) {
    this.#session = open
  }

  #all() {
    const stored = native.recordedSync(this.#session.handle)
    return [...stored, ...this.#session.ran].map((each) => ({ ...each, data: decode(each.data), delay: (each.delayMs ?? 0) / 1000 }))
  }

  /** Those of that name, in any spelling; without a name all. */
  dispatched(job, predicate = () => true) {
    return this.#all().filter((each) => (job === undefined || same(each.name, job)) && predicate(each.data, each))
  }

  /** Those with a delay. */
  pushed(job) {
    return this.dispatched(job).filter((each) => each.delay > 0)
  }

  hasDispatched(job, predicate) {
    return this.dispatched(job, predicate).length > 0
  }

  #claim(holds, message) {
    if (!holds) throw new ErrandError(message, 'EJOB')
  }

  assertDispatched(job, predicate) {
    this.#claim(this.hasDispatched(job, predicate), `${nameOf(job)} was not dispatched`)
  }

  assertDispatchedTimes(job, times) {
    const n = this.dispatched(job).length
    this.#claim(n === times, `${nameOf(job)} was dispatched ${n} times, not ${times}`)
  }

  assertNotDispatched(job, predicate) {
    const n = this.dispatched(job, predicate).length
    this.#claim(n === 0, `${nameOf(job)} was dispatched ${n} times`)
  }

  assertNothingDispatched() {
    const names = this.dispatched().map((each) => each.name)
    this.#claim(names.length === 0, `there were dispatched: ${names.join(', ')}`)
  }

  assertPushedOn(job, queue) {
    const queues = this.dispatched(job).map((each) => each.queue)
    this.#claim(queues.includes(queue), `${nameOf(job)} went to ${queues.join(', ') || 'no queue'}, not to ${queue}`)
  }

  assertPushedWithDelay(job, seconds) {
    const delays = this.pushed(job).map((each) => each.delay)
    this.#claim(delays.some((delay) => Math.abs(delay - seconds) < 1), `${nameOf(job)} waits ${delays.join(', ') || 0} s, not ${seconds} s`)
  }

  #group(way, jobs, isOrdered) {
    const groups = new Map()
    for (const each of this.dispatched())
      if (each.way === way) groups.set(each.batch, [...(groups.get(each.batch) ?? []), nameKey(each.name)])
    const wanted = jobs.map((job) => nameKey(nameOf(job)))
    const text = (names) => (isOrdered ? names : [...names].sort()).join(' ')
    this.#claim([...groups.values()].some((names) => text(names) === text(wanted)), `no ${way} of ${jobs.map(nameOf).join(', ')} was dispatched`)
  }

  assertChained(jobs) {
    this.#group('chain', jobs, true)
  }

  assertBatched(jobs) {
    this.#group('batch', jobs, false)
  }
}

/** From now on what is dispatched is recorded, and neither stored nor run. */
function fake() {
  fakes.begin()
  return getFakeQueue()
}

/** What was recorded; null when nothing is faked. */
function getFakeQueue() {
  return fakes.now() && new FakeQueue(fakes.now())
}

/** The store is back. As often as you like. */
function restore() {
  fakes.end()
}

async function sourceOf(job) {
  if (isJob(job)) return { source: job, told: {} }
  const { jobs } = await session()
  const entry = jobs.find(job)
  if (entry?.error) throw entry.error
  if (!entry) throw new ErrandError(`there is no job '${job}' here`, 'ENOTFOUND')
  return entry
}

/** Runs one attempt here, with middleware and time-out and without a store. Never throws for what the handler does. */
async function runTestJob(job, data, options = {}) {
  const { source, told } = await sourceOf(job)
  const timeout = options.timeout ?? told.timeout ?? require('./jobs.js').instanceOf(source).timeout ?? 300
  const context = new JobContext({
    id: options.id ?? 'test', name: nameOf(job), queue: options.queue ?? told.queue ?? 'default',
    attempt: options.attempt ?? 1, tries: options.tries ?? told.tries ?? 3, data: JSON.parse(encode(data)),
  })
  const steps = []
  context.onProgress = (percent, note) => steps.push({ percent, note })
  const began = Date.now()
  const end = (rest) => ({ ...rest, progress: steps, log: context.lines, duration: Date.now() - began })
  try {
    return end({ success: true, result: await runWithin(timeout, source, context) })
  } catch (error) {
    if (error instanceof Snooze) return end({ success: false, snoozed: error.seconds })
    if (error instanceof JobTimeoutError) await hook(source, 'timedOut', context.data)
    return end({ success: false, error, timedOut: error instanceof JobTimeoutError })
  }
}

module.exports = { fake, getFakeQueue, restore, runTestJob, FakeQueue }
