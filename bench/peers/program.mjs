// program.mjs: what the program of every peer in JavaScript is: one that hands out jobs, or one that
// works them, on the store at BENCH_URL.
//
//   one N | bulk N | pickup N | delay N   hands out N jobs; prints the seconds that took
//   work CONCURRENCY                      works until it is killed; prints what its handlers saw
//
// sidekiq.rb is the same in Ruby.
const BULK = 1000 // jobs a call, as errand is measured with
const PICKUP_EVERY_MS = 20
const DELAY_EVERY_MS = 7
const DELAY_MS = 1000
const PAYLOAD_LEN = 64
const TELL_EVERY_NS = 20e6

// Monotonic, the same in every process.
const now = () => Number(process.hrtime.bigint())
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

function payload(number, time) {
  const data = { t: time, i: number, p: '' }

  data.p = 'x'.repeat(PAYLOAD_LEN - JSON.stringify(data).length)
  return data
}

const dispatchers = {
  async one(to, n) {
    for (let i = 0; i < n; i++) await to.add(payload(i, now()))
  },
  async bulk(to, n) {
    for (let i = 0; i < n; i += BULK) {
      const length = Math.min(BULK, n - i)
      await to.addMany(Array.from({ length }, (_, k) => payload(i + k, now())))
    }
  },
  async pickup(to, n) {
    for (let i = 0; i < n; i++) {
      await to.add(payload(i, now()))
      await pause(PICKUP_EVERY_MS)
    }
  },
  async delay(to, n) {
    for (let i = 0; i < n; i++) {
      const due = Date.now() + DELAY_MS
      await to.addAt(payload(i, due), due)
      await pause(DELAY_EVERY_MS)
    }
  }
}

// What handlers saw goes out now and then as a line of JSON: how many have begun, when the first and
// the last, and with BENCH_KIND how long each had waited or how late it was since the last line.
class Board {
  #kind = process.env.BENCH_KIND
  #seen = { count: 0, first: 0, last: 0, values: [] }
  #told = { count: -1, at: 0 }

  constructor() {
    this.tell()
    setInterval(() => this.tell(), TELL_EVERY_NS / 1e6)
  }

  // Also from a handler: some peers never let a timer fire while there is work.
  begun(data) {
    const seen = this.#seen

    seen.last = now()
    seen.first ||= seen.last
    seen.count++
    if (this.#kind === 'pickup') seen.values.push((seen.last - data.t) / 1e6)
    if (this.#kind === 'delay') seen.values.push(Date.now() - data.t)
    if (seen.last - this.#told.at > TELL_EVERY_NS) this.tell()
  }

  tell() {
    if (this.#told.count !== this.#seen.count) process.stdout.write(JSON.stringify(this.#seen) + '\n')
    this.#told = { count: this.#seen.count, at: now() }
    this.#seen.values = []
  }
}

// producer(url) makes what the store must have and answers add(data), addMany([data]), addAt(data, ms
// since 1970), and close() if that matters; worker(url, concurrency, handle) works, and calls
// handle(data) for each job.
export async function program({ producer, worker }) {
  const [what, n] = process.argv.slice(2)
  const url = process.env.BENCH_URL

  if (what === 'work') {
    const board = new Board()
    await worker(url, Number(n), (data) => board.begun(data))
    return
  }
  const to = await producer(url)
  const from = now()
  await dispatchers[what](to, Number(n))
  console.log((now() - from) / 1e9)
  await to.close?.()
  process.exit(0)
}

// Where a Redis listens, as its clients want it.
export const socket = (url) => ({ path: url.replace(/^redis\+unix:/, '') })
