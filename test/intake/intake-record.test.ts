import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { IntakeRecord } from '../../src/intake/intake-record.ts'

function carried(headers: Record<string, string>, query = '') {
  const record = new IntakeRecord()
  record.refused('acme', '/v1/refiner/:tenant', 401, new Request(`http://localhost/v1${query}`, { headers }))
  return record.facts().refused[0]!.carried
}

test('it names what a refused request carried, and not what every request has', () => {
  const headers = {
    'X-Token': 's',
    authorization: 'Bearer s',
    'content-type': 'a',
    'x-forwarded-for': '::1',
    'cdn-loop': 'a',
    'x-cloud-trace-context': 'b',
  }
  expect(carried(headers, '?secret=s&of=a')).toEqual({
    headers: ['x-token'],
    authorization: 'bearer',
    query: ['secret', 'of'],
  })
})

test.each([
  ['a header without a scheme', { authorization: 's3cr3t' }, ''],
  ['a scheme that is not known', { authorization: 's3cr3t of mine' }, ''],
  ['a parameter without a value', {}, '?s3cr3t'],
  ['a parameter whose name is none', {}, '?s3cr3t%20of%20mine=1'],
])('no secret is kept where a name should be: %s', (_, headers, query) => {
  expect(JSON.stringify(carried(headers as Record<string, string>, query))).not.toContain('s3cr3t')
})

test('no value of a header or parameter is kept', () => {
  const value = fc.stringMatching(/^[0-9]{12}[a-z]{12}$/)
  fc.assert(
    fc.property(value, value, (secret, other) => {
      const told = JSON.stringify(
        carried({ 'x-secret': secret, authorization: `Basic ${btoa(`${secret}:`)}` }, `?key=${other}`),
      )
      for (const text of [secret, other, btoa(`${secret}:`)]) expect(told).not.toContain(text)
    }),
  )
})

test('strangers cannot make it grow', () => {
  const record = new IntakeRecord()
  const request = new Request('http://localhost/')
  for (let n = 0; n < 3000; n++) record.refused(`tenant-${n}`, '/v1/segment', 401, request)
  for (let n = 0; n < 5; n++) record.refused('tenant-1', '/v1/segment', 401, request)
  const { refused } = record.facts()
  expect(refused).toHaveLength(1000)
  expect(refused.find(({ tenant }) => tenant === 'tenant-1')?.times).toBe(6)
})
