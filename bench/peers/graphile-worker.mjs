// graphile-worker.mjs: graphile-worker on PostgreSQL, with the settings of its own page on
// performance: a local queue, completed in batches.
import { Logger, makeWorkerUtils, run } from 'graphile-worker'
import { program } from './program.mjs'

const logger = new Logger(() => () => {})

program({
  async producer(connectionString) {
    const to = await makeWorkerUtils({ connectionString, logger })
    await to.migrate()
    return {
      add: (data) => to.addJob('job', data),
      addMany: (list) => to.addJobs(list.map((payload) => ({ identifier: 'job', payload }))),
      addAt: (data, due) => to.addJob('job', data, { runAt: new Date(due) })
    }
  },
  async worker(connectionString, concurrency, handle) {
    await run({
      preset: {
        worker: {
          connectionString,
          logger,
          concurrentJobs: concurrency,
          maxPoolSize: concurrency + 1,
          localQueue: { size: 500 },
          completeJobBatchDelay: 0,
          failJobBatchDelay: 0
        }
      },
      parsedCronItems: [],
      taskList: { job: async (data) => handle(data) }
    })
  }
})
