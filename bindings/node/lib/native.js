// native.js: finds the addon and loads it.
//
// It lies beside the package where it was built or installed. Node has symbols of its own
// (of OpenSSL, zlib, and what it will have next) that would stand before those of errand's
// libraries: what the addon loads looks at its own libraries first.
'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { ErrandError } = require('./errors.js')

function file() {
  if (process.env.ERRAND_NODE) return process.env.ERRAND_NODE
  return path.join(__dirname, '..', 'errand.node')
}

function load(name) {
  const { RTLD_NOW, RTLD_DEEPBIND } = os.constants.dlopen
  const found = { exports: {} }
  // A sanitizer must stand before all else.
  const deep = RTLD_DEEPBIND && !process.versions.bun && !/asan/.test(process.env.LD_PRELOAD || '')
  if (deep) process.dlopen(found, name, RTLD_NOW | RTLD_DEEPBIND)
  else process.dlopen(found, name)
  return found.exports
}

function open() {
  const name = file()
  if (!fs.existsSync(name))
    throw new ErrandError(`${name} is not there: build errand with its feature node ` +
      '(meson configure build -Dnode=enabled), and use the package of the build or the installed one', 'ENOTFOUND')
  const native = load(name)
  native.errorClass(ErrandError)
  return native
}

module.exports = open()
