import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { looseId, shapeOf, shapesOf } from '../../src/doctor/id-shape.ts'

test.each([
  ['12345678', 'digits(8)'],
  ['0d9c2a4e-1111-4f6b-9d0a-5b1f1f0a0001', 'uuid'],
  ['ada@example.com', 'email-like'],
  ['5f0c1b2a3d4e5f6071829304', 'hex(24)'],
  ['user_1a2b', 'letters(4)_alphanumeric(4)'],
  ['Ada Example', 'letters(3)other(1)letters(7)'],
  ['x'.repeat(300), 'letters(300)'],
  ['a1-'.repeat(100), 'text(300)'],
  ['', ''],
])('%p looks like %s', (id, shape) => {
  expect(shapeOf(id)).toBe(shape)
})

test('a prefix that nearly all share is shown; one that a few have is not', () => {
  const users = Array.from({ length: 30 }, (_, number) => `user_${1000 + number}`)
  expect(shapesOf(new Set(users)).shapes).toEqual([{ shape: 'user_digits(4)', ids: 30 }])
  expect(shapesOf(new Set(users.slice(0, 5))).shapes).toEqual([{ shape: 'letters(4)_digits(4)', ids: 5 }])
})

test('nothing of an ID is in its shape', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.emailAddress(), fc.uuid()), { maxLength: 15 }), (ids) => {
      for (const { shape } of shapesOf(new Set(ids)).shapes) {
        const ours = /uuid|email-like|(digits|letters|alphanumeric|hex|other|text)\(\d+\)/g
        expect(shape.replaceAll(ours, '')).not.toMatch(/[\p{L}\p{N}]/u)
      }
    }),
  )
})

test('neither case nor a prefix makes a loose ID another one', () => {
  expect(new Set(['User_1A2b', 'user:1a2b', ' 1A2B'].map(looseId))).toEqual(new Set(['1a2b']))
})
