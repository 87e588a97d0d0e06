// Fakes and runTestJob, as a test of an application uses them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { begin, errand } from './support.mjs'

const { dispatch, dispatchSync, dispatchAfter, chain, batch, job, fake, getFakeQueue, restore, runTestJob, Job } = errand

const SendWelcomeEmail = `export default class SendWelcomeEmail extends Job {
  queue = 'emails'
  async handle(data) { if (!data.userId) throw new Error('no user'); return data.userId }
}`

test('a fake records and stores nothing, until it is restored', async () => {
  await begin({ 'app/Jobs/SendWelcomeEmail.mjs': SendWelcomeEmail })
  fake()
  await dispatch('SendWelcomeEmail', { userId: 1 })
  const queue = getFakeQueue()
  assert.equal(queue.hasDispatched('send-welcome-email'), true)
  assert.deepEqual(queue.dispatched('SendWelcomeEmail')[0].data, { userId: 1 })
  assert.equal(queue.dispatched('SendWelcomeEmail')[0].queue, 'emails')
  restore()
  restore()
  assert.equal(getFakeQueue(), null)
  assert.equal((await errand.checkQueueHealth()).metrics.pending, 0)
  await dispatch('SendWelcomeEmail', { userId: 1 })
  assert.equal((await errand.checkQueueHealth()).metrics.pending, 1)
})

test('every way of dispatching is seen by a fake', async () => {
  await begin({ 'app/Jobs/SendWelcomeEmail.mjs': SendWelcomeEmail })
  const queue = fake()
  queue.assertNothingDispatched()
  await job('SendWelcomeEmail').dispatch({ userId: 1 })
  assert.equal(await dispatchSync('SendWelcomeEmail', {}), undefined)
  await dispatchAfter(60, 'Later', {})
  await chain().add('A').add('B').dispatch()
  assert.equal((await batch([{ job: 'C' }, { job: 'D' }]).dispatch()).total, 2)
  queue.assertDispatchedTimes('SendWelcomeEmail', 2)
  queue.assertPushedWithDelay('Later', 60)
  queue.assertChained(['A', 'B'])
  queue.assertBatched(['D', 'C'])
  queue.assertPushedOn('SendWelcomeEmail', 'emails')
  queue.assertNotDispatched('E')
  assert.throws(() => queue.assertDispatchedTimes('SendWelcomeEmail', 3), /2 times, not 3/)
  assert.throws(() => queue.assertChained(['B', 'A']), /no chain/)
  assert.throws(() => queue.assertDispatched('E'), /not dispatched/)
  restore()
})

test('runTestJob runs one attempt and never throws for what the handler does', async () => {
  await begin({ 'app/Jobs/SendWelcomeEmail.mjs': SendWelcomeEmail })
  const good = await runTestJob('SendWelcomeEmail', { userId: 1 })
  assert.deepEqual([good.success, good.result], [true, 1])
  const bad = await runTestJob('SendWelcomeEmail', {})
  assert.deepEqual([bad.success, bad.error.message], [false, 'no user'])
  const slow = await runTestJob(class Slow extends Job {
    timeout = 0.02
    handle(data, { signal }) { return new Promise((resolve) => signal.addEventListener('abort', resolve)) }
  })
  assert.deepEqual([slow.success, slow.timedOut, slow.error.name], [false, true, 'JobTimeoutError'])
  await assert.rejects(runTestJob('Nobody', {}), { code: 'ENOTFOUND' })
})

test('middleware stands around the handler, outermost first, and may leave it out', async () => {
  const steps = []
  const step = (name) => async (context, next) => {
    steps.push(`${name} ${context.data}`)
    const left = await next()
    steps.push(`${name} ${left}`)
    return left + 1
  }
  class Around extends Job {
    middleware = [step('a'), { handle: step('b') }, new errand.SkipIfMiddleware((data) => data === 'skip')]
    handle() { return 1 }
  }
  assert.equal((await runTestJob(Around, 'x')).result, 3)
  assert.deepEqual(steps, ['a x', 'b x', 'b 1', 'a 2'])
  class Skipped extends Job {
    middleware = [new errand.SkipIfMiddleware((data) => data.skip)]
    handle() { throw new Error('not skipped') }
  }
  assert.deepEqual((await runTestJob(Skipped, { skip: true })).result, { skipped: 'skip-if' })
})
