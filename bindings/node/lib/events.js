// events.js: what happens to jobs, in this process or another.
'use strict'

const native = require('./native.js')
const { errorFrom } = require('./run.js')
const { session } = require('./session.js')

const spelled = { 'job:added': 'job:dispatched', 'job:processing': 'job:started', 'job:timeout': 'job:timed-out' }

function payloadOf(event) {
  const { id, name, seq, type, queue, attempt, atMs, durationMs, delayMs, error } = event
  const payload = { type, seq, jobId: id, jobName: name, queue, attempt, attemptsMade: attempt, timestamp: new Date(atMs) }
  if (durationMs >= 0) payload.duration = durationMs
  if (delayMs >= 0) payload.delay = delayMs / 1000
  if (error) payload.error = errorFrom(error)
  return payload
}

/** A listener that throws changes nothing: it is told on standard error. */
function call(listener, payload) {
  const wrong = (error) => console.error(`a listener of ${payload.type} failed:`, error)
  try {
    Promise.resolve(listener(payload)).catch(wrong)
  } catch (error) {
    wrong(error)
  }
}

/**
 * Calls `listener` with each event of that type ('*': all) from now on. Answers a function that ends it;
 * its promise `ready` resolves when the listener hears what comes next.
 */
function onQueueEvent(type, listener) {
  let isOver = false
  let native_listener = null
  const ready = session().then(async ({ handle }) => {
    native_listener = await native.listen(handle, type === '*' ? '' : spelled[type] ?? type, (event) => {
      if (!isOver) call(listener, payloadOf(event))
    })
    if (isOver) native.unlisten(native_listener)
  })
  ready.catch((error) => console.error(`listening to ${type}: ${error.message}`))
  const off = () => {
    isOver = true
    if (native_listener) native.unlisten(native_listener)
  }
  return Object.assign(off, { ready })
}

module.exports = { onQueueEvent }
