// data.js: values to the JSON that is stored, and back.
//
// The text is what JSON.stringify writes, byte for byte. What it would drop without a word, and what
// it cannot write, is an error that names the place.
'use strict'

const { ErrandError } = require('./errors.js')

function member(place, key) {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `${place}.${key}` : `${place}[${JSON.stringify(key)}]`
}

function refuse(place, what) {
  throw new ErrandError(`${place} is ${what}: JSON has none`, 'EJSON')
}

function check(value, place, above) {
  const type = typeof value
  if (type === 'bigint') refuse(place, 'a BigInt')
  if (type === 'function') refuse(place, 'a function')
  if (type === 'symbol') refuse(place, 'a symbol')
  if (type !== 'object' || value === null || typeof value.toJSON === 'function') return
  if (above.includes(value)) throw new ErrandError(`${place} is a cycle: it contains itself`, 'EJSON')
  above.push(value)
  if (Array.isArray(value)) value.forEach((each, i) => check(each, `${place}[${i}]`, above))
  else for (const key of Object.keys(value)) check(value[key], member(place, key), above)
  above.pop()
}

/** The JSON text of a value; undefined is null. `place` is what it is called in errors. */
function encode(value, place = 'data') {
  if (value === undefined) return 'null'
  check(value, place, [])
  const text = JSON.stringify(value)
  return text === undefined ? 'null' : text
}

/** The value of a stored text; an empty one is `none`. */
function decode(text, none = null) {
  return text ? JSON.parse(text) : none
}

module.exports = { encode, decode }
