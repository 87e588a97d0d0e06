// session.js: the store that this process works with, and the jobs it knows.
'use strict'

const native = require('./native.js')
const { ErrandError } = require('./errors.js')
const { Jobs, load } = require('./jobs.js')
const { nameOf } = require('./names.js')

const settings = { url: undefined, folder: undefined, config: undefined }
let current = null
let faked = null

/** A store with its jobs: those of the project's files, and those that were registered. */
class Session {
  constructor(url, folder, config) {
    this.folder = folder
    this.url = url
    this.handle = native.open(url, folder, config)
    this.jobs = new Jobs()
    this.loading = null
  }

  /** When the jobs are known here and the store has been told of them. */
  ready() {
    this.loading ??= this.load().catch((error) => {
      this.loading = null
      throw error
    })
    return this.loading
  }

  async load() {
    this.jobs = await projectJobs(this.folder)
    for (const [name, source] of registered) this.jobs.add(name, source)
    await this.define()
    return this
  }

  async tell(classes) {
    if (this.below) await native.define(this.below, classes)
    await native.define(this.handle, classes)
  }

  /** One that the store refuses is told of where it is dispatched; the others are not held up. */
  async define() {
    const good = this.jobs.list.filter((entry) => !entry.error)
    try {
      await this.tell(good.map(toldOf))
    } catch (error) {
      if (error.code !== 'EINVAL') throw error
      for (const entry of good)
        await this.tell([toldOf(entry)]).catch((wrong) => {
          if (wrong.code !== 'EINVAL') throw wrong
          entry.error = new ErrandError(`${entry.file || entry.name}: ${wrong.message}`)
        })
    }
  }

  close() {
    return native.close(this.handle)
  }
}

function toldOf(entry) {
  const middleware = entry.told.middleware.map(({ keyFunction, ...told }) => told)
  return { ...entry.told, middleware }
}

const registered = new Map()
const loaded = new Map()

function projectJobs(folder) {
  if (!loaded.has(folder)) loaded.set(folder, load(folder))
  return loaded.get(folder).then((jobs) => Object.assign(new Jobs(), { list: [...jobs.list] }))
}

function project() {
  settings.folder ??= native.project(process.cwd()).folder
  return settings.folder
}

/** Where the jobs are; before anything is dispatched. What is not said is as errand.yml and ERRAND_URL say. */
async function configure({ url, folder, ...config } = {}) {
  await close()
  // A store in memory without a name belongs to one connection alone.
  settings.url = url === 'memory:' ? 'memory:main' : url
  settings.folder = folder && native.project(folder).folder
  settings.config = config
}

/** Ends what is open; the next call opens it again. */
async function close() {
  const open = current
  current = null
  await open?.close()
}

/** The session that calls go to, with all jobs known. */
function session() {
  if (faked) return faked.ready()
  current ??= new Session(settings.url, project(), settings.config)
  return current.ready()
}

/** A job class of this program, beside those of its files. */
function registerJob(job, source = job) {
  const name = nameOf(job)
  registered.set(name, source)
  for (const open of [current, faked]) if (open) open.loading = null
  return name
}

function urlNow() {
  return settings.url ?? native.project(project()).url
}

let fakes_n = 0

// What is told to a faked store is gone, and what is under it counts: so the jobs are told to that.
const fakes = {
  begin() {
    fakes.end()
    const url = `memory:fake-${++fakes_n}`
    faked = new Session(url, project())
    faked.below = native.open(url)
    faked.ran = []
    native.fakeSync(faked.handle)
  },
  end() {
    if (!faked) return
    native.closeSync(faked.handle)
    native.closeSync(faked.below)
    faked = null
  },
  now: () => faked,
}

module.exports = { Session, configure, close, session, registerJob, fakes, urlNow, project, settings, toldOf }
