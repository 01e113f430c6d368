import { Database } from 'bun:sqlite'
import { createHmac } from 'node:crypto'
import { expect, test } from 'bun:test'
import { privateMessage, privateWebhook } from '../../src/intake/privacy-lists.ts'
import type { JsonObject } from '../../src/contracts/json.ts'
import { withResponse } from '../fixtures/refiner-webhook.ts'
import { basic, bearer, startLoop, until } from '../support/loop.ts'

const SALT = 'a-long-random-text'
const hashOf = (text: string) => createHmac('sha256', SALT).update(text).digest('hex')
const ALL = { allow: ['*'], deny: [], hash: [], salt: SALT }

test('traits are left out and hashed by their names, nested ones by their path', () => {
  const traits = { email: 'ada@example.com', age: 36, phone_home: '1', address: { city: 'Turin', zip: '1' } }
  const message = {
    type: 'identify',
    userId: 'ada',
    messageId: 'm-1',
    traits,
    context: { traits, ip: '::1' },
  } as const
  const kept = { email: hashOf('ada@example.com'), age: 36, address: { city: 'Turin' } }
  const lists = { ...ALL, deny: ['phone_*', 'address.zip'], hash: ['email'] }
  expect(privateMessage(message, lists)).toEqual({
    ...message,
    traits: kept,
    context: { traits: kept, ip: '::1' },
  })
  expect(privateMessage(message, { ...ALL, allow: ['address'] }).traits).toEqual({
    address: { city: 'Turin', zip: '1' },
  })
  expect(privateMessage(message, { ...ALL, allow: ['address.city'] }).traits).toEqual({
    address: { city: 'Turin' },
  })
  expect(privateMessage(message, { ...ALL, deny: ['a*'], allow: ['age'] }).traits).toEqual({})
})

test('a webhook loses attributes, answers and emails, and never its IDs', () => {
  const body = withResponse({ data: { nps: '9', why: 'secret' } }) as JsonObject
  const lists = { ...ALL, deny: ['why', 'display_name', 'plan', 'remote_id', 'uuid'], hash: ['email', 'nps'] }
  const kept = privateWebhook(body, lists)
  expect(kept).toMatchObject({
    remote_id: 'user-1042',
    email: hashOf('ada@example.com'),
    response: { uuid: '0d9c2a4e-6666-4f6b-9d0a-5b1f1f0a0006', data: { nps: hashOf('9') } },
    account: { remote_id: 'account-7', attributes: { name: 'Acme Inc.' } },
  })
  expect(JSON.stringify(kept)).not.toMatch(/secret|"pro"|Ada Example/)
})

test('what is on the lists is in no table', async () => {
  await using loop = await startLoop({
    tenants: { acme: { privacy: { deny: ['ssn', 'why'], hash: ['email'], salt: SALT } } },
  })
  const traits = { ssn: '078-05-1120', email: 'ada@example.com', plan: 'pro' }
  await loop.post('/v1/segment', { type: 'identify', userId: 'ada', traits }, basic('acme-destination-key'))
  const body = withResponse({ data: { why: '078-05-1120' } })
  await loop.post('/v1/refiner/acme', body, bearer('acme-webhook-secret'))
  await until(() => loop.refiner.calls.length === 1)
  expect(loop.refiner.calls[0]!.body).toEqual({ id: 'ada', email: hashOf('ada@example.com'), plan: 'pro' })
  using db = new Database(loop.configuration.database.path, { readonly: true })
  const kept = ['inbox', 'outbox', 'users', 'responses'].map((table) =>
    db.query(`select * from ${table}`).all(),
  )
  expect(JSON.stringify(kept)).not.toMatch(/078-05-1120|ada@example\.com/)
})
