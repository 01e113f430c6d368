import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import {
  type Identifiers,
  identifiersOf,
  linkContact,
  seeUser,
  type Whom,
} from '../../src/store/identities.ts'
import { emailConflicts } from '../../src/store/email-conflicts.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import { changesSoFar } from '../../src/store/retention.ts'

let folder: string
let store: Store
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'refiner-sync-identities-'))
  store = await openStore(join(folder, 'test.db'))
})
afterEach(() => {
  store.close()
  rmSync(folder, { recursive: true })
})

const see = (userId: string, known: { email?: string; uuid?: string } = {}, tenant = 'acme') =>
  store.relaxedTransaction(() => {
    seeUser(store, { tenant, userId, email: known.email ?? null, refinerUuid: known.uuid ?? null, now: 1 })
  })
const contact = (
  uuid: string,
  known: { userId?: string; email?: string; cookie?: string },
  tenant = 'acme',
) =>
  store.relaxedTransaction(() => {
    const { userId = null, email = null, cookie = null } = known
    linkContact(store, { tenant, uuid, userId, email, cookieUuid: cookie, now: 1 })
  })
const find = (whom: Whom, tenant = 'acme') => sorted(identifiersOf(store, tenant, whom))

function sorted({ userIds, emails, uuids, shared, complete }: Identifiers) {
  return {
    userIds: userIds.toSorted(),
    emails: emails.toSorted(),
    uuids: uuids.toSorted(),
    shared: shared.map(({ value }) => value).toSorted(),
    complete,
  }
}
const person = (userIds: string[], emails: string[], uuids: string[], shared: string[] = []) => {
  return { userIds, emails, uuids, shared, complete: true }
}

describe('a user', () => {
  test('is found by user ID, uuid and email, whatever its case and the spaces around it', () => {
    see('u-1', { email: 'Ada@Example.com', uuid: 'c-1' })
    const ada = person(['u-1'], ['ada@example.com'], ['c-1'])
    expect(find({ userId: 'u-1' })).toEqual(ada)
    expect(find({ uuid: 'c-1' })).toEqual(ada)
    expect(find({ email: '  ADA@example.COM ' })).toEqual(ada)
  })

  test('of whom nothing is new costs one change, that it was seen', () => {
    see('u-1', { email: 'Ada@Example.com', uuid: 'c-1' })
    contact('c-1', { userId: 'u-1', cookie: 'cookie' })
    contact('anonymous', { email: 'ada@example.com', cookie: 'other' })
    const before = changesSoFar(store)
    see('u-1', { email: 'Ada@Example.com', uuid: 'c-1' })
    see('u-1')
    expect(changesSoFar(store) - before).toBe(2)
    contact('c-1', { userId: 'u-1', cookie: 'cookie' })
    contact('anonymous', { email: 'ADA@example.com', cookie: 'other' })
    expect(changesSoFar(store) - before).toBe(2)
  })

  test('keeps the emails and uuids that it had before', () => {
    see('u-1', { email: 'ada@example.com', uuid: 'c-1' })
    see('u-1', { email: 'ada@new.example', uuid: 'c-2' })
    see('u-1', { email: 'ada@example.com' })
    const ada = person(['u-1'], ['ada@example.com', 'ada@new.example'], ['c-1', 'c-2'])
    expect(find({ email: 'ada@new.example' })).toEqual(ada)
    expect(find({ uuid: 'c-1' })).toEqual(ada)
  })

  test('has what it was before it was identified: by its uuid then, and by its email', () => {
    contact('anonymous-1', { email: 'ada@example.com' })
    contact('anonymous-2', { email: 'ada@example.com', cookie: 'cookie-2' })
    see('u-1', { email: 'ada@example.com', uuid: 'c-1' })
    contact('c-1', { userId: 'u-1', cookie: 'cookie-1' })
    const uuids = ['anonymous-1', 'anonymous-2', 'c-1', 'cookie-1', 'cookie-2']
    for (const uuid of uuids) expect(find({ uuid })).toEqual(person(['u-1'], ['ada@example.com'], uuids))
  })

  test('is not known by what stands in for an email', () => {
    for (const email of [
      '',
      'n/a',
      'none@',
      '@',
      'two words@example.com',
      `${'x'.repeat(400)}@example.com`,
    ]) {
      see('u-1', { email })
    }
    expect(find({ userId: 'u-1' })).toEqual(person(['u-1'], [], []))
  })

  test('of another tenant is another person', () => {
    see('u-1', { email: 'ada@example.com', uuid: 'c-1' })
    see('u-1', { email: 'other@example.com' }, 'globex')
    contact('anonymous', { email: 'ada@example.com' }, 'globex')
    expect(find({ userId: 'u-1' })).toEqual(person(['u-1'], ['ada@example.com'], ['c-1']))
    expect(find({ uuid: 'c-1' }, 'globex')).toEqual(person([], [], ['c-1']))
    expect(find({ email: 'ada@example.com' }, 'globex')).toEqual(
      person([], ['ada@example.com'], ['anonymous']),
    )
  })
})

describe('what belongs to two user IDs', () => {
  test("is nobody's, and is told", () => {
    see('u-1', { email: 'office@example.com', uuid: 'c-1' })
    see('u-2', { email: 'Office@example.com', uuid: 'c-2' })
    expect(find({ userId: 'u-1' })).toEqual(person(['u-1'], [], ['c-1'], ['office@example.com']))
    expect(find({ email: 'office@example.com' })).toEqual(person([], [], [], ['office@example.com']))
    expect(identifiersOf(store, 'acme', { email: 'office@example.com' }).shared).toEqual([
      { kind: 'email', value: 'office@example.com', userIds: ['u-1', 'u-2'] },
    ])
  })

  test('is listed as long as it does, however many they are', () => {
    for (let n = 0; n < 150; n++) see(`u-${100 + n}`, { email: 'all@example.com' })
    see('x-1', { email: 'two@example.com', uuid: 'c' })
    see('x-2', { email: 'two@example.com', uuid: 'c' })
    see('x-2', { email: 'alone@example.com' })
    see('x-3', { email: 'all@example.com' }, 'globex')
    const two = { email: 'two@example.com', users: 2, userIds: ['x-1', 'x-2'] }
    expect(emailConflicts(store, 'acme', 10)).toMatchObject([{ email: 'all@example.com', users: 100 }, two])
    expect(emailConflicts(store, 'acme', 10)[0]!.userIds).toHaveLength(20)
    expect(emailConflicts(store, 'acme', 10, 'all@example.com')).toEqual([two])
    expect(emailConflicts(store, 'acme', 1)).toHaveLength(1)
    expect(emailConflicts(store, 'globex', 10)).toEqual([])
    store.sqlite.run(`delete from users where user_id = 'x-1'`)
    expect(emailConflicts(store, 'acme', 10)).toHaveLength(1)
    expect(find({ email: 'two@example.com' }).userIds).toEqual(['x-2'])
  })

  test('takes along no contact that is known by it alone', () => {
    see('u-1', { email: 'office@example.com' })
    contact('anonymous', { email: 'office@example.com' })
    expect(find({ userId: 'u-1' }).uuids).toEqual(['anonymous'])
    see('u-2', { email: 'office@example.com' })
    expect(find({ userId: 'u-1' }).uuids).toEqual([])
    expect(find({ uuid: 'anonymous' })).toEqual(person([], [], ['anonymous'], ['anonymous']))
  })

  test('is also a contact that leads to both, by one email each', () => {
    see('u-1', { email: 'ada@example.com' })
    see('u-2', { email: 'bob@example.com' })
    contact('browser', { email: 'ada@example.com' })
    contact('browser', { email: 'bob@example.com' })
    expect(find({ userId: 'u-1' })).toEqual(person(['u-1'], ['ada@example.com'], []))
    expect(find({ uuid: 'browser' }).userIds).toEqual([])
  })
})

test('a contact without a user ID is a person by itself', () => {
  contact('anonymous-1', { email: 'ada@example.com' })
  contact('anonymous-2', { email: 'ADA@example.com', cookie: 'cookie' })
  const ada = person([], ['ada@example.com'], ['anonymous-1', 'anonymous-2', 'cookie'])
  expect(find({ uuid: 'cookie' })).toEqual(ada)
  expect(find({ email: 'ada@example.com' })).toEqual(ada)
})

test('so many contacts share one email that not all are followed: they are not taken for one person', () => {
  see('u-1', { email: 'test@example.com' })
  store.relaxedTransaction(() => {
    for (let n = 0; n < 3000; n++) {
      linkContact(store, {
        tenant: 'acme',
        uuid: `c-${n}`,
        userId: null,
        email: 'test@example.com',
        cookieUuid: null,
        now: 1,
      })
    }
  })
  expect(find({ userId: 'u-1' })).toMatchObject({ emails: ['test@example.com'], complete: false })
})

/** One thing that may be seen: a user ID, a uuid and an email, each of them or not. */
const sightings = fc.array(
  fc.record({
    user: fc.constantFrom(null, 'u-1', 'u-2', 'u-3'),
    uuid: fc.constantFrom(null, 'c-1', 'c-2', 'c-3', 'c-4'),
    cookie: fc.constantFrom(null, null, 'c-1', 'c-4', 'c-5'),
    email: fc.constantFrom(null, 'a@x.y', 'b@x.y', 'c@x.y'),
  }),
  { maxLength: 12 },
)

let tenants = 0
test('no identifier is given to two persons, and all of one person lead to the same, in any order', () => {
  fc.assert(
    fc.property(sightings, (seen) => {
      const tenant = `t-${(tenants += 1)}`
      const tell = (order: typeof seen, as: string) => {
        for (const { user, uuid, cookie, email } of order) {
          if (user !== null) see(user, { ...(email && { email }), ...(uuid && { uuid }) }, as)
          if (uuid === null) continue
          const known = { ...(email && user === null && { email }), ...(cookie && { cookie }) }
          contact(uuid, { ...(user && { userId: user }), ...known }, as)
        }
      }
      tell(seen, tenant)
      tell(seen.toReversed(), `${tenant}-back`)
      const owners = new Map<string, string>()
      for (const userId of ['u-1', 'u-2', 'u-3']) {
        const found = find({ userId }, tenant)
        expect(find({ userId }, `${tenant}-back`)).toEqual(found)
        for (const [kind, values] of [
          ['uuid', found.uuids],
          ['email', found.emails],
        ] as const) {
          for (const value of values) {
            expect(owners.get(`${kind} ${value}`)).toBeUndefined()
            owners.set(`${kind} ${value}`, userId)
            expect(find(kind === 'uuid' ? { uuid: value } : { email: value }, tenant)).toEqual(found)
          }
        }
      }
    }),
    { numRuns: 60 },
  )
})
