// dispatch.js: handing out work.
'use strict'

const native = require('./native.js')
const { ErrandError, JobTimeoutError } = require('./errors.js')
const { encode } = require('./data.js')
const { nameOf } = require('./names.js')
const { callOptions, keysOf, instant } = require('./options.js')
const { session, registerJob, fakes } = require('./session.js')
const { JobContext, runWithin, hook } = require('./run.js')

/** A job that is given as a class becomes one of this program's. */
function nameIn(open, job) {
  const name = nameOf(job)
  if (typeof job !== 'string' && open.jobs.find(name)?.source !== job) {
    registerJob(name, job)
    return { name, isNew: true }
  }
  return { name }
}

/** Name, data and options as the addon takes them. */
async function itemOf(job, data, options) {
  let open = await session()
  const { name, isNew } = nameIn(open, job)
  if (isNew) open = await session()
  const entry = open.jobs.find(name)
  if (entry?.error) throw entry.error
  const call = callOptions(options)
  if (entry) Object.assign(call, keysOf(entry.name, entry.told.middleware, data, call))
  return { open, item: { name, data: encode(data), options: call } }
}

/** Stores a job; answers its id, or that of the one that stands for it. */
async function dispatch(job, data, options) {
  const { open, item } = await itemOf(job, data, options)
  return (await native.dispatch(open.handle, item.name, item.data, item.options)).id
}

async function dispatchIf(condition, job, data, options) {
  return condition ? dispatch(job, data, options) : null
}

async function dispatchUnless(condition, job, data, options) {
  return condition ? null : dispatch(job, data, options)
}

/** In so many seconds, or from an instant on; past or zero: now. */
async function dispatchAfter(delay, job, data, options) {
  if (delay instanceof Date) instant('delay', delay)
  else if (typeof delay !== 'number' || !Number.isFinite(delay))
    throw new ErrandError(`dispatchAfter: ${String(delay)} is neither seconds nor a Date`)
  return dispatch(job, data, { ...options, delay })
}

/** Many in one transaction, all or none: [{ job, data, options }]. Answers their ids. */
async function dispatchBulk(jobs) {
  const { open, items } = await itemsOf(jobs)
  return (await native.bulk(open.handle, items)).ids
}

async function itemsOf(jobs) {
  const all = []
  for (const { job, name, data, options, ...rest } of jobs)
    all.push(await itemOf(job ?? name, data, { ...rest, ...options }))
  return { open: all[0]?.open ?? (await session()), items: all.map(({ item }) => item) }
}

/** Runs the handler here and now, with middleware and time-out; no store, no retry, no failed hook. */
async function dispatchSync(job, data, options) {
  const open = await session()
  const { name, isNew } = nameIn(open, job)
  const jobs = isNew ? (await session()).jobs : open.jobs
  const entry = jobs.find(name)
  const text = encode(data)
  if (fakes.now()) return void fakes.now().ran.push({ name, data: text, way: 'sync', options })
  if (!entry) throw new ErrandError(`there is no job '${name}' here: app/Jobs has ${jobs.list.map((each) => each.name).join(', ') || 'none'}`, 'ENOTFOUND')
  if (entry.error) throw entry.error
  const context = new JobContext({ id: '', name, queue: options?.queue ?? entry.told.queue ?? 'default', attempt: 1, tries: 1, data: JSON.parse(text) })
  try {
    return await runWithin(options?.timeout ?? entry.told.timeout ?? 300, entry.source, context)
  } catch (error) {
    if (error instanceof JobTimeoutError) await hook(entry.source, 'timedOut', context.data)
    throw error
  }
}

/** job('SendMail').onQueue('mails').delay(60).dispatch({ to: 7 }) */
class PendingJob {
  constructor(job, data) {
    this.job = job
    this.data = data
    this.options = {}
  }

  with(options) {
    Object.assign(this.options, options)
    return this
  }

  onQueue(queue) { return this.with({ queue }) }
  delay(delay) { return this.with({ delay }) }
  tries(tries) { return this.with({ tries }) }
  timeout(timeout) { return this.with({ timeout }) }
  backoff(backoff, backoffStrategy) { return this.with({ backoff, ...(backoffStrategy && { backoffStrategy }) }) }
  priority(priority) { return this.with({ priority }) }
  unique(unique, uniqueFor) { return this.with({ unique, ...(uniqueFor !== undefined && { uniqueFor }) }) }
  tags(...tags) { return this.with({ tags: tags.flat() }) }
  id(id) { return this.with({ id }) }

  dispatch(data = this.data, options) { return dispatch(this.job, data, { ...this.options, ...options }) }
  dispatchSync(data = this.data) { return dispatchSync(this.job, data, this.options) }
  dispatchIf(condition, data = this.data) { return dispatchIf(condition, this.job, data, this.options) }
  dispatchUnless(condition, data = this.data) { return dispatchUnless(condition, this.job, data, this.options) }
  dispatchAfter(delay, data = this.data) { return dispatchAfter(delay, this.job, data, this.options) }
  dispatchNow(data = this.data) { return this.dispatchSync(data) }
}

function job(name, data) {
  return new PendingJob(name, data)
}

module.exports = { dispatch, dispatchIf, dispatchUnless, dispatchAfter, dispatchBulk, dispatchSync, job, PendingJob, itemsOf }
