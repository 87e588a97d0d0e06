// globals.js: import 'errand-queue/globals' makes the names of the package global, for code that does not
// import what it uses. Job files find them in any case. What is there already stays.
'use strict'

function globalsOffer() {
  const api = require('./index.js')
  for (const name of Object.keys(api)) if (!(name in globalThis)) globalThis[name] = api[name]
}

globalsOffer()
module.exports = { globalsOffer }
