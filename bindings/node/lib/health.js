// health.js: whether the queues are well.
'use strict'

const native = require('./native.js')
const { settings, project } = require('./session.js')
const { session } = require('./session.js')

/** The status and the numbers behind it. A store that does not answer is unhealthy, and no exception. */
async function checkQueueHealth(limits) {
  const open = await session().catch(() => null)
  if (open) return told(await native.health(open.handle, limits))
  const handle = native.open(settings.url, project(), settings.config)
  return told(await native.health(handle, limits).finally(() => native.close(handle)))
}

function told({ nowMs, alerts, ...health }) {
  const warnings = alerts.map((alert) => alert.message)
  return { ...health, alerts, warnings, timestamp: new Date(nowMs) }
}

/** Only true when all is well. */
async function isQueueHealthy(limits) {
  return (await checkQueueHealth(limits)).status === 'healthy'
}

const statusCodes = { healthy: 200, degraded: 207, unhealthy: 503 }

/** For an HTTP server: answers health as JSON, with 200, 207 or 503. */
function healthHandler(limits) {
  return async (request, response) => {
    const health = await checkQueueHealth(limits)
    const body = JSON.stringify(health)
    if (!response) return new Response(body, { status: statusCodes[health.status], headers: { 'content-type': 'application/json' } })
    response.writeHead(statusCodes[health.status], { 'content-type': 'application/json' })
    response.end(body)
  }
}

module.exports = { checkQueueHealth, isQueueHealthy, healthHandler }
