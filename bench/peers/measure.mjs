// measure.mjs PEER WHAT NAME URL: figures of one peer, peer.PEER.WHAT.NAME, as bench-errand prints its
// own, and what the peer is. WHAT: one bulk bytes drain pickup delay.
//
// A drain is counted as errand's is, from the start of the first handler to that of the last; with
// one worker process, and with two as "drain-2". BENCH_ONE and so on say how many jobs, as there.
import { spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { peers } from './peers.mjs'
import { store } from './stores.mjs'

const [name, what, place, url] = process.argv.slice(2)
const peer = peers[name]
const at = store(url)
const env = { ...process.env, BENCH_URL: url, BENCH_KIND: what, NODE_ENV: 'production' }
const WARM = 20
const LIMIT_MS = 120000

const setting = (variable, standard) => Number(process.env[variable] || standard)
const figure = (of, value) => console.log(`peer.${name}.${of}\t${value.toPrecision(6)}`)

// Hands out n jobs; the seconds that took, in a process of its own.
function dispatch(how, n) {
  const [program, ...args] = [...peer.dispatch, how, n]
  const done = spawnSync(program, args, { env, encoding: 'utf8', timeout: LIMIT_MS })
  const seconds = Number.parseFloat(done.stdout)

  if (done.status !== 0 || !(seconds > 0))
    throw new Error(`handing out jobs: ${done.error?.message ?? done.stderr.trim()}`)
  return seconds
}

class Workers {
  #children = []
  values = []

  constructor(processes) {
    const [program, ...args] = peer.work

    for (let i = 0; i < processes; i++) {
      const spawned = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
      const child = { spawned, count: 0, failed: '' }
      child.ended = new Promise((resolve) => spawned.on('close', resolve))
      spawned.on('error', (error) => (child.failed = error.message))
      spawned.on('exit', (status) => (child.failed ||= `it ended with ${status}`))
      createInterface({ input: spawned.stdout }).on('line', (line) => this.#told(child, line))
      this.#children.push(child)
    }
  }

  #told(child, line) {
    if (!line.startsWith('{')) return console.error(line) // what the peer itself has to say
    const { values, ...seen } = JSON.parse(line)
    Object.assign(child, seen)
    this.values.push(...values)
  }

  async await(n) {
    const end = Date.now() + LIMIT_MS

    for (;;) {
      const count = this.#children.reduce((sum, child) => sum + child.count, 0)
      const failed = this.#children.find((child) => child.failed)
      if (failed) throw new Error(`a worker: ${failed.failed}`)
      if (count >= n) return
      if (Date.now() > end) throw new Error(`only ${count} of ${n} jobs ran within ${LIMIT_MS / 1000} s`)
      await pause(5)
    }
  }

  rate() {
    const busy = this.#children.filter((child) => child.count > 0)
    const count = busy.reduce((sum, child) => sum + child.count, 0)
    const first = Math.min(...busy.map((child) => child.first))
    const last = Math.max(...busy.map((child) => child.last))

    return (count - 1) / ((last - first) / 1e9)
  }

  // What they leave behind is cleared away with the store.
  async end() {
    for (const { spawned } of this.#children) spawned.kill('SIGKILL')
    await Promise.all(this.#children.map((child) => child.ended))
  }
}

async function working(processes, story) {
  const workers = new Workers(processes)

  try {
    await story(workers)
  } finally {
    await workers.end()
  }
}

function rate(how, n) {
  figure(`${how}.${place}`, n / dispatch(how, n))
}

function bytes() {
  const n = setting('BENCH_BULK', 50000)
  let used

  dispatch('bulk', n)
  used = at.bytes()
  at.clear()
  used -= at.bytes() // a Redis takes some for itself
  figure(`bytes.${place}`, used / n)
}

// Twice as many for two processes, so that starting the second counts no more.
async function drain(processes) {
  const n = setting('BENCH_DRAIN', 50000) * processes

  dispatch('bulk', n)
  at.filled()
  await working(processes, async (workers) => {
    await workers.await(n)
    figure(`drain${processes > 1 ? `-${processes}` : ''}.${place}`, workers.rate())
  })
}

function percentile(values, share) {
  return values[Math.min(values.length - 1, Math.floor(values.length * share))]
}

// With a worker that has worked before, also what had to wait: Sidekiq looks for such jobs only some
// ten seconds after it has started.
async function latency(n) {
  dispatch('bulk', 0) // makes what a worker expects to be there
  await working(1, async (workers) => {
    const warm = what === 'delay' ? WARM + 1 : WARM

    dispatch('bulk', WARM)
    if (what === 'delay') dispatch('delay', 1)
    await workers.await(warm)
    await pause(300)
    workers.values = []
    dispatch(what, n)
    await workers.await(warm + n)
    workers.values.sort((a, b) => a - b)
    figure(`${what}.${place}.p50_ms`, percentile(workers.values, 0.5))
    figure(`${what}.${place}.p99_ms`, percentile(workers.values, 0.99))
  })
}

const measures = {
  one: () => rate('one', setting('BENCH_ONE', 5000)),
  bulk: () => rate('bulk', setting('BENCH_BULK', 50000)),
  bytes,
  async drain() {
    await drain(1)
    at.clear()
    await drain(2)
  },
  pickup: () => latency(setting('BENCH_PICKUP', 200)),
  delay: () => latency(setting('BENCH_DELAY', 200))
}

try {
  console.log(`peer.${name}\tnote\t${peer.version()}, ${peer.note}`)
  at.clear()
  await measures[what]()
  at.clear()
} catch (error) {
  console.error(`bench: ${name}: ${what}: ${error.message}`)
  process.exitCode = 1
}
