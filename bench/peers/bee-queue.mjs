// bee-queue.mjs: bee-queue on Redis, without the events that nobody here listens to.
import Queue from 'bee-queue'
import { program, socket } from './program.mjs'

const queue = (url, isWorker) =>
  new Queue('bench', {
    redis: socket(url),
    isWorker,
    getEvents: false,
    sendEvents: false,
    storeJobs: false,
    removeOnSuccess: true,
    activateDelayedJobs: true
  }).ready()

program({
  async producer(url) {
    const to = await queue(url, false)
    return {
      add: (data) => to.createJob(data).save(),
      addMany: (list) => to.saveAll(list.map((data) => to.createJob(data))),
      addAt: (data, due) => to.createJob(data).delayUntil(due).save()
    }
  },
  async worker(url, concurrency, handle) {
    ;(await queue(url, true)).process(concurrency, async (job) => handle(job.data))
  }
})
