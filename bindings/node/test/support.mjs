// support.mjs: a project of its own for each test, and the package as it was built.
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { spawnSync } from 'node:child_process'
import { pathToFileURL } from 'node:url'

export const packageFolder = process.env.ERRAND_PACKAGE
if (!packageFolder) throw new Error('ERRAND_PACKAGE names no package: run the suite node of meson')
export const errand = await import(pathToFileURL(path.join(packageFolder, 'lib', 'index.mjs')).href)

const folders = []
process.on('exit', () => folders.forEach((folder) => fs.rmSync(folder, { recursive: true, force: true })))

/** A folder with these files, in which `errand-queue` and `@stacksjs/queue` are the package. */
export function projectMake(files = {}) {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'errand-node-')))
  folders.push(folder)
  fs.mkdirSync(path.join(folder, 'node_modules', '@stacksjs'), { recursive: true })
  fs.symlinkSync(packageFolder, path.join(folder, 'node_modules', 'errand-queue'))
  fs.symlinkSync(packageFolder, path.join(folder, 'node_modules', '@stacksjs', 'queue'))
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    fs.writeFileSync(path.join(folder, name), text)
  }
  return folder
}

let stores = 0

/** A store of its own for this test, and a project with these job files. */
export async function begin(files) {
  const folder = projectMake(files)
  await errand.configure({ url: `sqlite:${folder}/${++stores}.db`, folder })
  return folder
}

/** Runs a program of the project to its end: { code, out, err }. */
export function run(folder, program, { runtime = process.execPath, env = {}, args = [], more = [] } = {}) {
  const done = spawnSync(runtime, [...args, program, ...more], {
    cwd: folder, encoding: 'utf8', timeout: 30000, env: { ...process.env, NODE_TEST_CONTEXT: '', ...env },
  })
  return { code: done.status, signal: done.signal, out: done.stdout, err: done.stderr }
}

/** A job as the store has it. */
export async function stored(id) {
  const { createRequire } = await import('node:module')
  const lib = createRequire(path.join(packageFolder, 'package.json'))
  const { session } = lib('./lib/session.js')
  return lib('./lib/native.js').get((await session()).handle, id)
}

export async function until(condition, seconds = 20) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    const found = await condition()
    if (found) return found
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`not within ${seconds} s: ${condition}`)
}
