// errors.js: what goes wrong, as classes.
'use strict'

/** Whatever errand has to say: the code of errand/error.h, and whether it may work later. */
class ErrandError extends Error {
  constructor(message, code = 'EINVAL', retryable = false) {
    super(message)
    this.name = 'ErrandError'
    this.code = code
    this.retryable = retryable
  }
}

/** An attempt took longer than its time-out. */
class JobTimeoutError extends ErrandError {
  constructor(seconds) {
    super(`timed out after ${seconds} s`, 'ETIMEOUT', true)
    this.name = 'JobTimeoutError'
  }
}

/** Thrown by a handler: no retry helps, the job has failed. */
class JobFailedError extends ErrandError {
  constructor(message) {
    super(message, 'EJOB')
    this.name = 'JobFailedError'
  }
}

module.exports = { ErrandError, JobTimeoutError, JobFailedError }
