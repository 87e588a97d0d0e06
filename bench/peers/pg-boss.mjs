// pg-boss.mjs: pg-boss on PostgreSQL, with all it has for speed: batches, bursts, notifications.
import { PgBoss } from 'pg-boss'
import { program } from './program.mjs'

const QUEUE = 'bench'
const POLL_S = 0.5 // the least it takes

async function start(connectionString, options) {
  const boss = new PgBoss({ connectionString, schedule: false, ...options })

  boss.on('error', (error) => console.error(error.message))
  return boss.start()
}

program({
  async producer(url) {
    const boss = await start(url, { supervise: false })
    await boss.createQueue(QUEUE, { notify: true })
    return {
      add: (data) => boss.send(QUEUE, data),
      addMany: (list) => boss.insert(QUEUE, list.map((data) => ({ data }))),
      addAt: (data, due) => boss.send(QUEUE, data, { startAfter: new Date(due) })
    }
  },
  async worker(url, concurrency, handle) {
    const boss = await start(url, { useListenNotify: true })
    const options = {
      batchSize: concurrency,
      burstWhenBatchFull: true,
      pollingIntervalSeconds: POLL_S,
      notifyPollingIntervalSeconds: POLL_S
    }
    await boss.work(QUEUE, options, async (jobs) => {
      for (const job of jobs) handle(job.data)
    })
  }
})
