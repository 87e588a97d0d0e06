// middleware.js: what happens around a handler. Those with a `kind` act in the store, for all workers
// and before an attempt begins; the others are called where the handler runs.
'use strict'

const { ErrandError } = require('./errors.js')

function positive(what, number) {
  if (typeof number !== 'number' || !(number > 0)) throw new ErrandError(`${what} is a number over 0, not ${number}`)
  return number
}

/** A key as the store wants it: a template is kept, a function is called with the data. */
function keyed(told, key) {
  if (typeof key === 'function') return { ...told, hasKeyFunction: true, keyFunction: key }
  if (key !== undefined && typeof key !== 'string') throw new ErrandError('key is a string or a function of the data')
  return { ...told, key }
}

/** As keyed; a key without data in it names the limit, so that all classes that name it share it. */
function limited(told, options) {
  const { key, name } = options
  if (typeof key === 'string' && !/[{}]/.test(key) && !name) return { ...told, name: key }
  return keyed({ ...told, name }, key)
}

class UniqueJobMiddleware {
  constructor(options = {}) {
    const { key, ttl, until, policy } = options
    if (key === undefined) throw new ErrandError('UniqueJobMiddleware: key is missing')
    this.told = keyed({ kind: 'unique', ttl: ttl ?? options.uniqueFor, until, policy }, key)
  }
}

class RateLimitMiddleware {
  constructor(options = {}) {
    const max = positive('RateLimitMiddleware: maxAttempts', options.maxAttempts ?? options.max)
    const per = options.per ?? options.decaySeconds ?? (options.decayMinutes ?? 1) * 60
    this.told = limited({ kind: 'rate-limit', max, per: positive('RateLimitMiddleware: decayMinutes', per) }, options)
  }
}

class WithoutOverlappingMiddleware {
  constructor(options = {}) {
    this.told = limited({ kind: 'without-overlapping', max: options.max ?? 1 }, options)
  }
}

class ThrottleMiddleware {
  constructor(options = {}) {
    const max = positive('ThrottleMiddleware: max', options.maxAttempts ?? options.max ?? options.allow ?? 1)
    const per = positive('ThrottleMiddleware: per', options.per ?? options.every)
    if (typeof options.key === 'function') throw new ErrandError('ThrottleMiddleware: key is a template, not a function')
    this.told = limited({ kind: 'throttle', max, per }, options)
  }
}

/** Does not run the job when the function of its data says so; it then ends completed. */
class SkipIfMiddleware {
  constructor(condition) {
    this.condition = typeof condition === 'function' ? condition : condition?.condition
    if (typeof this.condition !== 'function') throw new ErrandError('SkipIfMiddleware: a function is missing')
  }

  async handle(context, next) {
    if (await this.condition(context.data, context)) return { skipped: 'skip-if' }
    return next()
  }
}

const forAll = []

/** Stands around every job of this process, outside of its own list. */
function useMiddleware(middleware) {
  forAll.push(middleware)
}

function listOf(job) {
  const said = typeof job.middleware === 'function' ? job.middleware() : job.middleware
  if (said === undefined || said === null) return []
  if (!Array.isArray(said)) throw new ErrandError('middleware is an array')
  return said
}

/** What the store is told of, in the form of its `define`. */
function storedOf(job) {
  return listOf(job).map((each) => each?.told).filter(Boolean)
}

function functionOf(each) {
  if (typeof each === 'function') return each
  if (typeof each?.handle === 'function') return (context, next) => each.handle(context, next)
  throw new ErrandError('a middleware is a function (context, next) or has a method handle')
}

/** Runs `handler` inside of those that are called. */
function around(job, context, handler) {
  const own = [...forAll, ...listOf(job)].filter((each) => !each?.told).map(functionOf)
  const at = (i) => async () => (i === own.length ? handler() : own[i](context, at(i + 1)))
  return at(0)()
}

module.exports = {
  UniqueJobMiddleware, RateLimitMiddleware, WithoutOverlappingMiddleware, ThrottleMiddleware, SkipIfMiddleware,
  useMiddleware, storedOf, around,
}
