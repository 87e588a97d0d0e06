// Workers on the loop of this process.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { begin, errand, stored, until } from './support.mjs'

const { Job, dispatch, chain, batch, registerJob, QueueWorker, WorkerManager, FailedJobManager, onQueueEvent } = errand

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const block = (ms) => { for (const end = Date.now() + ms; Date.now() < end;); }

/** Works until nothing is ready. */
async function workAll(options) {
  const worker = new QueueWorker({ stopWhenEmpty: true, ...options })
  await worker.start()
  await worker.wait()
  return worker
}

test('a job runs once, with the data it was dispatched with, and leaves its result', async () => {
  const seen = []
  await begin()
  registerJob('process-order', { handle: (data, context) => { seen.push(data); context.log('at it'); return { ok: 1 } } })
  const id = await dispatch('process-order', { orderId: 123, list: [1e20, '\u0000'] })
  await workAll()
  assert.deepEqual(seen, [{ orderId: 123, list: [1e20, '\u0000'] }])
  const { job, attempts } = await stored(id)
  assert.deepEqual([job.state, job.attempts, job.result, attempts[0].log], ['completed', 1, '{"ok":1}', 'at it'])
  const { metrics } = await errand.checkQueueHealth()
  assert.deepEqual([metrics.done, metrics.failedInWindow, metrics.errorRate], [1, 0, 0])
})

test('one at a time they run in the order they were dispatched in', async () => {
  const seen = []
  await begin()
  registerJob('count', { handle: (n) => void seen.push(n) })
  await errand.dispatchBulk(Array.from({ length: 300 }, (_, data) => ({ job: 'count', data })))
  await workAll()
  assert.deepEqual(seen, Array.from({ length: 300 }, (_, i) => i))
})

test('as many run at a time as a worker has places, each queue for itself', async () => {
  await begin()
  const now = {}, most = {}
  registerJob('busy', {
    async handle(_, { queue }) {
      now[queue] = (now[queue] ?? 0) + 1
      most[queue] = Math.max(most[queue] ?? 0, now[queue])
      await sleep(20)
      now[queue]--
    },
  })
  for (const queue of ['default', 'emails', 'reports'])
    await errand.dispatchBulk(Array.from({ length: 12 }, () => ({ job: 'busy', queue })))
  const manager = new WorkerManager()
  manager.addWorker('default', { concurrency: 3 })
  manager.addWorker('emails', { concurrency: 2 })
  manager.addWorker('reports', { concurrency: 1 })
  await manager.start()
  await until(async () => (await errand.checkQueueHealth()).metrics.completed === 36)
  await manager.stop()
  assert.deepEqual(most, { default: 3, emails: 2, reports: 1 })
  assert.equal(manager.isRunning, false)
})

test('queues are strict, left first', async () => {
  const seen = []
  await begin()
  registerJob('note', { handle: (_, { queue }) => void seen.push(queue) })
  for (const queue of ['low', 'default', 'high', 'other']) await errand.dispatchBulk([{ job: 'note', queue }, { job: 'note', queue }])
  await workAll({ queues: 'high,default,low' })
  assert.deepEqual(seen, ['high', 'high', 'default', 'default', 'low', 'low'])
})

test('a worker ends after maxJobs attempts', async () => {
  await begin()
  let n = 0
  registerJob('one', { handle: () => void n++ })
  await errand.dispatchBulk(Array.from({ length: 15 }, () => ({ job: 'one' })))
  await workAll({ maxJobs: 10, concurrency: 4 })
  assert.equal(n, 10)
  assert.equal((await errand.checkQueueHealth()).metrics.pending, 5)
})

test('what fails is tried again, and failed() is called once with the error it ended with', async () => {
  const calls = []
  class Breaks extends Job {
    tries = 3
    backoff = 0
    handle() { calls.push('handle'); throw new TypeError('it broke') }
    failed(error, data) { calls.push([error.name, error.message, data]); throw new Error('inside') }
  }
  await begin()
  const id = await Breaks.dispatch({ userId: 1 })
  const warnings = []
  await workAll({ onWarning: (text) => warnings.push(text) })
  assert.deepEqual(calls, ['handle', 'handle', 'handle', ['TypeError', 'it broke', { userId: 1 }]])
  assert.match(warnings.join(), /failed\(\) of Breaks went wrong: inside/)
  const manager = new FailedJobManager()
  const [failed] = await manager.all()
  assert.deepEqual([failed.id, failed.attempts, failed.exception, failed.data], [id, 3, 'TypeError: it broke', { userId: 1 }])
  assert.match((await manager.find(id)).history[0].log, /worker.test.mjs/)
  await errand.retryFailedJob(id)
  assert.deepEqual([(await stored(id)).job.state, (await stored(id)).job.attempts], ['ready', 0])
  await assert.rejects(errand.retryFailedJob('nobody'), { code: 'ENOTFOUND' })
  await workAll({ onWarning() {} })
  assert.equal(await errand.executeFailedJobs(), 1)
  await workAll({ onWarning() {} })
  assert.equal(await manager.delete(id), true)
  assert.equal(await manager.delete(id), false)
  assert.equal(await manager.flush(), 0)
})

test('a handler that overruns its time is settled without it', async () => {
  const told = []
  let isReturned = 0
  class Slow extends Job {
    tries = 2
    timeout = 0.3
    backoff = 0
    async handle() { await sleep(700); isReturned++; return 'late' }
    timedOut(data) { told.push(data) }
  }
  await begin()
  const id = await Slow.dispatch({ n: 1 })
  const worker = await new QueueWorker({ concurrency: 2 }).start()
  await until(async () => (await stored(id)).job.state === 'failed')
  await until(() => isReturned === 2)
  await worker.stop()
  assert.deepEqual(told, [{ n: 1 }, { n: 1 }])
  const [failed] = await new FailedJobManager().all()
  assert.deepEqual([failed.error.name, failed.attempts], ['JobTimeoutError', 2])
})

test('leases are kept while the loop is blocked, and what has not begun goes to others', async () => {
  await begin()
  const seen = []
  class Blocks extends Job {
    tries = 1
    handle(n) { seen.push(n); if (n === 0) block(2500) }
  }
  const ids = await errand.dispatchBulk([0, 1, 2].map((data) => ({ job: Blocks, data })))
  await workAll({ concurrency: 3, lease: 1 })
  assert.deepEqual([...seen].sort(), [0, 1, 2])
  for (const id of ids) assert.deepEqual([(await stored(id)).job.state, (await stored(id)).job.attempts], ['completed', 1])
})

test('one that blocked longer than its time has not completed, whatever it says', async () => {
  await begin()
  class TooLong extends Job {
    tries = 1
    timeout = 0.3
    handle() { block(1000); return 'done' }
  }
  const id = await TooLong.dispatch()
  const worker = await new QueueWorker().start()
  await until(async () => (await stored(id)).job.state === 'failed')
  await worker.stop()
  assert.match((await stored(id)).job.error, /timed out after 0.3 s/)
})

test('stop lets what runs end, and hands back what does not', async () => {
  await begin()
  const seen = []
  registerJob('quick', { handle: async () => { await sleep(200); seen.push('quick') } })
  registerJob('endless', { handle: (_, { signal }) => new Promise((resolve) => signal.addEventListener('abort', () => { seen.push(signal.reason.message); resolve() })) })
  const quick = await dispatch('quick')
  const endless = await dispatch('endless')
  const worker = await new QueueWorker({ concurrency: 2, grace: 0.5 }).start()
  await until(() => worker.active === 2)
  await worker.stop()
  assert.deepEqual([(await stored(quick)).job.state, (await stored(endless)).job.state], ['completed', 'ready'])
  assert.equal((await stored(endless)).job.attempts, 0)
  await until(() => seen.length === 2)
  assert.deepEqual(seen, ['quick', 'the worker stops'])
})

test('snooze gives the try back, fail is for good, retryIn says when', async () => {
  await begin()
  let n = 0
  registerJob('later', { handle: (_, context) => n++ || context.snooze(0.01) })
  registerJob('never', { handle: (_, context) => context.fail('bad data') })
  registerJob('busy-server', { handle: (_, context) => context.retryIn(90) })
  const [later, never, busy] = [await dispatch('later'), await dispatch('never'), await dispatch('busy-server')]
  const worker = await new QueueWorker().start()
  await until(async () => (await stored(later)).job.state === 'completed')
  await until(async () => (await stored(busy)).job.state === 'scheduled')
  await worker.stop()
  assert.equal((await stored(later)).job.attempts, 1)
  assert.deepEqual([(await stored(never)).job.state, (await stored(never)).job.attempts], ['failed', 1])
  assert.ok((await stored(busy)).job.runAtMs - Date.now() > 60000)
})

test('a chain runs in order and stops at a link that fails', async () => {
  await begin()
  const seen = []
  registerJob('link', { tries: 1, handle: (n) => { seen.push(n); if (n === 2) throw new Error('no') } })
  registerJob('caught', { handle: () => void seen.push('caught') })
  const id = await chain().add('link', 1).add('link', 2).add('link', 3).catch('caught').dispatch()
  await workAll({ concurrency: 2 })
  assert.deepEqual(seen, [1, 2, 'caught'])
  const found = await errand.findBatch(id)
  assert.deepEqual([found.successful, found.failed, found.cancelled], [1, 1, 1])
})

test('a batch resolves when it has ended, and calls what was said', async () => {
  await begin()
  const seen = []
  registerJob('process-user', { tries: 1, handle: ({ userId }) => { if (userId === 2) throw new Error('no such user') } })
  const worker = await new QueueWorker({ concurrency: 1 }).start()
  const jobs = [1, 2, 3].map((userId) => ({ job: 'process-user', data: { userId } }))
  const call = (name) => (what) => void seen.push([name, Array.isArray(what) ? what.map((each) => each.data.userId) : what.total])
  const run = (allow) => batch(jobs).allowFailures(allow).onSuccess(call('success')).onFailure(call('failure')).finally(call('finally')).dispatch()
  const allowed = await run(true)
  assert.deepEqual([allowed.total, allowed.successful, allowed.failed], [3, 2, 1])
  const strict = await run(false)
  assert.deepEqual([strict.successful, strict.failed, strict.cancelled], [1, 1, 1])
  assert.deepEqual(seen, [['failure', [2]], ['finally', 3], ['failure', [2]], ['finally', 3]])
  const good = await batch(jobs.slice(0, 1)).onSuccess(call('success')).dispatch()
  assert.deepEqual([good.total, good.successful, seen.at(-1)], [1, 1, ['success', 1]])
  await worker.stop()
})

test('events are told in their order; a listener that throws changes nothing', async () => {
  await begin()
  const told = []
  const off = onQueueEvent('*', (event) => { if (event.type.startsWith('job:')) told.push(event) })
  const bad = onQueueEvent('job:started', () => { throw new Error('of the listener') })
  const error = console.error
  console.error = () => {}
  await off.ready
  await bad.ready
  let n = 0
  registerJob('twice', { tries: 2, backoff: 0, handle: () => { if (n++ === 0) throw new Error('first') } })
  const id = await dispatch('twice')
  await workAll()
  await until(() => told.length >= 5)
  console.error = error
  assert.deepEqual(told.map((event) => event.type), ['job:dispatched', 'job:started', 'job:retrying', 'job:started', 'job:completed'])
  assert.deepEqual([told[2].attempt, told[2].error.message, told.every((event) => event.jobId === id)], [2, 'first', true])
  assert.ok(told[4].duration >= 0)
  off()
  bad()
})

test('a rate limit lets wait what is over it, without a try', async () => {
  await begin()
  let n = 0
  class Limited extends Job {
    middleware = [new errand.RateLimitMiddleware({ key: 'notifications', maxAttempts: 5, decaySeconds: 1 })]
    handle() { n++ }
  }
  await errand.dispatchBulk(Array.from({ length: 8 }, () => ({ job: Limited })))
  const worker = await new QueueWorker({ concurrency: 4 }).start()
  await until(() => n === 5)
  await sleep(200)
  assert.equal(n, 5)
  await until(() => n === 8)
  await worker.stop()
  assert.equal(await new FailedJobManager().count(), 0)
})

test('a job without a class here fails its attempt with the names there are', async () => {
  await begin()
  const id = await dispatch('stranger', null, { tries: 1 })
  await workAll()
  assert.match((await stored(id)).job.error, /there is no job 'stranger'/)
})

test('a worker on a store that cannot be opened does not start', async () => {
  await errand.configure({ url: 'sqlite:/nowhere/at/all.db' })
  await assert.rejects(new QueueWorker().start(), (error) => /nowhere/.test(error.message))
  assert.equal((await errand.checkQueueHealth()).status, 'unhealthy')
})

test('whatever a handler throws or asks for, its attempt ends and says why', async () => {
  await begin()
  const handlers = {
    nothing: () => { throw undefined },
    zero: () => { throw new Error('a\0b') },
    text: (_, context) => context.snooze('10'),
    past: (_, context) => context.snooze(-3),
  }
  const ids = {}
  for (const [name, handle] of Object.entries(handlers)) {
    registerJob(name, { handle })
    ids[name] = await dispatch(name, {}, { tries: 1 })
  }
  registerJob('lines', { handle: (_, context) => context.log('x\0y') })
  const logged = await dispatch('lines')
  await workAll({ concurrency: 5, onWarning() {} })
  const errors = { nothing: /^undefined$/, zero: /^a\uFFFDb$/, text: /a number, not a string/, past: /-3 s, not from 0/ }
  for (const name in handlers) {
    const { job } = await stored(ids[name])
    assert.equal(job.state, 'failed', name)
    assert.match(job.error, errors[name])
  }
  assert.equal((await stored(logged)).attempts[0].log, 'x\uFFFDy')
})

test('what a handler of before says means nothing to the worker that was started again', async () => {
  await begin()
  let endOld, endNew
  registerJob('old', { handle: () => new Promise((resolve) => { endOld = resolve }) })
  registerJob('new', { handle: () => new Promise((resolve) => { endNew = resolve }) })
  const id = await dispatch('old')
  const worker = new QueueWorker({ queues: 'default' })
  await worker.start()
  await until(() => endOld)
  await worker.stop({ now: true })
  assert.equal((await stored(id)).job.state, 'ready')
  worker.options.queues = 'other'
  const other = await dispatch('new', {}, { queue: 'other' })
  await worker.start()
  await until(() => endNew)
  endOld()
  await sleep(200)
  assert.equal((await stored(other)).job.state, 'running')
  endNew({ ok: 1 })
  await until(async () => (await stored(other)).job.state === 'completed')
  assert.equal((await stored(other)).job.result, '{"ok":1}')
  await worker.stop()
})

test('one that cannot start, and one that is started twice, say so', async () => {
  await begin()
  const manager = new WorkerManager()
  manager.addWorker('default', { concurrency: 0 })
  await assert.rejects(manager.start(), { code: 'EINVAL' })
  const worker = new QueueWorker()
  const [first, second] = await Promise.allSettled([worker.start(), worker.start()])
  assert.deepEqual([first.status, second.reason?.code], ['fulfilled', 'ECONFLICT'])
  await worker.stop()
})
