// The blocks of a page run as they stand: each is a file of a project, with what it takes from its host as small
// fakes. The page is docs/guide/typescript.md, and the one in ../shared/mission where that is there.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { projectMake, run } from './support.mjs'

const source = process.env.ERRAND_SOURCE
const bun = process.env.ERRAND_BUN
const tools = createRequire(path.join(source, 'bindings', 'node', 'package.json'))
const typescript = (() => {
  try {
    return tools('typescript')
  } catch {
    return null
  }
})()

/** Node as it is runs no TypeScript before 22.18: the blocks are stripped of their types by the compiler. */
const runtimes = [
  bun && { name: 'Bun', exec: bun, ext: '.ts', text: (ts) => ts },
  typescript && {
    name: 'Node', exec: process.execPath, ext: '.mjs',
    text: (ts) => typescript.transpileModule(ts, { compilerOptions: { target: 'es2022', module: 'esnext', useDefineForClassFields: true } }).outputText,
  },
].filter(Boolean)

function blocksOf(page) {
  const text = fs.readFileSync(page, 'utf8')
  return [...text.matchAll(/^```(?:typescript|ts)\n([\s\S]*?)^```/gm)].map((found) => found[1])
}

// What the host of the blocks has.
const host = `
import 'errand-queue/globals'
const made: string[] = []
const make = (name: string) => async (...args: any[]) => { made.push(name); return { email: 'ann@example.com', name: 'Ann', args } }
Object.assign(globalThis, {
  made, user: { id: 1, wantsNotifications: true, optedOut: false }, User: { find: make('User.find') }, mail: { send: make('mail.send') },
  notifyAdmin: make('notifyAdmin'), veryLongProcess: make('veryLongProcess'), cleanup: make('cleanup'), notifyTimeout: make('notifyTimeout'),
  Storage: { get: make('Storage.get') }, processFile: make('processFile'), slack: { send: make('slack.send') }, File: { update: make('File.update') },
  generateDailyReport: make('generateDailyReport'), sendReportEmail: make('sendReportEmail'), alertOps: make('alertOps'),
})
declare const process: any
const g: any = globalThis
export const all = async () => (await g.checkQueueHealth()).metrics
export const say = (what: any) => console.log('\\n@' + JSON.stringify(what))
export const works = (name: string, handle: any, more = {}) => g.registerJob(name, { tries: 1, handle, ...more })
export const drain = async (options = {}) => { const w = new g.QueueWorker({ stopWhenEmpty: true, onWarning() {}, ...options }); await w.start(); await w.wait() }
export { g, made }
`

const names = (block) => [...block.matchAll(/'([a-z]+(?:-[a-z]+)+|[A-Z]\w+)'/g)].map((found) => found[1]).filter((name) => name !== 'errand-queue')
const isClass = (block) => /export default class/.test(block)
const withHandle = `
const { default: Base } = await import('./block.EXT')
const job = g.registerJob(Base.name, class extends Base { handle(data: any, context: any) { return super.handle?.(data, context) ?? null } })`

/** Each: whether it is for a block, the program around that (EXT: the ending), and what it then says. */
const scenes = [
  {
    name: 'fakes', is: (b) => /bun:test/.test(b), only: 'Bun', isTest: true,
    files: { 'app/Jobs/SendWelcomeEmail.ts': 'export default class SendWelcomeEmail { async handle(data: any) { return data.userId } }' },
  },
  {
    name: 'a class with a middleware that the store asks', is: (b) => isClass(b) && /middleware = /.test(b),
    program: `${withHandle}
const ids = [await g.dispatch(job, { orderId: 1 }), await g.dispatch(job, { orderId: 1 }), await g.dispatch(job, { orderId: 2 })]
await drain()
say({ ids: new Set(ids).size, completed: (await all()).completed })`,
    check: (said, block) => assert.deepEqual(said, /Unique/.test(block) ? { ids: 2, completed: 2 } : { ids: 3, completed: 3 }),
  },
  {
    name: 'a class with a schedule', is: (b) => isClass(b) && /schedule = /.test(b),
    program: `${withHandle}
await g.startScheduler()
const { running, nextRunTimes } = g.getSchedulerStatus()
await g.triggerJob(job.replace(/(?!^)[A-Z]/g, '-$&').toLowerCase())
await drain()
await g.stopScheduler()
say([running, nextRunTimes[job].getUTCHours(), made, g.getSchedulerStatus().running])`,
    check: (said) => assert.deepEqual(said, [true, 8, ['generateDailyReport', 'sendReportEmail'], false]),
  },
  {
    name: 'a class that fails', is: (b) => isClass(b) && /async failed\(/.test(b),
    program: `g.User.find = g.Storage.get = async () => { throw new Error('of the host') }
${withHandle}
console.error = () => {}
await g.dispatch(job, { userId: 1, fileId: 2 }, { backoff: 0 })
await drain()
const [failed] = await new g.FailedJobManager().all()
say([failed.attempts, failed.exception, made.length > 0])`,
    check: (said) => assert.deepEqual(said, [3, 'of the host', true]),
  },
  {
    name: 'a class as it is', is: isClass,
    program: `${withHandle}
await g.dispatch(job, { n: 1 })
await drain()
say((await all()).completed)`,
    check: (said) => assert.equal(said, 1),
  },
  {
    name: 'workers and a manager', is: (b) => /WorkerManager/.test(b),
    program: `let n = 0
works('some', () => { n++ })
await import('./block.EXT')
for (const queue of ['default', 'emails', 'reports']) for (let i = 0; i < 10; i++) await g.dispatch('some', {}, { queue })
while (n < 30) await new Promise((resolve) => setTimeout(resolve, 10))
say(n)
process.kill(process.pid, 'SIGTERM')
await new Promise((resolve) => setTimeout(resolve, 10000))
process.exit(9)`,
    check: (said) => assert.equal(said, 30),
  },
  {
    name: 'failed jobs', is: (b) => /new FailedJobManager/.test(b),
    program: `works('bad', () => { throw new Error('always') })
for (let i = 0; i < 3; i++) await g.dispatch('bad', { i })
await drain()
g.failedJobId = (await new g.FailedJobManager().all())[0].id
await import('./block.EXT')
say([(await all()).failed, (await all()).pending])`,
    check: (said) => assert.deepEqual(said, [0, 3]),
  },
  {
    name: 'the scheduler', is: (b) => /startScheduler/.test(b),
    program: `works('DailyReport', () => 1, { schedule: '0 8 * * *' })
await import('./block.EXT')
say([(await all()).pending, g.getSchedulerStatus().running])`,
    check: (said) => assert.deepEqual(said, [1, false]),
  },
  {
    name: 'events', is: (b) => /onQueueEvent/.test(b),
    program: `const log: string[] = []
const { log: out, error } = console
console.log = console.error = (...words: any[]) => { log.push(words.join(' ')) }
await import('./block.EXT')
let n = 0
works('flaky', (_: any) => { if (n++ === 0) throw new Error('once') }, { tries: 2, backoff: 0 })
works('bad', (_: any) => { throw new Error('always') })
await new Promise((resolve) => setTimeout(resolve, 300))
await g.dispatch('flaky', {})
await g.dispatch('bad', {})
await drain()
for (let i = 0; i < 100 && log.length < 8; i++) await new Promise((resolve) => setTimeout(resolve, 20))
console.log = out
console.error = error
say(log.map((line) => line.split(':')[0]))`,
    check: (said) => assert.deepEqual(said.sort(), ['Job completed', 'Job dispatched', 'Job dispatched', 'Job failed', 'Job started', 'Job started', 'Job started', 'Retrying job'].sort()),
  },
  {
    name: 'health', is: (b) => /checkQueueHealth/.test(b),
    program: `await import('./block.EXT')
say(made)`,
    check: (said) => assert.deepEqual(said, []),
  },
  {
    name: 'a batch', is: (b) => /\bbatch\(/.test(b),
    program: `for (const name of NAMES) works(name, ({ userId }: any) => { if (userId === 2) throw new Error('no such user') })
const worker = await new g.QueueWorker({ concurrency: 3 }).start()
await import('./block.EXT')
await worker.stop()
say([(await all()).completed, (await all()).failed])`,
    check: (said) => assert.deepEqual(said, [2, 1]),
  },
  {
    name: 'a chain', is: (b) => /\bchain\(\)/.test(b),
    program: `const seen: string[] = []
for (const name of NAMES) works(name, () => { seen.push(name) })
await import('./block.EXT')
await drain({ concurrency: 4 })
say(seen)`,
    check: (said, block) => assert.deepEqual(said, names(block)),
  },
  {
    name: 'run at once', is: (b) => /dispatchSync\(/.test(b),
    program: `let n = 0
for (const name of NAMES) works(name, () => { n++ })
await import('./block.EXT')
say([n, (await all()).pending])`,
    check: (said) => assert.deepEqual(said, [1, 1]),
  },
  {
    name: 'delays', is: (b) => /dispatchAfter\(/.test(b),
    program: `await import('./block.EXT')
say([(await all()).delayed, (await all()).pending])`,
    check: (said) => assert.deepEqual(said, [1, 1]),
  },
  {
    name: 'dispatching', is: (b) => /dispatch\w*\(/.test(b) && !/configure/.test(b),
    program: `await import('./block.EXT')
say((await all()).pending)`,
    check: (said, block) => assert.equal(said, (block.match(/^await /gm) ?? []).length),
  },
]

function play(scene, block, runtime) {
  const at = (name) => name.replace(/\.ts$/, runtime.ext)
  const ext = runtime.ext.slice(1)
  const program = `import { all, say, works, drain, g, made } from './host.${ext}'\n${scene.program ?? ''}`
  const files = {
    'node_modules/@stacksjs/email/package.json': '{"main": "index.js"}',
    'node_modules/@stacksjs/email/index.js': "exports.mail = { send: async () => {} }",
    'package.json': '{}',
  }
  const put = (name, text) => { files[at(name)] = runtime.text(text) }
  put('host.ts', host)
  put(scene.isTest ? 'block.test.ts' : 'block.ts', block)
  put('program.ts', program.replaceAll('EXT', ext).replaceAll('NAMES', JSON.stringify(names(block))))
  for (const [name, text] of Object.entries(scene.files ?? {})) put(name, text)
  const folder = projectMake(files)
  if (scene.isTest) return run(folder, './block.test.ts', { runtime: runtime.exec, args: ['test', '--preload', 'errand-queue/globals'] })
  return run(folder, `program.${ext}`, { runtime: runtime.exec })
}

const pages = [path.join(source, 'docs', 'guide', 'typescript.md')]
const mission = process.env.ERRAND_MISSION ?? path.join(source, '..', 'shared', 'mission')
if (fs.existsSync(mission)) for (const name of fs.readdirSync(mission)) pages.push(path.join(mission, name))
// What is not there yet; docs/guide/typescript.md says so.
const missing = (block) => /configureFailedJobNotifications/.test(block)

for (const page of pages)
  for (const [i, block] of blocksOf(page).entries())
    for (const runtime of runtimes) {
      const scene = scenes.find((each) => each.is(block))
      const skip = missing(block) ? 'notifications are not there yet' : scene?.only && scene.only !== runtime.name ? `for ${scene.only}` : false
      test(`${path.basename(page)}, block ${i + 1}, on ${runtime.name}: ${scene?.name ?? 'nothing to see'}`, { skip }, () => {
        assert.ok(scene, `no scene for this block:\n${block}`)
        const { code, out, err } = play(scene, block, runtime)
        assert.equal(code, 0, `${out}\n${err}`)
        const said = out.split('\n').find((line) => line.startsWith('@'))
        if (scene.check) scene.check(JSON.parse(said.slice(1)), block)
      })
    }
if (!runtimes.length) test('blocks of TypeScript', { skip: 'neither Bun nor the package typescript is there: npm install in bindings/node' }, () => {})
