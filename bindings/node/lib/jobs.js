// jobs.js: job classes, and the files they are found in.
'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { pathToFileURL } = require('node:url')
const { ErrandError } = require('./errors.js')
const { nameKey } = require('./names.js')
const { backoffOf } = require('./options.js')
const { storedOf } = require('./middleware.js')

/** What a job class extends. It need not: whatever has a method `handle` is a job. */
class Job {
  static dispatch(data, options) {
    return require('./dispatch.js').dispatch(this, data, options)
  }

  static dispatchSync(data, options) {
    return require('./dispatch.js').dispatchSync(this, data, options)
  }
}

const endings = new Set(['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts'])

function isClass(value) {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value))
}

function isJob(value) {
  if (typeof value === 'function') return isClass(value)
  return value !== null && typeof value === 'object' && typeof value.handle === 'function'
}

/** A fresh one for an attempt: fields of a class begin anew. */
function instanceOf(source) {
  return typeof source === 'function' ? new source() : source
}

/** What the store is told of a job, from its fields, inherited ones included. */
function describe(name, source) {
  const job = instanceOf(source)
  if (typeof job.handle !== 'function') throw new ErrandError(`class ${name} has no method handle`)
  const told = {
    name,
    queue: job.queue, tries: job.tries ?? job.maxAttempts, timeout: job.timeout, backoff: backoffOf(job),
    priority: job.priority, schedule: job.schedule ?? job.cron, zone: job.zone ?? job.timezone, tags: job.tags,
    maxData: job.maxData, maxDepth: job.maxDepth, encrypted: job.encrypted, retryFor: job.retryFor,
    schema: job.schema && JSON.stringify(job.schema),
    hasFailed: typeof job.failed === 'function', hasTimedOut: typeof job.timedOut === 'function',
    middleware: storedOf(job),
  }
  if (told.tries !== undefined && !(told.tries >= 1)) throw new ErrandError(`tries is ${told.tries}, not a whole number from 1`)
  return told
}

/** Jobs by name: exactly first, then without case and separators. */
class Jobs {
  constructor() {
    this.list = []
  }

  find(name) {
    const key = nameKey(name)
    return this.list.find((each) => each.name === name) ?? this.list.find((each) => each.key === key)
  }

  /** One of the same name and place is replaced. What is wrong with it is kept with it. */
  add(name, source, file = '', error = null) {
    const entry = { name, key: nameKey(name), source, file, error, told: null }
    const there = this.list.findIndex((each) => each.key === entry.key)
    if (there >= 0 && this.list[there].file !== file && file)
      entry.error = new ErrandError(`${file} and ${this.list[there].file || 'this program'} have one name: ${name}`, 'ECONFLICT')
    try {
      if (!entry.error) entry.told = describe(name, source)
    } catch (error) {
      entry.error = placed(file || name, error)
    }
    if (there < 0) this.list.push(entry)
    else if (this.list[there].file === file || !file) this.list[there] = entry
    else this.list.push(entry)
    return entry
  }
}

function placed(where, error) {
  const line = new RegExp(`${where.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}:\\d+`).exec(error.stack ?? '')
  const wrapped = new ErrandError(`${line ? line[0] : where}: ${error.message}`, error.code?.startsWith?.('E') ? error.code : 'EJOB')
  wrapped.cause = error
  return wrapped
}

async function fileLoad(jobs, folder, name) {
  const file = path.join('app', 'Jobs', name)
  const stem = path.parse(name).name
  try {
    const found = await import(pathToFileURL(path.join(folder, file)).href)
    const source = [found.default, found.default?.default].find(isJob) ?? Object.values(found).find(isJob)
    if (!source) throw new ErrandError('it exports no job: a class with a method handle, by default')
    jobs.add(stem, source, file)
  } catch (error) {
    const hint = error.code === 'ERR_UNKNOWN_FILE_EXTENSION'
      ? new ErrandError(`this Node (${process.version}) runs no TypeScript: use Bun, Node 22.18 or later, or NODE_OPTIONS="--import tsx"`)
      : error
    jobs.add(stem, null, file, placed(file, hint))
  }
}

/** All that lies in app/Jobs of a project. What is wrong with one file is told of its job alone. */
async function load(folder) {
  const jobs = new Jobs()
  const at = path.join(folder, 'app', 'Jobs')
  const names = fs.existsSync(at) ? fs.readdirSync(at).sort() : []
  const wanted = names.filter((name) => endings.has(path.extname(name)) && !/^[.#]|\.d\.[cm]?ts$/.test(name))
  if (wanted.length) require('./globals.js').globalsOffer()
  for (const name of wanted) await fileLoad(jobs, folder, name)
  return jobs
}

module.exports = { Job, Jobs, load, instanceOf, isJob }
