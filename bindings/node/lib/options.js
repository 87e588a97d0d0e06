// options.js: what a call or a class says about a job, in the words of the addon. What is wrong is found
// there, by the rules that hold for every language; here only what JavaScript spells otherwise.
'use strict'

const { ErrandError } = require('./errors.js')
const { nameKey } = require('./names.js')

const strategies = ['fixed', 'linear', 'exponential']

/** backoff and backoffStrategy: a number is fixed, an array has one wait a retry and wins. */
function backoffOf({ backoff, backoffStrategy, backoffCap, jitter }) {
  if (backoff && typeof backoff === 'object' && !Array.isArray(backoff)) {
    const { strategy, type, base, delay, cap } = backoff
    return backoffOf({ backoff: base ?? delay, backoffStrategy: strategy ?? type, backoffCap: cap, jitter: backoff.jitter })
  }
  if (backoffStrategy !== undefined && !strategies.includes(backoffStrategy))
    throw new ErrandError(`backoffStrategy is one of ${strategies.join(', ')}, not '${backoffStrategy}'`)
  if (Array.isArray(backoff)) return { list: backoff }
  if (backoff === undefined && backoffStrategy === undefined) return undefined
  if (backoff !== undefined && typeof backoff !== 'number') throw new ErrandError('backoff is seconds, or an array of them')
  if (backoff === 0) return { list: [0] }
  return { strategy: backoffStrategy ?? 'fixed', base: backoff, cap: backoffCap, jitter: jitter ?? -1 }
}

function instant(what, value) {
  const ms = value instanceof Date ? value.getTime() : typeof value === 'string' ? Date.parse(value) : NaN
  if (Number.isNaN(ms)) throw new ErrandError(`${what} is no instant`)
  return Math.max(1, Math.round(ms))
}

/** Seconds from now, or an instant. */
function timeOf(delay) {
  if (delay === undefined || delay === null) return {}
  if (delay instanceof Date || typeof delay === 'string') return { runAtMs: instant('delay', delay) }
  if (typeof delay !== 'number' || !Number.isFinite(delay)) throw new ErrandError(`delay is seconds or a Date, not ${delay}`)
  return { delayMs: Math.max(0, Math.round(delay * 1000)) }
}

function keyOf(what, told, data) {
  const key = told.keyFunction(data)
  if (typeof key !== 'string' && typeof key !== 'number') throw new ErrandError(`${what} of this data is no string`)
  return String(key)
}

/** Keys that a function of the class makes, since only this code can. */
function keysOf(name, middleware, data, call) {
  const keys = {}
  for (const told of middleware) {
    if (!told.keyFunction) continue
    const { max, per, ttl, until, policy } = told
    if (told.kind === 'unique' && call.unique === undefined)
      Object.assign(keys, {
        unique: `${nameKey(name)}:${keyOf('the unique key', told, data)}`,
        uniqueFor: ttl, uniqueUntil: until ?? (ttl ? 'ttl' : 'done'), uniquePolicy: policy,
      })
    if (told.kind === 'rate-limit' && !call.rate)
      keys.rate = { max, per, name: told.name, key: keyOf('the rate key', told, data) }
    if (told.kind === 'without-overlapping' && !call.concurrency)
      keys.concurrency = { max, name: told.name, key: keyOf('the concurrency key', told, data) }
  }
  return keys
}

const plain = ['id', 'queue', 'tries', 'timeout', 'priority', 'tags', 'encrypted', 'rate', 'concurrency', 'throttle',
  'unique', 'uniqueFor', 'uniqueUntil', 'uniquePolicy']
const spelled = ['delay', 'runAt', 'backoff', 'backoffStrategy', 'backoffCap', 'jitter', 'retryUntil', 'onQueue',
  'maxAttempts', 'uniqueKey']

/** The options of a call. */
function callOptions(options = {}) {
  const call = {}
  for (const key of Object.keys(options)) {
    if (plain.includes(key)) call[key] = options[key]
    else if (!spelled.includes(key)) throw new ErrandError(`options: there is no '${key}'; there are ${[...plain, ...spelled].join(', ')}`)
  }
  call.queue ??= options.onQueue
  call.tries ??= options.maxAttempts
  call.unique ??= options.uniqueKey
  if (call.unique !== undefined && call.uniqueUntil === undefined) call.uniqueUntil = call.uniqueFor ? 'ttl' : 'done'
  call.backoff = backoffOf(options)
  if (options.retryUntil !== undefined) call.retryUntilMs = instant('retryUntil', options.retryUntil)
  return Object.assign(call, timeOf(options.delay ?? options.runAt))
}

module.exports = { backoffOf, callOptions, keysOf, instant }
