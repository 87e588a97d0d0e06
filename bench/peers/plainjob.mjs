// plainjob.mjs: plainjob on SQLite, which it sets to WAL and synchronous NORMAL.
import Database from 'better-sqlite3'
import { better, defineQueue, defineWorker } from 'plainjob'
import { program } from './program.mjs'

const logger = { debug() {}, info() {}, warn: console.error, error: console.error }

const open = (url) =>
  defineQueue({
    connection: better(new Database(url.replace(/^sqlite:/, ''))),
    logger
  })

program({
  async producer(url) {
    const queue = open(url)
    return {
      add: (data) => queue.add('job', data),
      addMany: (list) => queue.addMany('job', list),
      addAt: (data, due) => queue.add('job', data, { delay: due - Date.now() }),
      close: () => queue.close() // or its log would not be in the file yet
    }
  },
  async worker(url, concurrency, handle) {
    defineWorker('job', async (job) => handle(JSON.parse(job.data)), {
      queue: open(url),
      logger
    }).start()
  }
})
