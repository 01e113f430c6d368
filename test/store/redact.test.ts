import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { redactAnswer } from '../../src/store/redact.ts'

describe('an answer is kept without', () => {
  test.each([
    ['{"message":"bad write key","writeKey":"aB3dE6gH"}', 'aB3dE6gH'],
    ['{"api_key" : "short1"}', 'short1'],
    ['{\\"token\\":\\"abc.def\\"}', 'abc.def'],
    ['Authorization: Bearer abc123', 'abc123'],
    ['authorization=Basic dXNlcjpwYXNz; path=/', 'dXNlcjpwYXNz'],
    ['you sent Bearer abcdef and that is wrong', 'abcdef'],
    ['Set-Cookie: sid=s3cr3t', 's3cr3t'],
    ['password=hunter2&x=1', 'hunter2'],
    ['see https://me:hunter2@example.com/x', 'hunter2'],
    ['unknown key 0d9c2a4e-1111-4f6b-9d0a-5b1f1f0a0001', '4f6b'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl', 'eyJzdWIi'],
    ['sk_live_51H8xJ2eZvKYlo2C', 'eZvKYlo2C'],
  ])('what looks like a key: %s', (answer, secret) => {
    expect(answer).toContain(secret)
    expect(redactAnswer(answer)).not.toContain(secret)
  })

  test('the beginning of a key that the cut runs through', () => {
    const answer = `${'so it is '.repeat(54)} K3yAbc9`.padEnd(500, 'x9').slice(0, 500)
    expect(redactAnswer(answer)).not.toContain('K3yAbc')
  })
})

test('what says why stays', () => {
  const answer = '{"success":false,"message":"Event name is required","code":400,"field":"properties.score"}'
  expect(redactAnswer(answer)).toBe(answer)
})

test('any text is taken, and kept short', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 3000, unit: 'binary' }), (text) => {
      expect(redactAnswer(text).length).toBeLessThanOrEqual(500)
    }),
  )
  for (const piece of ['key', 'token=', '"', '//a:', 'bearer ', 'a-', '\\"'])
    redactAnswer(piece.repeat(60_000))
})
