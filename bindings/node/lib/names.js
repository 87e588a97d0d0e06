// names.js: how jobs are called.
'use strict'

const { ErrandError } = require('./errors.js')

/** Names that mean the same have one key: case and separators make no difference. */
function nameKey(name) {
  return name.replace(/[-_.:/]/g, '').toLowerCase()
}

/** The name of a job that is given by name, by class, or as an object with a name. */
function nameOf(job) {
  if (typeof job === 'string') return job
  const name = job && (job.jobName || job.name || (job.constructor !== Object && job.constructor?.name))
  if (typeof name === 'string' && name) return name
  throw new ErrandError('a job is given by its name or its class')
}

module.exports = { nameKey, nameOf }
