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

test('lists go into arrays, and leave out and hash in any casing', () => {
  const traits = {
    Email: 'ada@example.com',
    SSN: '078-05-1120',
    children: [{ name: 'Byron', SSN: '1' }, [{ name: 'Annabella', ssn: '2' }], 'none'],
    contacts: [{ Email: 'bob@example.com' }, { email: null }],
  }
  const message = { type: 'identify', userId: 'ada', messageId: 'm-1', traits } as const
  const lists = { ...ALL, deny: ['ssn', 'children.ssn'], hash: ['email', 'Contacts.email'] }
  expect(privateMessage(message, lists).traits).toEqual({
    Email: hashOf('ada@example.com'),
    children: [{ name: 'Byron' }, [{ name: 'Annabella' }], 'none'],
    contacts: [{ Email: hashOf('bob@example.com') }, { email: null }],
  })
  expect(privateMessage(message, { ...ALL, allow: ['children.name', 'email'] }).traits).toEqual({
    children: [{ name: 'Byron' }, [{ name: 'Annabella' }]],
  })
})

test('what is no object where one is due is gone through, too', () => {
  const lists = { ...ALL, deny: ['ssn'] }
  const context = { Traits: { ssn: '1', a: 1 }, traits: [{ ssn: '2', b: 2 }], ip: '::1' }
  const message = { type: 'track', userId: 'ada', messageId: 'm-1', event: 'E', context } as const
  expect(privateMessage(message, lists).context).toEqual({ Traits: { a: 1 }, traits: [{ b: 2 }], ip: '::1' })
  const body = {
    ...withResponse({ data: [{ ssn: '3', c: 3 }] }),
    attributes: [{ ssn: '4' }, 'd'],
  } as JsonObject
  expect(privateWebhook(body, lists)).toMatchObject({ attributes: [{}, 'd'], response: { data: [{ c: 3 }] } })
  const only = { ...ALL, allow: ['c'] }
  expect(privateWebhook(body, only)).toMatchObject({ attributes: null, response: { data: [{ c: 3 }] } })
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
