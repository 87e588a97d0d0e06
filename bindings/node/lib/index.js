// index.js: the package, as require() gives it. index.mjs is the door for import; the same objects.
'use strict'

const { ErrandError, JobTimeoutError, JobFailedError } = require('./errors.js')
const { useMiddleware, storedOf, around, ...middleware } = require('./middleware.js')
const { dispatch, dispatchIf, dispatchUnless, dispatchAfter, dispatchBulk, dispatchSync, job } = require('./dispatch.js')
const { chain, batch, waitForBatch, waitForJob, findBatch, cancelBatch } = require('./flow.js')
const { configure, close, registerJob } = require('./session.js')
const testing = require('./fake.js')
const { Job } = require('./jobs.js')
const { JobContext } = require('./run.js')

module.exports = {
  Job, JobContext, ErrandError, JobTimeoutError, JobFailedError,
  dispatch, dispatchIf, dispatchUnless, dispatchAfter, dispatchBulk, dispatchSync, job,
  chain, batch, waitForBatch, waitForJob, findBatch, cancelBatch,
  configure, close, registerJob,
  useMiddleware, ...middleware,
  ...require('./failed.js'),
  ...require('./health.js'),
  ...require('./events.js'),
  ...require('./schedule.js'),
  ...require('./worker.js'),
  ...testing,
}
