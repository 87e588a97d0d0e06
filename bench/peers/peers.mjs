// peers.mjs: the peers: the program that drives each, how many jobs a worker has at once, and what
// becomes of a completed one. How many at once is what the peer's own documents show; four times as
// many, or a quarter, changes a drain by no more than its rounds differ.
import { createRequire } from 'node:module'
import { execFileSync } from 'node:child_process'

const require = createRequire(import.meta.url)
const here = import.meta.dirname

function node(name, concurrency, note) {
  const program = [process.execPath, `${here}/${name}.mjs`]

  return {
    note,
    dispatch: program,
    work: [...program, 'work', String(concurrency)],
    version: () => require(`${here}/node_modules/${name}/package.json`).version
  }
}

const sidekiq = {
  note: '10 at once, completed removed',
  dispatch: ['ruby', `${here}/sidekiq.rb`],
  work: ['sidekiq', '-q', 'bench', '-c', '10', '-r', `${here}/sidekiq.rb`],
  version: () => execFileSync('sidekiq', ['--version'], { encoding: 'utf8' }).split(' ')[1].trim()
}

export const peers = {
  'bee-queue': node('bee-queue', 50, '50 at once, completed removed'),
  bullmq: node('bullmq', 100, '100 at once, completed removed'),
  'graphile-worker': node('graphile-worker', 24, '24 at once, local queue of 500, completed removed'),
  'pg-boss': node('pg-boss', 1000, '1,000 at once, bursts, notified, completed kept'),
  plainjob: node('plainjob', 1, 'one at once, completed kept'),
  sidekiq
}
