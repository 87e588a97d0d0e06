// Every way of handing out a job, and what a class says of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { begin, errand, stored } from './support.mjs'

const { Job, dispatch, dispatchSync, dispatchIf, dispatchUnless, dispatchAfter, dispatchBulk, job, chain, batch, findBatch } = errand

const SendWelcomeEmail = `
import { Job } from '@stacksjs/queue'
export default class SendWelcomeEmail extends Job {
  queue = 'emails'
  tries = 3
  backoff = 60
  timeout = 120
  async handle(data) { return { sent: data.userId } }
}`

test('a job without a class is stored with the defaults', async () => {
  await begin()
  const { job } = await stored(await dispatch('process-order', { orderId: 123 }))
  assert.deepEqual([job.name, job.queue, job.state, job.attempts, job.data], ['process-order', 'default', 'ready', 0, '{"orderId":123}'])
})

test('what a class in app/Jobs says holds when it is dispatched, under any spelling', async () => {
  await begin({ 'app/Jobs/SendWelcomeEmail.mjs': SendWelcomeEmail })
  for (const name of ['SendWelcomeEmail', 'send-welcome-email', 'send_welcome_email']) {
    const { job: found } = await stored(await job(name).dispatch({ userId: 1 }))
    assert.deepEqual([found.queue, found.tries], ['emails', 3])
  }
  assert.equal((await stored(await job('X', { a: 1 }).dispatch())).job.data, '{"a":1}')
})

test('inherited members count, and the last of two wins', async () => {
  class Base extends Job {
    queue = 'base'
    handle() {}
  }
  class Child extends Base {
    tries = 2
    tries = 5
  }
  await begin()
  const { job } = await stored(await Child.dispatch({}))
  assert.deepEqual([job.name, job.queue, job.tries], ['Child', 'base', 5])
})

test('the call wins over the class', async () => {
  await begin({ 'app/Jobs/SendWelcomeEmail.mjs': SendWelcomeEmail })
  const { job: found } = await stored(await job('SendWelcomeEmail').onQueue('slow').tries(7).priority(-3).delay(60).dispatch({ userId: 1 }))
  assert.deepEqual([found.queue, found.tries, found.priority, found.state], ['slow', 7, -3, 'scheduled'])
})

test('dispatchSync answers what the handler left, stores nothing, and throws what it threw', async () => {
  const own = new TypeError('of its own')
  class Throws extends Job {
    static calls = 0
    handle() { throw own }
    failed() { Throws.calls++ }
  }
  await begin({ 'app/Jobs/SendWelcomeEmail.mjs': SendWelcomeEmail })
  assert.deepEqual(await dispatchSync('send-welcome-email', { userId: 7 }), { sent: 7 })
  await assert.rejects(dispatchSync(Throws), (error) => error === own)
  assert.equal(Throws.calls, 0)
  assert.equal((await errand.checkQueueHealth()).metrics.pending, 0)
  await assert.rejects(dispatchSync('nobody'), { code: 'ENOTFOUND' })
})

test('dispatchSync ends after the time-out of the class and calls timedOut', async () => {
  class Slow extends Job {
    static told = null
    timeout = 0.05
    async handle(data, context) {
      await new Promise((resolve) => setTimeout(resolve, 5000, context.signal.addEventListener('abort', resolve)).unref())
    }
    timedOut(data) { Slow.told = data }
  }
  await begin()
  await assert.rejects(dispatchSync(Slow, { n: 1 }), { name: 'JobTimeoutError', code: 'ETIMEOUT' })
  assert.deepEqual(Slow.told, { n: 1 })
})

test('a condition that says no stores nothing and looks at nothing', async () => {
  await begin()
  const trap = new Proxy({}, { get() { throw new Error('looked at') }, ownKeys() { throw new Error('looked at') } })
  assert.equal(await dispatchIf(false, 'a', trap), null)
  assert.equal(await dispatchUnless(true, 'a', trap), null)
  assert.ok(await dispatchIf(true, 'a', {}))
  assert.ok(await dispatchUnless(false, 'a', {}))
  assert.equal((await errand.checkQueueHealth()).metrics.pending, 2)
})

test('dispatchAfter takes seconds or an instant; the past is now, and no number is an error', async () => {
  await begin()
  const at = async (delay) => (await stored(await dispatchAfter(delay, 'a', {}))).job
  const soon = await at(60)
  assert.equal(soon.state, 'scheduled')
  assert.ok(Math.abs(soon.runAtMs - Date.now() - 60000) < 5000)
  assert.equal((await at(new Date('2999-12-25T00:00:00Z'))).runAtMs, Date.parse('2999-12-25T00:00:00Z'))
  for (const past of [0, -5, new Date('2024-12-25T00:00:00Z')]) assert.equal((await at(past)).state, 'ready')
  for (const wrong of [NaN, 'soon', undefined, new Date('never')]) await assert.rejects(dispatchAfter(wrong, 'a', {}), { name: 'ErrandError' })
})

test('many are stored in one transaction, all or none', async () => {
  await begin()
  const ids = await dispatchBulk([{ job: 'a', data: 1 }, { job: 'b', data: 2, options: { queue: 'q' } }])
  assert.deepEqual([(await stored(ids[0])).job.data, (await stored(ids[1])).job.queue], ['1', 'q'])
  await assert.rejects(dispatchBulk([{ job: 'a' }, { job: '' }]), { code: 'EINVAL' })
  assert.equal((await errand.checkQueueHealth()).metrics.pending, 2)
})

test('a key that the data gives, by template or by function, admits one job', async () => {
  const { UniqueJobMiddleware } = errand
  class ByFunction extends Job {
    middleware = [new UniqueJobMiddleware({ key: (data) => `order:${data.orderId}`, ttl: 3600 })]
    handle() {}
  }
  class ByTemplate extends Job {
    middleware = [new UniqueJobMiddleware({ key: 'order:{orderId}', ttl: 3600 })]
    handle() {}
  }
  await begin()
  for (const each of [ByFunction, ByTemplate]) {
    const first = await each.dispatch({ orderId: 7 })
    const same = await Promise.all(Array.from({ length: 20 }, () => each.dispatch({ orderId: 7 })))
    assert.deepEqual(new Set(same), new Set([first]))
    assert.notEqual(await each.dispatch({ orderId: 8 }), first)
  }
  assert.equal((await errand.checkQueueHealth()).metrics.pending, 4)
})

test('a chain is stored whole, and empty ones are refused', async () => {
  await begin()
  const id = await chain().add('validate-order', { orderId: 1 }).add('process-payment', { orderId: 1 }).dispatch()
  const found = await findBatch(id)
  assert.deepEqual([found.kind, found.total, found.pending], ['chain', 2, 2])
  await assert.rejects(chain().dispatch(), { code: 'EINVAL' })
  await assert.rejects(batch([]).dispatch(), { code: 'EINVAL' })
  assert.equal(chain().then, undefined)
  assert.equal(batch().then, undefined)
})

test('a wrong option names itself', async () => {
  await begin()
  await assert.rejects(dispatch('a', {}, { trie: 1 }), /there is no 'trie'/)
  await assert.rejects(dispatch('a', {}, { tries: 'many' }), /options.tries is a number, not a string/)
  await assert.rejects(dispatch('a', {}, { backoffStrategy: 'wild' }), /linear, exponential/)
  await assert.rejects(dispatch('a', {}, { timeout: -1 }), { code: 'EINVAL' })
})

test('what is wrong with one file is told of its job, and holds up no other', async () => {
  await begin({
    'app/Jobs/Bare.mjs': 'export default class Bare {}',
    'app/Jobs/Broken.mjs': 'export default class Broken {\n  handle( {\n}',
    'app/Jobs/Good.mjs': 'export default class Good { handle() { return 1 } }',
    'app/Jobs/good.js': 'module.exports = class Good { handle() {} }',
    'app/Jobs/Never.mjs': "export default class Never { schedule = '61 * * * *'; handle() {} }",
  })
  await assert.rejects(dispatch('bare'), /app\/Jobs\/Bare.mjs: class Bare has no method handle/)
  await assert.rejects(dispatch('broken'), /app\/Jobs\/Broken.mjs/)
  await assert.rejects(dispatch('never'), /app\/Jobs\/Never.mjs: .*61/)
  assert.equal(await dispatchSync('Good'), 1)
})
