// Jobs cross languages: what the command dispatches is worked here, what is dispatched here is worked by the
// command, and a chain goes back and forth.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { errand, projectMake, stored } from './support.mjs'

const command = process.env.ERRAND_COMMAND

const files = {
  'errand.yml': 'url: sqlite:mix.db\ndefaults: { tries: 2 }\n',
  'app/Jobs/in-shell.sh': '#!/bin/sh\n# errand: queue=shell tries=4\ncat\nprintf \'{"from":"shell"}\' >&3\n',
  'app/Jobs/InScript.mjs': `export default class InScript extends Job {
  queue = 'script'
  middleware = [new UniqueJobMiddleware({ key: 'n:{n}' })]
  handle(data) { return { from: 'script', ...data } }
}`,
}

function begin() {
  const folder = projectMake(files)
  fs.chmodSync(path.join(folder, 'app/Jobs/in-shell.sh'), 0o755)
  return folder
}

function call(folder, ...args) {
  const done = spawnSync(command, args, { cwd: folder, encoding: 'utf8', timeout: 30000 })
  assert.equal(done.status, 0, `errand ${args.join(' ')}: ${done.stderr}`)
  return done.stdout
}

const workShell = (folder) => call(folder, 'queue:work', '--queue=shell', '--stop-when-empty')

async function workScript() {
  const worker = new errand.QueueWorker({ queues: 'script', stopWhenEmpty: true })
  await worker.start()
  await worker.wait()
}

test('what is dispatched here is worked by the command, by the options of its file', async () => {
  const folder = begin()
  await errand.configure({ folder })
  call(folder, 'queue:dispatch', 'in-shell', '{"from":"command"}')
  const id = await errand.dispatch('InShell', { n: 1 })
  const { job } = await stored(id)
  assert.deepEqual([job.queue, job.tries], ['shell', 4])
  workShell(folder)
  const { job: done, attempts } = await stored(id)
  assert.deepEqual([done.state, done.result, attempts[0].log], ['completed', '{"from":"shell"}', '{"n":1}'])
})

test('what the command dispatches is worked here, by the options and the key of its class', async () => {
  const folder = begin()
  await errand.configure({ folder })
  await errand.findBatch('none').catch(() => {}) // the store is told of the jobs
  const ids = [1, 1, 2].map((n) => call(folder, 'queue:dispatch', 'in-script', JSON.stringify({ n })).trim().split(/\s/).pop())
  const health = await errand.checkQueueHealth()
  assert.equal(health.queues.find((queue) => queue.name === 'script').pending, 2)
  await workScript()
  const { job } = await stored(ids[2])
  assert.deepEqual([job.state, job.tries, job.result], ['completed', 2, '{"from":"script","n":2}'])
})

test('a chain goes from one language to the other and back', async () => {
  const folder = begin()
  await errand.configure({ folder })
  workShell(folder) // tells the store what the files of its jobs say
  const id = await errand.chain().add('in-shell', { n: 1 }).add('in-script', { n: 2 }).add('in-shell', { n: 3 }).dispatch()
  for (let i = 0; i < 3; i++) i % 2 ? await workScript() : workShell(folder)
  const found = await errand.waitForBatch(id, { timeout: 10 })
  assert.deepEqual([found.successful, found.total], [3, 3])
})

test('who waits for a batch that nobody works is told when the time is over', async () => {
  await errand.configure({ folder: begin() })
  const id = await errand.chain().add('in-shell', { n: 1 }).add('in-script', { n: 2 }).dispatch()
  await assert.rejects(errand.waitForBatch(id, { timeout: 0.3 }), { code: 'ETIMEOUT' })
  await assert.rejects(errand.waitForBatch(id, { timeout: 0 }), { code: 'ETIMEOUT' })
})
