// run.js: one attempt of a job, wherever it runs.
'use strict'

const { ErrandError, JobFailedError, JobTimeoutError } = require('./errors.js')
const { encode } = require('./data.js')
const { around } = require('./middleware.js')
const { instanceOf } = require('./jobs.js')

const resultMost = 64 << 10
class Snooze extends Error {}

/** What a handler finds beside its data. */
class JobContext {
  #ends = new AbortController()

  constructor(told) {
    Object.assign(this, told)
    this.lines = []
    /** Aborted when the attempt should end: its time is over, it was cancelled, the worker stops. */
    this.signal = this.#ends.signal
  }

  abort(reason) {
    this.#ends.abort(reason)
  }

  /** A line for the log of this attempt. */
  log(...words) {
    this.lines.push(words.map((word) => (typeof word === 'string' ? word : JSON.stringify(word))).join(' '))
  }

  /** 0 to 100 and a short note. */
  progress(percent, note) {
    this.onProgress?.(percent, note)
  }

  /** Ends the attempt: run it again in so many seconds, without a try lost. */
  snooze(seconds) {
    throw Object.assign(new Snooze(`snoozed for ${seconds} s`), { seconds })
  }

  /** Ends the attempt: no retry helps. */
  fail(message) {
    throw new JobFailedError(message)
  }

  /** Ends the attempt: the next one comes in so many seconds, whatever the backoff says. */
  retryIn(seconds, message = 'to be tried again') {
    throw Object.assign(new ErrandError(message, 'EJOB', true), { retryIn: seconds })
  }
}

/** Text as a store takes it. */
const storable = (text) => text.replaceAll('\0', '\uFFFD')

/** The text of an error as it is stored, and the error that such a text means. */
function errorText(error) {
  if (!(error instanceof Error)) return `${error}`
  const name = error.name && error.name !== 'Error' && !(error instanceof ErrandError) ? `${error.name}: ` : ''
  return `${name}${error.message}` || error.name
}

function errorFrom(text) {
  const late = /^timed out after ([\d.]+) s/.exec(text)
  if (late) return new JobTimeoutError(Number(late[1]))
  const named = /^([A-Z]\w*Error): ([\s\S]*)$/.exec(text)
  const error = new Error(named ? named[2] : text)
  if (named) error.name = named[1]
  error.stack = `${error.name}: ${error.message}`
  return error
}

/** Runs the handler inside its middleware: what it leaves, or throws what went wrong. */
async function runHandler(source, context) {
  const job = instanceOf(source)
  context.job = job
  return around(job, context, () => job.handle(context.data, context))
}

/** The same within a time, in seconds (0: none). What overruns it is told by context.signal. */
async function runWithin(seconds, source, context) {
  let timer
  const late = new Promise((_, reject) => {
    if (!(seconds > 0)) return
    timer = setTimeout(() => {
      const error = new JobTimeoutError(seconds)
      context.abort(error)
      reject(error)
    }, Math.min(seconds * 1000, 2 ** 31 - 1))
  })
  try {
    return await Promise.race([runHandler(source, context), late])
  } finally {
    clearTimeout(timer)
  }
}

async function hook(source, name, ...args) {
  const job = instanceOf(source)
  if (typeof job[name] === 'function') await job[name](...args)
}

const logOf = (context) => storable(context.lines.join('\n'))

/** What became of an attempt, as a worker settles it: one that came to its end, and one that threw, whatever it threw. */
function doneOf(context, result) {
  const outcome = { verdict: 'done' }
  if (result !== undefined) {
    try {
      const text = encode(result, 'result')
      if (Buffer.byteLength(text) <= resultMost) outcome.result = text
      else context.log(`the result has ${Buffer.byteLength(text)} bytes, ${resultMost} are allowed: it is left out`)
    } catch (wrong) {
      context.log(`the result is left out: ${wrong.message}`)
    }
  }
  return { ...outcome, log: logOf(context) }
}

function thrownOf(context, error) {
  if (error instanceof Snooze) return { verdict: 'snooze', wait: error.seconds, log: logOf(context) }
  if (error instanceof Error && error.stack) context.log(error.stack)
  return {
    verdict: error instanceof JobFailedError ? 'fail' : 'retry',
    wait: error?.retryIn, error: storable(errorText(error)), log: logOf(context),
  }
}

module.exports = { JobContext, runHandler, runWithin, hook, doneOf, thrownOf, errorFrom, errorText, Snooze }
