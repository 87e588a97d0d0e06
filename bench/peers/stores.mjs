// stores.mjs: where the jobs of a peer lie: what that takes, and how it is emptied. Only for servers
// that script/servers has started: all that is in a Redis goes.
import { execFileSync } from 'node:child_process'
import { existsSync, rmSync, statSync } from 'node:fs'

const run = (program, ...args) => execFileSync(program, args, { encoding: 'utf8' }).trim()

function sqlite(url) {
  const path = url.replace(/^sqlite:/, '')

  return {
    clear: () => ['', '-wal', '-shm'].forEach((end) => rmSync(path + end, { force: true })),
    filled() {},
    bytes: () => (existsSync(path) ? statSync(path).size : 0)
  }
}

function redis(url) {
  const command = (...args) => run('redis-cli', '-s', url.replace(/^redis\+unix:/, ''), ...args)

  return {
    clear: () => command('flushall'),
    filled() {},
    bytes: () => Number(/^used_memory:(\d+)/m.exec(command('info', 'memory'))[1])
  }
}

function postgres(url) {
  const sql = (...texts) =>
    run('psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', ...texts.flatMap((text) => ['-c', text]), url)
  const schemas = ['graphile_worker', 'pgboss']

  return {
    clear: () => sql(`SET client_min_messages = error; DROP SCHEMA IF EXISTS ${schemas} CASCADE`),
    // As for the ceiling: a plan made of an empty table would be measured for as long as it is kept.
    filled: () => sql('VACUUM ANALYZE', 'CHECKPOINT'),
    bytes: () =>
      Number(
        sql(`SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class AS c
            JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE c.relkind = 'r' AND n.nspname IN ('${schemas.join("','")}')`)
      )
  }
}

export function store(url) {
  return { sqlite, 'redis+unix': redis, postgres }[url.split(':')[0]](url)
}
