// What is dispatched is what a handler gets, to the last byte; what JSON cannot say is refused by its place.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { begin, errand, stored } from './support.mjs'

const { dispatch, ErrandError } = errand

const values = [
  1e20, -0.5, 2 ** 53, 5e-324, '9007199254740993', '\u0000', '\ud800', '\udc00 alone', '𝄞', '"\\/\b', '',
  null, true, [], {}, [[[1]]], { '': { ' ': 1 } }, { __proto__: null, a: [null] }, new Date(0), { nothing: undefined },
  { toJSON: () => 'as it says' }, 'é'.repeat(1000),
]

test('the store keeps the text that JSON.stringify writes', async () => {
  await begin()
  for (const value of values) {
    const { job } = await stored(await dispatch('keep', value))
    assert.equal(job.data, JSON.stringify(value))
  }
  assert.equal((await stored(await dispatch('keep'))).job.data, 'null')
})

const cyclic = { list: [1, { }] }
cyclic.list[1].self = cyclic
const refused = [
  [{ a: { 'b c': [0, 1n] } }, 'data.a["b c"][1] is a BigInt'],
  [1n, 'data is a BigInt'],
  [{ call: () => 1 }, 'data.call is a function'],
  [[Symbol('s')], 'data[0] is a symbol'],
  [cyclic, 'data.list[1].self is a cycle'],
]

test('what JSON has no word for is refused with its place', async () => {
  await begin()
  for (const [value, message] of refused)
    await assert.rejects(dispatch('keep', value), (error) => error instanceof ErrandError && error.code === 'EJSON' && error.message.startsWith(message))
})

test('the same object twice is no cycle', async () => {
  await begin()
  const twice = { a: 1 }
  assert.equal((await stored(await dispatch('keep', [twice, twice]))).job.data, '[{"a":1},{"a":1}]')
})

test('data that is too big or too deep is refused', async () => {
  await begin()
  await assert.rejects(dispatch('keep', 'x'.repeat(1 << 20)), { code: 'ETOOBIG' })
  let deep = 1
  for (let i = 0; i < 100; i++) deep = [deep]
  await assert.rejects(dispatch('keep', deep), (error) => /keep/.test(error.message))
})
