import { describe, expect, test } from 'bun:test'
import type { EventRule } from '../../src/contracts/rules.ts'
import { testTenant } from '../support/configuration.ts'
import { mapped } from '../support/mapping.ts'
import { eventRule, fields } from '../support/rules.ts'

function delivery(rules: readonly Partial<EventRule>[], message: Record<string, unknown>) {
  const mapping = rules.map((rule) => eventRule(rule))
  const payload = JSON.stringify({ messageId: 'm-1', userId: 'user-1', ...message })
  const item = { id: 1, source: 'segment', payload, receivedAt: 0 } as const
  return mapped(item, testTenant('acme', { toRefiner: { mapping } })).deliveries[0]!
}

function body(rules: readonly Partial<EventRule>[], message: Record<string, unknown>): unknown {
  return JSON.parse(delivery(rules, message).payload!)
}

const TRAITS = { email: 'ada@example.com', plan: 'pro', seats: '12', address: { city: 'London' } }

describe('rules for Refiner', () => {
  test('rename, drop, cast and hash the traits of a user, flat as Refiner keeps them', () => {
    const rule = {
      rename: [['plan', 'subscription']] as const,
      drop: ['address_*'],
      cast: [['seats', 'number']] as const,
      traits: fields({ email_hash: 'hash(lower(traits.email))' }),
    }
    expect(body([rule, { drop: ['email'] }], { type: 'identify', traits: TRAITS })).toEqual({
      id: 'user-1',
      subscription: 'pro',
      seats: 12,
      email_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
  })

  test('rename all at the same time', () => {
    const rename = [
      ['plan', 'seats'],
      ['seats', 'plan'],
    ] as const
    expect(body([{ rename, drop: ['address_*', 'email'] }], { type: 'identify', traits: TRAITS })).toEqual({
      id: 'user-1',
      seats: 'pro',
      plan: '12',
    })
  })

  test('keep nothing when they name nothing to keep', () => {
    expect(body([{ keep: [] }], { type: 'identify', traits: TRAITS })).toEqual({ id: 'user-1' })
  })

  test('keep only what is named', () => {
    expect(body([{ keep: ['plan'] }], { type: 'identify', traits: TRAITS })).toEqual({
      id: 'user-1',
      plan: 'pro',
    })
  })

  test('change the attributes of an account', () => {
    const rule = { rename: [['name', 'company']] as const, groupTraits: fields({ size: '"big"' }) }
    const traits = { name: 'Acme', industry: 'Tools' }
    expect(
      body([rule, { drop: ['group_traits.industry'] }], { type: 'group', groupId: 'g-1', traits }),
    ).toEqual({
      id: 'user-1',
      account: { id: 'g-1', company: 'Acme', size: 'big' },
    })
  })

  test('rename events, and leave everything else without one', () => {
    const rule = { event: 'app: {{ message.event }}' }
    expect(body([rule], { type: 'track', event: 'Signed Up' })).toEqual({
      id: 'user-1',
      event: 'app: Signed Up',
    })
    expect(body([rule], { type: 'identify', traits: {} })).toEqual({ id: 'user-1' })
  })

  test('see traits, properties and context of any name', () => {
    const traits = { constructor: 'F1', plan: 'pro' }
    const rule = { when: 'traits.plan == "pro"', traits: fields({ team: 'traits.constructor' }) }
    expect(body([rule], { type: 'identify', traits })).toMatchObject({ team: 'F1', constructor: 'F1' })
    const track = {
      type: 'track',
      event: 'Raced',
      properties: { results: [{ constructor: 'F1' }] },
      context: { constructor: 1, ip: '::1' },
    }
    const results = { team: 'properties.results[0].constructor', ip: 'context.ip' }
    expect(body([{ traits: fields(results) }], track)).toMatchObject({ team: 'F1', ip: '::1' })
  })

  test('cast what is called __proto__', () => {
    const message = { type: 'identify', traits: JSON.parse('{"__proto__": "a"}') as object }
    const sent = body([{ cast: [['__proto__', 'list']] }], message) as object
    expect(Object.getOwnPropertyDescriptor(sent, '__proto__')?.value).toEqual(['a'])
  })

  test('filter, by anything the message says', () => {
    const rule = {
      name: 'small',
      when: 'message.type == "track" && double(properties.amount) < 10.0',
      skip: 'too small',
    }
    const track = { type: 'track', event: 'Paid', properties: { amount: 5 } }
    expect(delivery([rule], track)).toMatchObject({ state: 'skipped', reason: 'too small (rule small)' })
    expect(delivery([rule], { ...track, properties: { amount: 50 } })).toMatchObject({ state: 'pending' })
  })

  test('never change whom a call speaks of', () => {
    const rule = { traits: fields({ id: '"somebody else"', account: '"x"' }) }
    expect(body([rule], { type: 'identify', traits: {} })).toEqual({
      id: 'user-1',
      traits_id: 'somebody else',
      traits_account: 'x',
    })
  })

  test('that fail are left out and noted, or make the delivery dead', () => {
    const failing = { name: 'bad', traits: fields({ n: 'int(traits.plan)' }) }
    const message = { type: 'identify', traits: TRAITS }
    expect(delivery([failing], message)).toMatchObject({
      state: 'pending',
      notes: expect.stringContaining('rule bad'),
    })
    expect(delivery([{ ...failing, onError: 'dead' }], message)).toMatchObject({
      state: 'dead',
      reason: expect.stringContaining('rule bad'),
      payload: null,
    })
  })
})
