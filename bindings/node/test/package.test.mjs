// Both doors open on one room, and the types say what is in it.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { errand, packageFolder, projectMake, run } from './support.mjs'

const required = createRequire(path.join(packageFolder, 'package.json'))('./lib/index.js')

const tsc = process.env.ERRAND_SOURCE && !process.versions.bun && [path.join(process.env.ERRAND_SOURCE, 'bindings/node/node_modules/typescript/bin/tsc')].find((file) => fs.existsSync(file))

test('import and require give the same objects', () => {
  assert.deepEqual(Object.keys(errand).filter((name) => name !== 'default').sort(), Object.keys(required).sort())
  for (const name of Object.keys(required)) assert.equal(errand[name], required[name])
})

test('the types name what the package has, and nothing else', () => {
  const types = fs.readFileSync(path.join(packageFolder, 'lib', 'index.d.ts'), 'utf8')
  const said = [...types.matchAll(/^export (?:declare )?(?:function|class|const) (\w+)/gm)].map((found) => found[1])
  assert.deepEqual([...new Set(said)].sort(), Object.keys(required).sort())
})

test('the types are well, and catch what is wrong', { skip: tsc ? false : 'the package typescript is not there: npm install in bindings/node' }, () => {
  const usage = `import { Job, dispatch, QueueWorker, type JobContext } from 'errand-queue'
class SendMail extends Job { tries = 3; backoff = [1, 2]; async handle(data: { to: number }, context: JobContext) { context.log(data.to) } }
const id: string = await dispatch(SendMail, { to: 1 }, { queue: 'mails', delay: 5 })
await new QueueWorker({ queues: ['mails'], concurrency: 2 }).start()
`
  const folder = projectMake({ 'good.ts': usage, 'bad.ts': `${usage}await dispatch('a', {}, { trie: 1 })
`, 'package.json': '{"type":"module"}' })
  const check = (file) => run(folder, tsc, { args: ['--no-warnings'], more: ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2022,dom', file] })
  assert.equal(check('good.ts').out, '')
  assert.match(check('bad.ts').out, /bad.ts\(5,.*'trie'/)
})

test('a program ends by itself when nothing is asked for any more', () => {
  const folder = projectMake({
    'all.mjs': `import { dispatch, onQueueEvent, startScheduler } from 'errand-queue'
await onQueueEvent('*', () => {}).ready
await startScheduler()
console.log(typeof (await dispatch('a', {})))`,
    'none.cjs': `console.log(typeof require('@stacksjs/queue').dispatch)`,
  })
  assert.deepEqual(run(folder, 'all.mjs'), { code: 0, signal: null, out: 'string\n', err: '' })
  assert.deepEqual(run(folder, 'none.cjs'), { code: 0, signal: null, out: 'function\n', err: '' })
  assert.ok(fs.existsSync(path.join(folder, 'errand.db')))
})

test('worker threads come and go', async () => {
  const folder = projectMake()
  const program = `const { configure, dispatch } = require(${JSON.stringify(path.join(packageFolder, 'lib', 'index.js'))})
configure({ url: ${JSON.stringify(`sqlite:${folder}/threads.db`)} }).then(() => dispatch('a', {})).then(() => process.exit(0))`
  for (let i = 0; i < 10; i++) {
    const worker = new Worker(program, { eval: true })
    assert.equal(await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject)), 0)
  }
})
