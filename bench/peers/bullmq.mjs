// bullmq.mjs: BullMQ on Redis.
import { Queue, Worker } from 'bullmq'
import { program, socket } from './program.mjs'

program({
  async producer(url) {
    const queue = new Queue('bench', {
      connection: socket(url),
      defaultJobOptions: { removeOnComplete: true }
    })
    await queue.waitUntilReady()
    return {
      add: (data) => queue.add('job', data),
      addMany: (list) => queue.addBulk(list.map((data) => ({ name: 'job', data }))),
      addAt: (data, due) => queue.add('job', data, { delay: due - Date.now() })
    }
  },
  async worker(url, concurrency, handle) {
    const worker = new Worker('bench', async (job) => handle(job.data), {
      connection: { ...socket(url), maxRetriesPerRequest: null },
      concurrency,
      removeOnComplete: { count: 0 }
    })
    await worker.waitUntilReady()
  }
})
